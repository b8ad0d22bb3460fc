"""Prepared statements for hot paths, and the base of the classes that run statements.

Prepared statements are compiled once and, on SQLite, run without SQLAlchemy, which takes several
times as long as SQLite for a small statement. Only the statements of polls, requests and
redemptions, and those that add or find one record, are prepared.
Never: statements whose text depends on their values, or columns whose type converts values.
"""

import dataclasses
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeAlias, TypeVar, cast

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Executable,
    Insert,
    Table,
    TableValuedAlias,
    Update,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import pysqlite

from server.storage import codec
from server.storage.writer import sqlite_connection

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

_SQLITE = pysqlite.dialect(paramstyle="qmark")
"""Positional parameters, because looking up named ones takes as long as the rest of an INSERT."""
Record = TypeVar("Record")
Key = TypeVar("Key", str, bytes, int)
Statement: TypeAlias = "Executable | Prepared | Upsert"


class DatabaseRows:
    """One capability's rows, as seen by one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def _rows(self, statement: Statement, values: Mapping[str, object]) -> Sequence[Any]:
        if isinstance(statement, (Prepared, Upsert)):
            return statement.run(self._db, values)
        return self._db.execute(statement, values).all()

    def _any(self, statement: Statement, /, **values: object) -> bool:
        """Return whether the statement returns a row."""
        return bool(self._rows(statement, values))

    def _change(self, statement: "Executable | Prepared", /, **values: object) -> bool:
        """Run an UPDATE or DELETE; return whether it changed a row."""
        return self._count_changes(statement, **values) > 0

    def _count_changes(self, statement: "Executable | Prepared", /, **values: object) -> int:
        """Run an UPDATE or DELETE; return the number of changed rows."""
        if isinstance(statement, Prepared):
            return statement.count_changes(self._db, values)
        return self._db.execute(statement, values).rowcount

    def _one(
        self, read: Callable[[Any], Record], statement: Statement, /, **values: object
    ) -> Record | None:
        """Return the record of the first row; None if there are no rows."""
        rows = self._rows(statement, values)
        return read(rows[0]) if rows else None

    def _many(
        self, read: Callable[[Any], Record], statement: Statement, /, **values: object
    ) -> list[Record]:
        """Return the record of each row."""
        return [read(row) for row in self._rows(statement, values)]

    def _column(self, statement: Statement, /, **values: object) -> list[Any]:
        """Return the first value of each row."""
        return [row[0] for row in self._rows(statement, values)]

    def _number(self, statement: Statement, /, **values: object) -> int:
        """Return the number that the statement selects."""
        return int(self._rows(statement, values)[0][0])


class TimedRows(DatabaseRows):
    """Rows that depend on the time of the unit of work."""

    def __init__(self, connection: Connection, now: int) -> None:
        super().__init__(connection)
        self._now = now


class ExpiringRows(DatabaseRows):
    """Rows that expire."""

    expires_at: ClassVar[Column[int]]
    kept_ms: ClassVar[int] = 0
    """How long expired rows are kept."""

    def prune(self, now: int) -> int:
        """Delete rows that expired long enough ago; return the number of deleted rows."""
        is_outdated = self.expires_at <= now - self.kept_ms
        return self._count_changes(delete(self.expires_at.table).where(is_outdated))


class RecordRows(DatabaseRows, Generic[Record, Key]):
    """The rows of one table, each of which is a record with a key."""

    records: ClassVar["RecordTable[Any]"]

    def add(self, record: Record) -> None:
        """Store a new record."""
        self.records.add(self._db, record)

    def add_once(self, record: Record) -> bool:
        """Store a record; False if one with this key exists."""
        return self._any(self.records.insert_once, **self.records.values(record))

    def get(self, key: Key) -> Record | None:
        """Return the record with this primary key, whatever its state."""
        return self._find(self.records.by_key, key=key)

    def _set(self, key: Key, *conditions: ColumnElement[bool], **values: object) -> bool:
        """Change the row with this key if it meets the conditions; return whether it does."""
        return self._change(self.records.update(key, *conditions, **values))

    def _find(self, statement: Statement, /, **values: object) -> Record | None:
        """Return the record of the first row; None if there are no rows."""
        return self._one(self.records.read, statement, **values)

    def _list(self, statement: Statement, /, **values: object) -> list[Record]:
        """Return the record of each row."""
        return self._many(self.records.read, statement, **values)


class Prepared:
    """A prepared statement, created at import."""

    def __init__(self, statement: Executable) -> None:
        self._statement = statement

    def run(self, connection: Connection, values: Mapping[str, object]) -> Sequence[Any]:
        """Run the statement. Returns all rows, as tuples in the order of its columns."""
        if connection.dialect.name != "sqlite":
            result = connection.execute(self._statement, dict(values))
            return result.all() if result.returns_rows else ()
        return self._run_on_sqlite(connection, values).fetchall()

    def count_changes(self, connection: Connection, values: Mapping[str, object]) -> int:
        """Run an UPDATE or DELETE. Returns the number of changed rows."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, dict(values)).rowcount
        return self._run_on_sqlite(connection, values).rowcount

    def _run_on_sqlite(
        self, connection: Connection, values: Mapping[str, object]
    ) -> sqlite3.Cursor:
        text, to_positional = self._compiled
        return sqlite_connection(connection).execute(text, to_positional(values))

    def run_each(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        """Run the statement once for each row, without a result."""
        if connection.dialect.name != "sqlite":
            connection.execute(self._statement, [dict(row) for row in rows])
            return
        text, to_positional = self._compiled
        sqlite_connection(connection).executemany(text, map(to_positional, rows))

    @cached_property
    def _compiled(self) -> tuple[str, Callable[[Mapping[str, object]], Sequence[object]]]:
        """The SQL text for SQLite, and a function from named to positional values."""
        compiled = cast("SQLCompiler", self._statement.compile(dialect=_SQLITE))  # type: ignore[attr-defined]  # all our statements have it
        names = compiled.positiontup or []
        binds = [(name, compiled.binds[name]) for name in names]
        return str(compiled), _positional_values(
            names, {n: b.value for n, b in binds if not b.required}
        )


class Upsert:
    """An INSERT of all columns of a row that may exist.

    `finish` adds ON CONFLICT, which is not standard SQL. The statement is prepared when it first
    runs, because PostgreSQL's dialect is slow to load.
    """

    def __init__(self, table: Table, finish: Callable[[sqlite.Insert], Executable]) -> None:
        self._table = table
        self._finish = finish
        self._by_dialect: dict[str, Prepared] = {}

    def run(self, connection: Connection, values: Mapping[str, object]) -> Sequence[Any]:
        """Run the statement. Returns all rows."""
        return self._prepared_for(connection).run(connection, values)

    def run_each(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        """Run the statement once for each row, without a result."""
        self._prepared_for(connection).run_each(connection, rows)

    def _prepared_for(self, connection: Connection) -> Prepared:
        name = connection.dialect.name
        if name not in self._by_dialect:
            insert = import_module(f"sqlalchemy.dialects.{name}").insert(self._table)
            values: dict[str, object] = {c.key: bindparam(c.key) for c in self._table.c}
            self._by_dialect[name] = Prepared(self._finish(insert.values(values)))
        return self._by_dialect[name]


def insert_once(table: Table) -> Upsert:
    """Return the INSERT of a row with all columns, which returns nothing if the row exists."""
    return Upsert(table, lambda insert: insert.on_conflict_do_nothing().returning(table.c[0]))


def insert_or_replace(table: Table) -> Upsert:
    """Return the INSERT of a row with all columns, which replaces the row with the same key."""
    return Upsert(
        table,
        lambda insert: insert.on_conflict_do_update(
            index_elements=[*table.primary_key],
            set_={c.key: insert.excluded[c.key] for c in table.c if not c.primary_key},
        ),
    )


def _positional_values(
    names: Sequence[str], fixed: Mapping[str, object]
) -> Callable[[Mapping[str, object]], Sequence[object]]:
    """Return a function from named to positional values; `fixed` are the statement's own values."""
    if len(names) < 2:  # noqa: PLR2004  # itemgetter returns a tuple only for two or more
        return lambda values: [{**fixed, **values}[name] for name in names]
    get = itemgetter(*names)
    return (lambda values: get({**fixed, **values})) if fixed else get


def matches(table: Table, **values: object) -> list[ColumnElement[bool]]:
    """Return the conditions that columns have these values; None matches every row."""
    return [table.c[name] == value for name, value in values.items() if value is not None]


def insert_row(table: Table, *, without: str = "") -> Insert:
    """Return the INSERT of a row with all columns except autoincrement columns and `without`."""
    columns = [c for c in table.c if c.autoincrement is not True and c.key != without]
    return insert(table).values({c.key: bindparam(c.key) for c in columns})


def arrays(name: str, *columns: Column[Any]) -> TableValuedAlias:
    """Return PostgreSQL rows from one array for each column, such as `id_array`.

    One statement stores all rows. With a statement for each row, the process would wait for the
    database once for each row, while it also serves requests.
    """
    parameters = (bindparam(f"{column.key}_array", type_=ARRAY(column.type)) for column in columns)
    rows = func.unnest(*parameters).table_valued(*(column.key for column in columns), name=name)
    return rows.render_derived()


def row_writer(
    table: Table, **convert: Callable[[Any], object]
) -> Callable[[object], dict[str, object]]:
    """Return a function from a record to the values of its row. Members are named like columns."""
    names = table.c.keys()
    get = attrgetter(*names)

    def values(record: object) -> dict[str, object]:
        row = dict(zip(names, get(record), strict=True))
        return row | {
            name: function(row[name]) for name, function in convert.items() if row[name] is not None
        }

    return values


def record_reader(
    record: Callable[..., Record], table: Table, **convert: Callable[[Any], Any]
) -> Callable[[Sequence[Any]], Record]:
    """Return a function from a row with all columns to a record. `convert` converts columns."""
    columns = table.c.keys()
    members = [field.name for field in dataclasses.fields(record)]  # type: ignore[arg-type]  # a record's class
    booleans = {c.key: bool for c in table.c if isinstance(c.type, Boolean)}
    conversions = [
        (members.index(name), function) for name, function in (booleans | convert).items()
    ]
    in_order = itemgetter(*(columns.index(name) for name in members))

    def read(row: Sequence[Any]) -> Record:
        values = list(in_order(row))
        for index, function in conversions:
            values[index] = None if values[index] is None else function(values[index])
        return record(*values)

    return read


class RecordTable(Generic[Record]):
    """A table whose rows are records: the members of a record are named like the columns."""

    def __init__(
        self, record: Callable[..., Record], table: Table, **load: Callable[[Any], Any]
    ) -> None:
        """`load` converts columns: to an enum, or from the JSON text that they store."""
        json_columns = [name for name, function in load.items() if not isinstance(function, type)]
        self.read = record_reader(record, table, **load)
        self.values = row_writer(table, **dict.fromkeys(json_columns, codec.dump))
        self._insert = Prepared(insert_row(table))
        self.insert_once = insert_once(table)
        self._put = insert_or_replace(table)
        self._table = table

    @cached_property
    def _key(self) -> Column[Any]:
        """The primary key. Raises ValueError if it has several columns."""
        (column,) = self._table.primary_key
        return column

    @cached_property
    def by_key(self) -> Prepared:
        """The SELECT of the row with the primary key `key`."""
        return Prepared(select(self._table).where(self._key == bindparam("key")))

    def add(self, connection: Connection, record: Record) -> None:
        """Store a new record."""
        self._insert.run(connection, self.values(record))

    def put(self, connection: Connection, record: Record) -> None:
        """Store a record, or replace the one with the same key, even if two calls run at once."""
        self._put.run(connection, self.values(record))

    def update(self, key: object, *conditions: ColumnElement[bool], **values: object) -> Update:
        """Return the UPDATE of the row with this key, if it meets the conditions."""
        return update(self._table).where(self._key == key, *conditions).values(values)
