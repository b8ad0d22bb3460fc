"""Entries must not contradict each other. Each rule is broken at least once."""

import base64
import hashlib
import json
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from server.audit_log import signatures
from server.audit_log.meaning import Contradiction, Meaning
from tests.support.builders.passkey import SoftPasskey

ED25519 = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
P256 = ec.derive_private_key(7, ec.SECP256R1())


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def jwk(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> dict[str, str]:
    """The public key as a JWK, which devices register."""
    if isinstance(key, Ed25519PrivateKey):
        public = key.public_key().public_bytes_raw()
        return {"kty": "OKP", "crv": "Ed25519", "x": _text(public)}
    numbers = key.public_key().public_numbers()
    x, y = (_text(number.to_bytes(32)) for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def jws(
    key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey, kid: str = "k", **payload: object
) -> str:
    """The JWS of a device about a decision."""
    parts = ({"kid": kid}, {"approval": "a", "decision": "approve", **payload})
    signed = ".".join(_text(json.dumps(part).encode()) for part in parts)
    if isinstance(key, Ed25519PrivateKey):
        return f"{signed}.{_text(key.sign(signed.encode()))}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
    return f"{signed}.{_text(r.to_bytes(32) + s.to_bytes(32))}"


def entry(kind: str, **members: Any) -> dict[str, Any]:
    """An entry about a request."""
    return {"type": kind, "actor": "user:u", "agent_id": "g", "approval_id": "a", **members}


def enrolled(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    """The entry about the enrollment of a device with this key."""
    return entry("device.enrolled", facts={"kids": {"low": "k"}, "keys": {"low": jwk(key)}})


def approved(**facts: object) -> dict[str, Any]:
    """The entry about a signed approval."""
    return entry("approval.approved", facts={"signed": jws(ED25519), **facts})


def voted(kind: str = "approval.voted", user: str = "b", **facts: object) -> dict[str, Any]:
    """The entry about a vote, or about its withdrawal."""
    decision = "withdraw" if kind == "approval.vote_withdrawn" else "approve"
    return entry(
        kind, actor=f"user:{user}", facts={"signed": jws(ED25519, decision=decision), **facts}
    )


LAST_VOTE = approved(quorum=2, yes=["b", "u"])
"""The entry of the second of two approvers, with which the request is approved."""
WITHDRAWN = voted("approval.vote_withdrawn")
ISSUED = entry("token.issued", facts={"jti": "t"})


def check(*entries: dict[str, Any]) -> Meaning:
    """Check these entries in the given order."""
    meaning = Meaning()
    for members in entries:
        meaning.check(members)
    return meaning


@pytest.mark.parametrize("key", [ED25519, P256], ids=["Ed25519", "P-256"])
def test_the_signature_of_a_terminal_is_verified(
    key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey,
) -> None:
    """The signature is verified with the device's key in the log."""
    meaning = check(enrolled(key), approved(signed=jws(key)), ISSUED)
    assert (meaning.signatures, meaning.unchecked) == (1, 0)


PAYLOAD = json.dumps({"approval": "a", "decision": "approve"}).encode()


def passkey_enrolled(public_key: bytes) -> dict[str, Any]:
    """The entry about the enrollment of a browser with a passkey."""
    return entry("device.enrolled", facts={"device": "d", "public_key": _text(public_key)})


def test_the_signature_of_a_passkey_is_verified() -> None:
    """The key is that of the device that signed. The signature covers every part."""
    passkey = SoftPasskey()
    enrolled_passkey = passkey_enrolled(passkey.public_key)
    answer = approved(device="d", signed=passkey.assertion(PAYLOAD))
    assert check(enrolled_passkey, answer).signatures == 1
    other = approved(device="d", signed=SoftPasskey().assertion(PAYLOAD))
    with pytest.raises(Contradiction, match="user's signature is invalid"):
        check(enrolled_passkey, other)
    for part in ("authenticator_data", "signature"):
        changed = passkey.assertion(PAYLOAD, **{part: b"other"})
        with pytest.raises(Contradiction, match="user's signature is invalid"):
            check(enrolled_passkey, approved(device="d", signed=changed))
    for part in ("payload", "client_data"):
        changed = passkey.assertion(PAYLOAD, **{part: b"{}"})
        with pytest.raises(Contradiction, match="decision cannot be read"):
            check(enrolled_passkey, approved(device="d", signed=changed))


def test_a_passkey_registration_is_not_a_decision() -> None:
    """A passkey also signs when it is created, but that signature does not prove a decision."""
    passkey = SoftPasskey()
    client = {"type": "webauthn.create", "challenge": _text(hashlib.sha256(PAYLOAD).digest())}
    changed = passkey.assertion(PAYLOAD, client_data=json.dumps(client).encode())
    with pytest.raises(Contradiction, match="decision cannot be read"):
        check(passkey_enrolled(passkey.public_key), approved(device="d", signed=changed))


RSA = rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    ("cose", "private"),
    [
        ({1: 1, 3: -8, -1: 6, -2: ED25519.public_key().public_bytes_raw()}, ED25519),
        (
            {
                1: 3,
                3: -257,
                -1: RSA.public_key().public_numbers().n.to_bytes(256),
                -2: b"\x01\x00\x01",
            },
            RSA,
        ),
    ],
    ids=["Ed25519", "RSA"],
)
def test_passkeys_with_other_key_types_are_verified(cose: dict[int, object], private: Any) -> None:
    """COSE keys that a different library encodes can be read and used."""
    key = signatures.of_passkey(_text(cbor2.dumps(cose)))
    assert key is not None
    arguments = (padding.PKCS1v15(), SHA256()) if private is RSA else ()
    signed = signatures.Signed({}, b"text", private.sign(b"text", *arguments), None)
    assert signed.is_by(key)
    assert not signatures.Signed({}, b"text2", signed.signature, None).is_by(key)


@pytest.mark.parametrize(
    "key", [b"", b"\xa5", SoftPasskey().public_key[:-1]], ids=["empty", "one byte", "truncated"]
)
def test_a_passkey_with_an_unknown_key_type_is_read_as_none(key: bytes) -> None:
    """The signatures of such passkeys are counted as unchecked."""
    assert signatures.of_passkey(_text(key)) is None


@pytest.mark.parametrize("jwk", [{}, {"kty": "OKP", "x": "a"}, {"kty": "EC", "x": "", "y": ""}])
def test_a_terminal_key_of_an_unknown_type_is_read_as_none(jwk: dict[str, str]) -> None:
    """The signatures of such keys are counted as unchecked."""
    assert signatures.of_jwk(jwk) is None


def test_a_signature_by_an_unknown_key_is_counted_as_unchecked() -> None:
    """Devices that were enrolled before the log contained keys make such signatures."""
    meaning = check(approved(), entry("approval.allowed", approval_id="b"))
    assert (meaning.signatures, meaning.unchecked) == (0, 1)


def test_tokens_without_an_approval_and_derived_tokens_are_consistent() -> None:
    """Policy allows the first kind; for a derived token, its parent has the approval."""
    check(
        entry("token.issued", approval_id=None),
        *(approved(), ISSUED, entry("token.issued", facts={"parent": "t"})),
    )


def test_several_users_can_approve_together() -> None:
    """A user may withdraw and vote again. Votes in trimmed entries are unknown."""
    assert check(voted(), WITHDRAWN, voted(), LAST_VOTE, ISSUED).approvals == {"a": "issued"}
    Meaning(trimmed=1).check(LAST_VOTE)


def test_the_signature_of_a_withdrawal_is_verified() -> None:
    """The device's key from the log verifies it, as for a decision."""
    vote, withdrawal = (voted(members["type"], "u") for members in (voted(), WITHDRAWN))
    assert check(enrolled(ED25519), vote, withdrawal).signatures == 2


def test_an_enabled_agent_gets_tokens_again() -> None:
    """Tokens for a disabled agent are a contradiction only until it is enabled again."""
    check(
        entry("agent.disabled", approval_id=None),
        *(entry("agent.enabled", approval_id=None), approved(), ISSUED),
    )


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([entry("user.added", actor="")], "name an actor"),
        ([ISSUED], "never closed"),
        ([entry("approval.denied", facts={"signed": jws(ED25519)}), ISSUED], "approval.denied"),
        ([approved(signed="assertion")], "decision cannot be read"),
        ([approved(), ISSUED, ISSUED], "A second token"),
        ([approved(), ISSUED, approved()], "had ended"),
        ([entry("approval.expired"), approved()], "had ended"),
        ([approved(), ISSUED, entry("approval.allowed")], "had ended"),
        ([entry("agent.disabled"), entry("token.issued", approval_id=None)], "disabled"),
        ([entry("agent.quarantined"), ISSUED], "disabled"),
        ([entry("agent.deleted"), ISSUED], "disabled"),
        ([entry("approval.approved")], "no signature"),
        ([entry("approval.voted", facts={"signed": ""})], "no signature"),
        ([voted(), WITHDRAWN, LAST_VOTE], "withdrawn or never cast"),
        ([LAST_VOTE], "withdrawn or never cast"),
        ([voted(), approved(quorum=2, yes=["u"])], "Fewer users"),
        ([entry("approval.cancelled"), WITHDRAWN], "had ended"),
        ([voted(), LAST_VOTE, ISSUED, WITHDRAWN], "had ended"),
        (
            [enrolled(ED25519), voted("approval.vote_withdrawn", "u", signed=jws(ED25519))],
            "a different decision",
        ),
        ([enrolled(ED25519), approved(signed=jws(P256))], "user's signature is invalid"),
        ([enrolled(P256), approved()], "user's signature is invalid"),
        ([enrolled(ED25519), approved(signed=jws(ED25519, approval="b"))], "a different request"),
        (
            [enrolled(ED25519), approved(signed=jws(ED25519, decision="deny"))],
            "a different decision",
        ),
        ([enrolled(ED25519) | {"actor": "user:x"}, approved()], "A different user signed it"),
        (
            [enrolled(ED25519), entry("approval.denied", facts={"signed": jws(ED25519)})],
            "a different decision",
        ),
    ],
)
def test_each_contradiction_is_named(entries: list[dict[str, Any]], message: str) -> None:
    """The last entry of each list contradicts the entries before it."""
    check(*entries[:-1])
    with pytest.raises(Contradiction, match=message):
        check(*entries)
