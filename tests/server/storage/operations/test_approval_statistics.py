"""Requests as statistics read them, newest or first to end, in both databases."""

from dataclasses import replace

from server.model.users import User
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.storage.store import SqlStore
from tests.support.builders.clock import DAY, NOON
from tests.support.builders.installation import approval_row

AGENT, OTHER = "sayso_ag_1", "sayso_ag_2"
ANN, BOB = (User(f"sayso_us_{name}", name, None, (), "enabled", NOON) for name in ("ann", "bob"))


def test_requests_of_one_agent_to_one_user_are_found_newest_first(store: SqlStore) -> None:
    """The search has a start time and a limit."""
    with store.write() as tx:
        for user in (ANN, BOB):
            tx.users.add(user)
        rows = ((AGENT, ANN, 0), (AGENT, ANN, 1), (AGENT, ANN, 9), (AGENT, BOB, 0), (OTHER, ANN, 0))
        for number, (agent, user, days) in enumerate(rows):
            row = approval_row(f"sayso_ap_{number}", agent, user.id, NOON - days * DAY)
            tx.approvals.add(replace(row, state=State.DENIED))
    with store.read() as view:
        found = view.approval_statistics.asked(AGENT, ANN.id, NOON - 5 * DAY, 10)
        one = view.approval_statistics.asked(AGENT, ANN.id, 0, 1)
    assert [trace.created_at for trace in found] == [NOON, NOON - DAY]
    assert {(trace.agent_id, trace.user_id, trace.approved) for trace in found} == {
        (AGENT, ANN.id, False)
    }
    assert [trace.created_at for trace in one] == [NOON]


def test_requests_of_one_agent_are_found_newest_first(store: SqlStore) -> None:
    """The search has a start time and a limit; a request to an unknown user is left out."""
    with store.write() as tx:
        for user in (ANN, BOB):
            tx.users.add(user)
        rows = ((AGENT, ANN.id, 2), (AGENT, BOB.id, 1), (AGENT, None, 0), (OTHER, ANN.id, 0))
        for number, (agent, user_id, days) in enumerate(rows):
            row = approval_row(f"sayso_ap_{number}", agent, ANN.id, NOON - days * DAY)
            tx.approvals.add(replace(row, user_id=user_id))
    with store.read() as view:
        found = view.approval_statistics.of_agent(AGENT, NOON - 5 * DAY, 10)
        one = view.approval_statistics.of_agent(AGENT, NOON - 5 * DAY, 1)
        late = view.approval_statistics.of_agent(AGENT, NOON, 10)
    assert [trace.user_id for trace in found] == [BOB.id, ANN.id]
    assert [trace.user_id for trace in one] == [BOB.id]
    assert late == []


def test_pending_requests_are_found_by_their_end(store: SqlStore) -> None:
    """Decided and expired ones, and those without a user, are left out."""
    with store.write() as tx:
        tx.users.add(ANN)
        row = approval_row("sayso_ap_0", AGENT, ANN.id, NOON)
        kinds = (
            {"expires_at": NOON + 9, "risk": Risk.LOW},
            {"expires_at": NOON + 3, "risk": Risk.HIGH},
            {"expires_at": NOON + 5, "state": State.APPROVED},
            {"expires_at": NOON},
            {"expires_at": NOON + 5, "user_id": None},
        )
        for number, members in enumerate(kinds):
            handle = f"handle {number}".encode()
            own = {"id": f"sayso_ap_{number}", "auth_req_hash": handle, **members}
            tx.approvals.add(replace(row, **own))
    with store.read() as view:
        found = view.approval_statistics.waiting(NOON, 10)
        one = view.approval_statistics.waiting(NOON, 1)
    assert [(each.risk, each.expires_at) for each in found] == [
        (Risk.HIGH, NOON + 3),
        (Risk.LOW, NOON + 9),
    ]
    assert one == found[:1]
