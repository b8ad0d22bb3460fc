"""Our canonical JSON bytes equal those of the `rfc8785` package."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from server.audit_log.entries import canonical

_LEAVES = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text()
_DOCUMENTS = st.recursive(
    _LEAVES | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(_DOCUMENTS)
def test_canonical_bytes_of_any_document_match_rfc8785(document):
    """The random documents include floats and nesting."""
    assert canonical(document) == rfc8785.dumps(document)


@given(st.dictionaries(st.text(st.characters(codec="ascii")), _LEAVES))
def test_canonical_bytes_of_ascii_documents_match_rfc8785(document):
    """The random documents include control characters, quotes and backslashes."""
    assert canonical(document) == rfc8785.dumps(document)


@pytest.mark.parametrize(
    "document", [2**53, [-(2**53)], {"n": {"m": float("nan")}}, {"text": "\ud800"}, {1: "one"}]
)
def test_a_document_that_rfc8785_cannot_encode_is_refused(document):
    """`rfc8785` raises the same error."""
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical(document)
