"""Several people's yes to one request: whose counts, and what a further one changes.

Each person has one, and whoever stands in for somebody gives that person's. They count together
only on the very same granted text: who approves less makes the ones before void. Any no ends it.
Owns: what counts. Never: the step that is then taken (`approvals.py`), or who is asked.
"""

from collections.abc import Sequence

from server.model.approval_views import Tally, Vote
from server.model.approvals import Approval, Approver, Decision
from server.model.store import Unit, View
from server.protocol.approvals import ceremonies
from server.protocol.policy.questions import Approvals
from server.services.approvals.narrowing import Narrowed, Narrowings


def standing(answers: Sequence[Decision]) -> list[Decision]:
    """Every yes that counts."""
    return [one for one in answers if one.decision == "approve" and one.voided_at is None]


def last(answers: Sequence[Decision]) -> Decision | None:
    """The answer that ended it: the no, or else the newest yes that counts."""
    ended = [one for one in answers if one.decision == "deny"] or standing(answers)
    return ended[-1] if ended else None


def denial(answers: Sequence[Decision]) -> Decision:
    """The no that ended it."""
    return next(one for one in answers if one.decision == "deny")


def have(view: View, approval: Approval) -> int:
    """How many people's yes there is, their own or that of who stands in for them."""
    return len(_counted(view.decisions.of_approval(approval.id)))


def is_given(view: View, answer: Decision) -> bool:
    """Reports whether the yes that this one is was there already, of somebody else."""
    return answer.whose in _counted(view.decisions.of_approval(answer.approval_id))


def tally(view: View, approval: Approval) -> Tally | None:
    """How far it is; None where only the person it is for is asked."""
    if approval.quorum == 1 and not approval.several:
        return None
    answers = view.decisions.of_approval(approval.id)
    counted = _counted(answers)
    return Tally(
        need=approval.quorum,
        have=len(counted),
        votes=tuple(Vote(one, _name(view, one.user_id)) for one in answers),
        left=_left(view, approval, counted | {one.user_id for one in standing(answers)}),
    )


def said(view: View, approval: Approval) -> Approvals:
    """Who has said yes, as policy is asked; while it waits, everybody whose yes could come."""
    by, count = _by(view, approval)
    steps, ahead = ceremonies.read(approval.ceremony), approval.decided_by is not None
    through = _through(view, approval)
    return Approvals(count, approval.risk, steps, frozenset(by), through, ahead=ahead)


def alone(tx: Unit, approval: Approval) -> Approval:
    """The request as it stands once nobody else votes on it in another unit of work."""
    if approval.quorum == 1:
        return approval
    tx.lock(f"votes {approval.id}")
    return tx.approvals.get(approval.id) or approval


def before(tx: Unit, approval: Approval, user_id: str) -> Decision | None:
    """What the person has answered before, if it counts."""
    found = (one for one in tx.decisions.of_approval(approval.id) if one.user_id == user_id)
    return next((one for one in found if one.voided_at is None), None)


def count(
    tx: Unit, narrowings: Narrowings, approval: Approval, answer: Decision, less: Narrowed | None
) -> Approval | None:
    """Add one more yes. It must be to what the others said yes to, or to a part of it.

    Returns the request as it stands then; None, and nothing is changed, for a yes to more.
    """
    text = None if less is None else less.text
    if text != approval.granted:
        if less is None or not narrowings.within(approval, less):
            return None
        tx.decisions.void(approval.id, tx.now)
        approval = narrowings.keep(tx, approval, less)
    add(tx, answer)
    return approval


def add(tx: Unit, answer: Decision) -> None:
    """Store an answer in the place of one of the same person that does not count any more."""
    tx.decisions.give_way(answer.approval_id, answer.user_id)
    tx.decisions.add(answer)


def _may(view: View, approval: Approval) -> list[Approver]:
    return [one for one in view.approvers.asked(approval) if one.approves]


def _by(view: View, approval: Approval) -> tuple[set[str], int]:
    if approval.quorum == 1 and not approval.several:
        return {approval.user_id or ""}, 1
    if approval.decided_at is None:
        return {one.stands_for or one.user_id for one in _may(view, approval)}, approval.quorum
    found = _counted(view.decisions.of_approval(approval.id))
    return found, len(found)


def _through(view: View, approval: Approval) -> dict[str, str]:
    """Whose yes there is of somebody else, and of whom; nobody's while it waits."""
    if approval.decided_at is None or not approval.several:
        return {}
    given = standing(view.decisions.of_approval(approval.id))
    return {one.whose: one.user_id for one in given if one.stands_for is not None}


def _counted(answers: Sequence[Decision]) -> set[str]:
    """Whose yes there is: as it was given, whoever stands in for whom by now."""
    return {one.whose for one in standing(answers)}


def _left(view: View, approval: Approval, done: set[str]) -> tuple[str, ...]:
    names = view.groups.all() if approval.several else []
    groups = {group.id: group.name for group in names}
    found = {
        groups.get(one.group_id or "") or _name(view, one.user_id)
        for one in _may(view, approval)
        if done.isdisjoint((one.user_id, one.stands_for or one.user_id))
    }
    return tuple(sorted(found))


def _name(view: View, user_id: str) -> str:
    user = view.directory.user(user_id)
    return user_id if user is None else user.name
