"""The strings that a person's device signs, and their checks against the server's own data.

Owns: action text, digests, fingerprint, the payloads of decisions and statements, key thumbprints.
Never: signatures (crypto), or whether a ceremony or key is sufficient (services).

A digest is the base64url of SHA-256 over the text as sent; only the server converts an action to
canonical JSON. `tests/vectors/decisions.json` holds examples for both sides.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

from server.protocol import base64url, errors, json_text
from server.protocol.approvals import ceremonies
from server.protocol.json_text import JsonValue

CLOCK_TOLERANCE: Final = 300
"""The allowed difference between a device's clock and the server's, in seconds."""

DECISION_TYPE: Final = "sayso-decision+jws"
STATEMENT_TYPE: Final = "sayso-statement+jws"
ADMINISTER: Final = "administer"
"""The purpose of a statement that signs an administrative API request."""
USER_CODE: Final = "user_code"
"""The purpose of a statement that sets or clears a user code."""
PASSWORD: Final = "password"  # noqa: S105  # not a secret
"""The purpose of a statement that sets the user's own password."""
DEPUTY: Final = "deputy"
"""The purpose of a statement that names a deputy; subject: digest of nonce, name, both times."""
ENROLL: Final = "enroll"
"""The purpose of a statement that creates an enrollment code; subject: digest of the nonce."""
STATEMENT_PURPOSES: Final = frozenset(
    {"pin", "unlock", "vouch", ADMINISTER, USER_CODE, PASSWORD, DEPUTY, ENROLL}
)

_DIGEST_BYTES = 32
_MAX_PAYLOAD = 8_192
_MAX_TEXT = 1_024
_KEY_MEMBERS = frozenset({"kty", "crv", "x", "y"})


@dataclass(frozen=True, slots=True)
class DenyCode:
    """A reason for a denial: its label for the person, and what the agent may do next."""

    label: str
    retry: str
    takes: Literal["retry_at", "ask"] | None = None
    """The member that is allowed only with this code: a time or a person."""


DENY_CODES: Mapping[str, DenyCode] = {
    "not_needed": DenyCode("Not needed now", "later"),
    "wrong_details": DenyCode("Wrong details", "with_changes"),
    "too_broad": DenyCode("Too broad", "narrower"),
    "wait_until": DenyCode("Wait until a later time", "not_before", "retry_at"),
    "ask_other": DenyCode("Ask someone else", "redirected", "ask"),
    "suspicious": DenyCode("I don't recognize this", "never"),
}

SUSPICIOUS: Final = "suspicious"
"""The code of a denial that reports the request."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The payload of a device's signed answer. `at` is in seconds."""

    iss: str
    sub: str
    aud: str
    approval: str
    action_digest: str
    display_digest: str
    decision: str
    granted: str | None
    code: str | None
    ceremony: str
    at: int
    nonce: str


@dataclass(frozen=True, slots=True)
class ExpectedDecision:
    """The values that a decision must repeat. `at` is the server's time, in seconds."""

    iss: str
    sub: str
    aud: str
    approval: str
    action_digest: str
    display_digest: str
    nonce: str
    at: int
    granted: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """The payload of a device's signed statement. `at` is in seconds."""

    iss: str
    sub: str
    aud: str
    purpose: str
    subject: str
    at: int
    nonce: str


def action_text(
    *,
    agent: str,
    authorization_details: Sequence[JsonValue],
    resource: str,
    salt: str,
    scope: Iterable[str],
    user: str,
) -> str:
    """Return the canonical text of what an agent requests. People approve its digest."""
    return json_text.canonical(
        {
            "agent": agent,
            "authorization_details": list(authorization_details),
            "resource": resource,
            "salt": salt,
            "scope": [*sorted(set(scope))],
            "user": user,
        }
    )


def digest_with_details(action: str, authorization_details: Sequence[JsonValue]) -> str:
    """Return the digest of an action text with its details replaced by these details."""
    members = {**json.loads(action), "authorization_details": list(authorization_details)}
    return digest(json_text.canonical(members))


def digest(text: str) -> str:
    """Return the digest of a text: base64url of SHA-256 over its UTF-8 bytes, 43 characters."""
    return base64url.encode(hashlib.sha256(text.encode()).digest())


def request_digest(method: str, path: str, body: bytes) -> str:
    """Return the digest of an HTTP request: method, line feed, path, line feed, body."""
    return base64url.encode(hashlib.sha256(f"{method}\n{path}\n".encode() + body).digest())


def is_digest(text: str) -> bool:
    """Return whether this string is a digest in canonical form."""
    try:
        _decode_digest(text, "digest")
    except ValueError:
        return False
    return True


def fingerprint(action_digest: str) -> str:
    """Return the short form of an action digest for people: `9f3a-71c0`. Raises ValueError."""
    prefix = _decode_digest(action_digest, "action_digest")[:4].hex()
    return f"{prefix[:4]}-{prefix[4:]}"


def read_decision(payload: bytes) -> Decision:
    """Parse and check the payload of a decision. Raises ValueError, which names the member."""
    decision = Decision(**_read_members(payload, Decision))
    for name, allowed in _allowed_values(decision).items():
        if getattr(decision, name) not in allowed:
            raise ValueError(f"{name} is not one of the values allowed here")
    return decision


def check_decision(decision: Decision, expected: ExpectedDecision) -> None:
    """Compare a decision with the server's values, including `granted`.

    Raises errors.Problem 422 `invalid_decision`, which names the first member that differs, without
    its value.
    """
    _check_members(decision, expected, "invalid_decision")


def read_statement(payload: bytes) -> Statement:
    """Parse and check the payload of a statement. Raises ValueError, which names the member."""
    statement = Statement(**_read_members(payload, Statement))
    if statement.purpose not in STATEMENT_PURPOSES:
        raise ValueError("purpose is not one of the values allowed here")
    return statement


def check_statement(statement: Statement, expected: Statement) -> None:
    """Compare a statement with the expected one, whose `at` is the server's time.

    Raises errors.Problem 422 `invalid_statement`, which names the first member that differs.
    """
    _check_members(statement, expected, "invalid_statement")


def check_public_jwk(jwk: object) -> dict[str, str]:
    """Return an EC P-256 public key with exactly its four members (RFC 7518 6.2.1).

    Raises ValueError for anything else, including private keys. This does not check that the point
    is on the curve; loading the key does.
    """
    if not isinstance(jwk, Mapping) or set(jwk) != _KEY_MEMBERS:
        raise ValueError("a public key has exactly the members kty, crv, x and y")
    if jwk["kty"] != "EC" or jwk["crv"] != "P-256":
        raise ValueError("kty must be EC and crv must be P-256")
    for name in ("x", "y"):
        _decode_digest(jwk[name], name)
    return {name: jwk[name] for name in ("kty", "crv", "x", "y")}


def thumbprint(jwk: object) -> str:
    """Return the thumbprint (RFC 7638). Raises ValueError if this is not a public key."""
    return digest(json_text.canonical({**check_public_jwk(jwk)}))


def _allowed_values(decision: Decision) -> dict[str, Collection[str | None]]:
    if decision.decision == "approve":
        return {"code": frozenset({None}), "ceremony": ceremonies.CEREMONY_TEXTS}
    is_denial = decision.decision == "deny"
    return {
        "decision": frozenset({"deny", "withdraw"}),
        "granted": frozenset({None}),
        "code": frozenset(DENY_CODES) if is_denial else frozenset({None}),
        "ceremony": frozenset({"none"}),
    }


def _read_members(payload: bytes, payload_type: type[Decision] | type[Statement]) -> dict[str, Any]:
    try:
        members = json_text.parse(payload, max_bytes=_MAX_PAYLOAD, what="payload")
    except errors.InvalidRequest as error:
        raise ValueError(error.description) from None
    if not isinstance(members, dict):
        raise ValueError("payload must be an object")  # noqa: TRY004  # callers expect ValueError
    expected = {field.name: field.type for field in fields(payload_type)}
    for name in sorted(expected.keys() ^ members.keys()):
        raise ValueError(
            f"{name} is missing" if name in expected else "unknown members are not allowed"
        )
    for name, annotation in expected.items():
        _check_type(members[name], annotation, name)
    return members


def _check_type(value: JsonValue, annotation: object, name: str) -> None:
    if annotation is int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{name} must be whole seconds")
        return
    if value is None and annotation is not str:
        return
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_TEXT:
        raise ValueError(f"{name} must be a string of 1 to {_MAX_TEXT} characters")


def _check_members(
    signed: Decision | Statement, expected: ExpectedDecision | Statement, code: str
) -> None:
    for field in fields(expected):
        if field.name != "at" and getattr(signed, field.name) != getattr(expected, field.name):
            raise errors.Problem(422, code, f"{field.name} does not match the server's value")
    if abs(signed.at - expected.at) > CLOCK_TOLERANCE:
        detail = f"at is more than {CLOCK_TOLERANCE} seconds away from the server's time"
        raise errors.Problem(422, code, f"{detail}; set the clock of this device")


def _decode_digest(text: object, name: str) -> bytes:
    """Decode 32 bytes in canonical base64url."""
    try:
        raw = base64url.decode(text) if isinstance(text, str) else b""
    except ValueError:
        raw = b""
    if len(raw) == _DIGEST_BYTES:
        return raw
    raise ValueError(f"{name} must be base64url of {_DIGEST_BYTES} bytes")
