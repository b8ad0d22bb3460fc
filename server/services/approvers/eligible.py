"""The eligible approvers of a request, determined when it is created.

Owns: resolving policy's requirements to people. Never: the quorum, or which approvals count in the
end; policy is evaluated again for that.
"""

from dataclasses import dataclass
from typing import Final

from server.model.approvers import NamedApprover
from server.model.clients import Agent
from server.model.store import View
from server.model.users import User
from server.protocol.policy.questions import Requirements, Verdict


@dataclass(frozen=True, slots=True)
class EligibleApprovers:
    """The people to ask, and how many of them can approve."""

    others: tuple[NamedApprover, ...]
    """Other approvers; includes the user the request is for if their approval does not count."""
    count: int


ONLY_THE_USER: Final = EligibleApprovers((), 1)


def eligible_for_verdict(
    view: View, verdict: Verdict, agent: Agent, user: User | None
) -> EligibleApprovers:
    """The eligible approvers of a verdict; only the user if it needs no approval."""
    needs = verdict.needs
    return ONLY_THE_USER if needs is None else find_eligible(view, needs, agent, user)


def find_eligible(
    view: View, needs: Requirements, agent: Agent, user: User | None
) -> EligibleApprovers:
    """The eligible approvers: the user the request is for, and others.

    If rules name approvers, the others are those; else, for a quorum above 1 or an excluded user,
    the agent's owners and the administrators. Only enabled users count. Without a user, the result
    is that of a user whom no rule names.
    """
    if needs.who is not None:
        return _named(view, needs, user)
    excluded = user is not None and user.id in needs.excluded
    if needs.quorum == 1 and not excluded:
        return ONLY_THE_USER
    own = set() if user is None else {user.id}
    beside = {*agent.owners, *view.directory.administrators()} - needs.excluded - own
    found = [NamedApprover(one, "backup") for one in sorted(beside) if _enabled(view, one)]
    watching = [NamedApprover(one, "asked", approves=False) for one in own if excluded]
    return EligibleApprovers((*watching, *found), len(found) + (not excluded))


def _named(view: View, needs: Requirements, user: User | None) -> EligibleApprovers:
    members = view.directory.members()
    counted = [one for one in sorted(needs.eligible) if _enabled(view, one)]
    found = []
    for one in counted:
        group = next((g for g in sorted(needs.groups) if one in members.get(g, ())), None)
        why = "asked" if group is None else "group"
        found.append(NamedApprover(one, why, group_id=group))  # type: ignore[arg-type]  # both are reasons
    if user is not None and user.id not in counted:
        found.append(NamedApprover(user.id, "asked", approves=False))
    return EligibleApprovers(tuple(found), len(counted))


def _enabled(view: View, user_id: str) -> bool:
    user = view.directory.user(user_id)
    return user is not None and user.enabled
