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
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

Millis = BigInteger

Serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite only autoincrements INTEGER keys

ONE_TIME = {"one_time": True}
"""The `info` of a table with short-lived rows for one use; a restore deletes the rows."""

_TYPES: dict[str, TypeEngine[Any]] = {
    "": Text(),
    "int": Integer(),
    "big": BigInteger(),
    "bytes": LargeBinary(),
    "bool": Boolean(),
}


def columns(words: str) -> Iterator[Column[Any]]:
    """Yield columns from `name:type`; text if there is no type, and `?` if NULL is allowed."""
    for word in words.split():
        name, _, kind = word.rstrip("?").partition(":")
        yield Column(name, _TYPES[kind], nullable=word.endswith("?"))


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
"""A table with one row. It is empty in a backup, which is unusable before `sayso db restore`."""
