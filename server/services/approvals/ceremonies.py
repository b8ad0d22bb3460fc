"""What a yes has to prove: the key, the PIN, and what a person types for this very request.

A wrong entry is counted before it is compared, in a unit of work of its own, so that trying many at
once or dropping the connection gains nothing. Two wrong ones lock the request: for this person when
it was a fact, for everybody when it was the number of the agent's screen.
"""

import hashlib
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
from server.protocol.approvals.ceremonies import TYPED, Ceremony, Step, spelled
from server.protocol.policy.risks import Risk
from server.protocol.text import check_prose
from server.services.approvals import votes
from server.services.approvals.withdrawals import withdraw
from server.services.audit import audit
from server.services.devices.statements import is_pin_entered

MOST_TRIES: Final = 2
LOCKED: Final = "locked"
"""Why a request is over that nobody can say yes to any more."""
LOCKED_TEXT: Final = "This request is locked for you: what you typed was wrong twice."

_MOST_REASON = 500
_NUMBERS = 1_000
_EVERYBODY = ""
_MEMBERS: Final[Mapping[Step, str]] = {
    Step.MATCH: "match",
    Step.REASON: "reason",
    Step.TYPE_BACK: "fact",
}
"""Step → the member of the call in which its entry travels."""
_OPTIONAL: Final = frozenset({Step.PIN, Step.REASON})
"""What a person may do although nobody asks for it."""
_WORDS: Final[Mapping[Step, str]] = {
    Step.MATCH: "the number that the agent shows",
    Step.PIN: "your PIN for this very request",
    Step.REASON: "a reason for the record",
    Step.TYPE_BACK: "the fact that is typed back",
}


@dataclass(frozen=True, slots=True)
class Entered:
    """What a person typed; it travels beside the signed answer."""

    fact: str | None = None
    match: str | None = None
    reason: str | None = None

    def of(self, step: Step) -> str | None:
        """What was typed for a step."""
        member = _MEMBERS.get(step)
        return None if member is None else getattr(self, member)


NOTHING: Final = Entered()


@dataclass(frozen=True, slots=True)
class Counted:
    """A unit of work that counted tries, and nothing else; the next one compares what was typed."""


@dataclass(frozen=True, slots=True)
class Yes:
    """A yes to one request, as its signature says it was given."""

    approval: Approval
    device: Device
    key: str
    """Which key of the device signed."""
    ceremony: Ceremony
    entered: Entered


@dataclass(frozen=True, slots=True)
class Ceremonies:
    """Makes the numbers that are matched, and judges what people enter."""

    secrets: Secrets

    def number(self, approval: Approval) -> str | None:
        """What the agent shows on its screen, made anew whenever it is needed; nothing keeps it."""
        if Step.MATCH not in ceremonies.read(approval.ceremony):
            return None
        digest = hashlib.sha256(self.secrets.nonce("match", approval.id).encode()).digest()
        return f"{int.from_bytes(digest) % _NUMBERS:03}"

    def judge(self, tx: Unit, yes: Yes, *, counted: bool) -> errors.Problem | Counted | None:
        """Hold a yes against what its request takes; None when it is enough.

        1. Key and PIN.  2. Every step was signed for, and none that nobody asks for.  3. What is
        typed is there.  4. A try of each is counted, and that is all for this unit of work.  5. In
        the next all are compared; a right one gets its try back.  Raises errors.Problem 403, 422
        and 423; what is answered for a wrong entry must be stored before it is raised.
        """
        _check_power(tx, yes)
        _check_steps(yes)
        typed = sorted(yes.ceremony & TYPED)
        if not typed:
            return None
        if not counted:
            for step in typed:
                _count(tx, yes, step)
            return Counted()
        wrong = [step for step in typed if not self._is_right(yes, step)]
        for step in typed:
            if step not in wrong:
                tx.ceremony_tries.give_back(yes.approval.id, step, _who(yes, step))
        return _refusal(tx, yes, wrong[0]) if wrong else None

    def _is_right(self, yes: Yes, step: Step) -> bool:
        entry = yes.entered.of(step) or ""
        if step is Step.MATCH:
            return ceremonies.is_same_number(self.number(yes.approval) or "", entry)
        asked = json.loads(yes.approval.display)["type_back"]
        value = ceremonies.value_at(yes.approval.action, asked["at"])
        return ceremonies.is_typed(asked["kind"], value, entry)


def tries_left(view: View, approval: Approval, user_id: str) -> Mapping[Step, int]:
    """How often this person may still type each of what is counted; 0 means locked for them."""
    typed = ceremonies.read(approval.ceremony) & TYPED
    if not typed:
        return {}
    tries = view.ceremony_tries.of(approval.id, (user_id, _EVERYBODY))
    return {step: MOST_TRIES - tries.get(step, 0) for step in sorted(typed)}


def checked_reason(reason: str | None) -> str | None:
    """The reason as it is kept. Raises errors.Problem 422."""
    if not reason:
        return None
    try:
        return check_prose(reason, what="reason", max_chars=_MOST_REASON)
    except ValueError as error:
        raise errors.Problem(422, "invalid_body", str(error)) from error


def _check_power(tx: Unit, yes: Yes) -> None:
    """Refuse a yes whose key or PIN call does not prove what the request needs.

    1. The session key approves nothing.  2. A passkey verifies its person each time, so it never
    claims a PIN.  3. A terminal proves the PIN wherever it is demanded or claimed.  4. At high risk
    the device is old enough.
    """
    high = yes.approval.risk.rank >= Risk.HIGH.rank
    if yes.key == "session":
        raise errors.Problem(
            403, "key_not_allowed", "Approve with an approval key: enter your PIN."
        )
    if yes.key == PASSKEY:
        _refuse_claimed_pin(yes)
    elif high or Step.PIN in yes.ceremony | ceremonies.read(yes.approval.ceremony):
        _check_pin(tx, yes)
    if high and tx.now < yes.device.high_from:
        raise errors.Problem(
            403,
            "device_too_new",
            "This device may not decide high risk yet. Vouch for it from an older device.",
        )


def _refuse_claimed_pin(yes: Yes) -> None:
    if Step.PIN in yes.ceremony:
        raise errors.Problem(
            422, "invalid_decision", "A passkey proves no PIN: leave pin out of the ceremony."
        )


def _check_pin(tx: Unit, yes: Yes) -> None:
    """The PIN is proved by the high key, and by a PIN call for this request that is recent."""
    if yes.key != "high" or Step.PIN not in yes.ceremony:
        raise errors.Problem(
            403,
            "pin_required",
            "This needs your PIN for this request: sign with the high key, and name the step pin.",
        )
    if not is_pin_entered(yes.device, yes.approval.id, tx.now):
        raise errors.Problem(
            403, "pin_required", "Enter your PIN for this request; the last entry is too old."
        )


def _check_steps(yes: Yes) -> None:
    needed = ceremonies.read(yes.approval.ceremony)
    if yes.key == PASSKEY:
        needed -= {Step.PIN}
    if missing := sorted(needed - yes.ceremony):
        words = " and ".join(_WORDS[step] for step in missing)
        raise errors.Problem(
            403,
            "ceremony_required",
            f"This also takes {words}.",
            members={"ceremony": spelled(needed)},
        )
    if yes.ceremony - needed - _OPTIONAL:
        raise errors.Problem(422, "invalid_decision", "ceremony has a step that is not asked for.")
    for step, member in _MEMBERS.items():
        if (step in yes.ceremony) != (yes.entered.of(step) is not None):
            raise errors.Problem(
                422, "invalid_decision", f"{member} and the signed ceremony do not go together."
            )


def _who(yes: Yes, step: Step) -> str:
    """By whom tries are counted: a number is the same for everybody."""
    return _EVERYBODY if step is Step.MATCH else yes.device.user_id


def _count(tx: Unit, yes: Yes, step: Step) -> None:
    found = tx.ceremony_tries.count(yes.approval.id, step, _who(yes, step), MOST_TRIES)
    if found is None:
        raise errors.Problem(
            423, "request_locked", LOCKED_TEXT, members={"step": str(step), "left": 0}
        )


def _refusal(tx: Unit, yes: Yes, step: Step) -> errors.Problem:
    """What is answered to a wrong entry; the second one locks."""
    left = tries_left(tx, yes.approval, yes.device.user_id).get(step, 0)
    told = {"step": str(step), "left": left}
    if left > 0:
        text = f"That is not {_WORDS[step]}. Wrong once more locks this request."
        return errors.Problem(422, "wrong_entry", text, members=told)
    _lock(tx, yes, step)
    return errors.Problem(423, "request_locked", LOCKED_TEXT, members=told)


def _lock(tx: Unit, yes: Yes, step: Step) -> None:
    """Flag it in the log, and end the request when too few others may say yes to it."""
    actor = audit.by_user(yes.device.user_id)
    audit.record(
        tx,
        audit.approval_entry(
            yes.approval,
            audit.Type.APPROVAL_LOCKED,
            actor=actor,
            decision=LOCKED,
            cause=str(step),
            facts={"device": yes.device.id, "tries": MOST_TRIES},
        ),
    )
    if step is Step.MATCH or not is_possible_without(tx, yes.approval, yes.device.user_id):
        withdraw(tx, [yes.approval], reason=LOCKED, actor=audit.SYSTEM)


def is_possible_without(view: View, approval: Approval, user_id: str) -> bool:
    """Reports whether others are enough who have said yes or may: who did not type wrongly too.

    A person and whoever stands in for them have one yes together.
    """
    asked = view.approvers.asked(approval)
    others = [one for one in asked if one.approves and one.user_id != user_id]
    able = [one for one in others if 0 not in tries_left(view, approval, one.user_id).values()]
    given = {one.whose for one in votes.standing(view.decisions.of_approval(approval.id))}
    return len(given.union(one.stands_for or one.user_id for one in able)) >= approval.quorum
