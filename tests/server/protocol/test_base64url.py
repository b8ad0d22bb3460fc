"""Bytes have exactly one base64url encoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.protocol import base64url


@given(st.binary(max_size=80))
def test_encoded_bytes_are_decoded(raw):
    """Bytes of any length are encoded without padding, and decoded again."""
    text = base64url.encode(raw)
    assert "=" not in text
    assert base64url.decode(text) == raw


@pytest.mark.parametrize("text", ["YQ==", "YR", "Y", "YQ\n", " YQ", "Y Q", "a+b/", "ä", "Y*Q"])
def test_any_other_encoding_is_refused(text):
    """Padding, spare bits, white space and the standard alphabet are refused."""
    with pytest.raises(ValueError):  # noqa: PT011  # any message
        base64url.decode(text)
