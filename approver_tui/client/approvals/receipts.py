"""Verifies a receipt part by part, with this machine's own cryptography.

`docs/reference/signing.md`, "Receipts", says what each part proves. Owns: the checks. Never:
fetching; trusting the algorithm that a signature names; counting an unverifiable part as valid.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from approver_tui.client.audit.logged_receipts import NotLogged, why_not_proved
from approver_tui.client.jose import DECISION, b64, thumbprint, unb64
from approver_tui.state.fingerprint import digest, fingerprint
from approver_tui.state.text import SafeText, display_safe

ALGS = {"EC": "ES256", "OKP": "EdDSA", "RSA": "RS256"}
"""The algorithm of each kind of key (RFC 7518 3.1, RFC 8037 3.1)."""
_COORDINATE_BYTES = 32
_ANSWER_NOUNS = {"approve": "approval", "deny": "denial", "withdraw": "withdrawal"}


def verify_signature(
    jwk: Mapping[str, Any], signature: bytes, message: bytes, *, is_der: bool = False
) -> bool:
    """Whether the key made the signature. An ECDSA signature is r ‖ s, or DER from a passkey.

    Raises KeyError or ValueError for an invalid key.
    """
    check = {"EC": _check_ec, "OKP": _check_okp, "RSA": _check_rsa}[jwk["kty"]]
    try:
        check(jwk, signature, message, is_der)
    except InvalidSignature:
        return False
    return True


def _check_ec(jwk: Mapping[str, Any], signature: bytes, message: bytes, is_der: bool) -> None:  # noqa: FBT001  # the table needs one signature
    if jwk["crv"] != "P-256":
        raise ValueError("the curve is not P-256")
    x, y = (int.from_bytes(unb64(jwk[name]), "big") for name in ("x", "y"))
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    if not is_der and len(signature) != 2 * _COORDINATE_BYTES:
        raise InvalidSignature
    halves = signature[:_COORDINATE_BYTES], signature[_COORDINATE_BYTES:]
    der = encode_dss_signature(*(int.from_bytes(half, "big") for half in halves))
    key.verify(signature if is_der else der, message, ec.ECDSA(hashes.SHA256()))


def _check_okp(jwk: Mapping[str, Any], signature: bytes, message: bytes, _is_der: bool) -> None:  # noqa: FBT001  # as above
    if jwk["crv"] != "Ed25519":
        raise ValueError("the curve is not Ed25519")
    ed25519.Ed25519PublicKey.from_public_bytes(unb64(jwk["x"])).verify(signature, message)


def _check_rsa(jwk: Mapping[str, Any], signature: bytes, message: bytes, _is_der: bool) -> None:  # noqa: FBT001  # as above
    e, n = (int.from_bytes(unb64(jwk[name]), "big") for name in ("e", "n"))
    key = rsa.RSAPublicNumbers(e, n).public_key()
    key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())


RECEIPT: Final = "sayso-receipt+jws"
_PASSKEY_PARTS: Final = 5
_PRESENT_AND_VERIFIED: Final = 0b101
_TOLERANCE_SECONDS: Final = 300
_LOGGED: Final = "The audit log contains the request, each answer and the outcome"
_PARSE_ERRORS: Final = (KeyError, TypeError, ValueError, IndexError, AttributeError)
"""Errors raised by parsing something that is not a receipt."""


class Verdict(StrEnum):
    """The result of a part; the values are shown in the list."""

    PROVED = "proved"
    WRONG = "wrong"
    UNKNOWN = "not proved"


@dataclass(frozen=True, slots=True)
class ReceiptPart:
    """One part of a receipt; `why` says why it is invalid or cannot be verified."""

    what: SafeText
    verdict: Verdict
    why: SafeText


class _InvalidPartError(Exception):
    """A part is invalid; the message names the field and what is wrong with it."""


def verdict(parts: Sequence[ReceiptPart]) -> Verdict:
    """Return the verdict. Nothing is proved unless the last part, the server's signature, is.

    The device keys are in the receipt itself, where a forger would put their own.
    """
    if any(part.verdict is Verdict.WRONG for part in parts):
        return Verdict.WRONG
    return parts[-1].verdict


def check_receipt(
    receipt: Mapping[str, Any], keys: Sequence[Mapping[str, Any]], log_key: str | None
) -> tuple[ReceiptPart, ...]:
    """Return each part with its result; `keys` are the keys that its issuer publishes.

    `log_key` is the key of the issuer's audit log, if this machine knows it.
    """
    parts = [_part("The request and what was shown match their digests", _check_texts, receipt)]
    parts += _answer_parts(receipt, receipt)
    if receipt.get("given_in") is not None:
        parts += _answer_parts(receipt, receipt["given_in"], " of the consent or standing grant")
    signed = "The server signed every field of this receipt"
    return (
        *parts,
        _part(_LOGGED, why_not_proved, receipt, log_key),
        _part(signed, _check_server_signature, receipt, keys),
    )


def _answer_parts(
    receipt: Mapping[str, Any], request: Mapping[str, Any], about: str = ""
) -> Iterator[ReceiptPart]:
    answers = request.get("answers") if isinstance(request, dict) else None
    for answer in answers if isinstance(answers, list) else ():
        answer_name, device = _describe(answer)
        what = f"{answer_name}{about} is signed by the key that the server has for {device}"
        yield _part(what, _check_answer, {**receipt, **request}, answer)


def _part(what: str, check: Callable[..., str], *args: object) -> ReceiptPart:
    """Run `check`, which returns why a part cannot be verified, or raises if it is wrong."""
    try:
        why = check(*args)
        verdict = Verdict.UNKNOWN if why else Verdict.PROVED
    except (_InvalidPartError, NotLogged) as error:
        verdict, why = Verdict.WRONG, str(error)
    except _PARSE_ERRORS as error:
        verdict, why = Verdict.WRONG, f"it is malformed: {error}"
    return ReceiptPart(display_safe(what, max_len=300), verdict, display_safe(why, max_len=300))


def _describe(answer: Mapping[str, Any]) -> tuple[str, str]:
    try:
        word = _ANSWER_NOUNS[answer["decision"]]
        return f"{answer['by']['name']}'s {word}", str(answer["device"]["name"])
    except _PARSE_ERRORS:
        return "an answer", "its device"


def _require(condition: object, message: str) -> None:
    if not condition:
        raise _InvalidPartError(message)


def _check_texts(receipt: Mapping[str, Any]) -> str:
    approval = receipt["approval"]
    for name in ("action", "display"):
        is_intact = digest(approval[name]) == approval[f"{name}_digest"]
        _require(is_intact, f"approval/{name}: does not match its digest")
    is_own_fingerprint = receipt["fingerprint"] == fingerprint(approval["action"])
    _require(is_own_fingerprint, "fingerprint: does not match the action")
    granted = approval["granted"]
    is_granted_intact = granted is None or digest(granted["text"]) == granted["digest"]
    _require(is_granted_intact, "approval/granted: does not match its digest")
    return ""


def _check_answer(receipt: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    key, signed = answer["key"], answer["signed"]
    if key is None:
        return "its key is no longer known"
    if signed.count(".") + 1 == _PASSKEY_PARTS:
        payload = _verified_passkey_payload(signed, key, receipt["issuer"])
    else:
        _require(thumbprint(key["jwk"]) == key["kid"], "key: does not match its thumbprint")
        payload = _verified_payload(signed, DECISION, key, "signed")
    for name, value in _expected_members(receipt, answer, payload).items():
        _require(payload.get(name) == value, f"{name}: differs from what was signed")
    seconds = abs(payload["at"] - datetime.fromisoformat(answer["at"]).timestamp())
    _require(seconds <= _TOLERANCE_SECONDS, "at: differs from the signed time")
    return ""


def _expected_members(
    receipt: Mapping[str, Any], answer: Mapping[str, Any], payload: Mapping[str, Any]
) -> dict[str, object]:
    approval, granted = receipt["approval"], payload.get("granted")
    if answer["decision"] == "approve" and answer["counts"]:
        granted = None if approval["granted"] is None else approval["granted"]["digest"]
    return {
        "iss": answer["device"]["id"],
        "sub": answer["by"]["id"],
        "aud": receipt["issuer"],
        "approval": approval["id"],
        "action_digest": approval["action_digest"],
        "display_digest": approval["display_digest"],
        "decision": answer["decision"],
        "code": answer["code"],
        "ceremony": answer["ceremony"],
        "granted": granted,
    }


def _verified_payload(jws: str, typ: str, key: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the payload of a compact JWS; the key determines the algorithm, not the signer."""
    head, body, signature = jws.split(".")
    header = json.loads(unb64(head))
    expected = {"typ": typ, "alg": ALGS[key["jwk"]["kty"]], "kid": key["kid"]}
    is_expected = {name: header.get(name) for name in expected} == expected
    _require(is_expected, f"{where}: the header does not match this key")
    is_valid = verify_signature(key["jwk"], unb64(signature), f"{head}.{body}".encode())
    _require(is_valid, f"{where}: the signature is invalid")
    return dict(json.loads(unb64(body)))


def _verified_passkey_payload(signed: str, key: Mapping[str, Any], issuer: str) -> dict[str, Any]:
    """Return the payload of a passkey's assertion (WebAuthn 7.2)."""
    credential, payload, authenticator_data, client_json, signature = map(unb64, signed.split("."))
    site, client_data = urlsplit(issuer), json.loads(client_json)
    _require(b64(credential) == key["kid"], "signed: it names a different passkey")
    is_this_site = (
        client_data["type"] == "webauthn.get"
        and client_data["origin"] == f"{site.scheme}://{site.netloc}"
    )
    _require(is_this_site, "signed: it was made for a different site")
    is_this_payload = client_data["challenge"] == b64(hashlib.sha256(payload).digest())
    _require(is_this_payload, "signed: the passkey signed a different payload")
    site_hash = hashlib.sha256((site.hostname or "").encode()).digest()
    _require(authenticator_data[:32] == site_hash, "signed: it was made for a different site")
    is_user_verified = authenticator_data[32] & _PRESENT_AND_VERIFIED == _PRESENT_AND_VERIFIED
    _require(is_user_verified, "signed: the passkey did not verify its user")
    message = authenticator_data + hashlib.sha256(client_json).digest()
    is_valid = verify_signature(key["jwk"], signature, message, is_der=True)
    _require(is_valid, "signed: the signature is invalid")
    return dict(json.loads(payload))


def _check_server_signature(receipt: Mapping[str, Any], keys: Sequence[Mapping[str, Any]]) -> str:
    signature = receipt["server_signature"]
    kid = json.loads(unb64(signature.split(".")[0]))["kid"]
    jwk = next((key for key in keys if key.get("kid") == kid), None)
    if jwk is None:
        return "its key is no longer published"
    payload = _verified_payload(signature, RECEIPT, {"kid": kid, "jwk": jwk}, "server_signature")
    unsigned_members = {
        name: value for name, value in receipt.items() if name != "server_signature"
    }
    path = first_difference(unsigned_members, payload)
    _require(path is None, f"{path}: differs from what the server signed")
    return ""


def first_difference(ours: object, theirs: object, path: str = "") -> str | None:
    """Return the path of the first difference of two JSON values; None if they are equal."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        names = dict.fromkeys((*ours, *theirs))
        pairs = [(name, ours.get(name, _MISSING), theirs.get(name, _MISSING)) for name in names]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = [(index, *pair) for index, pair in enumerate(zip(ours, theirs, strict=True))]
    else:
        return None if type(ours) is type(theirs) and ours == theirs else path or "receipt"
    differences = (
        first_difference(first, other, f"{path}/{name}".lstrip("/")) for name, first, other in pairs
    )
    return next((difference for difference in differences if difference is not None), None)


_MISSING: Final = object()
