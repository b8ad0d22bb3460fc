"""What the entries of a log must say together, whoever wrote them.

Owns: the rules about tokens, approvals, agents, signatures and actors.
Never: hashes and signatures of the log.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

Members = Mapping[str, Any]
_COORDINATE = 32
_STOPPED: Final = frozenset({"agent.disabled", "agent.quarantined", "agent.deleted"})
_YES: Final = frozenset({"approval.approved", "approval.allowed"})
_ENDED: Final = frozenset({"approval.denied", "approval.expired", "approval.cancelled"})


class Contradiction(Exception):
    """An entry contradicts the ones before it."""


@dataclass(slots=True)
class Meaning:
    """What the entries so far have said."""

    approvals: dict[str, str] = field(default_factory=dict)
    """The last state of each approval: the type of an entry, or `issued`."""
    stopped: set[str] = field(default_factory=set)
    """Agents that are disabled, quarantined or deleted."""
    keys: dict[str, tuple[str, Members]] = field(default_factory=dict)
    """The owner and the public key (JWK) of each key of a device, by its id."""
    signatures: int = 0
    """How many signatures of people were checked."""
    unchecked: int = 0
    """How many were made by a passkey or by a key that is not in the log."""

    def check(self, entry: Members) -> None:
        """Take the next entry. Raises `Contradiction`."""
        if not entry.get("actor"):
            raise Contradiction("It does not say who acted.")
        kind = str(entry.get("type"))
        if kind in _STOPPED:
            self.stopped.add(str(entry.get("agent_id")))
        elif rule := _RULES.get(kind):
            rule(self, entry)
        if kind in _YES | _ENDED:
            self.approvals[str(entry.get("approval_id"))] = kind


def _enabled(meaning: Meaning, entry: Members) -> None:
    meaning.stopped.discard(str(entry.get("agent_id")))


def _enrolled(meaning: Meaning, entry: Members) -> None:
    keys = _facts(entry).get("keys", {})
    kids = _facts(entry).get("kids", {})
    owner = str(entry.get("actor"))
    meaning.keys |= {str(kids[name]): (owner, key) for name, key in keys.items() if name in kids}


def _answered(meaning: Meaning, entry: Members) -> None:
    """Each answer of a person has their signature over this request."""
    state = meaning.approvals.get(str(entry.get("approval_id")), "")
    if state in _ENDED or state == "issued":
        raise Contradiction(f"The request was answered although it had ended ({state}).")
    signed = _facts(entry).get("signed")
    if not isinstance(signed, str) or not signed:
        raise Contradiction("The answer of a person has no signature.")
    header, payload, signature, text = _jws(signed)
    owner, key = meaning.keys.get(str(header.get("kid")), ("", None))
    if key is None:
        meaning.unchecked += 1
        return
    if not _is_signed(key, text, signature):
        raise Contradiction("The signature of the person is false.")
    if owner != entry.get("actor"):
        raise Contradiction("Another person signed it.")
    if payload.get("approval") != entry.get("approval_id"):
        raise Contradiction("The person signed another request.")
    wanted = "deny" if entry.get("type") == "approval.denied" else "approve"
    if payload.get("decision") != wanted:
        raise Contradiction("The person signed another answer.")
    meaning.signatures += 1


def _issued(meaning: Meaning, entry: Members) -> None:
    """A token needs an enabled agent, and its approval one yes and no earlier token."""
    if entry.get("agent_id") in meaning.stopped:
        raise Contradiction("A token was issued to an agent that was disabled.")
    approval = entry.get("approval_id")
    if approval is None or "parent" in _facts(entry):
        return
    state = meaning.approvals.get(str(approval))
    if state == "issued":
        raise Contradiction("A second token was issued for one approval.")
    if state not in _YES:
        raise Contradiction(f"A token was issued for a request that {state or 'nobody'} ended.")
    meaning.approvals[str(approval)] = "issued"


_RULES: Final[Mapping[str, Callable[[Meaning, Members], None]]] = {
    "agent.enabled": _enabled,
    "agent.added": _enabled,
    "device.enrolled": _enrolled,
    "approval.approved": _answered,
    "approval.voted": _answered,
    "approval.denied": _answered,
    "token.issued": _issued,
}


def _facts(entry: Members) -> Members:
    facts = entry.get("facts")
    return facts if isinstance(facts, dict) else {}


def _jws(text: str) -> tuple[Members, Members, bytes, bytes]:
    """Header, payload, signature and signed bytes; empty members if it is not a compact JWS."""
    head, _, rest = text.partition(".")
    body, _, signature = rest.partition(".")
    try:
        header, payload = json.loads(_decoded(head)), json.loads(_decoded(body))
        made = _decoded(signature)
    except ValueError:
        return {}, {}, b"", b""
    return header, payload, made, f"{head}.{body}".encode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _is_signed(key: Members, text: bytes, signature: bytes) -> bool:
    try:
        if key.get("kty") == "OKP":
            Ed25519PublicKey.from_public_bytes(_decoded(key["x"])).verify(signature, text)
            return True
        x, y = (int.from_bytes(_decoded(key[name])) for name in ("x", "y"))
        r, s = (int.from_bytes(part) for part in (signature[:_COORDINATE], signature[_COORDINATE:]))
        public = EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
        public.verify(encode_dss_signature(r, s), text, ECDSA(SHA256()))
    except (InvalidSignature, ValueError, KeyError):
        return False
    return True
