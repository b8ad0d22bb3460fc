"""What entries must say together; each rule is broken once."""

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
    """The public key as devices register it."""
    if isinstance(key, Ed25519PrivateKey):
        public = key.public_key().public_bytes_raw()
        return {"kty": "OKP", "crv": "Ed25519", "x": _text(public)}
    numbers = key.public_key().public_numbers()
    x, y = (_text(one.to_bytes(32)) for one in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def jws(
    key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey, kid: str = "k", **payload: object
) -> str:
    """What a device signs."""
    parts = ({"kid": kid}, {"approval": "a", "decision": "approve", **payload})
    signed = ".".join(_text(json.dumps(part).encode()) for part in parts)
    if isinstance(key, Ed25519PrivateKey):
        return f"{signed}.{_text(key.sign(signed.encode()))}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
    return f"{signed}.{_text(r.to_bytes(32) + s.to_bytes(32))}"


def entry(kind: str, **members: Any) -> dict[str, Any]:
    """An entry about an approval."""
    return {"type": kind, "actor": "user:u", "agent_id": "g", "approval_id": "a", **members}


def enrolled(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    """The entry of a device with this key."""
    return entry("device.enrolled", facts={"kids": {"low": "k"}, "keys": {"low": jwk(key)}})


def approved(**facts: object) -> dict[str, Any]:
    """The entry of an answer."""
    return entry("approval.approved", facts={"signed": jws(ED25519), **facts})


def voted(kind: str = "approval.voted", who: str = "b", **facts: object) -> dict[str, Any]:
    """The entry of one of two approvers."""
    said = "withdraw" if kind == "approval.vote_withdrawn" else "approve"
    return entry(kind, actor=f"user:{who}", facts={"signed": jws(ED25519, decision=said), **facts})


TOGETHER = approved(quorum=2, yes=["b", "u"])
"""The entry of the second of two approvers."""
WITHDRAWN = voted("approval.vote_withdrawn")
ISSUED = entry("token.issued", facts={"jti": "t"})


def check(*entries: dict[str, Any]) -> Meaning:
    """Take these entries in order."""
    meaning = Meaning()
    for one in entries:
        meaning.check(one)
    return meaning


@pytest.mark.parametrize("key", [ED25519, P256], ids=["Ed25519", "P-256"])
def test_the_signature_of_a_person_is_verified(
    key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey,
) -> None:
    """With the key that the log has of the device."""
    found = check(enrolled(key), approved(signed=jws(key)), ISSUED)
    assert (found.signatures, found.unchecked) == (1, 0)


PAYLOAD = json.dumps({"approval": "a", "decision": "approve"}).encode()


def passkey_enrolled(public_key: bytes) -> dict[str, Any]:
    """The entry of a browser with a passkey."""
    return entry("device.enrolled", facts={"device": "d", "public_key": _text(public_key)})


def test_the_signature_of_a_passkey_is_verified() -> None:
    """The key is the one of the device that answered; every part is under the signature."""
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


def test_a_registration_is_no_answer() -> None:
    """A passkey also signs when it is made; that proves no decision."""
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
def test_passkeys_of_other_kinds_are_verified(cose: dict[int, object], private: Any) -> None:
    """COSE keys as another library encodes them."""
    key = signatures.of_passkey(_text(cbor2.dumps(cose)))
    assert key is not None
    more = (padding.PKCS1v15(), SHA256()) if private is RSA else ()
    signed = signatures.Signed({}, b"text", private.sign(b"text", *more), None)
    assert signed.is_by(key)
    assert not signatures.Signed({}, b"text2", signed.signature, None).is_by(key)


@pytest.mark.parametrize(
    "key", [b"", b"\xa5", SoftPasskey().public_key[:-1]], ids=["empty", "one", "cut"]
)
def test_a_passkey_of_an_unknown_kind_has_no_key(key: bytes) -> None:
    """Its signatures are counted as not checked."""
    assert signatures.of_passkey(_text(key)) is None


@pytest.mark.parametrize("jwk", [{}, {"kty": "OKP", "x": "a"}, {"kty": "EC", "x": "", "y": ""}])
def test_a_terminal_key_of_an_unknown_kind_is_none(jwk: dict[str, str]) -> None:
    """Likewise."""
    assert signatures.of_jwk(jwk) is None


def test_a_signature_by_an_unknown_key_is_counted_as_unchecked() -> None:
    """One of a device from before keys were in the log."""
    found = check(approved(), entry("approval.allowed", approval_id="b"))
    assert (found.signatures, found.unchecked) == (0, 1)


def test_tokens_without_an_approval_and_tokens_made_from_another_need_none() -> None:
    """Policy allows the first, and the other one had the approval."""
    check(
        entry("token.issued", approval_id=None),
        *(approved(), ISSUED, entry("token.issued", facts={"parent": "t"})),
    )


def test_votes_of_several_users_approve_together() -> None:
    """One may withdraw and vote again; what was trimmed is not known."""
    assert check(voted(), WITHDRAWN, voted(), TOGETHER, ISSUED).approvals == {"a": "issued"}
    Meaning(trimmed=1).check(TOGETHER)


def test_the_signature_of_a_withdrawal_is_verified() -> None:
    """With the key that the log has of the device, as that of any answer."""
    vote, gone = (voted(one["type"], "u") for one in (voted(), WITHDRAWN))
    assert check(enrolled(ED25519), vote, gone).signatures == 2


def test_an_enabled_agent_gets_tokens_again() -> None:
    """After it was disabled."""
    check(
        entry("agent.disabled", approval_id=None),
        *(entry("agent.enabled", approval_id=None), approved(), ISSUED),
    )


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([entry("user.added", actor="")], "who acted"),
        ([ISSUED], "a request that nobody ended"),
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
        ([voted(), WITHDRAWN, TOGETHER], "withdrawn or never given"),
        ([TOGETHER], "withdrawn or never given"),
        ([voted(), approved(quorum=2, yes=["u"])], "Fewer users"),
        ([entry("approval.cancelled"), WITHDRAWN], "had ended"),
        ([voted(), TOGETHER, ISSUED, WITHDRAWN], "had ended"),
        (
            [enrolled(ED25519), voted("approval.vote_withdrawn", "u", signed=jws(ED25519))],
            "another decision",
        ),
        ([enrolled(ED25519), approved(signed=jws(P256))], "user's signature is invalid"),
        ([enrolled(P256), approved()], "user's signature is invalid"),
        ([enrolled(ED25519), approved(signed=jws(ED25519, approval="b"))], "another request"),
        ([enrolled(ED25519), approved(signed=jws(ED25519, decision="deny"))], "another decision"),
        ([enrolled(ED25519) | {"actor": "user:x"}, approved()], "Another user signed it"),
        (
            [enrolled(ED25519), entry("approval.denied", facts={"signed": jws(ED25519)})],
            "another decision",
        ),
    ],
)
def test_each_contradiction_is_named(entries: list[dict[str, Any]], message: str) -> None:
    """The last entry is the one that contradicts."""
    check(*entries[:-1])
    with pytest.raises(Contradiction, match=message):
        check(*entries)
