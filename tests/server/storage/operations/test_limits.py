"""The rows that limits count, in both databases."""

from dataclasses import replace

import pytest

from server.model.audit import Entry
from server.model.operations import OpenRequest
from server.model.users import User
from server.storage.store import SqlStore
from tests.support.builders.clock import DAY, MINUTE, NOON
from tests.support.builders.installation import approval_row

AGENT = "sayso_ag_1"
ANN = User("sayso_us_ann", "ann", None, (), "enabled", NOON)


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("user code:", {"user code:a": 1, "user code:ä:_%": 2}),
        ("user codes:", {"user codes:b": 1}),
        ("device codes:", {"device codes:::1": 1}),
        ("device codes of:", {"device codes of:x": 1}),
        ("nothing:", {}),
    ],
)
def test_counters_are_found_by_key_prefix(
    store: SqlStore, prefix: str, expected: dict[str, int]
) -> None:
    """Keys are compared byte by byte, whatever the sort order of the database is."""
    keys = ("user code:a", "user code:ä:_%", "user code:ä:_%", "user codes:b", "user codes")
    others = ("device codes:::1", "device codes of:x", "Device codes:A", "usercode:y")
    with store.write() as tx:
        for key in (*keys, *others):
            tx.counters.count(key, MINUTE)
        tx.counters.count("user code:over", -MINUTE)
    with store.read() as view:
        assert {
            window.key: window.count for window in view.limits.list_windows(prefix, 10)
        } == expected
        assert len(view.limits.list_windows(prefix, 1)) == min(1, len(expected))


def test_rows_are_limited_and_ended_ones_are_left_out(store: SqlStore) -> None:
    """Pending requests, notifications, refusals and held-back requests are limited."""
    with store.write() as tx:
        tx.users.add(ANN)
        now = tx.now
        for number, life in enumerate((MINUTE, 2 * MINUTE, -MINUTE)):
            row = approval_row(f"sayso_ap_{number}", AGENT, ANN.id, now - DAY // 2)
            tx.approvals.add(
                replace(
                    row, auth_req_hash=f"{number}".encode(), expires_at=now + life, held_back=True
                )
            )
        for lane in ("medium", "urgent"):
            tx.notifications.add(ANN.id, AGENT, "pay", lane)
        for kind in ("approval.refused", "agent.paused", "agent.muted"):
            tx.audit.add(Entry(kind, "system", agent_id=AGENT, cause="open_per_agent"))
    with store.read() as view:
        rows = view.limits
        assert rows.open(10) == [OpenRequest(AGENT, ANN.id, "action")] * 2
        assert len(rows.open(1)) == 1
        assert {row.lane for row in rows.notifications(now - MINUTE, 10)} == {"medium", "urgent"}
        assert (len(rows.notifications(now - MINUTE, 1)), rows.notifications(now, 10)) == (1, [])
        refusals = rows.list_refusals(now - DAY, 10)
        assert {refusal.type for refusal in refusals} == {"approval.refused", "agent.paused"}
        assert (len(rows.list_refusals(now - DAY, 1)), rows.list_refusals(now + DAY, 10)) == (1, [])
        assert rows.held_back(now - DAY, 10) == [ANN.id] * 3
        assert (rows.held_back(now - DAY, 2), rows.held_back(now, 10)) == ([ANN.id] * 2, [])
