"""Checks of an approve answer: the key, the PIN, and the entries typed for this request.

An attempt is counted in its own unit of work before the entry is compared, so concurrent attempts
or a dropped connection gain nothing. Two wrong entries lock the request: a wrong type-back for this
person, a wrong match number for everyone.
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
from server.protocol.text import check_prose
from server.services.approvals import votes
from server.services.approvals.withdrawals import withdraw
from server.services.audit import audit
from server.services.devices.statements import is_pin_entered

MAX_ATTEMPTS: Final = 2
LOCKED: Final = "locked"
"""The reason of a request that ended because no one can approve it anymore."""
LOCKED_TEXT: Final = "This request is locked for you after two wrong entries."

_MAX_REASON = 500
_ALL_USERS = ""
_ENTRY_MEMBERS: Final[Mapping[Step, str]] = {
    Step.MATCH: "match",
    Step.REASON: "reason",
    Step.TYPE_BACK: "fact",
}
"""The body member with the entry of each step."""
_OPTIONAL: Final = frozenset({Step.PIN, Step.REASON})
"""Steps that a person may take without being asked to."""
_DESCRIPTIONS: Final[Mapping[Step, str]] = {
    Step.MATCH: "the number that the agent shows",
    Step.PIN: "your PIN for this request",
    Step.REASON: "a reason for the audit log",
    Step.TYPE_BACK: "the value to type back",
}


@dataclass(frozen=True, slots=True)
class CeremonyEntries:
    """The person's entries; sent along with the signed answer."""

    fact: str | None = None
    match: str | None = None
    reason: str | None = None

    def of(self, step: Step) -> str | None:
        """The entry of a step."""
        member = _ENTRY_MEMBERS.get(step)
        return None if member is None else getattr(self, member)


NO_ENTRIES: Final = CeremonyEntries()


@dataclass(frozen=True, slots=True)
class AttemptsCounted:
    """The unit of work only counted attempts; the next one compares the entries."""


@dataclass(frozen=True, slots=True)
class ApproveAnswer:
    """An approve answer to one request, with the ceremony that its signature claims."""

    approval: Approval
    device: Device
    key: str
    """The name of the device key that signed."""
    ceremony: Ceremony
    entered: CeremonyEntries


@dataclass(frozen=True, slots=True)
class Ceremonies:
    """Checks entries."""

    secrets: Secrets

    def check(
        self, tx: Unit, yes: ApproveAnswer, *, counted: bool
    ) -> errors.Problem | AttemptsCounted | None:
        """Check an approve answer against the request's ceremony; None if it suffices.

        1. Key and PIN suffice.  2. The signature claims every required step and no unknown one. 3.
        The entries are present.  4. The first unit of work counts an attempt at each.  5. The next
        one compares them, and a correct entry is not counted.  Raises errors.Problem 403, 422 and
        423. The caller must commit before it raises a returned Problem.
        """
        _check_key_and_pin(tx, yes)
        _check_steps(yes)
        typed = sorted(yes.ceremony & COMPARED_STEPS)
        if not typed:
            return None
        if not counted:
            for step in typed:
                _count(tx, yes, step)
            return AttemptsCounted()
        wrong = [step for step in typed if not self._is_right(yes, step)]
        for step in typed:
            if step not in wrong:
                tx.ceremony_attempts.undo_attempt(yes.approval.id, step, _counted_user(yes, step))
        return _refusal(tx, yes, wrong[0]) if wrong else None

    def _is_right(self, yes: ApproveAnswer, step: Step) -> bool:
        entry = yes.entered.of(step) or ""
        if step is Step.MATCH:
            nonce = self.secrets.nonce(Step.MATCH, yes.approval.id)
            return ceremonies.matches_number(ceremonies.match_number(nonce), entry)
        asked = json.loads(yes.approval.display)["type_back"]
        value = ceremonies.value_at(yes.approval.action, asked["at"])
        return ceremonies.matches_value(asked["kind"], value, entry)


def attempts_left(view: View, approval: Approval, user_id: str) -> Mapping[Step, int]:
    """The attempts that this person has left at each counted step; 0 means locked."""
    typed = ceremonies.parse_ceremony(approval.ceremony) & COMPARED_STEPS
    if not typed:
        return {}
    attempts = view.ceremony_attempts.counts_by_step(approval.id, (user_id, _ALL_USERS))
    return {step: MAX_ATTEMPTS - attempts.get(step, 0) for step in sorted(typed)}


def checked_reason(reason: str | None) -> str | None:
    """The reason as it is stored. Raises errors.Problem 422."""
    if not reason:
        return None
    try:
        return check_prose(reason, what="reason", max_chars=_MAX_REASON)
    except ValueError as error:
        raise errors.invalid_body(str(error)) from error


def _check_key_and_pin(tx: Unit, yes: ApproveAnswer) -> None:
    """Refuse an answer whose key or PIN entry does not suffice.

    1. The session key cannot approve.  2. A passkey verifies its user each time, so it must not
    claim a PIN.  3. A terminal proves the PIN if it is required or claimed.  4. At high risk, the
    device is old enough.
    """
    high = yes.approval.risk.rank >= Risk.HIGH.rank
    if yes.key == "session":
        raise errors.Problem(
            403, "key_not_allowed", "Approve with an approval key: enter your PIN."
        )
    if yes.key == PASSKEY:
        _check_no_pin_claimed(yes)
    elif high or Step.PIN in yes.ceremony | ceremonies.parse_ceremony(yes.approval.ceremony):
        _check_pin(tx, yes)
    if high and tx.now < yes.device.high_from:
        raise errors.Problem(
            403,
            "device_too_new",
            "This device cannot approve high-risk requests yet. Vouch for it from an older device.",
        )


def _check_no_pin_claimed(yes: ApproveAnswer) -> None:
    if Step.PIN in yes.ceremony:
        raise errors.Problem(
            422, "invalid_decision", "A passkey proves no PIN. Leave pin out of the ceremony."
        )


def _check_pin(tx: Unit, yes: ApproveAnswer) -> None:
    """The high key and a recent PIN call for this request prove the PIN."""
    if yes.key != "high" or Step.PIN not in yes.ceremony:
        raise errors.Problem(
            403,
            "pin_required",
            "This takes your PIN for this request. Sign with the high key and name the step pin.",
        )
    if not is_pin_entered(yes.device, yes.approval.id, tx.now):
        raise errors.Problem(
            403, "pin_required", "Enter your PIN for this request. The last entry is too old."
        )


def _check_steps(yes: ApproveAnswer) -> None:
    needed = ceremonies.parse_ceremony(yes.approval.ceremony)
    if yes.key == PASSKEY:
        needed -= {Step.PIN}
    if missing := sorted(needed - yes.ceremony):
        words = " and ".join(_DESCRIPTIONS[step] for step in missing)
        raise errors.Problem(
            403,
            "ceremony_required",
            f"This also takes {words}.",
            members={"ceremony": ceremony_text(needed)},
        )
    if yes.ceremony - needed - _OPTIONAL:
        raise errors.Problem(422, "invalid_decision", "ceremony has a step that is not required.")
    for step, member in _ENTRY_MEMBERS.items():
        if (step in yes.ceremony) != (yes.entered.of(step) is not None):
            raise errors.Problem(
                422, "invalid_decision", f"{member} does not match the signed ceremony."
            )


def _counted_user(yes: ApproveAnswer, step: Step) -> str:
    """The user whose attempts count: the match number is the same for everyone."""
    return _ALL_USERS if step is Step.MATCH else yes.device.user_id


def _count(tx: Unit, yes: ApproveAnswer, step: Step) -> None:
    user = _counted_user(yes, step)
    count = tx.ceremony_attempts.count_attempt(yes.approval.id, step, user, MAX_ATTEMPTS)
    if count is None:
        raise errors.Problem(
            423, "request_locked", LOCKED_TEXT, members={"step": str(step), "left": 0}
        )


def _refusal(tx: Unit, yes: ApproveAnswer, step: Step) -> errors.Problem:
    """The problem to return for a wrong entry; the second one locks the request.

    A signature of the high key proves the PIN, so a wrong entry is no wrong PIN.
    """
    if yes.key == "high":
        tx.devices.confirm(yes.device.id, entered=Step.PIN in yes.ceremony)
    left = attempts_left(tx, yes.approval, yes.device.user_id).get(step, 0)
    members = {"step": str(step), "left": left}
    if left > 0:
        text = f"That is not {_DESCRIPTIONS[step]}. One more wrong entry locks this request."
        return errors.Problem(422, "wrong_entry", text, members=members)
    _lock(tx, yes, step)
    return errors.Problem(423, "request_locked", LOCKED_TEXT, members=members)


def _lock(tx: Unit, yes: ApproveAnswer, step: Step) -> None:
    """Write an audit entry, and end the request if too few others can approve it."""
    actor = audit.by_user(yes.device.user_id)
    tx.audit.add(
        audit.approval_entry(
            yes.approval,
            audit.Type.APPROVAL_LOCKED,
            actor=actor,
            decision=LOCKED,
            cause=str(step),
            facts={"device": yes.device.id, "tries": MAX_ATTEMPTS},
        ),
    )
    if step is Step.MATCH or not is_possible_without(tx, yes.approval, yes.device.user_id):
        withdraw(tx, [yes.approval], reason=LOCKED, actor=audit.SYSTEM)


def is_possible_without(view: View, approval: Approval, user_id: str) -> bool:
    """Return whether the others who approved or still can, without a lock, reach the quorum.

    A person and their backups and deputies share one vote.
    """
    approvers = view.approvers.asked(approval)
    others = [
        approver for approver in approvers if approver.approves and approver.user_id != user_id
    ]
    able = [
        approver
        for approver in others
        if 0 not in attempts_left(view, approval, approver.user_id).values()
    ]
    approvals = votes.valid_approvals(view.decisions.of_approval(approval.id))
    voters = {vote.voter_id for vote in approvals}
    return (
        len(voters.union(approver.stands_for or approver.user_id for approver in able))
        >= approval.quorum
    )
