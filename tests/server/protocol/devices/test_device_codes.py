"""User codes: read however they were typed, and never mistaken for a word."""

import pytest

from server.protocol import errors
from server.protocol.devices import device_codes
from server.protocol.devices.device_codes import ALPHABET, LENGTH
from server.protocol.forms import Form


def _form(**parameters):
    return Form({name: (value,) for name, value in parameters.items()})


def test_the_alphabet_has_no_vowels_and_nothing_ambiguous():
    """DG-09: twenty letters, at least 34 bits."""
    assert not set(ALPHABET) & set("AEIOUY0123456789")
    assert len(set(ALPHABET)) == len(ALPHABET) == 20
    assert len(ALPHABET) ** LENGTH > 2**34


@pytest.mark.parametrize(
    "typed", ["BCDF-GHJK", "bcdfghjk", " bcdf ghjk ", "b.c.d.f/g_h-j k", "BCDF\u2013GHJK"]
)
def test_a_code_is_read_however_it_was_typed(typed):
    """DG-09: without case, spaces and punctuation."""
    assert device_codes.normalized(typed) == "BCDFGHJK"
    assert device_codes.formatted("BCDFGHJK") == "BCDF-GHJK"


@pytest.mark.parametrize(
    "typed", ["", "BCDF-GHJ", "BCDF-GHJKL", "BCDF-GHJA", "BCDF-GHJ1", "\u0412CDFGHJK"]
)
def test_what_cannot_be_a_code_is_none(typed):
    """Too short, too long, other letters, letters of another alphabet."""
    assert device_codes.normalized(typed) is None


def test_a_device_may_say_its_name():
    """It is shown to the person; without one it has none."""
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
def test_a_request_that_is_not_in_order_is_refused(parameters, error):
    """DG-06, DG-27, NG-027: no scope is granted in silence, no challenge is dropped in silence."""
    with pytest.raises(error):
        device_codes.parse_request(_form(**parameters))
