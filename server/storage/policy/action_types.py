"""Action types in the database."""

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError

from server.model.policy import ActionRow
from server.model.store import Taken
from server.storage.prepared import DatabaseRows
from server.storage.tables import action_types

_ADD = insert(action_types)
_ALL = select(action_types).order_by(action_types.c.type)
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
        row = {
            "type": action.type,
            "document": action.document,
            "version": action.version,
            "created_at": action.created_at,
        }
        try:
            self._db.execute(_ADD, row)
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
        return [_record(row) for row in self._db.execute(_ALL).mappings().all()]

    def get(self, action_type: str) -> ActionRow | None:
        """The action type with this name."""
        row = self._db.execute(_BY_TYPE, {"type": action_type}).mappings().first()
        return None if row is None else _record(row)


def _record(m: RowMapping) -> ActionRow:
    return ActionRow(m["type"], m["document"], m["version"], m["created_at"])
