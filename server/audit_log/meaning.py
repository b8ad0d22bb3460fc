"""What the entries of a log must say together, whoever wrote them.

Owns: the rules about tokens, approvals, agents, signatures and actors.
Never: hashes and signatures of the log.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from server.audit_log import signatures
from server.audit_log.signatures import Members, PublicKey, Signed

_STOPPED: Final = frozenset({"agent.disabled", "agent.quarantined", "agent.deleted"})
_YES: Final = frozenset({"approval.approved", "approval.allowed"})
_DECISIONS: Final[Mapping[str, str]] = {
    "approval.approved": "approve",
    "approval.voted": "approve",
    "approval.vote_withdrawn": "withdraw",
    "approval.denied": "deny",
}
"""The entries of users' answers, and what the user signed."""
_ANSWERS: Final = frozenset(_DECISIONS) | _YES
_ENDED: Final = frozenset({"approval.denied", "approval.expired", "approval.cancelled"})


class Contradiction(Exception):
    """An entry contradicts the ones before it."""


@dataclass(slots=True)
class Meaning:
    """What the entries so far have said."""

    approvals: dict[str, str] = field(default_factory=dict)
    """The last state of each approval: the type of an entry, or `issued`."""
    votes: dict[str, set[str]] = field(default_factory=dict)
    """Who has approved each request that several must approve, and not withdrawn it."""
    stopped: set[str] = field(default_factory=set)
    """Agents that are disabled, quarantined or deleted."""
    keys: dict[str, tuple[str, PublicKey]] = field(default_factory=dict)
    """The owner and each public key of a terminal, by its id, and of a passkey, by its device."""
    trimmed: int = 0
    """How many entries had no body any more, so that what they said is not known."""
    trimmed_before: int = 0
    """The place before which an entry says that bodies were deleted."""
    signatures: int = 0
    """How many user signatures were checked."""
    unchecked: int = 0
    """How many were made by a key that is not in the log."""

    def check(self, entry: Members) -> None:
        """Take the next entry. Raises `Contradiction`."""
        if not entry.get("actor"):
            raise Contradiction("It does not say who acted.")
        kind, approval = str(entry.get("type")), str(entry.get("approval_id"))
        state = self.approvals.get(approval, "")
        if kind in _ANSWERS and (state in _ENDED or state == "issued"):
            raise Contradiction(f"The request was answered although it had ended ({state}).")
        if kind in _STOPPED:
            self.stopped.add(str(entry.get("agent_id")))
        elif rule := _RULES.get(kind):
            rule(self, entry)
        if kind in _YES | _ENDED:
            self.approvals[approval] = kind


def _enabled(meaning: Meaning, entry: Members) -> None:
    meaning.stopped.discard(str(entry.get("agent_id")))


def _enrolled(meaning: Meaning, entry: Members) -> None:
    owner, facts = str(entry.get("actor")), _facts(entry)
    kids, jwks = facts.get("kids", {}), facts.get("keys", {})
    found = {str(kids[name]): signatures.of_jwk(jwk) for name, jwk in jwks.items() if name in kids}
    if "public_key" in facts:
        found[str(facts.get("device"))] = signatures.of_passkey(facts["public_key"])
    meaning.keys |= {kid: (owner, key) for kid, key in found.items() if key is not None}


def _answered(meaning: Meaning, entry: Members) -> None:
    """Each answer of a person has their signature over this request."""
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
        raise Contradiction("Another user signed it.")
    meaning.signatures += 1


def _check_signature(signed: Signed, key: PublicKey, entry: Members) -> None:
    if not signed.is_by(key):
        raise Contradiction("The user's signature is invalid.")
    if signed.payload.get("approval") != entry.get("approval_id"):
        raise Contradiction("The user signed another request.")
    if signed.payload.get("decision") != _DECISIONS[str(entry.get("type"))]:
        raise Contradiction("The user signed another decision.")


def _voted(meaning: Meaning, entry: Members) -> None:
    _answered(meaning, entry)
    meaning.votes.setdefault(str(entry.get("approval_id")), set()).add(_voter(entry))


def _withdrawn(meaning: Meaning, entry: Members) -> None:
    _answered(meaning, entry)
    meaning.votes.get(str(entry.get("approval_id")), set()).discard(_voter(entry))


def _approved(meaning: Meaning, entry: Members) -> None:
    """Several people approve together only with votes that they cast and did not withdraw."""
    _voted(meaning, entry)
    counted, quorum = _facts(entry).get("yes"), _facts(entry).get("quorum")
    if not isinstance(counted, list) or not isinstance(quorum, int):
        return
    if len(counted) < quorum:
        raise Contradiction("Fewer users approved it than must approve it.")
    cast = meaning.votes[str(entry.get("approval_id"))]
    if not meaning.trimmed and not cast.issuperset(map(str, counted)):
        raise Contradiction("It counts an approval that was withdrawn or never given.")


def _voter(entry: Members) -> str:
    return str(entry.get("actor")).partition(":")[2]


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
    if state not in _YES and (state or not meaning.trimmed):
        raise Contradiction(f"A token was issued for a request that {state or 'nobody'} ended.")
    meaning.approvals[str(approval)] = "issued"


def _trimmed(meaning: Meaning, entry: Members) -> None:
    before = _facts(entry).get("before")
    if isinstance(before, int):
        meaning.trimmed_before = max(meaning.trimmed_before, before)


_RULES: Final[Mapping[str, Callable[[Meaning, Members], None]]] = {
    "agent.enabled": _enabled,
    "agent.added": _enabled,
    "audit.trimmed": _trimmed,
    "device.enrolled": _enrolled,
    "approval.approved": _approved,
    "approval.voted": _voted,
    "approval.vote_withdrawn": _withdrawn,
    "approval.denied": _answered,
    "token.issued": _issued,
}


def _facts(entry: Members) -> Members:
    facts = entry.get("facts")
    return facts if isinstance(facts, dict) else {}
