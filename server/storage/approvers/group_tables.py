"""The tables of groups of approvers; they share the metadata of `tables.py`."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from server.storage.tables import metadata

groups = Table(
    "groups",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
)
