"""The queries of the statistics, on SQLite and PostgreSQL."""

from dataclasses import replace

from server.model.operations import ENDS_WITHIN_MS
from server.model.users import User
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.storage.store import SqlStore
from tests.support.builders.clock import DAY, NOON
from tests.support.builders.installation import approval_row

AGENT, OTHER = "sayso_ag_1", "sayso_ag_2"
ANN, BOB = (User(f"sayso_us_{name}", name, None, (), "enabled", NOON) for name in ("ann", "bob"))


def test_requests_of_one_agent_to_one_user_are_found_newest_first(store: SqlStore) -> None:
    """The query has a start time and a limit."""
    with store.write() as tx:
        for user in (ANN, BOB):
            tx.users.add(user)
        rows = ((AGENT, ANN, 0), (AGENT, ANN, 1), (AGENT, ANN, 9), (AGENT, BOB, 0), (OTHER, ANN, 0))
        for number, (agent, user, days) in enumerate(rows):
            row = approval_row(f"sayso_ap_{number}", agent, user.id, NOON - days * DAY)
            tx.approvals.add(replace(row, state=State.DENIED))
    with store.read() as view:
        recent = view.approval_statistics.recent_requests(AGENT, ANN.id, NOON - 5 * DAY, 10)
        limited = view.approval_statistics.recent_requests(AGENT, ANN.id, 0, 1)
    assert [row.created_at for row in recent] == [NOON, NOON - DAY]
    assert {(row.agent_id, row.user_id, row.approved) for row in recent} == {(AGENT, ANN.id, False)}
    assert [row.created_at for row in limited] == [NOON]


def test_requests_of_one_agent_are_found_newest_first(store: SqlStore) -> None:
    """The query has a start time and a limit. Requests to unknown users are left out."""
    with store.write() as tx:
        for user in (ANN, BOB):
            tx.users.add(user)
        rows = ((AGENT, ANN.id, 2), (AGENT, BOB.id, 1), (AGENT, None, 0), (OTHER, ANN.id, 0))
        for number, (agent, user_id, days) in enumerate(rows):
            row = approval_row(f"sayso_ap_{number}", agent, ANN.id, NOON - days * DAY)
            tx.approvals.add(replace(row, user_id=user_id))
    with store.read() as view:
        recent = view.approval_statistics.of_agent(AGENT, NOON - 5 * DAY, 10)
        limited = view.approval_statistics.of_agent(AGENT, NOON - 5 * DAY, 1)
        late = view.approval_statistics.of_agent(AGENT, NOON, 10)
    assert [row.user_id for row in recent] == [BOB.id, ANN.id]
    assert [row.user_id for row in limited] == [BOB.id]
    assert late == []


def test_pending_requests_are_counted_by_time_left_and_risk(store: SqlStore) -> None:
    """Expired requests and those without a user do not count. A limit omits the last to expire."""
    with store.write() as tx:
        tx.users.add(ANN)
        row = approval_row("sayso_ap_0", AGENT, ANN.id, NOON)
        kinds = (
            {"expires_at": NOON + DAY, "risk": Risk.LOW},
            {"expires_at": NOON + 60_001, "risk": Risk.LOW},
            {"expires_at": NOON + 60_000, "risk": Risk.HIGH},
            {"expires_at": NOON + 3, "risk": Risk.HIGH},
            {"expires_at": NOON + 5, "state": State.APPROVED},
            {"expires_at": NOON},
            {"expires_at": NOON + 5, "user_id": None},
        )
        for number, kind in enumerate(kinds):
            handle = f"handle {number}".encode()
            members = {"id": f"sayso_ap_{number}", "auth_req_hash": handle, **kind}
            tx.approvals.add(replace(row, **members))
    with store.read() as view:
        pending = view.approval_statistics.ending(NOON, 10)
        limited = view.approval_statistics.ending(NOON, 3)
    counted = {row.within_ms: row.by_risk for row in pending if row.by_risk}
    assert [row.within_ms for row in pending] == list(ENDS_WITHIN_MS)
    assert counted == {60_000: {Risk.HIGH: 2}, 300_000: {Risk.LOW: 1}, None: {Risk.LOW: 1}}
    assert [row.by_risk for row in limited] == [*(row.by_risk for row in pending[:-1]), {}]
