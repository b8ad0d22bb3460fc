"""Passkeys of all kinds of strangers: only one that was made and used here by its person counts."""

import cbor2
import pytest

from server.crypto.passkeys import WebAuthn
from server.model.devices import Passkey
from server.model.ports import BadToken
from server.protocol.devices.passkeys import challenge, decoded, encoded, read_assertion
from tests.support.builders.passkey import PRESENT, VERIFIED, SoftPasskey
from tests.support.builders.site import ISSUER

ASKED = challenge(b"asked")
HERE = WebAuthn(ISSUER)


def _made(passkey, asked=ASKED, **changes):
    sent = {**passkey.made(asked), **changes}
    return HERE.made(decoded(sent["attestation"]), decoded(sent["client_data"]), ASKED)


def _known(passkey, signs=0):
    return Passkey("sayso_dv_1", passkey.credential, passkey.public_key, signs, synced=False)


def test_a_passkey_that_was_made_here_is_read():
    """Its id, its key as it came, its count, and whether it stays where it was made."""
    soft = SoftPasskey(signs=7)
    made = _made(soft)
    assert (made.credential, made.public_key) == (soft.credential, soft.public_key)
    assert (made.signs, made.synced) == (7, False)


def test_a_passkey_that_may_leave_its_machine_says_so():
    """Backup eligibility is bit 3 of the flags."""
    assert _made(SoftPasskey(flags=PRESENT | VERIFIED | 0x08)).synced


@pytest.mark.parametrize(
    "soft",
    [
        SoftPasskey(rp_id="evil.example"),
        SoftPasskey(origin="https://evil.example"),
        SoftPasskey(origin="http://localhost:9999"),
        SoftPasskey(flags=PRESENT),
        SoftPasskey(flags=VERIFIED),
        SoftPasskey(credential=b"x" * 1_024),
    ],
    ids=["party", "origin", "port", "unverified", "absent", "long"],
)
def test_what_was_made_elsewhere_or_by_nobody_is_refused(soft):
    """Relying party, origin with its port, presence, verification, the length of its id."""
    with pytest.raises(BadToken):
        _made(soft)


@pytest.mark.parametrize(
    "changes",
    [
        {"attestation": encoded(b"no cbor")},
        {"attestation": encoded(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": b""}))},
        {"attestation": encoded(cbor2.dumps([1, 2]))},
        {"client_data": encoded(b"no json")},
        {"client_data": encoded(b"[]")},
        {"client_data": encoded(b'{"type":"webauthn.create","challenge":1,"origin":2}')},
    ],
)
def test_bytes_of_a_stranger_are_refused_and_break_nothing(changes):
    """Whatever the parser raises is a no."""
    with pytest.raises(BadToken):
        _made(SoftPasskey(), **changes)


def test_a_passkey_that_was_made_for_another_challenge_is_refused():
    """So what was recorded once is of no use."""
    with pytest.raises(BadToken):
        _made(SoftPasskey(), challenge(b"another"))


def test_a_word_counts_with_its_own_key_and_brings_its_count():
    """The count is remembered by whoever asked."""
    soft = SoftPasskey(signs=3)
    said = read_assertion(soft.word(b"payload"))
    assert HERE.signed(said, _known(soft, signs=3)) == 4


@pytest.mark.parametrize(
    "soft",
    [
        SoftPasskey(rp_id="evil.example"),
        SoftPasskey(origin="https://evil.example"),
        SoftPasskey(flags=PRESENT),
        SoftPasskey(flags=VERIFIED),
    ],
    ids=["party", "origin", "unverified", "absent"],
)
def test_a_word_that_was_said_elsewhere_or_by_nobody_is_refused(soft):
    """User verification is demanded at every risk."""
    with pytest.raises(BadToken):
        HERE.signed(read_assertion(soft.word(b"payload")), _known(soft))


@pytest.mark.parametrize("part", ["payload", "authenticator_data", "client_data", "signature"])
def test_a_word_with_another_part_is_refused(part):
    """What was signed is what is said, to the last byte."""
    soft = SoftPasskey()
    with pytest.raises(BadToken):
        HERE.signed(read_assertion(soft.word(b"payload", **{part: b"{}"})), _known(soft))


def test_a_count_is_told_and_not_judged():
    """The store compares it where it keeps it; synchronised passkeys always say 0."""
    soft = SoftPasskey()
    assert HERE.signed(read_assertion(soft.word(b"payload")), _known(soft, signs=1)) == 1
    synced = SoftPasskey(signs=-1)
    assert HERE.signed(read_assertion(synced.word(b"payload")), _known(synced)) == 0


def test_a_making_is_no_word():
    """The two kinds of client data do not pass for each other."""
    soft = SoftPasskey()
    made = soft.made(challenge(b"payload"))
    word = soft.word(b"payload", client_data=decoded(made["client_data"]))
    with pytest.raises(BadToken):
        HERE.signed(read_assertion(word), _known(soft))


@pytest.mark.parametrize(
    ("cose", "jwk"),
    [
        (
            {1: 2, 3: -7, -1: 1, -2: b"x" * 32, -3: b"y" * 32},
            {"kty": "EC", "crv": "P-256", "x": encoded(b"x" * 32), "y": encoded(b"y" * 32)},
        ),
        (
            {1: 1, 3: -8, -1: 6, -2: b"x" * 32},
            {"kty": "OKP", "crv": "Ed25519", "x": encoded(b"x" * 32)},
        ),
        (
            {1: 3, 3: -257, -1: b"n" * 256, -2: b"\x01\x00\x01"},
            {"kty": "RSA", "n": encoded(b"n" * 256), "e": "AQAB"},
        ),
    ],
)
def test_a_key_of_each_kind_can_be_told_to_whoever_checks_what_it_signed(cose, jwk):
    """As a JWK (RFC 7518 6.2, 6.3, RFC 8037)."""
    known = Passkey("sayso_dv_1", b"id", cbor2.dumps(cose), 0, synced=False)
    assert HERE.public_jwk(known) == jwk
