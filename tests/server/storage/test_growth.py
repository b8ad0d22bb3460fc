"""Lists and mass revocations use an index, so their cost does not grow with the table.

The times with 400,000 requests are measured by `tests.bench.growth`.
"""

from collections.abc import Callable, Iterator

import pytest

from server.crypto.secrets import EntryIdGenerator
from server.model.store import Unit
from server.protocol.approvals.states import State
from server.services.reactions import react
from server.storage.open import open_store
from server.storage.store import SqlStore
from server.storage.writer import sqlite_connection
from tests.support.builders.clock import NOON, MovableClock

_CASES: dict[str, tuple[Callable[[Unit], object], str]] = {
    "the newest pending requests": (
        lambda tx: tx.approvals.search(
            state=State.PENDING, agent_id=None, user_id=None, limit=10, before=(NOON, "x")
        ),
        "USING INDEX ix_approvals_open_made",
    ),
    "the pending requests that expire first": (
        lambda tx: tx.approval_statistics.ending(NOON, 10),
        "USING INDEX ix_approvals_due (expires_at>?)",
    ),
    "the open requests of a user": (
        lambda tx: tx.approvals.open_of_user("x"),
        "USING INDEX ix_approvals_open_user (user_id=? AND state=?)",
    ),
    "the open requests at a resource": (
        lambda tx: tx.approvals.open_at_resource("x"),
        "USING INDEX ix_approvals_open_resource (resource=?)",
    ),
    "the pending requests of an agent to a user": (
        lambda tx: tx.approvals.open_count("x", "y", NOON),
        "USING INDEX ix_approvals_open (agent_id=? AND user_id=?)",
    ),
    "voiding the votes of a user": (
        lambda tx: tx.decisions.void_pending_of("x", NOON),
        "USING INDEX ix_approvers_waiting (user_id=?)",
    ),
    "the valid tokens": (
        lambda tx: tx.delegations.search(
            client_id=None, user_id=None, resource=None, live_at=NOON, limit=10
        ),
        "USING INDEX ix_delegations_expiry (expires_at>?)",
    ),
    "all tokens": (
        lambda tx: tx.delegations.search(
            client_id=None, user_id=None, resource=None, live_at=None, limit=10
        ),
        "USING INDEX ix_delegations_issued",
    ),
    "revoking the tokens of a resource": (
        lambda tx: tx.delegations.revoke_resource("x", NOON),
        "USING INDEX ix_delegations_expiry (expires_at>?)",
    ),
}


@pytest.mark.parametrize(("run", "index"), _CASES.values(), ids=_CASES)
def test_a_statement_uses_its_index(
    sqlite_store: SqlStore, run: Callable[[Unit], object], index: str
) -> None:
    """Without the index, the statement would read every row of the table or sort many rows."""
    statements: list[str] = []
    with sqlite_store.write() as tx:
        connection = sqlite_connection(tx._connection)
        connection.set_trace_callback(statements.append)
        run(tx)
        connection.set_trace_callback(None)
        plans = [
            " / ".join(step[3] for step in connection.execute(f"EXPLAIN QUERY PLAN {statement}"))
            for statement in statements
        ]
    assert [plan for plan in plans if index in plan], plans
    assert all("USING" in plan for plan in plans), plans


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[SqlStore]:
    """A store on SQLite, whose query plans can be read."""
    store = open_store(sqlite_url, MovableClock(), EntryIdGenerator().new, react, serving=False)
    yield store
    store.close()
