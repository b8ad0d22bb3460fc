"""Requests as statistics see them, the newest or the first to end, on both databases."""

from dataclasses import replace

from server.model.users import User
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.storage.store import SqlStore
from tests.support.builders.clock import DAY, NOON
from tests.support.builders.installation import approval_row

AGENT, OTHER = "sayso_ag_1", "sayso_ag_2"
ANN, BOB = (User(f"sayso_us_{name}", name, None, (), "enabled", NOON) for name in ("ann", "bob"))


def test_what_one_agent_asked_of_one_person_is_found_newest_first(store: SqlStore) -> None:
    """Of nobody else, from a moment on, and no more than wanted."""
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


def test_what_one_agent_asked_of_anybody_is_found_newest_first(store: SqlStore) -> None:
    """From a moment on, and no more than wanted; a request for nobody is nothing of anybody's."""
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


def test_those_that_wait_are_found_the_first_to_end_first(store: SqlStore) -> None:
    """What is answered, over or nobody's does not wait."""
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
