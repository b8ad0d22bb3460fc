"""Rule sets, action types, and what agents' tokens were used for, in the database."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import compress

from sqlalchemy import bindparam, delete, exists, func, insert, literal_column, select
from sqlalchemy.exc import IntegrityError

from server.model.policy import ActionRow, PolicyRow
from server.model.store import Taken
from server.storage import codec
from server.storage.policy.tables import action_types
from server.storage.policy.tables import policies as p
from server.storage.policy.tables import uses as u
from server.storage.prepared import (
    DatabaseRows,
    Prepared,
    RecordRows,
    RecordTable,
    insert_row,
)

_NEWEST = select(p).order_by(p.c.version.desc()).limit(1)
_ADD_USE = Prepared(insert_row(u))
_BY_AGENT_AND_USE = (u.c.agent_id == bindparam("agent"), u.c.use == bindparam("use"))
_BATCH_SIZE = 6
_PARAMETERS = tuple(f"use{index}" for index in range(_BATCH_SIZE))
_SEEN = Prepared(
    select(
        *(
            exists()
            .where(u.c.agent_id == bindparam("agent"), u.c.use == bindparam(parameter))
            .where(u.c.at <= bindparam("until"))
            .label(parameter)
            for parameter in _PARAMETERS
        )
    )
)
_LIMITED = (
    select(literal_column("1"))
    .select_from(u)
    .where(*_BY_AGENT_AND_USE, u.c.at > bindparam("since"), u.c.at <= bindparam("until"))
    .limit(bindparam("limit"))
    .subquery()
)
_COUNT = Prepared(select(func.count()).select_from(_LIMITED))


class Policies(RecordRows[PolicyRow, int]):
    """Rule sets in the database."""

    records = RecordTable(PolicyRow, p, agents=codec.load_map, users=codec.load_map)

    def newest(self) -> PolicyRow | None:
        """Return the newest rule set; None if none was set."""
        return self._find(_NEWEST)


class Uses(DatabaseRows):
    """The uses of agents' tokens."""

    def add(self, agent_id: str, token_id: str, uses: Sequence[str], at: int) -> None:
        """Store the uses of a token."""
        row = {"agent_id": agent_id, "at": at, "token_id": token_id}
        _ADD_USE.run_each(self._db, [{**row, "use": use} for use in uses])

    def known_uses(self, agent_id: str, uses: Sequence[str], until: int) -> set[str]:
        """Return which of these uses the agent already had at this time."""
        seen: set[str] = set()
        for start in range(0, len(uses), _BATCH_SIZE):
            batch = [*uses[start : start + _BATCH_SIZE]]
            batch += [batch[-1]] * (_BATCH_SIZE - len(batch))
            values = dict(zip(_PARAMETERS, batch, strict=True), agent=agent_id, until=until)
            (row,) = _SEEN.run(self._db, values)
            seen.update(compress(batch, row))
        return seen

    def count(self, agent_id: str, use: str, since: int, until: int, limit: int) -> int:
        """Count uses after `since` and up to `until`; counting stops at `limit`."""
        values = {"agent": agent_id, "use": use, "since": since, "until": until, "limit": limit}
        return self._number(_COUNT, **values)


_ALL_TYPES = select(action_types).order_by(action_types.c.type)


class Actions(RecordRows[ActionRow, str]):
    """Action types in the database."""

    records = RecordTable(ActionRow, action_types)

    def add(self, action: ActionRow) -> None:
        """Store a new action type; raises `Taken` if the type exists."""
        try:
            self._db.execute(insert(action_types).values(asdict(action)))
        except IntegrityError as error:
            raise Taken(action.type) from error

    def replace(self, action: ActionRow) -> None:
        """Store a new version of the document."""
        self._set(action.type, document=action.document, version=action.version)

    def delete(self, action_type: str) -> None:
        """Delete an action type."""
        self._db.execute(delete(action_types).where(action_types.c.type == action_type))

    def all(self) -> list[ActionRow]:
        """Return all action types, by name."""
        return self._list(_ALL_TYPES)
