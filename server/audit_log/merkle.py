"""The Merkle tree over the entries (RFC 6962 2.1) and its proofs (RFC 9162 2.1.3 and 2.1.4).

Owns: hashes of nodes, the root of a growing tree, making and checking proofs.
Never: entries, signatures or the database.

A node is the root of a complete subtree, so it never changes. Its index is its level and its
number: node (3, 2) covers leaves 16 to 23, and node (0, 5) is leaf 5.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

NodeIndex: TypeAlias = tuple[int, int]
"""The level and the number of a node."""
Nodes: TypeAlias = Callable[[Sequence[NodeIndex]], Mapping[NodeIndex, bytes]]
"""Looks up the hashes of these nodes in one call. Raises `MissingNode`."""
_NODE = b"\x01"
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


class BadProof(Exception):
    """A proof does not prove what it claims."""


class MissingNode(Exception):
    """A hash of the tree is missing."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of the byte 0x01 and the hashes of the two children."""
    return hashlib.sha256(_NODE + left + right).digest()


@dataclass(slots=True)
class Frontier:
    """The right edge of a growing tree: the roots of its complete subtrees, largest first."""

    size: int = 0
    roots: list[bytes] = field(default_factory=list)

    def add(self, leaf: bytes) -> dict[NodeIndex, bytes]:
        """Append a leaf hash; return the nodes that it completes."""
        self.roots.append(leaf)
        self.size += 1
        complete = dict[NodeIndex, bytes]()
        level, count = 0, self.size
        while not count & 1:
            right = self.roots.pop()
            self.roots[-1] = node_hash(self.roots[-1], right)
            level, count = level + 1, count >> 1
            complete[level, count - 1] = self.roots[-1]
        return complete

    def extend(self, leaves: Iterable[bytes]) -> dict[NodeIndex, bytes]:
        """Append leaf hashes; return the nodes that they complete."""
        complete = dict[NodeIndex, bytes]()
        for leaf in leaves:
            complete |= self.add(leaf)
        return complete

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        return _fold(self.roots) if self.roots else EMPTY_ROOT

    def encode(self) -> bytes:
        """The concatenated roots; together with the size they are the whole frontier."""
        return b"".join(self.roots)

    @classmethod
    def decode(cls, size: int, encoded: bytes) -> "Frontier":
        """Decode the output of `encode`. Raises ValueError if it is not a frontier of this size."""
        width = len(EMPTY_ROOT)
        if len(encoded) != size.bit_count() * width:
            raise ValueError(f"A frontier of {size} leaves has {size.bit_count()} hashes.")
        return cls(
            size, [encoded[start : start + width] for start in range(0, len(encoded), width)]
        )


def frontier(nodes: Nodes, size: int) -> Frontier:
    """The frontier of the tree over the first `size` leaves."""
    indexes = _node_indexes(0, size)
    hashes = nodes(indexes)
    return Frontier(size, [hashes[index] for index in indexes])


def inclusion_proof(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """The hashes that prove which leaf is at this index of the tree over `size` leaves."""
    first, end, siblings = 0, size, list[tuple[int, int]]()
    while end - first > 1:
        middle = first + _left_size(end - first)
        if index < middle:
            siblings.append((middle, end))
            end = middle
        else:
            siblings.append((first, middle))
            first = middle
    return _roots(nodes, siblings[::-1])


def consistency_proof(nodes: Nodes, old_size: int, size: int) -> list[bytes]:
    """The hashes that prove that the tree over `old_size` leaves is a prefix of this one."""
    if old_size in {0, size}:
        return []
    first, end, siblings = 0, size, list[tuple[int, int]]()
    while old_size != end:
        middle = first + _left_size(end - first)
        if old_size <= middle:
            siblings.append((middle, end))
            end = middle
        else:
            siblings.append((first, middle))
            first = middle
    return _roots(nodes, [*([(first, end)] if first else []), *siblings[::-1]])


def check_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that the leaf is at this index of the tree (RFC 9162 2.1.3.2). Raises `BadProof`."""
    if not 0 <= index < size:
        raise BadProof(f"There is no entry {index} in a log of {size}.")
    roots = _climb(leaf, index, size - 1, proof)
    if roots is None or roots[1] != root:
        raise BadProof(f"Entry {index} is not in the log of size {size} with this root.")


def check_consistency(
    old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the old tree is a prefix of the new one (RFC 9162 2.1.4.2).

    Raises `BadProof`.
    """
    if not _is_consistent((old_size, old_root), (size, root), list(proof)):
        raise BadProof(f"The log of size {old_size} is not a prefix of the log of size {size}.")


def _is_consistent(old: tuple[int, bytes], new: tuple[int, bytes], proof: list[bytes]) -> bool:
    (old_size, old_root), (size, root) = old, new
    if old_size > size:
        return False
    if old_size in {0, size}:
        return not proof and old_root == (root if old_size else EMPTY_ROOT)
    if old_size & (old_size - 1) == 0:
        proof = [old_root, *proof]
    if not proof:
        return False
    index, last = old_size - 1, size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    return _climb(proof[0], index, last, proof[1:]) == (old_root, root)


def _climb(
    start: bytes, index: int, last: int, proof: Sequence[bytes]
) -> tuple[bytes, bytes] | None:
    """Return the old root and the new root; None if the length of the proof is wrong.

    The old tree ends with the start.
    """
    old = new = start
    for sibling in proof:
        if last == 0:
            return None
        if index & 1 or index == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        index, last = index >> 1, last >> 1
    return (old, new) if last == 0 else None


def _left_size(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _roots(nodes: Nodes, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
    """The roots over these ranges of leaves, with one lookup."""
    subtrees = [_node_indexes(first, end) for first, end in ranges]
    hashes = nodes([index for indexes in subtrees for index in indexes])
    return [_fold([hashes[index] for index in indexes]) for indexes in subtrees]


def _node_indexes(first: int, end: int) -> list[NodeIndex]:
    """The nodes that cover these leaves, largest first."""
    indexes = list[NodeIndex]()
    while first < end:
        level = (end - first).bit_length() - 1
        indexes.append((level, first >> level))
        first += 1 << level
    return indexes


def _fold(roots: Sequence[bytes]) -> bytes:
    """The root over complete subtrees, largest first."""
    *others, root = roots
    for left in reversed(others):
        root = node_hash(left, root)
    return root
