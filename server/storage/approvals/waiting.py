"""Requests for a user: pending ones, highest risk first, and those that others were asked too.

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
    func,
    literal_column,
    select,
    tuple_,
    union_all,
)

from server.model.approvals import first_place_of_risk
from server.protocol.policy.risks import Risk
from server.storage.prepared import Prepared
from server.storage.tables import approvals as a
from server.storage.tables import approvers as p

_USER: BindParameter[str] = bindparam("user")
_NOW: BindParameter[int] = bindparam("now")
_AT, _AFTER = bindparam("at", type_=BigInteger), bindparam("after", type_=Text)
"""The cursor of a list: the place and id of the last item."""


def asking(condition: ColumnElement[bool]) -> Select[Any]:
    """Requests that ask the user to decide for someone else."""
    of_others = select(a).join_from(p, a, a.c.id == p.c.approval_id)
    return of_others.where(p.c.user_id == _USER, condition, a.c.user_id != p.c.user_id)


def _gravest_first(
    those: Select[Any], risk: ColumnElement[str], end: ColumnElement[int], of: ColumnElement[str]
) -> CompoundSelect[Any]:
    """The first pending requests of each risk after the cursor, each by its index."""
    levels = (
        those.where(
            risk == literal_column(f"'{level}'"),
            end > _NOW,
            tuple_(end, of) > tuple_(_AT - literal_column(str(first_place_of_risk(level))), _AFTER),
        )
        .order_by(end, of)
        .limit(bindparam("limit"))
        .subquery()
        for level in Risk
    )
    return union_all(*(select(level) for level in levels))


_OWN = select(a).where(a.c.user_id == _USER, a.c.state == literal_column("'pending'"))
_OTHERS = asking(p.c.over_at.is_(None))
WAITING = Prepared(_gravest_first(_OWN, a.c.risk, a.c.expires_at, a.c.id))
ASKING = Prepared(_gravest_first(_OTHERS, p.c.risk, p.c.ends_at, p.c.approval_id))
"""They return the rows of each risk separately; the caller sorts them."""
COUNTS = tuple(
    Prepared(select(func.count()).select_from(those.where(end > _NOW).subquery()))
    for those, end in ((_OWN, a.c.expires_at), (_OTHERS, p.c.ends_at))
)
_CLOSED_FOR_APPROVER = (
    asking(p.c.over_at.is_not(None))
    .order_by(p.c.over_at.desc(), p.c.approval_id.desc())
    .limit(bindparam("limit"))
)
DECIDED_FOR_APPROVER = Prepared(_CLOSED_FOR_APPROVER)
DECIDED_FOR_APPROVER_BEFORE = Prepared(
    _CLOSED_FOR_APPROVER.where(
        tuple_(p.c.over_at, p.c.approval_id) < tuple_(bindparam("at"), bindparam("before"))
    )
)
