"""The metadata of tables, helpers for defining them, and the installation's table.

Each capability defines its tables in its own `tables.py`; `all_tables` imports all of them. Times
are milliseconds; lists and maps are JSON text.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

ONE_TIME = {"one_time": True}
"""The `info` of a table with short-lived rows for one use; a restore deletes the rows."""

_TYPES: dict[str, TypeEngine[Any]] = {
    "int": Integer(),
    "big": BigInteger(),
    "bytes": LargeBinary(),
    "bool": Boolean(),
    "serial": BigInteger().with_variant(Integer, "sqlite"),  # SQLite needs INTEGER here
}

_TRAITS = frozenset({"key", "unique", "index", "cascade"})


def columns(words: str) -> Iterator[Column[Any]]:
    """Yield columns from words such as `agent_id:agents.id:cascade:index`: a name and its traits.

    Traits are a type (text if there is none), `key`, `unique`, `index`, the column that it refers
    to, and `cascade`: the row is deleted with the row that it refers to. `?` allows NULL. Raises
    ValueError for any other trait.
    """
    for word in words.split():
        name, *traits = word.rstrip("?").split(":")
        if any("." not in trait and trait not in _TRAITS | _TYPES.keys() for trait in traits):
            raise ValueError(f"{word} has an unknown trait.")
        kind = next((_TYPES[trait] for trait in traits if trait in _TYPES), Text())
        on_delete = "CASCADE" if "cascade" in traits else None
        references = [ForeignKey(trait, ondelete=on_delete) for trait in traits if "." in trait]
        yield Column(
            name,
            kind,
            *references,
            primary_key="key" in traits or "serial" in traits,
            autoincrement="serial" in traits,
            unique="unique" in traits or None,
            index="index" in traits or None,
            nullable=word.endswith("?"),
        )


def define_table(name: str, words: str, *indexes: SchemaItem, **options: Any) -> Table:  # noqa: ANN401  # options of SQLAlchemy
    """Define a table with these columns, indexes and options."""
    return Table(name, metadata, *columns(words), *indexes, **options)


def partial_index(name: str, *columns: str, condition: str) -> Index:
    """Return a partial index, which does not slow down changes to other rows.

    The condition is only informative. The migrations create the index, and a real condition would
    load both dialects.
    """
    return Index(name, *columns, info={"where": condition})


installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True),
    *columns("admin_version:big created_at:big epoch restored_at:big?"),
)
"""A table with one row. It is empty in a backup, which is unusable until `sayso db restore`."""
