"""The Merkle tree over the entries (RFC 6962 2.1) and its proofs (RFC 9162 2.1.3 and 2.1.4).

Owns: hashes of nodes, the root of a growing tree, making and checking proofs.
Never: entries, signatures or the database.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_NODE = b"\x01"
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


class BadProof(Exception):
    """A proof does not prove what it claims."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of a one byte and the two hashes below."""
    return hashlib.sha256(_NODE + left + right).digest()


@dataclass(slots=True)
class Frontier:
    """The right edge of a growing tree: the roots of its complete subtrees, largest first."""

    size: int = 0
    roots: list[bytes] = field(default_factory=list)

    def add(self, leaf: bytes) -> None:
        """Append a leaf hash."""
        self.roots.append(leaf)
        self.size += 1
        rest = self.size
        while not rest & 1:
            right = self.roots.pop()
            self.roots[-1] = node_hash(self.roots[-1], right)
            rest >>= 1

    def extend(self, leaves: Iterable[bytes]) -> "Frontier":
        """Append leaf hashes; returns itself."""
        for leaf in leaves:
            self.add(leaf)
        return self

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        if not self.roots:
            return EMPTY_ROOT
        *others, root = self.roots
        for left in reversed(others):
            root = node_hash(left, root)
        return root

    def encode(self) -> bytes:
        """The roots, one after the other; with the size they are the whole frontier."""
        return b"".join(self.roots)

    @classmethod
    def decode(cls, size: int, encoded: bytes) -> "Frontier":
        """Read what `encode` wrote. Raises ValueError if it is not a frontier of this size."""
        width = len(EMPTY_ROOT)
        if len(encoded) != size.bit_count() * width:
            raise ValueError(f"A frontier of {size} leaves has {size.bit_count()} hashes.")
        return cls(size, [encoded[at : at + width] for at in range(0, len(encoded), width)])


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that prove the leaf at this index to be in the tree over all `leaves`."""
    first, end, proof = 0, len(leaves), list[bytes]()
    while end - first > 1:
        middle = first + _left_size(end - first)
        if index < middle:
            proof.append(_root(leaves, middle, end))
            end = middle
        else:
            proof.append(_root(leaves, first, middle))
            first = middle
    return proof[::-1]


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """The hashes that prove the tree over the first `old_size` leaves to be its beginning."""
    if old_size in {0, len(leaves)}:
        return []
    first, end, proof = 0, len(leaves), list[bytes]()
    while old_size != end:
        middle = first + _left_size(end - first)
        if old_size <= middle:
            proof.append(_root(leaves, middle, end))
            end = middle
        else:
            proof.append(_root(leaves, first, middle))
            first = middle
    return [*([_root(leaves, first, end)] if first else []), *proof[::-1]]


def check_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that the leaf is at this index of the tree (RFC 9162 2.1.3.2). Raises `BadProof`."""
    if not 0 <= index < size:
        raise BadProof(f"There is no entry {index} in a log of {size}.")
    found = _climb(leaf, index, size - 1, proof)
    if found is None or found[1] != root:
        raise BadProof(f"Entry {index} is not in the log of size {size} with this root.")


def check_consistency(
    old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the old tree is the beginning of the new one (RFC 9162 2.1.4.2).

    Raises `BadProof`.
    """
    if not _is_consistent((old_size, old_root), (size, root), list(proof)):
        raise BadProof(
            f"The log of size {old_size} is not the beginning of the one of size {size}."
        )


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
    at, last = old_size - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    return _climb(proof[0], at, last, proof[1:]) == (old_root, root)


def _climb(start: bytes, at: int, last: int, proof: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The roots that a proof leads to; None if its length is wrong.

    The first is of the tree that ends with the start, the second of the whole tree.
    """
    old = new = start
    for one in proof:
        if last == 0:
            return None
        if at & 1 or at == last:
            old, new = node_hash(one, old), node_hash(one, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, one)
        at, last = at >> 1, last >> 1
    return (old, new) if last == 0 else None


def _left_size(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _root(leaves: Sequence[bytes], first: int, end: int) -> bytes:
    return Frontier().extend(leaves[first:end]).root
