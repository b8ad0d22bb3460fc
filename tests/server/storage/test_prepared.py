"""Prepared statements use the intended indexes and map values correctly."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from server.model.approvals import Decision
from server.model.devices import Passkey
from server.storage.approvals import approvals, waiting
from server.storage.approvals.tables import decisions
from server.storage.devices.tables import passkeys
from server.storage.notifications.tables import outbox
from server.storage.operations import approval_statistics
from server.storage.operations.tables import counters
from server.storage.prepared import Prepared, RecordTable, insert_row, record_reader
from tests.support.checks import query_plans


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (approvals._BY_HANDLE, "sqlite_autoindex_approvals"),
        (approvals._PENDING_COUNT[False, True][False], "ix_approvals_waiting"),
        (approvals._PENDING_COUNT[True, False][False], "ix_approvals_open"),
        (approvals._PENDING_COUNT[True, True][False], "ix_approvals_open"),
        (approvals._HAS_REQUESTED, "ix_approvals_asked"),
        (approval_statistics._BETWEEN, "ix_approvals_asked"),
        (approvals._DENIALS, "ix_approvals_denied"),
        (approvals._DENIALS_BY_ALL, "ix_approvals_denied"),
        (waiting.WAITING[0], "ix_approvals_waiting"),
        (waiting.OPEN[0], "ix_approvals_waiting"),
        (waiting.COUNTS[0], "ix_approvals_waiting"),
        (approvals._DECIDED, "ix_approvals_decided"),
        (approvals._DECIDED_BEFORE, "ix_approvals_decided"),
        (waiting.WAITING[1], "ix_approvers_waiting"),
        (waiting.OPEN[1], "ix_approvers_waiting"),
        (waiting.VOTED[0], "ix_approvers_waiting"),
        (waiting.COUNTS[1], "ix_approvers_waiting"),
        (approvals._OPEN_BY_CALLER, "ix_approvals_called"),
        (waiting.DECIDED_FOR_APPROVER, "ix_approvers_over"),
        (waiting.DECIDED_FOR_APPROVER_BEFORE, "ix_approvers_over"),
        (approvals._OVERDUE, "ix_approvals_due"),
        (approvals._OPEN_BY_AGENT, "ix_approvals_open"),
        (approvals._OPEN_FOR_USER, "ix_approvals_open_user"),
        (approvals._AT_RESOURCE, "ix_approvals_open_resource"),
    ],
)
def test_a_frequent_query_uses_its_index(
    sqlite_template: Path, statement: Prepared, index: str
) -> None:
    """A partial index is used only if the statement repeats its condition exactly."""
    with closing(sqlite3.connect(sqlite_template)) as connection:
        plan = query_plans.query_plan(connection, statement)
    assert index in plan
    assert "B-TREE FOR ORDER BY" not in plan
    assert "SCAN approvals" not in plan.replace(f"SCAN approvals USING INDEX {index}", "")


def test_an_insert_has_every_column_except_generated_ones() -> None:
    """A forgotten member would be stored as NULL."""
    assert "id" not in insert_row(outbox).compile().params
    assert set(insert_row(counters).compile().params) == set(counters.c.keys())


def test_values_inside_a_statement_do_not_have_to_be_passed() -> None:
    """A None in the statement is also a value."""
    statement = Prepared(
        sa.update(outbox)
        .where(outbox.c.id == sa.bindparam("message"))
        .values(lease_by=None, state="x")
    )
    _, to_positional = statement._compiled
    assert list(to_positional({"message": "this one"})) == ["x", None, "this one"]


def test_columns_are_mapped_by_name() -> None:
    """A table and its record may have their columns in different orders."""
    row = tuple(column.key for column in decisions.c)
    read = record_reader(Decision, decisions)
    decision = read(row)
    assert (decision.approval_id, decision.jws, decision.at) == ("approval_id", "jws", "at")


def test_booleans_are_read_as_booleans() -> None:
    """SQLite stores them as numbers."""
    row = [0] * len(passkeys.c)
    assert record_reader(Passkey, passkeys)(row).synced is False


def test_a_row_is_found_by_its_key_only_if_the_key_is_one_column() -> None:
    """Otherwise the first of several rows would be returned or changed."""
    table = RecordTable(Decision, decisions)
    with pytest.raises(ValueError, match="too many values"):
        table.update("sayso_ap_a", note="x")
    with pytest.raises(ValueError, match="too many values"):
        assert table.by_key
