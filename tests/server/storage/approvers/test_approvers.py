"""Additional eligible approvers of a request, in the database."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from server.model.approvals import Approval, Approver
from server.model.users import User
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.storage.store import SqlStore
from tests.support.builders.clock import MINUTE, NOON
from tests.support.builders.installation import approval_row

ANN, BOB = "sayso_us_ann", "sayso_us_bob"
_numbers = itertools.count()


@pytest.fixture
def people(store: SqlStore) -> SqlStore:
    """A store with the users Ann and Bob."""
    with store.administer() as tx:
        for name in ("ann", "bob"):
            tx.users.add(User(f"sayso_us_{name}", name, None, (), "enabled", NOON))
    return store


def _new_request(store: SqlStore, **members: Any) -> Approval:
    """A request for Ann."""
    name = f"sayso_ap_{next(_numbers):03}"
    row = replace(approval_row(name, "sayso_ag_bot", ANN, NOON), **members)
    with store.write() as tx:
        tx.approvals.add(row)
    return row


def _row(approval: Approval, user_id: str = BOB) -> Approver:
    return Approver(approval.id, user_id, "group", NOON, approval.expires_at, approval.risk)


def _add_approver(store: SqlStore, approval: Approval, user_id: str = BOB) -> bool:
    with store.write() as tx:
        return tx.approvers.add(_row(approval, user_id))


def _pending_ids(store: SqlStore, user_id: str, limit: int = 9, after: Any = None) -> list[str]:
    with store.read() as view:
        return [approval.id for approval in view.approvals.waiting(user_id, NOON, limit, after)]


def _decided_ids(store: SqlStore, user_id: str, limit: int = 9, before: Any = None) -> list[str]:
    with store.read() as view:
        return [approval.id for approval in view.approvals.list_decided(user_id, limit, before)]


def test_a_request_is_listed_for_each_eligible_approver(people: SqlStore) -> None:
    """No other user sees the request, and the approver's row is stored unchanged."""
    request = _new_request(people)
    assert _pending_ids(people, BOB) == []
    assert _add_approver(people, request)
    with people.read() as view:
        stored = view.approvals.get(request.id)
        assert view.approvers.find(request.id, BOB) == _row(request)
        assert view.approvers.of_approval(request.id) == [_row(request)]

    assert stored is not None
    assert stored.multi_approver
    assert _pending_ids(people, BOB) == _pending_ids(people, ANN) == [request.id]
    assert _pending_ids(people, "sayso_us_eve") == []


def test_the_requests_own_user_lists_it_once_despite_an_approver_row(people: SqlStore) -> None:
    """The request's own user has an approver row if they may not approve alone."""
    request = _new_request(people)
    assert _add_approver(people, request, ANN)
    assert _pending_ids(people, ANN) == [request.id]


def test_the_requests_own_user_needs_no_approver_row(people: SqlStore) -> None:
    """A stored row replaces theirs, for example one that says they may not approve."""
    request = _new_request(people)
    own = Approver(request.id, ANN, "asked", NOON, request.expires_at, request.risk)
    with people.write() as tx:
        assert tx.approvers.find_for(request, ANN) == own
        assert tx.approvers.find_for(request, BOB) is None
        stored = replace(own, approves=False)
        assert tx.approvers.add(stored)
        shared = replace(request, multi_approver=True)
        assert tx.approvers.find_for(shared, ANN) == stored
        assert tx.approvers.find_for(shared, BOB) is None


@pytest.mark.parametrize("target", [State.APPROVED, State.DENIED, State.CANCELLED, State.EXPIRED])
def test_a_final_request_is_decided_for_every_approver(people: SqlStore, target: State) -> None:
    """The request moves to each approver's list of decided requests, in any final state."""
    request = _new_request(people)
    _add_approver(people, request)
    now = request.expires_at + 1 if target is State.EXPIRED else NOON + MINUTE
    with people.write() as tx:
        assert tx.approvals.transition(request, target, now=now) is not None
    with people.read() as view:
        approver = view.approvers.find(request.id, BOB)

    assert approver is not None
    assert approver.over_at == now
    assert _pending_ids(people, BOB) == []
    assert _decided_ids(people, BOB) == _decided_ids(people, ANN) == [request.id]


def test_the_time_of_the_first_decision_is_kept(people: SqlStore) -> None:
    """A later cancellation does not change the time of the decision."""
    request = _new_request(people)
    _add_approver(people, request)
    with people.write() as tx:
        tx.approvals.transition(request, State.APPROVED, now=NOON + 1)
        tx.approvals.transition(request, State.CANCELLED, now=NOON + 2)
    with people.read() as view:
        approver = view.approvers.find(request.id, BOB)

    assert approver is not None
    assert approver.over_at == NOON + 1


@pytest.mark.parametrize("state", [state for state in State if state is not State.PENDING])
def test_no_approver_is_added_to_a_request_that_is_not_pending(
    people: SqlStore, state: State
) -> None:
    """Otherwise, the approver's list would show the request forever."""
    request = _new_request(people, state=state)
    assert not _add_approver(people, request)
    assert not _add_approver(people, replace(request, id="sayso_ap_none"))
    assert _pending_ids(people, BOB) == []


def test_an_approver_is_added_once(people: SqlStore) -> None:
    """Adding an approver again changes nothing, even concurrently."""
    for _ in range(5):
        request = _new_request(people)
        with ThreadPoolExecutor(2) as threads:
            attempts = [threads.submit(_add_approver, people, request) for _ in range(2)]
            assert sorted(attempt.result() for attempt in attempts) == [False, True]


def test_own_and_shared_requests_form_one_list(people: SqlStore) -> None:
    """Bob's list has his own requests and those of Ann that he may decide, by expiry."""
    rows = [
        _new_request(people, user_id=BOB if n % 2 else ANN, expires_at=NOON + n)
        for n in range(1, 7)
    ]
    for row in rows:
        if row.user_id == ANN:
            _add_approver(people, row)
    all_ids = [row.id for row in rows]
    first = _pending_ids(people, BOB, 4)
    with people.read() as view:
        count = view.approvals.waiting_count(BOB, NOON)
    rest = _pending_ids(people, BOB, 4, (rows[3].sort_key, rows[3].id))
    with people.write() as tx:
        for row in rows:
            tx.approvals.transition(row, State.DENIED, now=NOON - len(rows) + rows.index(row))
    newest = _decided_ids(people, BOB, 4)

    assert count == len(rows)
    assert (first, rest) == (all_ids[:4], all_ids[4:])
    assert newest == all_ids[:1:-1]
    assert _decided_ids(people, BOB, 4, (NOON - 4, rows[2].id)) == all_ids[1::-1]


def test_a_high_risk_request_that_expires_late_is_listed_first(people: SqlStore) -> None:
    """The list has requests to Bob and requests to Ann that are shared with him."""
    soon = [
        _new_request(people, user_id=BOB, expires_at=NOON + n, risk=Risk.LOW) for n in range(1, 4)
    ]
    own = _new_request(people, user_id=BOB, expires_at=NOON + 9, risk=Risk.HIGH)
    others = _new_request(people, expires_at=NOON + 8, risk=Risk.CRITICAL)
    _add_approver(people, others)
    assert _pending_ids(people, BOB, 3) == [others.id, own.id, soon[0].id]
    assert _pending_ids(people, BOB, 3, (soon[0].sort_key, soon[0].id)) == [
        row.id for row in soon[1:]
    ]
