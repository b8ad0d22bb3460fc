"""The metadata of tables, what they are made of, and the table of the installation.

Each capability has its tables in its own `tables.py`; `all_tables` has all of them. Times are
milliseconds; lists and maps are JSON text.
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
"""The `info` of a table whose rows are used once, soon; a restore deletes them."""

_TYPES: dict[str, TypeEngine[Any]] = {
    "": Text(),
    "int": Integer(),
    "big": BigInteger(),
    "bytes": LargeBinary(),
    "bool": Boolean(),
}


def columns(words: str) -> Iterator[Column[Any]]:
    """Columns as `name:type`; a text without a type, and `?` where NULL is allowed."""
    for word in words.split():
        name, _, kind = word.rstrip("?").partition(":")
        yield Column(name, _TYPES[kind], nullable=word.endswith("?"))


def partial_index(name: str, *columns: str, those: str) -> Index:
    """A partial index, which costs nothing for changes of other rows.

    Its condition is a note: the migrations create it, and as an option it would load both dialects.
    """
    return Index(name, *columns, info={"where": those})


installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True),
    *columns("admin_version:big created_at:big epoch restored_at:big?"),
)
"""One row. A backup has none, so it cannot be used before `sayso db restore`."""
