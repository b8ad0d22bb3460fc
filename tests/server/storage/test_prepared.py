"""What is compiled once: the same answers on both databases, and the indexes that are meant."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from server.services.records import Decision, Session
from server.storage import approvals
from server.storage.prepared import Prepared, adding, reading
from server.storage.tables import counters, decisions, outbox, sessions


def _compiled(statement: Prepared) -> tuple[str, dict[str, object]]:
    text, fixed = statement._compiled
    return text, dict(fixed)


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (approvals._BY_HANDLE, "sqlite_autoindex_approvals"),
        (approvals._OPEN_OF_USER, "ix_approvals_waiting"),
        (approvals._OPEN_OF_AGENT, "ix_approvals_open"),
        (approvals._OPEN_OF_BOTH, "ix_approvals_open"),
        (approvals._ASKED, "ix_approvals_asked"),
        (approvals._DENIALS, "ix_approvals_denied"),
        (approvals._WAITING, "ix_approvals_waiting"),
        (approvals._WAITING_AFTER, "ix_approvals_waiting"),
        (approvals._DECIDED, "ix_approvals_decided"),
        (approvals._DECIDED_BEFORE, "ix_approvals_decided"),
        (approvals._DUE, "ix_approvals_due"),
        (approvals._OPEN_BY_AGENT, "ix_approvals_open"),
        (approvals._OPEN_FOR_USER, "ix_approvals_due"),
        (approvals._AT_RESOURCE, "ix_approvals_due"),
    ],
)
def test_what_is_asked_often_is_answered_from_its_index(
    sqlite_template: Path, statement: Prepared, index: str
) -> None:
    """A partial index is used only when the statement says its condition word for word."""
    text, fixed = _compiled(statement)
    connection = sqlite3.connect(sqlite_template)
    names = {name.rstrip(",)") for name in text.replace("(", " ").split() if name[0] == ":"}
    values = {name[1:]: None for name in names} | fixed
    plan = connection.execute(f"EXPLAIN QUERY PLAN {text}", values).fetchall()
    connection.close()
    told = " / ".join(row[3] for row in plan)
    assert index in told
    assert "SCAN approvals" not in told.replace(f"SCAN approvals USING INDEX {index}", "")


def test_a_row_is_added_whole_without_what_the_database_numbers() -> None:
    """Forgetting a member would store NULL in its place."""
    assert "id" not in adding(outbox).compile().params
    assert set(adding(counters).compile().params) == set(counters.c.keys())


def test_values_that_stand_in_a_statement_need_not_be_given() -> None:
    """A value of None in the statement is a value."""
    statement = Prepared(
        sa.update(outbox).where(outbox.c.id == sa.bindparam("of")).values(lease_by=None, state="x")
    )
    found = _compiled(statement)[1]
    assert (found["lease_by"], found["state"]) == (None, "x")
    assert "of" not in found


def test_members_are_found_by_name_whatever_their_order() -> None:
    """A table and its record may be written in different orders."""
    row = tuple(name for name in decisions.c.keys())  # noqa: SIM118
    read = reading(Decision, decisions)
    made = read(row)
    assert (made.approval_id, made.jws, made.at) == ("approval_id", "jws", "at")


def test_truth_values_are_read_as_such() -> None:
    """SQLite keeps them as numbers."""
    row = [0] * len(sessions.c)
    assert reading(Session, sessions)(row).first is False
