"""The texts that a human's device signs, and what of them must equal the server's own rows.

Owns: action text, digests, fingerprint, the payloads of decisions and statements, key thumbprints.
Never: signatures (crypto) and whether a ceremony or a key suffices (services).

Digests are base64url of SHA-256 over the text as it travels; nobody but the server makes canonical
JSON of an action. `tests/vectors/decisions.json` holds examples for both sides.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Final, Literal

from server.protocol import base64url, errors, json_text
from server.protocol.approvals import ceremonies
from server.protocol.json_text import JsonValue

CLOCK_TOLERANCE: Final = 300
"""Seconds by which a device's clock may differ from the server's."""

DECISION_TYPE: Final = "sayso-decision+jws"
STATEMENT_TYPE: Final = "sayso-statement+jws"
ADMINISTER: Final = "administer"
"""The purpose of a statement about a request to the administration."""
USER_CODE: Final = "user_code"
"""The purpose of a statement that sets or clears the person's user code."""
PASSWORD: Final = "password"  # noqa: S105  # a word, and no secret
"""The purpose of a statement that sets the person's own password."""
DEPUTY: Final = "deputy"
"""It lets another person decide; its subject is a digest over nonce, name and both times."""
ENROL: Final = "enrol"
"""It gives its person a one-time code for one more device; its subject is a digest over nonce."""
STATEMENT_PURPOSES: Final = frozenset(
    {"pin", "unlock", "vouch", ADMINISTER, USER_CODE, PASSWORD, DEPUTY, ENROL}
)

_DIGEST_BYTES = 32
_MAX_PAYLOAD = 8_192
_MAX_TEXT = 1_024
_KEY_MEMBERS = frozenset({"kty", "crv", "x", "y"})


@dataclass(frozen=True, slots=True)
class DenyCode:
    """A reason for a denial: what the person picks, and what the agent may do next."""

    label: str
    retry: str
    takes: Literal["retry_at", "ask"] | None = None
    """The member that may come with this code and with no other: a time, or a person."""


DENY_CODES: Mapping[str, DenyCode] = MappingProxyType(
    {
        "not_needed": DenyCode("Not needed now", "later"),
        "wrong_details": DenyCode("Wrong details", "with_changes"),
        "too_broad": DenyCode("Too broad", "narrower"),
        "wait_until": DenyCode("Wait until a later time", "not_before", "retry_at"),
        "ask_other": DenyCode("Ask someone else", "redirected", "ask"),
        "suspicious": DenyCode("I don't recognize this", "never"),
    }
)

SUSPICIOUS: Final = "suspicious"
"""The code of a denial that is a report."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The signed answer of one device, by the members of its payload. `at` in seconds."""

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
class Expected:
    """What the server's rows say a decision must repeat. `now` in seconds."""

    iss: str
    sub: str
    aud: str
    approval: str
    action_digest: str
    display_digest: str
    nonce: str
    now: int
    granted: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """The signed word of one device about another or itself. `at` in seconds."""

    iss: str
    sub: str
    aud: str
    purpose: str
    subject: str
    at: int
    nonce: str


@dataclass(frozen=True, slots=True)
class ExpectedStatement:
    """What the server's rows say a statement must repeat. `now` in seconds."""

    iss: str
    sub: str
    aud: str
    purpose: str
    subject: str
    nonce: str
    now: int


def action_text(
    *,
    agent: str,
    authorization_details: Sequence[JsonValue],
    resource: str,
    salt: str,
    scope: Iterable[str],
    user: str,
) -> str:
    """Write the text that stands for what an agent may do; its digest is what is approved."""
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


def digest_with(action: str, authorization_details: Sequence[JsonValue]) -> str:
    """The digest that an action text would have if these details stood in it."""
    members = {**json.loads(action), "authorization_details": list(authorization_details)}
    return digest(json_text.canonical(members))


def digest(text: str) -> str:
    """Hash a text: base64url of SHA-256 of its UTF-8, 43 characters."""
    return base64url.encode(hashlib.sha256(text.encode()).digest())


def request_digest(method: str, path: str, body: bytes) -> str:
    """Hash a request as it travels: method, path and body, with a line feed after the first two."""
    return base64url.encode(hashlib.sha256(f"{method}\n{path}\n".encode() + body).digest())


def is_digest(text: str) -> bool:
    """Reports whether a text is a digest in the one spelling that we write."""
    try:
        _bytes_of(text, "digest")
    except ValueError:
        return False
    return True


def fingerprint(action_digest: str) -> str:
    """Shorten an action digest to what a person compares: `9f3a-71c0`. ValueError if it is none."""
    shown = _bytes_of(action_digest, "action_digest")[:4].hex()
    return f"{shown[:4]}-{shown[4:]}"


def read_decision(payload: bytes) -> Decision:
    """Read the payload of a decision that may stand on its own. ValueError names the member."""
    decision = Decision(**_read_members(payload, Decision))
    for name, allowed in _allowed_values(decision).items():
        if getattr(decision, name) not in allowed:
            raise ValueError(f"{name} is not one of the values allowed here")
    return decision


def check_decision(decision: Decision, expected: Expected) -> None:
    """Hold a decision against the server's rows.

    Raises errors.Problem 422 `invalid_decision`, which names the first member that differs and
    never its value. `granted` is compared too: nothing is granted that the rows do not know.
    """
    _check_members(decision, expected, "invalid_decision")


def read_statement(payload: bytes) -> Statement:
    """Read the payload of a statement. ValueError names the member."""
    statement = Statement(**_read_members(payload, Statement))
    if statement.purpose not in STATEMENT_PURPOSES:
        raise ValueError("purpose is not one of the values allowed here")
    return statement


def check_statement(statement: Statement, expected: ExpectedStatement) -> None:
    """Hold a statement against the server's rows.

    Raises errors.Problem 422 `invalid_statement`, which names the first member that differs.
    """
    _check_members(statement, expected, "invalid_statement")


def check_public_jwk(jwk: object) -> dict[str, str]:
    """Return an EC P-256 public key with exactly its four members (RFC 7518 6.2.1).

    ValueError otherwise, for a private key above all. That the point lies on the curve is found
    out when the key is loaded.
    """
    if not isinstance(jwk, Mapping) or set(jwk) != _KEY_MEMBERS:
        raise ValueError("a public key has exactly the members kty, crv, x and y")
    if jwk["kty"] != "EC" or jwk["crv"] != "P-256":
        raise ValueError("kty must be EC and crv must be P-256")
    for name in ("x", "y"):
        _bytes_of(jwk[name], name)
    return {name: jwk[name] for name in ("kty", "crv", "x", "y")}


def thumbprint(jwk: object) -> str:
    """Name a public key by its hash (RFC 7638). ValueError if it is not one."""
    return digest(json_text.canonical({**check_public_jwk(jwk)}))


def _allowed_values(decision: Decision) -> dict[str, Collection[str | None]]:
    if decision.decision == "approve":
        return {"code": frozenset({None}), "ceremony": ceremonies.SPELLINGS}
    return {
        "decision": frozenset({"deny"}),
        "granted": frozenset({None}),
        "code": frozenset(DENY_CODES),
        "ceremony": frozenset({"none"}),
    }


def _read_members(payload: bytes, kind: type[Decision] | type[Statement]) -> dict[str, Any]:
    try:
        members = json_text.parse(payload, max_bytes=_MAX_PAYLOAD, what="payload")
    except errors.InvalidRequest as error:
        raise ValueError(error.description) from None
    if not isinstance(members, dict):
        raise ValueError("payload must be an object")  # noqa: TRY004  # readers promise ValueError
    expected = {field.name: field.type for field in fields(kind)}
    for name in sorted(expected.keys() ^ members.keys()):
        raise ValueError(f"{name} is missing" if name in expected else "an unknown member is there")
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
        raise ValueError(f"{name} must be a text of 1 to {_MAX_TEXT} characters")


def _check_members(
    signed: Decision | Statement, expected: Expected | ExpectedStatement, code: str
) -> None:
    for field in fields(expected):
        if field.name != "now" and getattr(signed, field.name) != getattr(expected, field.name):
            raise errors.Problem(422, code, f"{field.name} is not what the server expects")
    if abs(signed.at - expected.now) > CLOCK_TOLERANCE:
        detail = f"at is more than {CLOCK_TOLERANCE} seconds away from the server's time"
        raise errors.Problem(422, code, f"{detail}; set the clock of this device")


def _bytes_of(text: object, name: str) -> bytes:
    """Decode 32 bytes in their one spelling."""
    try:
        raw = base64url.decode(text) if isinstance(text, str) else b""
    except ValueError:
        raw = b""
    if len(raw) == _DIGEST_BYTES:
        return raw
    raise ValueError(f"{name} must be base64url of {_DIGEST_BYTES} bytes")
