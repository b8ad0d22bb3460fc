"""An entry's bytes and leaf, as an auditor recomputes them."""

import hashlib

import pytest

from server.audit_log.entries import entry_bytes, leaf_hash


def test_an_entrys_bytes_are_canonical_and_leave_out_what_is_not_there():
    """RFC 8785: sorted members, no spaces; the version comes from us."""
    body = entry_bytes({"type": "user.added", "subject": None, "at": 1, "facts": {"b": 1, "a": 2}})
    assert body == b'{"at":1,"facts":{"a":2,"b":1},"type":"user.added","v":1}'


def test_the_order_in_which_members_are_given_does_not_matter():
    """Two programs that log the same write the same bytes."""
    assert entry_bytes({"a": 1, "b": 2}) == entry_bytes({"b": 2, "a": 1})


@pytest.mark.parametrize("body", [b"", b"{}", b"\x00text"])
def test_a_leaf_is_the_hash_of_a_zero_byte_and_the_entry(body):
    """RFC 6962 2.1, so that no leaf can be mistaken for a node."""
    assert leaf_hash(body) == hashlib.sha256(b"\x00" + body).digest()


def test_the_empty_leaf_is_that_of_the_rfc():
    """The known value for an empty entry."""
    assert leaf_hash(b"").hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
