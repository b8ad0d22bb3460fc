"""Roots and proofs match another implementation and known values."""

from collections.abc import Sequence

import pytest
from pymerkle import InmemoryTree

from server.audit_log.entries import leaf_hash
from server.audit_log.merkle import (
    EMPTY_ROOT,
    BadProof,
    Frontier,
    NodeIndex,
    check_consistency,
    check_inclusion,
    consistency_proof,
    frontier,
    inclusion_proof,
)
from tests.support.builders.trees import Tree

INPUTS = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The inputs of the test data of Certificate Transparency, which RFC 6962 implementations share."""
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(f"entry {number}".encode()) for number in range(40)]
SIZES = range(1, len(LEAVES) + 1)


TREE = Tree.from_leaves(LEAVES)


def root(size: int) -> bytes:
    """The root over the first leaves."""
    return Tree.from_leaves(LEAVES[:size]).root


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_match_the_shared_test_data(size: int) -> None:
    """The shared test data has a root for every size."""
    tree = Tree.from_leaves(leaf_hash(data) for data in INPUTS[:size])
    assert tree.root.hex() == ROOTS[size - 1]


def test_the_root_of_an_empty_log_is_the_hash_of_no_bytes() -> None:
    """RFC 6962 2.1 defines the root of an empty log."""
    assert Frontier().root == EMPTY_ROOT
    assert EMPTY_ROOT.hex().startswith("e3b0c442")


def test_another_implementation_computes_the_same_roots_and_leaves() -> None:
    """Roots and leaves are compared at every size."""
    other = InmemoryTree(algorithm="sha256")
    for number in range(len(LEAVES)):
        other.append_entry(f"entry {number}".encode())
        assert other.get_leaf(number + 1) == LEAVES[number]
        assert other.get_root() == root(number + 1)


def test_a_frontier_continues_from_its_encoding() -> None:
    """To continue, only the size and the roots of complete subtrees are needed."""
    for size in SIZES:
        encoded = Tree.from_leaves(LEAVES[:size]).frontier
        assert frontier(TREE.nodes, size) == encoded
        continued = Frontier.decode(size, encoded.encode())
        continued.extend(LEAVES[size:])
        assert continued.root == root(len(LEAVES))


def test_a_node_is_complete_when_its_last_leaf_is_added() -> None:
    """Each node is the root over its leaves. A subtree of n leaves has n - 1 inner nodes."""
    for (level, number), node in TREE.known.items():
        assert node == Tree.from_leaves(LEAVES[number << level : (number + 1) << level]).root
    assert len(TREE.known) == 2 * len(LEAVES) - len(LEAVES).bit_count()
    assert [*Tree.from_leaves(LEAVES[:7]).frontier.add(LEAVES[7])] == [(1, 3), (2, 1), (3, 0)]


def test_a_proof_needs_few_nodes_and_one_lookup() -> None:
    """The number of nodes is about twice the logarithm of the size, even for a million entries."""
    lookups = list[int]()

    def look_up(indexes: Sequence[NodeIndex]) -> dict[NodeIndex, bytes]:
        lookups.append(len(indexes))
        return dict.fromkeys(indexes, LEAVES[0])

    inclusion_proof(look_up, 654_321, 999_999)
    consistency_proof(look_up, 654_321, 999_999)
    assert len(lookups) == 2
    assert max(lookups) <= 40


def test_a_frontier_encoded_for_a_different_size_is_refused() -> None:
    """An incomplete frontier would lead to a wrong root later."""
    with pytest.raises(ValueError, match="A frontier of 3 leaves has 2 hashes"):
        Frontier.decode(3, LEAVES[0])


def test_every_entry_has_a_valid_proof_at_every_size() -> None:
    """The proof is not valid for a different entry, index or root."""
    for size in SIZES:
        for index in range(size):
            proof = inclusion_proof(TREE.nodes, index, size)
            check_inclusion(LEAVES[index], index, size, proof, root(size))
            for other in (
                (LEAVES[index - 1], index, size, proof, root(size)),
                (LEAVES[index], index, size, proof, EMPTY_ROOT),
                (LEAVES[index], index, size, [*proof, EMPTY_ROOT], root(size)),
                *([(LEAVES[index], index, size, proof[:-1], root(size))] if proof else []),
                (LEAVES[index], (index + 1) % size, size, proof, root(size)),
            ):
                if other[0] == LEAVES[index] and other[1] == index and size == 1:
                    continue
                with pytest.raises(BadProof):
                    check_inclusion(*other)


@pytest.mark.parametrize("index", [-1, 5, 6])
def test_an_index_outside_the_log_is_refused(index: int) -> None:
    """The error names the index and the size."""
    with pytest.raises(BadProof, match=f"There is no entry {index} in a log of 5"):
        check_inclusion(LEAVES[0], index, 5, [], root(5))


def test_every_log_is_a_prefix_of_every_longer_one() -> None:
    """A log with a different entry is not a prefix."""
    for size in SIZES:
        for old in range(size + 1):
            proof = consistency_proof(TREE.nodes, old, size)
            check_consistency(old, root(old), size, root(size), proof)
            if 0 < old < size:
                with pytest.raises(BadProof):
                    check_consistency(old, root(old - 1), size, root(size), proof)
                with pytest.raises(BadProof):
                    check_consistency(old, root(old), size, root(size - 1), proof)
                with pytest.raises(BadProof):
                    check_consistency(old, root(old), size, root(size), [])


def test_another_implementation_agrees_about_consistency() -> None:
    """The other implementation's consistency proofs are valid for the roots that we compute."""
    other = InmemoryTree(algorithm="sha256")
    for number in range(20):
        other.append_entry(f"entry {number}".encode())
    for old in range(1, 21):
        other.prove_consistency(old, 20).verify(root(old), root(20))


@pytest.mark.parametrize(("old", "size"), [(5, 4), (3, 3), (0, 2)])
def test_a_log_that_shrank_or_changed_without_growing_is_refused(old: int, size: int) -> None:
    """The proof is empty in these cases, so only the roots are compared."""
    with pytest.raises(BadProof, match=f"The log of size {old} is not a prefix"):
        check_consistency(old, LEAVES[0], size, root(size), [])
