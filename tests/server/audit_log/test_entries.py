"""An entry's bytes and leaf hash are those that an auditor recomputes."""

import hashlib

import pytest

from server.audit_log.entries import entry_bytes, leaf_hash


def test_entry_bytes_are_canonical_and_omit_empty_members():
    """RFC 8785: members are sorted and have no spaces. The server adds the version."""
    body = entry_bytes({"type": "user.added", "subject": None, "at": 1, "facts": {"b": 1, "a": 2}})
    assert body == b'{"at":1,"facts":{"a":2,"b":1},"type":"user.added","v":1}'


def test_the_order_of_members_does_not_change_entry_bytes():
    """Two programs that log the same entry write the same bytes."""
    assert entry_bytes({"a": 1, "b": 2}) == entry_bytes({"b": 2, "a": 1})


@pytest.mark.parametrize("body", [b"", b"{}", b"\x00text"])
def test_a_leaf_hash_covers_a_zero_byte_and_the_entry(body):
    """RFC 6962 2.1: a leaf cannot be mistaken for a node."""
    assert leaf_hash(body) == hashlib.sha256(b"\x00" + body).digest()


def test_the_leaf_hash_of_an_empty_entry_matches_rfc6962():
    """Other implementations compute the same value."""
    assert leaf_hash(b"").hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
