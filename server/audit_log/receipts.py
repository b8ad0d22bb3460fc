"""Verifies a receipt with the public key of the log alone.

Owns: that the log says what the receipt does: what was asked, each answer, how it ended, the token.
Never: whose key it is, which only the whole log proves; the names in the receipt and its server's
signature, which need the keys of the server.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from server.audit_log import signatures
from server.audit_log.merkle import BadProof
from server.audit_log.notes import BadNote, LogKey
from server.audit_log.proofs import Proof

FORMAT: Final = "sayso-receipt/1"
Members: TypeAlias = Mapping[str, Any]
_NO_PROOF: Final = (
    "has no proof that it is in the log: the receipt was made within two seconds of it. Download "
    "it again."
)
_ASKED: Final = "approval.requested"
_ALLOWED: Final = "approval.allowed"
_VOTED: Final = "approval.voted"
_APPROVED: Final = "approval.approved"
_DENIED: Final = "approval.denied"
_ISSUED: Final = "token.issued"
_ANSWERS: Final = {_APPROVED: "approve", _VOTED: "approve", _DENIED: "deny"}
"""The entries that contain a signed answer, and the answer."""
_OUTCOMES: Final[Mapping[str, frozenset[str]]] = {
    "pending": frozenset({_ASKED}),
    "approved": frozenset({_APPROVED, _ALLOWED}),
    "redeemed": frozenset({_APPROVED, _ALLOWED}),
    "denied": frozenset({_DENIED}),
    "expired": frozenset({"approval.expired"}),
    "cancelled": frozenset({"approval.cancelled"}),
}
"""The last entry about a request in each state, votes and effects aside."""
_UNANSWERED: Final = frozenset({"expired", "cancelled"})
"""The states whose reason the log has; of an answer it has more."""
_EFFECTS: Final = {
    "action": _ISSUED,
    "app_action": _ISSUED,
    "app_device": "grant.given",
    "consent": "consent.given",
    "device": "device.admitted",
    "standing_grant": "standing_grant.given",
}
"""The entry of what an approval of each kind led to, once."""
_SAME: Final = ("agent_id", "subject", "resource")
"""What a consent or standing grant and each of its uses have in common."""
EVIDENCE: Final = frozenset({*_ANSWERS, *_EFFECTS.values()}).union(*_OUTCOMES.values())
"""The entries that a receipt has."""


class BadReceipt(Exception):
    """The receipt does not prove what it claims."""


class NotProved(BadReceipt):
    """An entry has no proof yet, or none by a key that is trusted here."""


@dataclass(frozen=True, slots=True)
class ProvedReceipt:
    """A receipt whose entries are all in the log."""

    approval: str
    outcome: str
    """The state of the request, with the reason if it expired or was canceled."""
    answers: int
    at: int
    """The time of the oldest checkpoint that has them (s)."""


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
        found: Members = self.members.get("facts", {})
        return found


def read(text: str) -> Members | None:
    """Read a receipt; None if the text is something else."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("type") == FORMAT else None


def check(receipt: Members, keys: Sequence[LogKey]) -> ProvedReceipt:
    """Check everything that the log says of a receipt. Raises `BadReceipt` with the reason."""
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
    """The code of the reason; an administrator may have added words to it."""
    return str(approval["reason"] or "").partition(":")[0]


def _check_request(request: Members, keys: Sequence[LogKey]) -> list[_Entry]:
    """Check a request, its answers and its outcome; returns its entries."""
    approval = request["approval"]
    _check_texts(approval)
    log = [_check_entry(approval, entry, keys) for entry in request["entries"]]
    places = [entry.seq for entry in log]
    _require(places == sorted(set(places)), "The entries are not in the order of the log.")
    _check_asked(request, log)
    _check_outcome(approval, log)
    _check_answers(request, log)
    return log


def _check_texts(approval: Members) -> None:
    for name in ("action", "display"):
        holds = _digest(approval[name]) == approval[f"{name}_digest"]
        _require(holds, f"approval/{name} was changed: it does not match its digest.")


def _check_entry(approval: Members, entry: Members, keys: Sequence[LogKey]) -> _Entry:
    """Check that an entry is in the log and about this request."""
    members = json.loads(entry["body"])
    which = f"The entry {members['type']}"
    if not entry["proof"]:
        raise NotProved(f"{which} {_NO_PROOF}")
    try:
        proof = Proof.read(entry["proof"])
        at = proof.check(keys)
    except BadNote as error:
        raise NotProved(f"{which} is not proved. {error}") from error
    except BadProof as error:
        raise BadReceipt(f"{which} is not proved. {error}") from error
    _require(proof.body == entry["body"].encode(), f"{which}: entry/body is not what is proved.")
    about = members.get("approval_id")
    _require(about == approval["id"], f"{which}: approval_id is not that of the receipt.")
    return _Entry(proof.seq, at, members)


def _check_asked(request: Members, log: Sequence[_Entry]) -> None:
    """Check what was asked and shown, what approving took, and the version of the policy."""
    approval = request["approval"]
    _require(log and log[0].type == _ASKED, "The receipt has no entry that the request was made.")
    asked, said = log[0], "{} of the request is not that of the log."
    expected = {
        "agent_id": approval["agent"]["id"],
        "action": approval["action_digest"],
        "posture": approval["risk"],
    }
    _check_members(asked.members, expected, said)
    own = {name: approval[name] for name in ("kind", "display_digest", "ceremony")}
    _check_members(asked.facts, own, said)
    versions = {entry.facts["policy"].get("version") for entry in log if "policy" in entry.facts}
    _require(versions == {request["policy_version"]}, "policy_version is not that of the log.")


def _check_outcome(approval: Members, log: Sequence[_Entry]) -> None:
    """Check the state: the last entry says it, and what followed from an approval, if it did."""
    state = approval["state"]
    effects = [entry for entry in log if entry.type in _EFFECTS.values()]
    end = [entry for entry in log if entry not in effects and entry.type != _VOTED][-1]
    _require(end.type in _OUTCOMES[state], f"The request is {state}, but the log says {end.type}.")
    if state in _UNANSWERED:
        same = end.members.get("cause", "") == _reason(approval)
        _require(same, "approval/reason is not that of the log.")
    effect = _EFFECTS[approval["kind"]]
    followed = any(entry.type == effect and entry.seq > end.seq for entry in effects)
    _require(
        followed if state == "redeemed" else not effects,
        f"The request is {state}, but the log has {'an' if effects else 'no'} entry {effect}.",
    )


def _check_answers(request: Members, log: Sequence[_Entry]) -> None:
    entries = {entry.facts["signed"]: entry for entry in log if entry.type in _ANSWERS}
    for answer in request["answers"]:
        whose = f"The answer of {answer['by']['id']}"
        entry = entries.pop(answer["signed"], None)
        _require(
            entry
            and _ANSWERS[entry.type] == answer["decision"]
            and str(entry.members["actor"]).endswith(f":{answer['by']['id']}"),
            f"{whose} is not in the log.",
        )
        _check_signed(request["approval"], answer, whose)
    _require(not entries, "An answer that is in the log is missing in the receipt.")


def _check_signed(approval: Members, answer: Members, whose: str) -> None:
    """Check what was signed, and the signature by the key in the receipt."""
    signed = signatures.read(answer["signed"])
    if signed is None:
        raise BadReceipt(f"{whose}: the signature cannot be read.")
    if answer["key"] is None:
        raise BadReceipt(f"{whose}: the receipt has no key, so the signature cannot be checked.")
    key = signatures.of_jwk(answer["key"]["jwk"])
    _require(key is not None and signed.is_by(key), f"{whose}: the signature is invalid.")
    expected = {
        "approval": approval["id"],
        "action_digest": approval["action_digest"],
        "display_digest": approval["display_digest"],
        **{name: answer[name] for name in ("decision", "code", "ceremony")},
    }
    if answer["decision"] == "approve" and answer["counts"]:
        granted = approval["granted"]
        expected["granted"] = None if granted is None else _digest(granted["text"])
    _check_members(signed.payload, expected, f"{whose}: {{}} is not what was signed.")


def _check_token(receipt: Members, log: Sequence[_Entry]) -> None:
    """Check that the token is the one of the log, for what was granted."""
    approval, token = receipt["approval"], receipt["token"]
    granted = approval["granted"]
    digest = approval["action_digest"] if granted is None else _digest(granted["text"])
    issued = [entry for entry in log if entry.type == _ISSUED]
    for entry in issued:
        _require(entry.members["action"] == digest, "The token is for something else than granted.")
    if token is not None:
        named = any(entry.facts["jti"] == token["id"] for entry in issued)
        _require(named, "token/id is not that of the log.")


def _check_given_in(
    receipt: Members, log: Sequence[_Entry], keys: Sequence[LogKey]
) -> Sequence[_Entry]:
    """Check the approval that gave the consent or grant which decided; returns its entries."""
    decided_by, given_in = receipt["approval"]["decided_by"], receipt["given_in"]
    allowed = next((entry for entry in log if entry.type == _ALLOWED), None)
    said = None if allowed is None else allowed.facts["decided_by"]
    _require(said == decided_by, "approval/decided_by is not that of the log.")
    if allowed is None:
        return ()
    _require(given_in, "The receipt lacks the request in which the user gave what decided.")
    earlier, kind = _check_request(given_in, keys), given_in["approval"]["kind"]
    given = next((entry for entry in earlier if entry.type == _EFFECTS[kind]), None)
    _require(
        given
        and given.facts[kind] == decided_by[kind]
        and all(given.members[name] == allowed.members[name] for name in _SAME)
        and given.seq < allowed.seq
        and given_in["approval"]["id"] == allowed.facts["given_in"]
        and given_in["answers"],
        "given_in is not the request in which the user gave what decided.",
    )
    return earlier


def _check_members(found: Members, expected: Members, words: str) -> None:
    for name, value in expected.items():
        _require(found.get(name) == value, words.format(name))


def _require(holds: object, words: str) -> None:
    if not holds:
        raise BadReceipt(words)


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
