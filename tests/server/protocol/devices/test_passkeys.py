"""A passkey's word as text: five parts, one spelling."""

import hashlib

import pytest

from server.protocol.devices import passkeys
from server.protocol.devices.passkeys import Assertion

PARTS = (b"credential", b'{"a":1}', b"data", b"client", b"signature")
WORD = ".".join(passkeys.encoded(part) for part in PARTS)


def test_a_word_is_read_into_its_parts():
    """In the order in which the page writes them."""
    assert passkeys.is_assertion(WORD)
    assert passkeys.read_assertion(WORD) == Assertion(*PARTS)


def test_a_jws_is_no_word():
    """It has three parts, so the two never pass for each other."""
    assert not passkeys.is_assertion("e30.e30.AA")


@pytest.mark.parametrize(
    "text",
    ["", "a.b.c", WORD + ".AA", WORD[:-1] + "=", WORD.replace(".", "..", 1), "AA.AA.AA.AA.AAA!"],
)
def test_what_is_no_word_is_refused(text):
    """Too few parts, too many, an empty one, another alphabet."""
    with pytest.raises(ValueError, match=r"base64url|five parts"):
        passkeys.read_assertion(text)


@pytest.mark.parametrize("text", ["AB", "A", "AAAAA", "AAB", "A+/="])
def test_bytes_have_one_spelling(text):
    """Bits behind the end and impossible lengths would be a second spelling of the same bytes."""
    with pytest.raises(ValueError, match="base64url"):
        passkeys.decoded(text)


def test_the_challenge_is_the_digest_of_what_is_said():
    """Any change of the payload asks for another signature."""
    assert passkeys.challenge(b"x") == hashlib.sha256(b"x").digest()


def test_a_browser_is_told_to_verify_its_person_and_to_keep_the_name():
    """Discoverable, verified, no attestation, and no second one beside those that are known."""
    options = passkeys.creation_options(
        rp_id="localhost", user=("sayso_us_1", "ana"), challenge_text="c", known=[b"old"]
    )
    assert options["rp"] == {"id": "localhost", "name": "Sayso"}
    assert options["user"]["name"] == "ana"
    assert passkeys.decoded(options["user"]["id"]) == b"sayso_us_1"
    assert passkeys.decoded(options["challenge"]) == passkeys.challenge(b"c")
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["excludeCredentials"] == [{"type": "public-key", "id": passkeys.encoded(b"old")}]
    assert [one["alg"] for one in options["pubKeyCredParams"]] == list(passkeys.ALGORITHMS)
