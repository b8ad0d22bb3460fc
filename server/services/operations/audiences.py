"""The users that a request would ask, by name: approvers, deputies, the backup, and excluded users.

Owns: the names and reasons. Never: deciding who is eligible; it calls the code that enforces that
(`answer_sources.py`, `substitutes.py`).
"""

from dataclasses import dataclass
from typing import Final

from server.model.approvals import ApproverReason
from server.model.approvers import NamedApprover
from server.model.store import View
from server.model.users import User
from server.protocol.policy.questions import APP, Requirements
from server.protocol.policy.risks import Risk
from server.services.approvers import substitutes
from server.services.approvers.answer_sources import EligibleApprovers
from server.services.policy.evaluation import PolicyRequest
from server.services.users.user_checks import name_of

THE_PERSON: Final = "the person"
"""The name of the user if the request has none."""


@dataclass(frozen=True, slots=True)
class PolicyApprover:
    """One person who is asked, and why."""

    name: str
    why: ApproverReason
    approves: bool = True
    """False if they may deny and report the request, but their approval would not count."""
    group: str | None = None
    """The group through which they are asked."""


@dataclass(frozen=True, slots=True)
class RequestAudience:
    """All users that a request would ask."""

    people: tuple[PolicyApprover, ...]
    """The people who are asked; the user the request is for comes first."""
    excluded: tuple[str, ...]
    """People whose approval would not count because of a rule."""
    deputies: tuple[str, ...]
    """The person's current deputies."""
    backup: str | None
    at_once: bool
    """Whether the backup is asked immediately instead of after three quarters of the time."""

    @property
    def approvers(self) -> tuple[PolicyApprover, ...]:
        """The people whose approval would count."""
        return tuple(person for person in self.people if person.approves)


def audience_of(
    view: View, case: PolicyRequest, needs: Requirements, eligible_approvers: EligibleApprovers
) -> RequestAudience:
    """Return all users that this request would ask."""
    user = None if case.flow == APP else case.user
    types = [action.type for action in case.actions]
    deputies = [] if user is None else substitutes.deputies_of(view, user.id, types)
    backup = [] if user is None else substitutes.backup_of(view, user)
    return RequestAudience(
        people=_people(view, case.user, needs, eligible_approvers),
        excluded=tuple(name_of(view, user_id) for user_id in sorted(needs.excluded)),
        deputies=tuple(name_of(view, deputy.user_id) for deputy in deputies),
        backup=next((name_of(view, approver.user_id) for approver in backup), None),
        at_once=needs.risk is Risk.CRITICAL,
    )


def _people(
    view: View, user: User | None, needs: Requirements, eligible_approvers: EligibleApprovers
) -> tuple[PolicyApprover, ...]:
    others = {approver.user_id: approver for approver in eligible_approvers.others}
    if user is None:
        requested_user = PolicyApprover(THE_PERSON, "asked", approves=needs.approvers is None)
    else:
        requested_user = _policy_approver(
            view, others.pop(user.id, NamedApprover(user.id, "asked"))
        )
    return (requested_user, *(_policy_approver(view, approver) for approver in others.values()))


def _policy_approver(view: View, approver: NamedApprover) -> PolicyApprover:
    groups = (group.name for group in view.groups.all() if group.id == approver.group_id)
    return PolicyApprover(
        name_of(view, approver.user_id), approver.why, approver.approves, next(groups, None)
    )
