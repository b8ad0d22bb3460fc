"""A user's requests: pending ones, highest risk first, and closed ones that were for others.

Owns: their order in the database. Never: the user's own closed requests.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)

from server.model.approvals import lowest_sort_key
from server.protocol.policy.risks import Risk
from server.storage.approvals.tables import approvals as a
from server.storage.approvals.tables import decisions as d
from server.storage.approvers.tables import approvers as p
from server.storage.prepared import Prepared

_USER: BindParameter[str] = bindparam("user")
_NOW: BindParameter[int] = bindparam("now")
_AT, _AFTER = bindparam("at", type_=BigInteger), bindparam("after", type_=Text)
"""The cursor of a list: the position and ID of the last item."""


def requests_of_others(condition: ColumnElement[bool]) -> Select[Any]:
    """Select requests that ask the user to decide for someone else."""
    for_others = select(a).join_from(p, a, a.c.id == p.c.approval_id)
    return for_others.where(p.c.user_id == _USER, condition, a.c.user_id != p.c.user_id)


def _highest_risk_first(
    requests: Select[Any],
    risk: ColumnElement[str],
    expiry: ColumnElement[int],
    request_id: ColumnElement[str],
) -> CompoundSelect[Any]:
    """Select the first pending requests of each risk after the cursor, using an index."""
    levels = (
        requests.where(
            risk == literal_column(f"'{level}'"),
            expiry > _NOW,
            tuple_(expiry, request_id)
            > tuple_(_AT - literal_column(str(lowest_sort_key(level))), _AFTER),
        )
        .order_by(expiry, request_id)
        .limit(bindparam("limit"))
        .subquery()
        for level in Risk
    )
    return union_all(*(select(level) for level in levels))


def _prepare_own(requests: Select[Any]) -> Prepared:
    return Prepared(_highest_risk_first(requests, a.c.risk, a.c.expires_at, a.c.id))


def _prepare_for_approver(requests: Select[Any]) -> Prepared:
    return Prepared(_highest_risk_first(requests, p.c.risk, p.c.ends_at, p.c.approval_id))


_VOTED = exists().where(d.c.approval_id == a.c.id, d.c.user_id == _USER, d.c.voided_at.is_(None))
_UNANSWERED = or_(a.c.quorum == literal_column("1"), ~_VOTED)
_OWN = select(a).where(a.c.user_id == _USER, a.c.state == literal_column("'pending'"))
_OTHERS = requests_of_others(p.c.over_at.is_(None))
_AS_APPROVER = select(a).join_from(p, a, a.c.id == p.c.approval_id).where(p.c.user_id == _USER)
WAITING = (_prepare_own(_OWN.where(_UNANSWERED)), _prepare_for_approver(_OTHERS.where(_UNANSWERED)))
"""The requests that the user has not answered.

Each of these statements returns the rows of each risk separately; the caller sorts them.
"""
VOTED = (_prepare_for_approver(_AS_APPROVER.where(p.c.over_at.is_(None), _VOTED)),)
"""The requests that the user approved and that need other people's votes."""
OPEN = (_prepare_own(_OWN), _prepare_for_approver(_OTHERS))
LISTS = {False: WAITING, True: VOTED, None: OPEN}
"""Whether the user has voted (None for all open requests) → the statements."""
COUNTS = tuple(
    Prepared(
        select(func.count()).select_from(requests.where(expiry > _NOW, _UNANSWERED).subquery())
    )
    for requests, expiry in ((_OWN, a.c.expires_at), (_OTHERS, p.c.ends_at))
)
"""The numbers of unanswered requests: the user's own, and those where they are an approver."""
_CLOSED_FOR_APPROVER = (
    requests_of_others(p.c.over_at.is_not(None))
    .order_by(p.c.over_at.desc(), p.c.approval_id.desc())
    .limit(bindparam("limit"))
)
DECIDED_FOR_APPROVER = Prepared(_CLOSED_FOR_APPROVER)
DECIDED_FOR_APPROVER_BEFORE = Prepared(
    _CLOSED_FOR_APPROVER.where(
        tuple_(p.c.over_at, p.c.approval_id) < tuple_(bindparam("at"), bindparam("before"))
    )
)
