"""Verifies a receipt with only the public key of the log.

Owns: checking that the receipt's request, answers, outcome and token match the log.
Never: checking who owns a key, which only the whole log proves; or checking the names in the
receipt and its server's signature, which needs the server's keys.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.audit_log import signatures
from server.audit_log.meaning import DECISIONS
from server.audit_log.merkle import BadProof
from server.audit_log.notes import BadNote, LogKey
from server.audit_log.proofs import Proof
from server.audit_log.signatures import Members

FORMAT: Final = "sayso-receipt/1"
_NO_PROOF: Final = (
    "has no proof that it is in the log: the receipt was made within two seconds of it. Download "
    "it again."
)
_REQUESTED: Final = "approval.requested"
_ALLOWED: Final = "approval.allowed"
_VOTED: Final = "approval.voted"
_WITHDRAWN: Final = "approval.vote_withdrawn"
_APPROVED: Final = "approval.approved"
_DENIED: Final = "approval.denied"
_ISSUED: Final = "token.issued"
_OUTCOMES: Final[Mapping[str, frozenset[str]]] = {
    "pending": frozenset({_REQUESTED}),
    "approved": frozenset({_APPROVED, _ALLOWED}),
    "redeemed": frozenset({_APPROVED, _ALLOWED}),
    "denied": frozenset({_DENIED}),
    "expired": frozenset({"approval.expired"}),
    "cancelled": frozenset({"approval.cancelled"}),
}
"""The last entry about a request in each state, not counting votes and effects."""
_UNANSWERED: Final = frozenset({"expired", "cancelled"})
"""The states for which the log has a reason instead of an answer."""
_EFFECTS: Final = {
    "action": _ISSUED,
    "app_action": _ISSUED,
    "app_device": "grant.given",
    "consent": "consent.given",
    "device": "device.admitted",
    "standing_grant": "standing_grant.given",
}
"""The entry about the effect of an approval, by kind. Each effect has one entry."""
_FACTS: Final = ("kind", "display_digest", "ceremony")
"""The facts of a request that its entry contains. Earlier versions of Sayso left some out."""
_COMMON_MEMBERS: Final = ("agent_id", "subject", "resource")
"""The members that are the same for a consent or standing grant and for each of its uses."""
EVIDENCE: Final = frozenset({*DECISIONS, *_EFFECTS.values()}).union(*_OUTCOMES.values())
"""The types of entries that a receipt contains."""


class BadReceipt(Exception):
    """The receipt does not prove what it claims."""


class NotProved(BadReceipt):
    """An entry has no proof yet, has no proof by a trusted key, or lacks facts."""


@dataclass(frozen=True, slots=True)
class ProvedReceipt:
    """A receipt whose entries are all in the log."""

    approval: str
    outcome: str
    """The state of the request, with the reason if it expired or was canceled."""
    answers: int
    at: int
    """The time (s) of the oldest checkpoint that proves an entry."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry that is in the log."""

    seq: int
    at: int
    """The time of its checkpoint."""
    members: Members

    @property
    def type(self) -> str:
        return str(self.members["type"])

    @property
    def facts(self) -> Members:
        facts: Members = self.members.get("facts", {})
        return facts


def read(text: str) -> Members | None:
    """Read a receipt; None if the text is not a receipt."""
    try:
        receipt = json.loads(text)
    except ValueError:
        return None
    return receipt if isinstance(receipt, dict) and receipt.get("type") == FORMAT else None


def check(receipt: Members, keys: Sequence[LogKey]) -> ProvedReceipt:
    """Check a receipt against the log. Raises `BadReceipt` with the reason."""
    try:
        approval = receipt["approval"]
        log = _check_request(receipt, keys)
        _check_token(receipt, log)
        earlier = _check_given_in(receipt, log, keys)
        at = min(entry.at for entry in (*log, *earlier))
        return ProvedReceipt(approval["id"], _outcome(approval), len(receipt["answers"]), at)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadReceipt(f"A member of the receipt is missing or wrong: {error}.") from error


def _outcome(approval: Members) -> str:
    state, reason = approval["state"], _reason(approval)
    return f"{state} ({reason})" if state in _UNANSWERED and reason else str(state)


def _reason(approval: Members) -> str:
    """The code of the reason, without the text that an administrator may have added."""
    return str(approval["reason"] or "").partition(":")[0]


def _check_request(request: Members, keys: Sequence[LogKey]) -> list[_Entry]:
    """Check a request, its answers and its outcome; return its entries."""
    approval = request["approval"]
    _check_texts(approval)
    log = [_check_entry(approval, entry, keys) for entry in request["entries"]]
    positions = [entry.seq for entry in log]
    _require(positions == sorted(set(positions)), "The entries are not in the order of the log.")
    _check_creation(request, log)
    _check_outcome(approval, log)
    _check_answers(request, log)
    _check_complete(log[0])
    return log


def _check_texts(approval: Members) -> None:
    for name in ("action", "display"):
        matches = _digest(approval[name]) == approval[f"{name}_digest"]
        _require(matches, f"approval/{name} was changed: it does not match its digest.")


def _check_entry(approval: Members, entry: Members, keys: Sequence[LogKey]) -> _Entry:
    """Check that an entry is in the log and about this request."""
    members = json.loads(entry["body"])
    label = f"The entry {members['type']}"
    if not entry["proof"]:
        raise NotProved(f"{label} {_NO_PROOF}")
    try:
        proof = Proof.read(entry["proof"])
        at = proof.check(keys)
    except BadNote as error:
        raise NotProved(f"{label} is not proved. {error}") from error
    except BadProof as error:
        raise BadReceipt(f"{label} is not proved. {error}") from error
    _require(proof.body == entry["body"].encode(), f"{label}: entry/body does not match its proof.")
    same_approval = members.get("approval_id") == approval["id"]
    _require(same_approval, f"{label}: approval_id differs from the receipt.")
    return _Entry(proof.seq, at, members)


def _check_creation(request: Members, log: Sequence[_Entry]) -> None:
    """Check the action, the display, the required ceremony and the version of the policy."""
    approval = request["approval"]
    _require(
        log and log[0].type == _REQUESTED,
        "The receipt has no entry for the creation of the request.",
    )
    created, message = log[0], "{} of the request differs from the log."
    expected = {
        "agent_id": approval["agent"]["id"],
        "action": approval["action_digest"],
        "posture": approval["risk"],
    }
    _check_members(created.members, expected, message)
    recorded = {name: approval[name] for name in _FACTS if name in created.facts}
    _check_members(created.facts, recorded, message)
    versions = {entry.facts["policy"].get("version") for entry in log if "policy" in entry.facts}
    _require(versions == {request["policy_version"]}, "policy_version differs from the log.")


def _check_complete(created: _Entry) -> None:
    """Check that the entry has all facts; otherwise the log cannot prove them."""
    missing = [name for name in _FACTS if name not in created.facts]
    if missing:
        raise NotProved(
            f"The entry {created.type} does not contain {' and '.join(missing)}, which earlier "
            "versions of Sayso did not record."
        )


def _check_outcome(approval: Members, log: Sequence[_Entry]) -> None:
    """Check that the last entry matches the state, and that an approval has its effect."""
    state = approval["state"]
    effects = [entry for entry in log if entry.type in _EFFECTS.values()]
    others = {*_EFFECTS.values(), _VOTED, _WITHDRAWN}
    last = [entry for entry in log if entry.type not in others][-1]
    _require(
        last.type in _OUTCOMES[state], f"The request is {state}, but the log says {last.type}."
    )
    if state in _UNANSWERED:
        same_reason = last.members.get("cause", "") == _reason(approval)
        _require(same_reason, "approval/reason differs from the log.")
    effect = _EFFECTS[approval["kind"]]
    has_effect = any(entry.type == effect and entry.seq > last.seq for entry in effects)
    _require(
        has_effect if state == "redeemed" else not effects,
        f"The request is {state}, but the log has {'an' if effects else 'no'} entry {effect}.",
    )


def _check_answers(request: Members, log: Sequence[_Entry]) -> None:
    """Check the last answer of each user; a receipt does not contain the earlier ones."""
    last_answers = {entry.members["actor"]: entry for entry in log if entry.type in DECISIONS}
    for answer in request["answers"]:
        label = f"The answer of {answer['by']['id']}"
        entry = last_answers.pop(f"user:{answer['by']['id']}", None)
        _require(
            entry
            and DECISIONS[entry.type] == answer["decision"]
            and entry.facts["signed"] == answer["signed"],
            f"{label} is not in the log.",
        )
        _check_signed(request["approval"], answer, label)
    _require(not last_answers, "The receipt lacks an answer that is in the log.")


def _check_signed(approval: Members, answer: Members, label: str) -> None:
    """Check the signed members, and the signature with the key in the receipt."""
    signed = signatures.read(answer["signed"])
    if signed is None:
        raise BadReceipt(f"{label}: the signature cannot be read.")
    if answer["key"] is None:
        raise BadReceipt(f"{label}: the receipt has no key, so the signature cannot be checked.")
    key = signatures.of_jwk(answer["key"]["jwk"])
    _require(key is not None and signed.is_by(key), f"{label}: the signature is invalid.")
    expected = {
        "approval": approval["id"],
        "action_digest": approval["action_digest"],
        "display_digest": approval["display_digest"],
        **{name: answer[name] for name in ("decision", "code", "ceremony")},
    }
    if answer["decision"] == "approve" and answer["counts"]:
        granted = approval["granted"]
        expected["granted"] = None if granted is None else _digest(granted["text"])
    _check_members(signed.payload, expected, f"{label}: {{}} is not what was signed.")


def _check_token(receipt: Members, log: Sequence[_Entry]) -> None:
    """Check that the token is the one in the log, and that it is for what was granted."""
    approval, token = receipt["approval"], receipt["token"]
    granted = approval["granted"]
    digest = approval["action_digest"] if granted is None else _digest(granted["text"])
    issued = [entry for entry in log if entry.type == _ISSUED]
    for entry in issued:
        _require(
            entry.members["action"] == digest,
            "The token is for something other than what was granted.",
        )
    if token is not None:
        is_issued = any(entry.facts["jti"] == token["id"] for entry in issued)
        _require(is_issued, "token/id differs from the log.")


def _check_given_in(
    receipt: Members, log: Sequence[_Entry], keys: Sequence[LogKey]
) -> Sequence[_Entry]:
    """Check the approval that created the deciding consent or grant; return its entries."""
    decided_by, given_in = receipt["approval"]["decided_by"], receipt["given_in"]
    allowed = next((entry for entry in log if entry.type == _ALLOWED), None)
    logged = None if allowed is None else allowed.facts["decided_by"]
    _require(logged == decided_by, "approval/decided_by differs from the log.")
    if allowed is None:
        return ()
    _require(given_in, "The receipt lacks the request that created the deciding consent or grant.")
    earlier, kind = _check_request(given_in, keys), given_in["approval"]["kind"]
    effect = next((entry for entry in earlier if entry.type == _EFFECTS[kind]), None)
    _require(
        effect
        and effect.facts[kind] == decided_by[kind]
        and all(effect.members[name] == allowed.members[name] for name in _COMMON_MEMBERS)
        and effect.seq < allowed.seq
        and given_in["approval"]["id"] == allowed.facts["given_in"]
        and given_in["answers"],
        "given_in is not the request that created the deciding consent or grant.",
    )
    return earlier


def _check_members(members: Members, expected: Members, message: str) -> None:
    for name, value in expected.items():
        _require(members.get(name) == value, message.format(name))


def _require(condition: object, message: str) -> None:
    if not condition:
        raise BadReceipt(message)


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
