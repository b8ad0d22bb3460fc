"""Rule sets, and the uses of agents' tokens, in the database."""

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
from server.storage.prepared import DatabaseRows, Prepared, adding, reading, writing

_record = reading(PolicyRow, p, agents=codec.string_map, users=codec.string_map)
_values = writing(p, agents=codec.dump, users=codec.dump)
_ADD = insert(p)
_NEWEST = select(p).order_by(p.c.version.desc()).limit(1)
_ADD_USE = Prepared(adding(u))
_OF = (u.c.agent_id == bindparam("agent"), u.c.use == bindparam("use"))
_AT_ONCE = 6
_PARAMETERS = tuple(f"use{place}" for place in range(_AT_ONCE))
_SEEN = Prepared(
    select(
        *(
            exists()
            .where(u.c.agent_id == bindparam("agent"), u.c.use == bindparam(place))
            .where(u.c.at <= bindparam("until"))
            .label(place)
            for place in _PARAMETERS
        )
    )
)
_LIMITED = (
    select(literal_column("1"))
    .select_from(u)
    .where(*_OF, u.c.at > bindparam("since"), u.c.at <= bindparam("until"))
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
        """The newest rule set; None if none was set."""
        return self._one(_record, _NEWEST)


class Uses(DatabaseRows):
    """The uses of agents' tokens."""

    def add(self, agent_id: str, token_id: str, uses: Sequence[str], at: int) -> None:
        """Store the uses of a token."""
        row = {"agent_id": agent_id, "at": at, "token_id": token_id}
        _ADD_USE.run_each(self._db, [{**row, "use": use} for use in uses])

    def seen(self, agent_id: str, uses: Sequence[str], until: int) -> set[str]:
        """The uses among these that the agent has had up to this time."""
        found: set[str] = set()
        for start in range(0, len(uses), _AT_ONCE):
            part = [*uses[start : start + _AT_ONCE]]
            part += [part[-1]] * (_AT_ONCE - len(part))
            values = dict(zip(_PARAMETERS, part, strict=True), agent=agent_id, until=until)
            (row,) = _SEEN.run(self._db, values)
            found.update(compress(part, row))
        return found

    def count(self, agent_id: str, use: str, since: int, until: int, limit: int) -> int:
        """Count uses after `since` and up to `until`; counting stops at `limit`."""
        values = {"agent": agent_id, "use": use, "since": since, "until": until, "limit": limit}
        return int(_COUNT.run(self._db, values)[0][0])


_type_record, _type_values = reading(ActionRow, action_types), writing(action_types)
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
        """Raises `Taken` if the type exists."""
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
        """All action types, by name."""
        return self._many(_type_record, _ALL_TYPES)

    def get(self, action_type: str) -> ActionRow | None:
        """The action type with this name."""
        return self._one(_type_record, _BY_TYPE, type=action_type)
