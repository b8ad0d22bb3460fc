"""Passkeys: only those created and used at this server, with user verification, are accepted."""

import cbor2
import pytest

from server.crypto.passkeys import WebAuthn
from server.model.devices import Passkey
from server.model.ports import BadToken
from server.protocol.devices.passkeys import (
    challenge,
    decode_base64url,
    encode_base64url,
    read_assertion,
)
from tests.support.builders.passkey import PRESENT, VERIFIED, SoftPasskey
from tests.support.builders.site import ISSUER

CHALLENGE = challenge(b"payload of the server")
WEBAUTHN = WebAuthn(ISSUER)


def _create(passkey, signed=CHALLENGE, **changes):
    response = {**passkey.made(signed), **changes}
    attestation, client_data = (
        decode_base64url(response["attestation"]),
        decode_base64url(response["client_data"]),
    )
    return WEBAUTHN.verify_registration(attestation, client_data, CHALLENGE)


def _stored_passkey(passkey, signs=0):
    return Passkey("sayso_dv_1", passkey.credential, passkey.public_key, signs, synced=False)


def test_a_new_passkey_is_read_with_its_key_and_counter():
    """The result has its id, public key and counter, and whether it is synced."""
    soft = SoftPasskey(signs=7)
    created = _create(soft)
    assert (created.credential, created.public_key) == (soft.credential, soft.public_key)
    assert (created.signs, created.synced) == (7, False)


def test_a_passkey_eligible_for_backup_is_marked_as_synced():
    """Backup eligibility is bit 3 of the flags."""
    assert _create(SoftPasskey(flags=PRESENT | VERIFIED | 0x08)).synced


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
    ids=["relying party", "origin", "port", "unverified", "absent", "long id"],
)
def test_a_passkey_created_elsewhere_or_without_verification_is_refused(soft):
    """The relying party, origin or port is wrong, a flag is missing, or the ID is too long."""
    with pytest.raises(BadToken):
        _create(soft)


@pytest.mark.parametrize(
    "changes",
    [
        {"attestation": encode_base64url(b"no cbor")},
        {
            "attestation": encode_base64url(
                cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": b""})
            )
        },
        {"attestation": encode_base64url(cbor2.dumps([1, 2]))},
        {"client_data": encode_base64url(b"no json")},
        {"client_data": encode_base64url(b"[]")},
        {"client_data": encode_base64url(b'{"type":"webauthn.create","challenge":1,"origin":2}')},
    ],
)
def test_malformed_registration_bytes_are_refused(changes):
    """Every error of the parser becomes a refusal."""
    with pytest.raises(BadToken):
        _create(SoftPasskey(), **changes)


def test_a_passkey_created_for_a_different_challenge_is_refused():
    """A recorded registration cannot be replayed."""
    with pytest.raises(BadToken):
        _create(SoftPasskey(), challenge(b"other"))


def test_an_assertion_verifies_with_its_own_key_and_returns_its_counter():
    """The caller stores the counter."""
    soft = SoftPasskey(signs=3)
    assertion = read_assertion(soft.assertion(b"payload"))
    assert WEBAUTHN.verify_assertion(assertion, _stored_passkey(soft, signs=3)) == 4


@pytest.mark.parametrize(
    "soft",
    [
        SoftPasskey(rp_id="evil.example"),
        SoftPasskey(origin="https://evil.example"),
        SoftPasskey(flags=PRESENT),
        SoftPasskey(flags=VERIFIED),
    ],
    ids=["relying party", "origin", "unverified", "absent"],
)
def test_an_assertion_for_another_site_or_without_verification_is_refused(soft):
    """User verification is required at every risk level."""
    with pytest.raises(BadToken):
        WEBAUTHN.verify_assertion(read_assertion(soft.assertion(b"payload")), _stored_passkey(soft))


@pytest.mark.parametrize("part", ["payload", "authenticator_data", "client_data", "signature"])
def test_an_assertion_with_one_part_replaced_is_refused(part):
    """The signature covers every part of an assertion."""
    soft = SoftPasskey()
    with pytest.raises(BadToken):
        WEBAUTHN.verify_assertion(
            read_assertion(soft.assertion(b"payload", **{part: b"{}"})), _stored_passkey(soft)
        )


def test_the_signature_counter_is_returned_and_not_checked():
    """The store compares the counter. Synced passkeys always report 0."""
    soft = SoftPasskey()
    assert (
        WEBAUTHN.verify_assertion(
            read_assertion(soft.assertion(b"payload")), _stored_passkey(soft, signs=1)
        )
        == 1
    )
    synced = SoftPasskey(signs=-1)
    assert (
        WEBAUTHN.verify_assertion(
            read_assertion(synced.assertion(b"payload")), _stored_passkey(synced)
        )
        == 0
    )


def test_a_registration_is_not_an_assertion():
    """The two kinds of client data are not interchangeable."""
    soft = SoftPasskey()
    registration = soft.made(challenge(b"payload"))
    client_data = decode_base64url(registration["client_data"])
    assertion = soft.assertion(b"payload", client_data=client_data)
    with pytest.raises(BadToken):
        WEBAUTHN.verify_assertion(read_assertion(assertion), _stored_passkey(soft))


@pytest.mark.parametrize(
    ("cose", "jwk"),
    [
        (
            {1: 2, 3: -7, -1: 1, -2: b"x" * 32, -3: b"y" * 32},
            {
                "kty": "EC",
                "crv": "P-256",
                "x": encode_base64url(b"x" * 32),
                "y": encode_base64url(b"y" * 32),
            },
        ),
        (
            {1: 1, 3: -8, -1: 6, -2: b"x" * 32},
            {"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(b"x" * 32)},
        ),
        (
            {1: 3, 3: -257, -1: b"n" * 256, -2: b"\x01\x00\x01"},
            {"kty": "RSA", "n": encode_base64url(b"n" * 256), "e": "AQAB"},
        ),
    ],
)
def test_a_public_key_of_each_kind_is_converted_to_a_jwk(cose, jwk):
    """RFC 7518 6.2 and 6.3 and RFC 8037 define the members."""
    passkey = Passkey("sayso_dv_1", b"id", cbor2.dumps(cose), 0, synced=False)
    assert WEBAUTHN.public_jwk(passkey) == jwk
