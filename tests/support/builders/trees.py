"""Merkle trees in memory, as the log of a server has one in its database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from server.audit_log.merkle import Frontier, NodeIndex


@dataclass
class Tree:
    """A tree over leaves."""

    frontier: Frontier = field(default_factory=Frontier)
    known: dict[NodeIndex, bytes] = field(default_factory=dict)

    @classmethod
    def over(cls, leaves: Iterable[bytes]) -> "Tree":
        """The tree over these leaves."""
        tree = cls()
        for number, leaf in enumerate(leaves):
            tree.known |= {(0, number): leaf} | tree.frontier.add(leaf)
        return tree

    @property
    def root(self) -> bytes:
        """The root over all leaves."""
        return self.frontier.root

    def nodes(self, places: Sequence[NodeIndex]) -> dict[NodeIndex, bytes]:
        """The hashes at these places."""
        return {place: self.known[place] for place in places}
