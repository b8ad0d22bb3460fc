"""Checks an approve answer: the key, the PIN, and the entries typed for this request.

An attempt is counted in its own unit of work before the entry is compared, so concurrent attempts
or a dropped connection do not help an attacker. Two wrong entries lock the request: wrong
type-backs for this person, wrong match numbers for everyone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.model.approvals import Approval
from server.model.devices import PASSKEY, Device
from server.model.ports import Secrets
from server.model.store import Unit, View
from server.protocol import errors
from server.protocol.approvals import ceremonies
from server.protocol.approvals.ceremonies import COMPARED_STEPS, Ceremony, Step, ceremony_text
from server.protocol.policy.risks import Risk
from server.services.approvals import votes
from server.services.approvals.withdrawals import withdraw
from server.services.audit import audit
from server.services.devices.statements import is_pin_entered

MAX_ATTEMPTS: Final = 2
LOCKED: Final = "locked"
"""The reason for canceling a request that no one can approve anymore."""
LOCKED_TEXT: Final = "This request is locked for you after two wrong entries."

_ALL_USERS = ""
_ENTRY_MEMBERS: Final[Mapping[Step, str]] = {
    Step.MATCH: "match",
    Step.REASON: "reason",
    Step.TYPE_BACK: "fact",
}
"""Step → the body member that contains its entry."""
_OPTIONAL: Final = frozenset({Step.PIN, Step.REASON})
"""The steps that an answer may include even if they are not required."""
_DESCRIPTIONS: Final[Mapping[Step, str]] = {
    Step.MATCH: "the number that the agent shows",
    Step.PIN: "your PIN for this request",
    Step.REASON: "a reason for the audit log",
    Step.TYPE_BACK: "the value to type back",
}


@dataclass(frozen=True, slots=True)
class CeremonyEntries:
    """The person's entries, which are sent with the signed answer."""

    fact: str | None = None
    match: str | None = None
    reason: str | None = None

    def entry_for(self, step: Step) -> str | None:
        """Return the entry of a step."""
        member = _ENTRY_MEMBERS.get(step)
        return None if member is None else getattr(self, member)


NO_ENTRIES: Final = CeremonyEntries()


@dataclass(frozen=True, slots=True)
class AttemptsCounted:
    """Returned by a unit of work that only counted attempts; the next compares the entries."""


@dataclass(frozen=True, slots=True)
class ApproveAnswer:
    """An approve answer to one request, with the ceremony that its signature claims."""

    approval: Approval
    device: Device
    key: str
    """The name of the device key that signed."""
    ceremony: Ceremony
    entries: CeremonyEntries


def invalid_decision(detail: str, *, log: str = "") -> errors.Problem:
    """Return the error for an answer that is malformed or does not fit its request."""
    return errors.Problem(422, "invalid_decision", detail, log=log)


def check_approval(
    tx: Unit, secrets: Secrets, answer: ApproveAnswer, *, attempts_counted: bool
) -> errors.Problem | AttemptsCounted | None:
    """Check an approve answer against the request's ceremony; None if it suffices.

    Rules, in order: 1. The key and the PIN suffice. 2. The signature claims every required step
    and no unknown one. 3. The entries are present. 4. The first unit of work counts an attempt
    for each. 5. The next one compares them and takes back the attempts of correct entries.
    Raises errors.Problem 403, 422 and 423. The caller must commit before it raises a returned
    Problem.
    """
    _check_key_and_pin(tx, answer)
    _check_steps(answer)
    compared_steps = sorted(answer.ceremony & COMPARED_STEPS)
    if not compared_steps:
        return None
    if not attempts_counted:
        for step in compared_steps:
            _count_attempt(tx, answer, step)
        return AttemptsCounted()
    wrong = [step for step in compared_steps if not _is_correct(secrets, answer, step)]
    for step in compared_steps:
        if step not in wrong:
            tx.ceremony_attempts.undo_attempt(answer.approval.id, step, _counted_user(answer, step))
    return _wrong_entry(tx, answer, wrong[0]) if wrong else None


def _is_correct(secrets: Secrets, answer: ApproveAnswer, step: Step) -> bool:
    entry = answer.entries.entry_for(step) or ""
    if step is Step.MATCH:
        nonce = secrets.nonce(Step.MATCH, answer.approval.id)
        return ceremonies.matches_number(ceremonies.match_number(nonce), entry)
    type_back = json.loads(answer.approval.display)["type_back"]
    value = ceremonies.value_at(answer.approval.action, type_back["at"])
    return ceremonies.matches_value(type_back["kind"], value, entry)


def attempts_left(view: View, approval: Approval, user_id: str) -> Mapping[Step, int]:
    """Return the attempts that this person has left for each counted step; 0 means locked."""
    steps = ceremonies.parse_ceremony(approval.ceremony) & COMPARED_STEPS
    if not steps:
        return {}
    attempts = view.ceremony_attempts.counts_by_step(approval.id, (user_id, _ALL_USERS))
    return {step: MAX_ATTEMPTS - attempts.get(step, 0) for step in sorted(steps)}


def _check_key_and_pin(tx: Unit, answer: ApproveAnswer) -> None:
    """Check that the key and the PIN entry suffice. Raises errors.Problem.

    Checks, in order, that: 1. the session key cannot approve; 2. a passkey verifies its user each
    time, so it must not claim a PIN; 3. a terminal proves the PIN if it is required or claimed; 4.
    at high risk, the device is old enough.
    """
    is_high_risk = answer.approval.risk.rank >= Risk.HIGH.rank
    if answer.key == "session":
        raise errors.Problem(
            403, "key_not_allowed", "Approve with an approval key: enter your PIN."
        )
    if answer.key == PASSKEY:
        if Step.PIN in answer.ceremony:
            raise invalid_decision("Passkeys do not use a PIN. Remove pin from ceremony.")
    elif is_high_risk or Step.PIN in answer.ceremony | ceremonies.parse_ceremony(
        answer.approval.ceremony
    ):
        _check_pin(tx, answer)
    if is_high_risk and tx.now < answer.device.high_from:
        raise errors.Problem(
            403,
            "device_too_new",
            "This device cannot approve high-risk requests yet. Vouch for it from an older device.",
        )


def _check_pin(tx: Unit, answer: ApproveAnswer) -> None:
    """Check the PIN: the high key and a recent PIN call for this request prove it."""
    if answer.key != "high" or Step.PIN not in answer.ceremony:
        raise errors.Problem(
            403,
            "pin_required",
            "This request requires your PIN. Sign with the high key, and include pin in ceremony.",
        )
    if not is_pin_entered(answer.device, answer.approval.id, tx.now):
        raise errors.Problem(
            403,
            "pin_required",
            "Enter your PIN for this request again. The last entry is too old, or this device has "
            "entered its PIN for something else since then.",
        )


def _check_steps(answer: ApproveAnswer) -> None:
    needed = ceremonies.parse_ceremony(answer.approval.ceremony)
    if answer.key == PASSKEY:
        needed -= {Step.PIN}
    if missing := sorted(needed - answer.ceremony):
        missing_steps = " and ".join(_DESCRIPTIONS[step] for step in missing)
        raise errors.Problem(
            403,
            "ceremony_required",
            f"This request also requires {missing_steps}.",
            members={"ceremony": ceremony_text(needed)},
        )
    if answer.ceremony - needed - _OPTIONAL:
        raise invalid_decision("ceremony contains a step that this request does not require.")
    for step, member in _ENTRY_MEMBERS.items():
        if (step in answer.ceremony) != (answer.entries.entry_for(step) is not None):
            raise invalid_decision(f"{member} does not match the signed ceremony.")


def _counted_user(answer: ApproveAnswer, step: Step) -> str:
    """Return the user to count attempts for; for a match number, all users share one count."""
    return _ALL_USERS if step is Step.MATCH else answer.device.user_id


def _count_attempt(tx: Unit, answer: ApproveAnswer, step: Step) -> None:
    user = _counted_user(answer, step)
    count = tx.ceremony_attempts.count_attempt(answer.approval.id, step, user, MAX_ATTEMPTS)
    if count is None:
        raise _locked({"step": str(step), "left": 0})


def _wrong_entry(tx: Unit, answer: ApproveAnswer, step: Step) -> errors.Problem:
    """Return the problem for a wrong entry; a second wrong entry locks the request.

    A signature by the high key proves the PIN, so this does not count as a wrong PIN.
    """
    if answer.key == "high":
        tx.devices.confirm(answer.device.id, entered=Step.PIN in answer.ceremony)
    left = attempts_left(tx, answer.approval, answer.device.user_id).get(step, 0)
    members = {"step": str(step), "left": left}
    if left > 0:
        text = (
            f"The entry does not match {_DESCRIPTIONS[step]}. One more wrong entry locks this "
            "request."
        )
        return errors.Problem(422, "wrong_entry", text, members=members)
    _lock(tx, answer, step)
    return _locked(members)


def _locked(members: Mapping[str, object]) -> errors.Problem:
    return errors.Problem(423, "request_locked", LOCKED_TEXT, members=members)


def _lock(tx: Unit, answer: ApproveAnswer, step: Step) -> None:
    """Record the lock, and cancel the request if too few others can still approve it."""
    actor = audit.by_user(answer.device.user_id)
    tx.audit.add(
        audit.approval_entry(
            answer.approval,
            audit.Type.APPROVAL_LOCKED,
            actor=actor,
            decision=LOCKED,
            cause=str(step),
            facts={"device": answer.device.id, "tries": MAX_ATTEMPTS},
        ),
    )
    if step is Step.MATCH or not is_possible_without(tx, answer.approval, answer.device.user_id):
        withdraw(tx, [answer.approval], reason=LOCKED, actor=audit.SYSTEM)


def is_possible_without(view: View, approval: Approval, user_id: str) -> bool:
    """Return whether the other approvers can approve the request without this person.

    They must reach the quorum, and include the user the request is for if policy requires it.
    Counts those who have approved, and enabled approvers who are not locked out. A person and
    their backups and deputies share one vote.
    """
    unlocked = [
        approver
        for approver in votes.eligible(view, approval)
        if approver.user_id != user_id
        and 0 not in attempts_left(view, approval, approver.user_id).values()
    ]
    possible = votes.voters(view, approval).union(approver.voter_id for approver in unlocked)
    has_user = approval.user_id in possible or not votes.needs_user(view, approval)
    return has_user and len(possible) >= approval.quorum
