"""Prepared statements for hot paths, and the base of the classes that run statements.

Prepared statements are compiled once, and run without SQLAlchemy on SQLite, which costs several
times as much as SQLite for a small statement. Only the statements of polls, requests and
redemptions are prepared.
Never: a statement whose text depends on its values, or a column whose type converts them.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Connection,
    Executable,
    Insert,
    Table,
    TableValuedAlias,
    bindparam,
    func,
    insert,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import pysqlite

from server.storage.writer import sqlite_connection

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

_SQLITE = pysqlite.dialect(paramstyle="qmark")
"""Positional parameters, because looking up named ones costs as much as the rest of an INSERT."""
Record = TypeVar("Record")
Statement: TypeAlias = "Executable | Prepared | Upsert"


class DatabaseRows:
    """The rows of one capability, as one unit of work reads and writes them."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def _rows(self, statement: Statement, values: Mapping[str, object]) -> Sequence[Any]:
        if isinstance(statement, (Prepared, Upsert)):
            return statement.run(self._db, values)
        return self._db.execute(statement, values).all()

    def _any(self, statement: Statement, /, **values: object) -> bool:
        """Return whether the statement returns a row, such as the one that it changed."""
        return bool(self._rows(statement, values))

    def _one(
        self,
        read: Callable[[Any], Record],
        statement: Statement,
        /,
        **values: object,
    ) -> Record | None:
        """Return the record of the first row; None if there is none."""
        rows = self._rows(statement, values)
        return read(rows[0]) if rows else None

    def _many(
        self,
        read: Callable[[Any], Record],
        statement: Statement,
        /,
        **values: object,
    ) -> list[Record]:
        """Return the record of each row."""
        return [read(row) for row in self._rows(statement, values)]


class Prepared:
    """A prepared statement, created at import."""

    def __init__(self, statement: Executable) -> None:
        self._statement = statement

    def run(self, connection: Connection, values: Mapping[str, object]) -> Sequence[Any]:
        """Run the statement. Returns all rows, as tuples in the order of its columns."""
        if connection.dialect.name != "sqlite":
            result = connection.execute(self._statement, dict(values))
            return result.all() if result.returns_rows else ()
        text, placed = self._compiled
        return sqlite_connection(connection).execute(text, placed(values)).fetchall()

    def run_each(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        """Run the statement once for each row, without a result."""
        if connection.dialect.name != "sqlite":
            connection.execute(self._statement, [dict(row) for row in rows])
            return
        text, placed = self._compiled
        sqlite_connection(connection).executemany(text, map(placed, rows))

    @cached_property
    def _compiled(self) -> tuple[str, Callable[[Mapping[str, object]], Sequence[object]]]:
        """The SQL text for SQLite, and a function from named to positional values."""
        compiled = cast("SQLCompiler", self._statement.compile(dialect=_SQLITE))  # type: ignore[attr-defined]  # all our statements have it
        names = compiled.positiontup or []
        binds = [(name, compiled.binds[name]) for name in names]
        return str(compiled), _placing(names, {n: b.value for n, b in binds if not b.required})


class Upsert:
    """An INSERT that may find its row; `finish` adds ON CONFLICT, which is no common SQL.

    Prepared when it first runs, because PostgreSQL's dialect takes long to load.
    """

    def __init__(
        self,
        table: Table,
        values: Mapping[str, object],
        finish: Callable[[sqlite.Insert], Executable],
    ) -> None:
        self._table = table
        self._values = values
        self._finish = finish
        self._of_dialect: dict[str, Prepared] = {}

    def run(self, connection: Connection, values: Mapping[str, object]) -> Sequence[Any]:
        """Run the statement. Returns all rows."""
        return self._for(connection).run(connection, values)

    def run_each(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        """Run the statement once for each row, without a result."""
        self._for(connection).run_each(connection, rows)

    def _for(self, connection: Connection) -> Prepared:
        name = connection.dialect.name
        if name not in self._of_dialect:
            insert = import_module(f"sqlalchemy.dialects.{name}").insert(self._table)
            self._of_dialect[name] = Prepared(self._finish(insert.values(self._values)))
        return self._of_dialect[name]


def adding_once(table: Table) -> Upsert:
    """The INSERT of a whole row, which returns nothing if it is there."""
    values: dict[str, object] = {c.key: bindparam(c.key) for c in table.c}
    return Upsert(
        table, values, lambda insert: insert.on_conflict_do_nothing().returning(table.c[0])
    )


def _placing(
    names: Sequence[str], fixed: Mapping[str, object]
) -> Callable[[Mapping[str, object]], Sequence[object]]:
    """A function from named values to positional ones; `fixed` are the statement's own values."""
    if len(names) < 2:  # noqa: PLR2004  # itemgetter returns a tuple only for two or more
        return lambda values: [{**fixed, **values}[name] for name in names]
    get = itemgetter(*names)
    return (lambda values: get({**fixed, **values})) if fixed else get


def adding(table: Table) -> Insert:
    """The INSERT of a whole row, without autoincrement columns."""
    columns = [c for c in table.c if c.autoincrement is not True]
    return insert(table).values({c.key: bindparam(c.key) for c in columns})


def arrays(name: str, *columns: Column[Any]) -> TableValuedAlias:
    """Rows of PostgreSQL from one array for each column, such as `id_array`.

    One statement stores all of them. With a statement for each row, the process would wait once
    for each row, behind all its requests.
    """
    parameters = (bindparam(f"{column.key}_array", type_=ARRAY(column.type)) for column in columns)
    rows = func.unnest(*parameters).table_valued(*(column.key for column in columns), name=name)
    return rows.render_derived()


def writing(
    table: Table, **convert: Callable[[Any], object]
) -> Callable[[object], dict[str, object]]:
    """A function from a record to the values of a whole row; names of members and columns match."""
    names = table.c.keys()
    get = attrgetter(*names)

    def values(record: object) -> dict[str, object]:
        row = dict(zip(names, get(record), strict=True))
        return row | {
            name: made(row[name]) for name, made in convert.items() if row[name] is not None
        }

    return values


def reading(
    record: Callable[..., Record], table: Table, **convert: Callable[[Any], Any]
) -> Callable[[Sequence[Any]], Record]:
    """A function from a whole row to a record. `convert` has the conversions of columns."""
    columns = table.c.keys()
    members = [field.name for field in dataclasses.fields(record)]  # type: ignore[arg-type]  # a record's class
    booleans = {c.key: bool for c in table.c if isinstance(c.type, Boolean)}
    converted = [(members.index(name), made) for name, made in (booleans | convert).items()]
    in_order = itemgetter(*(columns.index(name) for name in members))

    def read(row: Sequence[Any]) -> Record:
        values = list(in_order(row))
        for place, made in converted:
            values[place] = None if values[place] is None else made(values[place])
        return record(*values)

    return read
