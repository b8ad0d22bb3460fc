"""A passkey assertion as a string: its five parts, and their only valid encoding."""

import hashlib

import pytest

from server.protocol.devices import passkeys
from server.protocol.devices.passkeys import Assertion

PARTS = (b"credential", b'{"a":1}', b"data", b"client", b"signature")
ASSERTION = ".".join(passkeys.encode_base64url(part) for part in PARTS)


def test_an_assertion_is_read_into_its_parts():
    """The parts are read in the order in which the page writes them."""
    assert passkeys.is_assertion(ASSERTION)
    assert passkeys.read_assertion(ASSERTION) == Assertion(*PARTS)


def test_a_jws_is_not_an_assertion():
    """A JWS has three parts, so it is not mistaken for an assertion."""
    assert not passkeys.is_assertion("e30.e30.AA")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b.c",
        ASSERTION + ".AA",
        ASSERTION[:-1] + "=",
        ASSERTION.replace(".", "..", 1),
        "AA.AA.AA.AA.AAA!",
    ],
)
def test_a_malformed_assertion_is_refused(text):
    """An assertion has exactly five parts, all of them base64url and none empty."""
    with pytest.raises(ValueError, match=r"base64url|five parts"):
        passkeys.read_assertion(text)


@pytest.mark.parametrize("text", ["AB", "A", "AAAAA", "AAB", "A+/="])
def test_base64url_has_one_encoding(text):
    """Spare bits and impossible lengths would allow a second encoding, so they are refused."""
    with pytest.raises(ValueError, match="base64url"):
        passkeys.decode_base64url(text)


def test_the_challenge_is_the_digest_of_the_payload():
    """A changed payload has a different challenge, so it needs a new signature."""
    assert passkeys.challenge(b"x") == hashlib.sha256(b"x").digest()


def test_creation_options_require_verification_and_a_discoverable_key():
    """The options also exclude the user's existing passkeys, so that none is created twice."""
    options = passkeys.creation_options(
        rp_id="localhost", user=("sayso_us_1", "ana"), challenge_text="c", known=[b"old"]
    )
    assert options["rp"] == {"id": "localhost", "name": "Sayso"}
    assert options["user"]["name"] == "ana"
    assert passkeys.decode_base64url(options["user"]["id"]) == b"sayso_us_1"
    assert passkeys.decode_base64url(options["challenge"]) == passkeys.challenge(b"c")
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["excludeCredentials"] == [
        {"type": "public-key", "id": passkeys.encode_base64url(b"old")}
    ]
    assert [parameter["alg"] for parameter in options["pubKeyCredParams"]] == list(
        passkeys.ALGORITHMS
    )
