"""Rule sets, action types, and what agents' tokens were used for, in the database."""

from collections.abc import Sequence
from itertools import compress

from sqlalchemy import bindparam, delete, exists, func, insert, literal_column, select, update
from sqlalchemy.exc import IntegrityError

from server.model.policy import ActionRow, PolicyRow
from server.model.store import Taken
from server.storage import codec
from server.storage.policy.tables import action_types
from server.storage.policy.tables import policies as p
from server.storage.policy.tables import uses as u
from server.storage.prepared import DatabaseRows, Prepared, insert_row, record_reader, row_writer

_record = record_reader(PolicyRow, p, agents=codec.string_map, users=codec.string_map)
_values = row_writer(p, agents=codec.dump, users=codec.dump)
_ADD = insert(p)
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


class Policies(DatabaseRows):
    """Rule sets in the database."""

    def add(self, row: PolicyRow) -> None:
        """Store the next version."""
        self._db.execute(_ADD, _values(row))

    def newest(self) -> PolicyRow | None:
        """Return the newest rule set; None if none was set."""
        return self._one(_record, _NEWEST)


class Uses(DatabaseRows):
    """The uses of agents' tokens."""

    def add(self, agent_id: str, token_id: str, uses: Sequence[str], at: int) -> None:
        """Store the uses of a token."""
        row = {"agent_id": agent_id, "at": at, "token_id": token_id}
        _ADD_USE.run_each(self._db, [{**row, "use": use} for use in uses])

    def known_uses(self, agent_id: str, uses: Sequence[str], until: int) -> set[str]:
        """Return those of these uses that the agent already had at this time."""
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
        return int(_COUNT.run(self._db, values)[0][0])


_type_record, _type_values = record_reader(ActionRow, action_types), row_writer(action_types)
_ADD_TYPE = insert(action_types)
_ALL_TYPES = select(action_types).order_by(action_types.c.type)
_BY_TYPE = select(action_types).where(action_types.c.type == bindparam("type"))
_REPLACE = (
    update(action_types)
    .where(action_types.c.type == bindparam("action_type"))
    .values(document=bindparam("document"), version=bindparam("version"))
)
_DELETE = delete(action_types).where(action_types.c.type == bindparam("action_type"))


class Actions(DatabaseRows):
    """Action types in the database."""

    def add(self, action: ActionRow) -> None:
        """Store a new action type; raises `Taken` if the type exists."""
        try:
            self._db.execute(_ADD_TYPE, _type_values(action))
        except IntegrityError as error:
            raise Taken(action.type) from error

    def replace(self, action: ActionRow) -> None:
        """Store a new version of the document."""
        row = {"action_type": action.type, "document": action.document, "version": action.version}
        self._db.execute(_REPLACE, row)

    def delete(self, action_type: str) -> None:
        """Delete an action type."""
        self._db.execute(_DELETE, {"action_type": action_type})

    def all(self) -> list[ActionRow]:
        """Return all action types, by name."""
        return self._many(_type_record, _ALL_TYPES)

    def get(self, action_type: str) -> ActionRow | None:
        """Return the action type with this name."""
        return self._one(_type_record, _BY_TYPE, type=action_type)
