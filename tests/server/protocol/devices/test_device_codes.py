"""User codes of the device grant, and device authorization requests."""

import pytest

from server.protocol import errors
from server.protocol.devices import device_codes
from server.protocol.devices.device_codes import ALPHABET, LENGTH
from server.protocol.forms import Form


def _form(**parameters):
    return Form({name: (value,) for name, value in parameters.items()})


def test_the_alphabet_has_no_vowels_or_ambiguous_characters():
    """DG-09: the alphabet has twenty letters, so a code has at least 34 bits."""
    assert not set(ALPHABET) & set("AEIOUY0123456789")
    assert len(set(ALPHABET)) == len(ALPHABET) == 20
    assert len(ALPHABET) ** LENGTH > 2**34


@pytest.mark.parametrize(
    "typed", ["BCDF-GHJK", "bcdfghjk", " bcdf ghjk ", "b.c.d.f/g_h-j k", "BCDF\u2013GHJK"]
)
def test_a_code_is_read_in_any_spelling(typed):
    """DG-09: case, spaces and punctuation in a typed code are ignored."""
    assert device_codes.normalize_code(typed) == "BCDFGHJK"
    assert device_codes.format_code("BCDFGHJK") == "BCDF-GHJK"


@pytest.mark.parametrize(
    "typed", ["", "BCDF-GHJ", "BCDF-GHJKL", "BCDF-GHJA", "BCDF-GHJ1", "\u0412CDFGHJK"]
)
def test_an_impossible_code_is_not_read(typed):
    """A code of the wrong length or with other letters is not read."""
    assert device_codes.normalize_code(typed) is None


def test_a_device_may_send_its_name():
    """The user sees the device's name, which is "unnamed device" by default."""
    assert device_codes.parse_request(_form(device_name="desktop")).name == "desktop"
    assert device_codes.parse_request(_form()).name == "unnamed device"


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"scope": "openid"}, errors.InvalidScope),
        ({"scope": '"'}, errors.InvalidScope),
        ({"authorization_details": "[]"}, errors.InvalidAuthorizationDetails),
        ({"code_challenge": "x"}, errors.InvalidRequest),
        ({"device_name": "a\u202eb"}, errors.InvalidRequest),
        ({"device_name": "n" * 65}, errors.InvalidRequest),
    ],
    ids=["scope", "bad scope", "details", "challenge", "control", "long"],
)
def test_an_invalid_device_request_is_refused(parameters, error):
    """DG-06, DG-27, NG-027: unsupported parameters are refused, not ignored."""
    with pytest.raises(error):
        device_codes.parse_request(_form(**parameters))
