"""The two writers of canonical bytes are one."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from server.audit_log.canonical import canonical

_LEAVES = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text()
_DOCUMENTS = st.recursive(
    _LEAVES | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(_DOCUMENTS)
def test_every_document_has_the_bytes_of_rfc8785(document):
    """Whichever of the two wrote them."""
    assert canonical(document) == rfc8785.dumps(document)


@given(st.dictionaries(st.text(st.characters(codec="ascii")), _LEAVES))
def test_so_does_every_plain_one(document):
    """Control characters, quotes and backslashes among them."""
    assert canonical(document) == rfc8785.dumps(document)


@pytest.mark.parametrize(
    "document", [2**53, [-(2**53)], {"n": {"m": float("nan")}}, {"text": "\ud800"}, {1: "one"}]
)
def test_what_is_no_such_document_is_refused(document):
    """As rfc8785 refuses it."""
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical(document)
