"""The database makes exactly the transitions in the state table, and only in time."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from server.model.approvals import Approval, Decision
from server.model.users import User
from server.protocol.approvals.states import REDEMPTION_GRACE_MS, TRANSITIONS, State, origins
from server.protocol.policy.risks import Risk
from server.storage.store import SqlStore
from tests.support.builders.clock import DAY, MINUTE, NOON
from tests.support.builders.installation import approval_row

END = NOON + 10 * MINUTE
_TARGETS = sorted(target for target in State if origins(target))
_numbers = itertools.count()

Opener = Callable[[str], SqlStore]


def _row(**members: Any) -> Approval:
    name = f"sayso_ap_{next(_numbers)}"
    return replace(approval_row(name, "sayso_ag_bot", "sayso_us_ann", NOON), **members)


def _add(store: SqlStore, **members: Any) -> Approval:
    approval = _row(**members)
    with store.write() as tx:
        tx.approvals.add(approval)
    return approval


def _move(store: SqlStore, approval: Approval, target: State, now: int) -> Approval | None:
    with store.write() as tx:
        return tx.approvals.transition(approval, target, now=now, reason="because")


def _get(store: SqlStore, approval: Approval) -> Approval | None:
    with store.read() as view:
        return view.approvals.get(approval.id)


def _deadline(state: State) -> int:
    return END + (REDEMPTION_GRACE_MS if state is State.APPROVED else 0)


@pytest.mark.parametrize("target", _TARGETS)
@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("late", [-1, 0, 1], ids=["before", "at", "after"])
def test_a_transition_happens_when_the_table_and_the_clock_allow_it(
    store: SqlStore, state: State, target: State, late: int
) -> None:
    """All states and targets are tried near the deadline. A refused transition changes nothing."""
    approval = _add(store, state=state)
    now = _deadline(state) + late
    in_time = late < 0
    allowed = target in TRANSITIONS[state] and in_time == (target is not State.EXPIRED)
    result = _move(store, approval, target, now)

    assert (result is not None) == allowed
    if allowed:
        after = replace(approval, state=target, reason="because", decided_at=now)
        assert result == after == _get(store, approval)
    else:
        assert _get(store, approval) == approval


def test_an_unknown_approval_has_no_transition(store: SqlStore) -> None:
    """The transition of an unknown approval returns None."""
    assert _move(store, _row(), State.APPROVED, NOON) is None


def test_the_first_decision_time_is_kept(store: SqlStore) -> None:
    """Redemption does not change the time of the decision."""
    approval = _add(store)
    _move(store, approval, State.APPROVED, NOON + 1)
    redeemed = _move(store, approval, State.REDEEMED, NOON + 2)

    assert redeemed is not None
    assert redeemed.decided_at == NOON + 1


def test_one_of_many_concurrent_transitions_wins(
    store: SqlStore, url: str, open_database: Opener
) -> None:
    """Two processes with eight threads approve and deny; the losing transitions change nothing."""
    stores = [store, open_database(url)]
    targets = [State.APPROVED, State.DENIED] * 4
    for _ in range(10):
        approval = _add(store)
        with ThreadPoolExecutor(8) as threads:
            attempts = [
                threads.submit(_move, stores[number % 2], approval, target, NOON)
                for number, target in enumerate(targets)
            ]
        winners = [result for attempt in attempts if (result := attempt.result(10)) is not None]

        assert len(winners) == 1
        assert _get(store, approval) == winners[0]


def test_an_approval_is_found_by_handle_and_by_idempotency_key(store: SqlStore) -> None:
    """The hash must match exactly, and an idempotency key applies only to its own agent."""
    approval = _add(store, auth_req_hash=b"handle", idempotency_hash=b"key")
    with store.read() as view:
        rows = view.approvals
        assert rows.by_handle(b"handle") == approval
        assert rows.by_handle(b"handl") is None
        assert rows.by_idempotency("sayso_ag_bot", b"key") == approval
        assert rows.by_idempotency("sayso_ag_other", b"key") is None


def test_pending_requests_are_counted_per_agent_and_per_user(store: SqlStore) -> None:
    """Decided and expired requests are not counted."""
    _add(store)
    _add(store, agent_id="sayso_ag_other")
    _add(store, user_id="sayso_us_bob")
    _add(store, state=State.DENIED)
    _add(store, expires_at=NOON + 1)
    with store.read() as view:
        count = view.approvals.open_count
        assert count("sayso_ag_bot", "sayso_us_ann", NOON) == 2
        assert count("sayso_ag_bot", "sayso_us_ann", NOON + 1) == 1
        assert count(None, "sayso_us_ann", NOON + 1) == 2


def test_pages_list_each_pending_request_once(store: SqlStore) -> None:
    """The order is highest risk, then soonest expiry, then ID. Other users' are not listed."""
    ends = [3, 1, 2, 2, 2, 1]
    risks = [Risk.LOW, Risk.CRITICAL, Risk.HIGH, Risk.LOW, Risk.LOW, Risk.MEDIUM]
    approvals = [
        _add(store, expires_at=END + end, risk=risk) for end, risk in zip(ends, risks, strict=True)
    ]
    _add(store, user_id="sayso_us_bob")
    _add(store, expires_at=NOON)
    expected = sorted(approvals, key=lambda a: (-a.risk.rank, a.expires_at, a.id))
    pages, after = [], None
    with store.read() as view:
        while page := view.approvals.waiting("sayso_us_ann", NOON, 2, after):
            pages.append(page)
            after = (page[-1].sort_key, page[-1].id)
        assert view.approvals.waiting_count("sayso_us_ann", NOON) == 6

    assert [len(page) for page in pages] == [2, 2, 2]
    assert [approval for page in pages for approval in page] == expected


def test_pages_list_each_decided_request_once(store: SqlStore) -> None:
    """The newest decision comes first, and no request is repeated or missing."""
    approvals = [_add(store, state=State.DENIED, decided_at=NOON + at) for at in [3, 1, 2, 2, 2]]
    _add(store)
    expected = sorted(approvals, key=lambda a: (a.decided_at or 0, a.id), reverse=True)
    listed: list[Approval] = []
    before = None
    with store.read() as view:
        while page := view.approvals.list_decided("sayso_us_ann", 2, before):
            listed += page
            before = (page[-1].decided_at or 0, page[-1].id)

    assert listed == expected


def test_search_returns_what_matches_every_filter(store: SqlStore) -> None:
    """The filters are state, agent and user. The newest approvals come first."""
    old = _add(store, created_at=NOON)
    new = _add(store, created_at=NOON + 1)
    denied = _add(store, state=State.DENIED, created_at=NOON + 2, agent_id="sayso_ag_other")

    def search(limit: int = 10, **members: Any) -> list[Approval]:
        filters = {"state": None, "agent_id": None, "user_id": None, **members}
        with store.read() as view:
            return view.approvals.search(limit=limit, **filters)

    assert search() == [denied, new, old]
    assert search(limit=1) == [denied]
    assert search(state=State.PENDING) == [new, old]
    assert search(agent_id="sayso_ag_other") == [denied]
    assert search(user_id="sayso_us_bob") == []


def test_poll_pacing_is_stored_for_pending_requests_only(store: SqlStore) -> None:
    """A poll for a decided request stores nothing."""
    pending, approved = _add(store), _add(store, state=State.APPROVED)
    with store.write() as tx:
        for approval in (pending, approved):
            tx.approvals.record_poll(approval.id, now=NOON + 5, interval_ms=10_000, holder="h")

    assert _get(store, pending) == replace(
        pending, last_poll_at=NOON + 5, interval_ms=10_000, holder="h", polls=1
    )
    assert _get(store, approved) == approved


def test_only_the_first_view_is_recorded(store: SqlStore) -> None:
    """A second view does not change the time of the first one."""
    approval = _add(store)
    with store.write() as tx:
        assert tx.approvals.mark_seen(approval.id, NOON + 1)
        assert not tx.approvals.mark_seen(approval.id, NOON + 2)

    assert _get(store, approval) == replace(approval, seen_at=NOON + 1)


def test_a_stored_response_is_deleted_after_its_lifetime(store: SqlStore) -> None:
    """Until a response expires, its stored bytes are returned unchanged.

    The hash of its key is kept, by which a late retry is recognized.
    """
    approval = _add(store, state=State.REDEEMED)
    with store.write() as tx:
        tx.approvals.keep_answer(approval.id, b"\x00sealed", b"key", NOON + MINUTE)
    with_answer = replace(
        approval, answer=b"\x00sealed", answer_key=b"key", answer_until=NOON + MINUTE
    )
    with store.write() as tx:
        assert tx.approvals.delete_expired_answers(NOON + MINUTE - 1) == 0
        assert tx.approvals.get(approval.id) == with_answer
        assert tx.approvals.delete_expired_answers(NOON + MINUTE) == 1

    assert _get(store, approval) == replace(approval, answer_key=b"key")


def test_overdue_requests_are_found(store: SqlStore) -> None:
    """Pending requests are overdue at expiry, approved ones 30 seconds later, others never."""
    pending = _add(store)
    approved = _add(store, state=State.APPROVED)
    for state in (State.DENIED, State.EXPIRED, State.CANCELLED, State.REDEEMED):
        _add(store, state=state)
    with store.read() as view:
        due = view.approvals.overdue
        assert due(END - 1, 10) == []
        assert due(END, 10) == [pending]
        assert due(END + REDEMPTION_GRACE_MS - 1, 10) == [pending]
        assert {a.id for a in due(END + DAY, 10)} == {pending.id, approved.id}
        assert len(due(END + DAY, 1)) == 1


def test_open_requests_are_found_by_agent_user_and_resource(store: SqlStore) -> None:
    """Requests in a final state are left out."""
    pending = _add(store)
    approved = _add(store, state=State.APPROVED)
    _add(store, state=State.REDEEMED)
    _add(store, agent_id="other", user_id="other", resource="https://other.example")
    with store.read() as view:
        rows = view.approvals
        for matches in (
            rows.open_of_agent(pending.agent_id),
            rows.open_of_user(pending.user_id or ""),
            rows.open_at_resource(pending.resource),
        ):
            assert {a.id for a in matches} == {pending.id, approved.id}


def _add_denied(store: SqlStore, at: int, by: str, decision: str = "deny", **members: Any) -> None:
    approval = _add(store, state=State.DENIED, decided_at=at, **members)
    members = ("sayso_dv_1", decision, None, None, "confirm", "terminal", "signed", at)
    with store.write() as tx:
        tx.decisions.add(Decision(approval.id, f"sayso_us_{by}", *members))


def test_denials_are_counted_by_denier_since_a_time(store: SqlStore) -> None:
    """A denial has the details of its request. It does not matter which user the request is for."""
    with store.administer() as tx:
        for who in ("ann", "bob"):
            tx.users.add(User(f"sayso_us_{who}", who, None, (), "enabled", NOON))
    _add_denied(store, NOON + 5, "ann", details='[{"type":"a"}]')
    _add_denied(store, NOON + 6, "ann", details='[{"type":"b"}]', user_id="sayso_us_bob")
    _add_denied(store, NOON - 5, "ann")
    _add_denied(store, NOON + 5, "bob", details='[{"type":"c"}]')
    _add_denied(store, NOON + 5, "ann", decision="approve")
    _add(store, state=State.APPROVED, decided_at=NOON + 5)
    with store.read() as view:
        rows = view.approvals
        by_ann = [(NOON + 5, '[{"type":"a"}]'), (NOON + 6, '[{"type":"b"}]')]
        assert sorted(rows.denials_since("sayso_ag_bot", "sayso_us_ann", NOON)) == by_ann
        assert sorted(rows.denials_of("sayso_ag_bot", NOON)) == [
            *(("sayso_us_ann", at, details) for at, details in by_ann),
            ("sayso_us_bob", NOON + 5, '[{"type":"c"}]'),
        ]
        assert rows.asked_before("sayso_ag_bot", "sayso_us_bob")
        assert not rows.asked_before("sayso_ag_other", "sayso_us_bob")


def test_a_grant_is_narrowed_once_and_only_when_approved(store: SqlStore) -> None:
    """A pending request, and one that is already narrowed, cannot be narrowed."""
    approval = _add(store, state=State.PENDING)
    with store.write() as tx:
        assert tx.approvals.narrow(approval.id, "less", "[]", "{}") is None
    _move(store, approval, State.APPROVED, NOON)
    with store.write() as tx:
        narrowed = tx.approvals.narrow(approval.id, "less", '["row"]', '{"codes":[]}')
        assert tx.approvals.narrow(approval.id, "even less", "[]", "{}") is None
    stored = _get(store, approval)
    assert stored == narrowed
    assert stored is not None
    assert (stored.granted, stored.granted_rows, stored.past) == ("less", '["row"]', '{"codes":[]}')
