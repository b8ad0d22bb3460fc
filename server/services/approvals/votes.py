"""Votes on a request with several approvers: which votes count, and what a new vote changes.

Each person has one vote; a backup or deputy casts the vote of the person they act for. Votes are
counted together only for the same granted text: narrowing it voids earlier votes. Disabling a
person voids their vote. The vote of a person who lost the role or left the group for which they
were asked no longer counts, and the next vote voids it. Any denial is final.
Owns: which votes count. Never: changing the state (`decisions.py`), or choosing whom to ask.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from server.model.approval_views import Tally, Vote
from server.model.approvals import Approval, Approver, Decision
from server.model.reactions import UserDisabled
from server.model.store import Unit, View
from server.protocol.approvals import ceremonies
from server.protocol.approvals.states import State
from server.protocol.policy.questions import Approvals, Requirements
from server.services.approvals.narrowing import Narrowed, Narrowings
from server.services.notifications import notices
from server.services.users import user_checks


def valid_approvals(answers: Sequence[Decision]) -> list[Decision]:
    """Return the approve answers that are not void."""
    return [
        answer for answer in answers if answer.decision == "approve" and answer.voided_at is None
    ]


def deciding_answer(approval: Approval, answers: Sequence[Decision]) -> Decision | None:
    """Return the answer that decided a closed request: the denial, or else the last approval.

    Return None if the request ended before enough people approved it.
    """
    decisions = [answer for answer in answers if answer.decision == "deny"]
    for answer in decisions or valid_approvals(answers)[-1:]:
        if decisions or approval.quorum == 1 or answer.at == approval.decided_at:
            return answer
    return None


def denial(answers: Sequence[Decision]) -> Decision:
    """Return the denial of a denied approval."""
    return next(answer for answer in answers if answer.decision == "deny")


def vote_count(view: View, approval: Approval) -> int:
    """Return the number of votes to approve, including those cast by backups and deputies.

    For a pending request, the number is always below the quorum, even if only the vote of a user
    whom policy requires is missing.
    """
    return _count(approval, voters(view, approval))


def voters(view: View, approval: Approval) -> set[str]:
    """Return the IDs of the users whose approvals count, including those cast by others."""
    return _voters(_counted_answers(view, approval, view.decisions.of_approval(approval.id)))


def tally(view: View, approval: Approval) -> Tally | None:
    """Return the tally of votes; None if only the user the request is for can approve."""
    if approval.quorum == 1 and not approval.multi_approver:
        return None
    answers = view.decisions.of_approval(approval.id)
    counted_answers = _counted_answers(view, approval, answers)
    counted = _voters(counted_answers)
    answered = counted | {answer.user_id for answer in valid_approvals(counted_answers)}
    is_pending = approval.state is State.PENDING
    return Tally(
        need=approval.quorum,
        have=_count(approval, counted),
        votes=tuple(
            Vote(answer, user_checks.name_of(view, answer.user_id), answer in counted_answers)
            for answer in answers
        ),
        left=_missing_names(view, approval, answered) if is_pending else (),
    )


def cast_approvals(view: View, approval: Approval) -> Approvals:
    """Return the votes to approve as policy input, without those of users who are now ineligible.

    Those users are disabled, or are no longer owners or administrators. Policy checks the groups.
    """
    if approval.quorum == 1 and not approval.multi_approver:
        return _approvals(approval, {approval.user_id or ""}, 1, {})
    answers = [
        answer
        for answer in valid_approvals(view.decisions.of_approval(approval.id))
        if _is_eligible(view, approval, answer)
    ]
    through = {
        answer.voter_id: answer.user_id for answer in answers if answer.stands_for is not None
    }
    voters = _voters(answers)
    return _approvals(approval, voters, len(voters), through)


def possible_approvals(view: View, approval: Approval) -> Approvals:
    """Return the votes of everyone who could approve a pending request, as policy input."""
    users = {approver.voter_id for approver in eligible(view, approval)}
    return _approvals(approval, users, approval.quorum, {})


def eligible(view: View, approval: Approval) -> list[Approver]:
    """Return the approvers whose approval can count now, for themselves or a user."""
    former_members = _former_members(view, approval)
    return [
        approver
        for approver in view.approvers.list_for(approval)
        if approver.approves
        and approver.voter_id not in former_members
        and _is_eligible(view, approval, approver)
    ]


def has_role(view: View, approval: Approval, caster: Approver | Decision) -> bool:
    """Return whether someone who was asked as an owner or administrator still is one.

    Returns True for everyone else.
    """
    agent, user_id = view.directory.agent(approval.agent_id), caster.user_id
    owners = () if agent is None else agent.owners
    with_role = {approval.user_id, *owners, *view.directory.administrators()}
    if caster.stands_for is not None or user_id in with_role:
        return True
    row = caster if isinstance(caster, Approver) else view.approvers.find(approval.id, user_id)
    return row is None or row.why != "backup"


def needs_user(view: View, approval: Approval) -> bool:
    """Return whether the vote of the user the request is for is required.

    It is required unless rules name the approvers or exclude the user. Only then does the user have
    an approver row in a request with several approvers.
    """
    row = view.approvers.find(approval.id, approval.user_id or "")
    return approval.multi_approver and row is None


def locked(tx: Unit, approval: Approval) -> Approval:
    """Lock a request and reload it, so that answers at the same time are processed in turn."""
    return tx.approvals.lock(approval.id) or approval


def earlier_answer(tx: Unit, approval: Approval, user_id: str) -> Decision | None:
    """Return the person's earlier answer, unless it is void or one approval is enough."""
    answer = _stored_answer(tx, approval, user_id)
    return None if answer is None or answer.voided_at is not None else answer


def add_approval(
    tx: Unit,
    narrowings: Narrowings,
    approval: Approval,
    answer: Decision,
    narrowed: Narrowed | None,
) -> Approval | None:
    """Add an approval of what the others approved, or of part of it.

    Returns the changed request. Changes nothing and returns None if the answer would grant more.
    """
    text = None if narrowed is None else narrowed.text
    if text != approval.granted:
        if narrowed is None or not narrowings.is_within(approval, narrowed):
            return None
        tx.decisions.void(approval.id, tx.now)
        approval = narrowings.store_granted(tx, approval, narrowed)
    store_answer(tx, answer)
    return approval


def withdraw(
    tx: Unit, narrowings: Narrowings, approval: Approval, answer: Decision
) -> Approval | None:
    """Replace a vote with its withdrawal. Withdrawing the last vote for limits removes the limits.

    Returns the changed request. Changes nothing and returns None if the request has closed.
    """
    others = [
        decision
        for decision in valid_approvals(tx.decisions.of_approval(approval.id))
        if decision.user_id != answer.user_id
    ]
    if approval.granted is None or others:
        updated = tx.approvals.narrow(
            approval.id, approval.granted, approval.granted_rows, approval.past
        )
    else:
        updated = narrowings.remove_granted(tx, approval)
    if updated is not None:
        store_answer(tx, answer)
    return updated


def void_ineligible(tx: Unit, approval: Approval, requirements: Requirements) -> None:
    """Void the approvals of people who can no longer approve the request."""
    answers = valid_approvals(tx.decisions.of_approval(approval.id))
    ineligible = [
        answer.user_id
        for answer in answers
        if not _is_eligible(tx, approval, answer)
        or not requirements.counts(answer.voter_id, answer.user_id)
    ]
    tx.decisions.void(approval.id, tx.now, ineligible)


def user_disabled(tx: Unit, event: UserDisabled) -> None:
    """Void the approvals that the user has given to other users' pending requests."""
    for approval_id in tx.decisions.void_pending_of(event.user.id, tx.now):
        if (approval := tx.approvals.get(approval_id)) is not None:
            notices.approval(tx, approval, "approval.vote_withdrawn")


def withdrawals(view: View, approval: Approval, user_id: str) -> int:
    """Return how often the person has withdrawn their vote."""
    answer = _stored_answer(view, approval, user_id)
    return 0 if answer is None else answer.withdrawals


def is_stored_withdrawal(view: View, approval: Approval, user_id: str, jws: str) -> bool:
    """Return whether this repeats the stored withdrawal, for example after a lost response."""
    answer = _stored_answer(view, approval, user_id)
    return answer is not None and answer.decision == "withdraw" and answer.jws == jws


def store_answer(tx: Unit, answer: Decision) -> None:
    """Store an answer, which replaces the same person's earlier answer."""
    tx.decisions.delete(answer.approval_id, answer.user_id)
    tx.decisions.add(answer)


def _stored_answer(view: View, approval: Approval, user_id: str) -> Decision | None:
    """Return the person's answer, void or not, if several people must approve."""
    answers = view.decisions.of_approval(approval.id) if approval.quorum > 1 else []
    return next((answer for answer in answers if answer.user_id == user_id), None)


def _is_eligible(view: View, approval: Approval, caster: Approver | Decision) -> bool:
    """Return whether the person and the user whose vote they cast are enabled and have the role."""
    users = (caster.user_id, caster.voter_id)
    return all(user_checks.is_enabled(view, user) for user in users) and has_role(
        view, approval, caster
    )


def _counted_answers(view: View, approval: Approval, answers: Sequence[Decision]) -> list[Decision]:
    """Return the answers that count.

    While the request is pending, an approval counts only if the person is still eligible and, if
    they were asked as a member of a group, still a member of a group that was asked.
    """
    current = [answer for answer in answers if answer.voided_at is None]
    if approval.state is not State.PENDING or not valid_approvals(current):
        return current
    former_members = _former_members(view, approval)
    return [
        answer
        for answer in current
        if answer.decision != "approve"
        or (answer.voter_id not in former_members and _is_eligible(view, approval, answer))
    ]


def _former_members(view: View, approval: Approval) -> set[str]:
    """Return the users who were asked as members of groups that they have left."""
    if not approval.multi_approver:
        return set()
    rows = [row for row in view.approvers.of_approval(approval.id) if row.group_id is not None]
    groups = tuple({row.group_id or "" for row in rows})
    return {row.user_id for row in rows if not view.directory.includes(groups, row.user_id)}


def _approvals(
    approval: Approval, users: AbstractSet[str], count: int, through: Mapping[str, str]
) -> Approvals:
    steps = ceremonies.parse_ceremony(approval.ceremony)
    in_advance = approval.decided_by is not None
    return Approvals(count, approval.risk, steps, frozenset(users), through, in_advance=in_advance)


def _count(approval: Approval, voters: AbstractSet[str]) -> int:
    is_pending = approval.state is State.PENDING
    return min(len(voters), approval.quorum - is_pending)


def _voters(answers: Sequence[Decision]) -> set[str]:
    """Return the IDs of the users whose votes were cast, by them or by a deputy at that time."""
    return {answer.voter_id for answer in valid_approvals(answers)}


def _still_needed(view: View, approval: Approval, voters: AbstractSet[str]) -> list[Approver]:
    """Return the approvers who are still needed; for the last vote, only a required user."""
    approvers, user = eligible(view, approval), approval.user_id
    is_last = len(voters) >= approval.quorum - 1 and user not in voters
    if not is_last or not needs_user(view, approval):
        return approvers
    return [approver for approver in approvers if user in {approver.user_id, approver.stands_for}]


def _missing_names(view: View, approval: Approval, voters: set[str]) -> tuple[str, ...]:
    groups = view.groups.all() if approval.multi_approver else []
    group_names = {group.id: group.name for group in groups}
    missing = {
        group_names.get(approver.group_id or "") or user_checks.name_of(view, approver.user_id)
        for approver in _still_needed(view, approval, voters)
        if voters.isdisjoint((approver.user_id, approver.voter_id))
    }
    return tuple(sorted(missing))
