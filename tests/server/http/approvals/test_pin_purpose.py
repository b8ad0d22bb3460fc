"""The purpose of a PIN call: this session, one approval, or one device."""

import pytest

from server.http import wire
from server.http.devices import device_wire
from server.protocol import errors

X = "A" * 43


@pytest.mark.parametrize(
    "purpose", ["session", "sayso_ap_abcdefghijklm234", "sayso_dv_abcdefghijklm234"]
)
def test_a_pin_call_is_for_the_session_one_approval_or_one_device(purpose: str) -> None:
    """The purpose becomes part of the text that is signed next."""
    body = f'{{"x":"{X}","for":"{purpose}"}}'.encode()
    assert wire.read(device_wire.PinInput, body).purpose == purpose


@pytest.mark.parametrize(
    "purpose",
    [
        "",
        "sessions",
        "session\\n",
        "session\\u0000",
        "sayso_ap_abcdefghijklm23",
        "sayso_ap_abcdefghijklm2345",
        "sayso_ap_ABCDEFGHIJKLM234",
        "sayso_ap_abcdefghijklm23\\u0000",
        "sayso_us_abcdefghijklm234",
    ],
)
def test_an_invalid_pin_purpose_is_refused_before_storage(purpose: str) -> None:
    """A string that the database cannot store must not reach it."""
    body = f'{{"x":"{X}","for":"{purpose}"}}'.encode()
    with pytest.raises(errors.Problem) as refused:
        wire.read(device_wire.PinInput, body)
    assert (refused.value.status, refused.value.code) == (422, "invalid_body")
