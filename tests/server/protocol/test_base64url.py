"""base64url has one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.protocol import base64url


@given(st.binary(max_size=80))
def test_encoded_bytes_are_decoded(raw):
    """Bytes of every length are encoded without padding."""
    text = base64url.encode(raw)
    assert "=" not in text
    assert base64url.decode(text) == raw


@pytest.mark.parametrize("text", ["YQ==", "YR", "Y", "YQ\n", " YQ", "Y Q", "a+b/", "ä", "Y*Q"])
def test_another_spelling_is_refused(text):
    """Padding, loose bits, white space, the other alphabet."""
    with pytest.raises(ValueError):  # noqa: PT011  # whichever it is
        base64url.decode(text)
