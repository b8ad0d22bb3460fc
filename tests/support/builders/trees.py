"""Merkle trees in memory, like the one that a server's audit log has in its database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from server.audit_log.merkle import Frontier, NodeIndex


@dataclass
class Tree:
    """A tree over leaves."""

    frontier: Frontier = field(default_factory=Frontier)
    known: dict[NodeIndex, bytes] = field(default_factory=dict)

    @classmethod
    def from_leaves(cls, leaves: Iterable[bytes]) -> "Tree":
        """Return a tree over these leaves."""
        tree = cls()
        for number, leaf in enumerate(leaves):
            tree.known |= {(0, number): leaf} | tree.frontier.add(leaf)
        return tree

    @property
    def root(self) -> bytes:
        """Return the root hash over all leaves."""
        return self.frontier.root

    def nodes(self, indexes: Sequence[NodeIndex]) -> dict[NodeIndex, bytes]:
        """Return the hashes of these nodes."""
        return {index: self.known[index] for index in indexes}
