"""The base class for rows with a unique name."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Executable, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from server.lazy_imports import lazily
from server.model.store import Taken
from server.storage.prepared import DatabaseRows

with lazily():
    from server.model.clients import NameKind
    from server.storage.clients.names import Names


class NamedRows(DatabaseRows):
    """Rows with an ID and a unique name."""

    def _insert(self, table: Table, kind: NameKind, row: Mapping[str, Any]) -> None:
        """Store a new row; raises `Taken` if its name is used."""
        self._write(insert(table).values(row), row["name"])
        Names(self._db).give(kind, row["id"], row["name"])

    def _replace(self, table: Table, kind: NameKind | None, row: Mapping[str, Any]) -> None:
        """Store a row except its ID and creation time; raises `Taken` if its name is used.

        A name that does not change keeps its key, which an earlier version may have created.
        """
        is_row = table.c.id == row["id"]
        kept = select(table.c.name_key).where(is_row, table.c.name == row["name"])
        key = self._db.execute(kept).scalar()
        values = {**row, "name_key": key or row["name_key"]}
        del values["id"], values["created_at"]
        self._write(update(table).where(is_row).values(values), row["name"])
        if kind is not None:
            names = Names(self._db)
            (names.keep if key else names.give)(kind, row["id"], row["name"])

    def _write(self, statement: Executable, name: str) -> None:
        try:
            self._db.execute(statement)
        except IntegrityError as error:
            raise Taken(name) from error
