"""Checks that the entries of a log do not contradict each other.

Owns: the rules about tokens, approvals, agents, signatures and actors.
Never: hashes and signatures of the log.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from server.audit_log import signatures
from server.audit_log.signatures import Members, PublicKey, Signed

_DISABLED: Final = frozenset({"agent.disabled", "agent.quarantined", "agent.deleted"})
_APPROVED: Final = frozenset({"approval.approved", "approval.allowed"})
DECISIONS: Final[Mapping[str, str]] = {
    "approval.approved": "approve",
    "approval.voted": "approve",
    "approval.vote_withdrawn": "withdraw",
    "approval.denied": "deny",
}
"""The types of entries with a user's answer, and the decision that the user signed."""
_ANSWERS: Final = frozenset(DECISIONS) | _APPROVED
_CLOSED: Final = frozenset({"approval.denied", "approval.expired", "approval.cancelled"})


class Contradiction(Exception):
    """An entry contradicts the ones before it."""


@dataclass(slots=True)
class Meaning:
    """The state that follows from the entries so far."""

    approvals: dict[str, str] = field(default_factory=dict)
    """The last state of each approval: the type of an entry, or `issued`."""
    votes: dict[str, set[str]] = field(default_factory=dict)
    """The approvers of each request that needs several, without those who withdrew."""
    disabled_agents: set[str] = field(default_factory=set)
    """Agents that are disabled, quarantined or deleted."""
    keys: dict[str, tuple[str, PublicKey]] = field(default_factory=dict)
    """Owner and public key, by key ID for terminals and by device ID for passkeys."""
    trimmed: int = 0
    """The number of entries whose bodies were deleted, so that their contents are unknown."""
    trimmed_before: int = 0
    """The position before which bodies were deleted, according to an entry."""
    signatures: int = 0
    """The number of user signatures that were checked."""
    unchecked: int = 0
    """The number of user signatures by a key that is not in the log."""

    def check(self, entry: Members) -> None:
        """Check the next entry. Raises `Contradiction`."""
        if not entry.get("actor"):
            raise Contradiction("It does not name an actor.")
        kind, approval = str(entry.get("type")), str(entry.get("approval_id"))
        state = self.approvals.get(approval, "")
        if kind in _ANSWERS and (state in _CLOSED or state == "issued"):
            raise Contradiction(f"The request was answered although it had ended ({state}).")
        if kind in _DISABLED:
            self.disabled_agents.add(str(entry.get("agent_id")))
        elif rule := _RULES.get(kind):
            rule(self, entry)
        if kind in _APPROVED | _CLOSED:
            self.approvals[approval] = kind


def _on_enabled(meaning: Meaning, entry: Members) -> None:
    meaning.disabled_agents.discard(str(entry.get("agent_id")))


def _on_enrollment(meaning: Meaning, entry: Members) -> None:
    owner, facts = str(entry.get("actor")), _facts(entry)
    kids, jwks = facts.get("kids", {}), facts.get("keys", {})
    keys = {str(kids[name]): signatures.of_jwk(jwk) for name, jwk in jwks.items() if name in kids}
    if "public_key" in facts:
        keys[str(facts.get("device"))] = signatures.of_passkey(facts["public_key"])
    meaning.keys |= {kid: (owner, key) for kid, key in keys.items() if key is not None}


def _check_answer(meaning: Meaning, entry: Members) -> None:
    """Check that the user signed this answer to this request."""
    facts = _facts(entry)
    if not facts.get("signed"):
        raise Contradiction("The user's decision has no signature.")
    signed = signatures.read(str(facts["signed"]))
    if signed is None:
        raise Contradiction("The signature of the user's decision cannot be read.")
    owner, key = meaning.keys.get(signed.kid or str(facts.get("device")), ("", None))
    if key is None:
        meaning.unchecked += 1
        return
    _check_signature(signed, key, entry)
    if owner != entry.get("actor"):
        raise Contradiction("A different user signed it.")
    meaning.signatures += 1


def _check_signature(signed: Signed, key: PublicKey, entry: Members) -> None:
    if not signed.is_by(key):
        raise Contradiction("The user's signature is invalid.")
    if signed.payload.get("approval") != entry.get("approval_id"):
        raise Contradiction("The user signed a different request.")
    if signed.payload.get("decision") != DECISIONS[str(entry.get("type"))]:
        raise Contradiction("The user signed a different decision.")


def _on_vote(meaning: Meaning, entry: Members) -> None:
    _check_answer(meaning, entry)
    meaning.votes.setdefault(str(entry.get("approval_id")), set()).add(_voter(entry))


def _on_withdrawal(meaning: Meaning, entry: Members) -> None:
    _check_answer(meaning, entry)
    meaning.votes.get(str(entry.get("approval_id")), set()).discard(_voter(entry))


def _on_approval(meaning: Meaning, entry: Members) -> None:
    """Check that an approval by several users counts only votes that were cast and kept."""
    _on_vote(meaning, entry)
    voters, quorum = _facts(entry).get("yes"), _facts(entry).get("quorum")
    if not isinstance(voters, list) or not isinstance(quorum, int):
        return
    if len(voters) < quorum:
        raise Contradiction("Fewer users approved the request than its quorum requires.")
    cast = meaning.votes[str(entry.get("approval_id"))]
    if not meaning.trimmed and not cast.issuperset(map(str, voters)):
        raise Contradiction("The approval counts a vote that was withdrawn or never cast.")


def _voter(entry: Members) -> str:
    return str(entry.get("actor")).partition(":")[2]


def _on_token(meaning: Meaning, entry: Members) -> None:
    """Check that the agent is enabled, and the request is approved and has no earlier token."""
    if entry.get("agent_id") in meaning.disabled_agents:
        raise Contradiction("A token was issued to an agent that was disabled.")
    approval = entry.get("approval_id")
    if approval is None or "parent" in _facts(entry):
        return
    state = meaning.approvals.get(str(approval))
    if state == "issued":
        raise Contradiction("A second token was issued for one approval.")
    if state not in _APPROVED and (state or not meaning.trimmed):
        raise Contradiction(
            f"A token was issued for a request without approval ({state or 'never closed'})."
        )
    meaning.approvals[str(approval)] = "issued"


def _on_trim(meaning: Meaning, entry: Members) -> None:
    before = _facts(entry).get("before")
    if isinstance(before, int):
        meaning.trimmed_before = max(meaning.trimmed_before, before)


_RULES: Final[Mapping[str, Callable[[Meaning, Members], None]]] = {
    "agent.enabled": _on_enabled,
    "agent.added": _on_enabled,
    "audit.trimmed": _on_trim,
    "device.enrolled": _on_enrollment,
    "approval.approved": _on_approval,
    "approval.voted": _on_vote,
    "approval.vote_withdrawn": _on_withdrawal,
    "approval.denied": _check_answer,
    "token.issued": _on_token,
}


def _facts(entry: Members) -> Members:
    facts = entry.get("facts")
    return facts if isinstance(facts, dict) else {}
