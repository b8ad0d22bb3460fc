"""Whom a request would ask, by name: at once, in somebody's place, later, and who may not say yes.

Owns: the names and the reasons. Never: who that is; enforcement knows (`eligible.py` and
`stand_ins.py`), and is asked here.
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
from server.services.approvers.eligible import EligibleApprovers
from server.services.policy.judging import JudgedRequest

THE_PERSON: Final = "the person"
"""Whom a case is about that names nobody."""


@dataclass(frozen=True, slots=True)
class AskedPerson:
    """One person, and why they are asked."""

    name: str
    why: ApproverReason
    approves: bool = True
    """False: they see it, may deny and report it, and their yes would not count."""
    group: str | None = None
    """As a member of which group."""


@dataclass(frozen=True, slots=True)
class RequestAudience:
    """Everybody whom one request would ask."""

    people: tuple[AskedPerson, ...]
    """The person it is for first."""
    excluded: tuple[str, ...]
    """Those whose yes a rule does not count."""
    deputies: tuple[str, ...]
    """Who decides for the person now."""
    backup: str | None
    at_once: bool
    """The backup is asked with the others, and not when three quarters of the time are over."""

    @property
    def approvers(self) -> tuple[AskedPerson, ...]:
        """Those whose yes would count."""
        return tuple(one for one in self.people if one.approves)


def asking(
    view: View, case: JudgedRequest, needs: Requirements, found: EligibleApprovers
) -> RequestAudience:
    """The names of everybody whom this case would ask."""
    stand_in = None if case.way == APP else case.user
    types = [action.type for action in case.actions]
    deputies = [] if stand_in is None else substitutes.deputies_of(view, stand_in.id, types)
    backup = [] if stand_in is None else substitutes.backup_of(view, stand_in)
    return RequestAudience(
        people=_people(view, case.user, needs, found),
        excluded=tuple(_name(view, one) for one in sorted(needs.excluded)),
        deputies=tuple(_name(view, one.user_id) for one in deputies),
        backup=next((_name(view, one.user_id) for one in backup), None),
        at_once=needs.risk is Risk.CRITICAL,
    )


def _people(
    view: View, user: User | None, needs: Requirements, found: EligibleApprovers
) -> tuple[AskedPerson, ...]:
    others = {one.user_id: one for one in found.others}
    if user is None:
        first = AskedPerson(THE_PERSON, "asked", approves=needs.who is None)
    else:
        first = _asked(view, others.pop(user.id, NamedApprover(user.id, "asked")))
    return (first, *(_asked(view, one) for one in others.values()))


def _asked(view: View, one: NamedApprover) -> AskedPerson:
    groups = (group.name for group in view.groups.all() if group.id == one.group_id)
    return AskedPerson(_name(view, one.user_id), one.why, one.approves, next(groups, None))


def _name(view: View, user_id: str) -> str:
    user = view.directory.user(user_id)
    return user_id if user is None else user.name
