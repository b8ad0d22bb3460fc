"""Quiet hours, mutes, holds, escalations and deputies, in both databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import time

import pytest

from server.model.approvals import Approval, Approver
from server.model.approvers import Deputy
from server.model.clients import Agent
from server.model.notifications import Hold, Mute, NotificationPreferences
from server.model.policy import Hours
from server.model.users import User
from server.protocol.approvals.states import State
from server.storage.store import SqlStore, Unit, View
from tests.support.builders.clock import DAY, MINUTE, NOON
from tests.support.builders.installation import approval_row
from tests.support.checks.locks import overlap

ANN, BOB, BOT = "sayso_us_ann", "sayso_us_bob", "sayso_ag_bot"
HALFWAY = NOON + 5 * MINUTE
NIGHT = Hours(time(22), time(7), (0, 6), "Europe/Berlin")
AGENT = Agent(
    id=BOT,
    name="bot",
    description="",
    auth_method="client_secret_basic",
    jwks=(),
    grant_types=(),
    delivery="poll",
    resources=(),
    scopes=(),
    action_types=None,
    asks=None,
    owners=(ANN,),
    secrets=(),
    id_token_alg="RS256",
    state="enabled",
    expires_at=None,
    created_at=NOON,
)
DEPUTY = Deputy("sayso_dy_1", ANN, BOB, NOON + MINUTE, NOON + DAY, "named", "sayso_dv_1", NOON)


@pytest.fixture
def request_for_ann(store: SqlStore) -> Approval:
    """A request for Ann. Bob is also a user."""
    return _add_request(store)


def _add_request(store: SqlStore) -> Approval:
    row = approval_row("sayso_ap_1", BOT, ANN, NOON)
    with store.administer() as tx:
        for name in ("ann", "bob"):
            tx.users.add(User(f"sayso_us_{name}", name, None, (), "enabled", NOON))
        tx.approvals.add(replace(row, escalate_at=HALFWAY, life_ms=10 * MINUTE))
    return row


def _count_concurrent(store: SqlStore, work: Callable[[Unit], int]) -> int:
    """Run the work in four threads at the same time; return the sum of the results."""

    def run(_: int) -> int:
        with store.write() as tx:
            return work(tx)

    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(run, range(4)))


def test_notification_preferences_are_read_with_one_query(
    store: SqlStore, request_for_ann: Approval
) -> None:
    """A user may have no, some or all preferences. Ended ones are ignored."""
    hold = Hold(request_for_ann.id, ANN, NOON + MINUTE, "snoozed")
    with store.write() as tx:
        no_preferences = tx.attention.preferences(ANN, BOT, request_for_ann.id, NOON)
        assert no_preferences == NotificationPreferences(muted=False, hold=None, quiet=None)
        tx.attention.set_quiet_hours(ANN, NIGHT, NOON)
        tx.attention.set_quiet_hours(ANN, NIGHT, NOON)
        tx.attention.hold(replace(hold, until=NOON + DAY))
        tx.attention.hold(hold)
    with store.read() as view:
        preferences = view.attention.preferences(ANN, BOT, request_for_ann.id, NOON)
        assert preferences == NotificationPreferences(muted=False, hold=hold, quiet=NIGHT)
        assert view.attention.preferences(ANN, BOT, request_for_ann.id, NOON + MINUTE).hold is None
        assert view.attention.preferences(BOB, BOT, request_for_ann.id, NOON) == no_preferences
        assert view.attention.holds(ANN, NOON) == [hold]
        assert view.attention.quiet_hours(ANN) == NIGHT
    with store.write() as tx:
        assert tx.attention.clear_quiet_hours(ANN)
        assert not tx.attention.clear_quiet_hours(ANN)
        assert tx.attention.quiet_hours(ANN) is None


DAYTIME, HOLD = replace(NIGHT, begins=time(9)), Hold("sayso_ap_1", ANN, NOON + MINUTE, "snoozed")
MUTE, NEW_MUTE = Mute(ANN, BOT, NOON, NOON + MINUTE), Mute(ANN, BOT, NOON, None)
QUIET_HOLD = replace(HOLD, why="quiet_hours")
Put = Callable[[Unit], None]
REPLACEMENTS: dict[str, tuple[Put, Put, Callable[[View], bool]]] = {
    "quiet hours": (
        lambda tx: tx.attention.set_quiet_hours(ANN, DAYTIME, NOON),
        lambda tx: tx.attention.set_quiet_hours(ANN, NIGHT, NOON),
        lambda view: view.attention.quiet_hours(ANN) == NIGHT,
    ),
    "mute": (
        lambda tx: tx.attention.mute(MUTE),
        lambda tx: tx.attention.mute(NEW_MUTE),
        lambda view: view.attention.mutes(ANN, NOON) == [NEW_MUTE],
    ),
    "hold": (
        lambda tx: tx.attention.hold(HOLD),
        lambda tx: tx.attention.hold(QUIET_HOLD),
        lambda view: view.attention.holds(ANN, NOON) == [QUIET_HOLD],
    ),
}
"""The first and the second call, and whether the row of the second one is stored."""


@pytest.mark.postgresql
@pytest.mark.parametrize("case", REPLACEMENTS)
def test_the_second_of_two_first_settings_replaces_the_other(
    postgres_url: str,
    open_database: Callable[[str], SqlStore],
    case: str,
) -> None:
    """Neither of two units of work at the same time sees the row of the other."""
    store, (put_first, put_second, is_second) = open_database(postgres_url), REPLACEMENTS[case]
    _add_request(store)
    with store.administer() as tx:
        tx.agents.add(AGENT, NOON)
    overlap(store, put_first, put_second)
    with store.read() as view:
        assert is_second(view)


def test_an_ended_hold_is_released_once(store: SqlStore, request_for_ann: Approval) -> None:
    """If four threads release a hold at the same time, only one of them gets it."""
    with store.write() as tx:
        tx.attention.hold(Hold(request_for_ann.id, ANN, NOON, "quiet_hours"))
        tx.attention.hold(Hold(request_for_ann.id, BOB, NOON + DAY, "quiet_hours"))
        assert tx.attention.due(NOON - 1, 9) == []
        (hold,) = tx.attention.due(NOON, 9)
    assert hold.user_id == ANN
    assert _count_concurrent(store, lambda tx: tx.attention.release(hold, NOON) is not None) == 1
    with store.write() as tx:
        other_hold = replace(hold, user_id=BOB)
        assert tx.attention.release(other_hold, NOON) is None
        tx.attention.end_quiet(BOB, NOON)
        assert tx.attention.release(other_hold, NOON) == other_hold
        assert not tx.attention.unhold(BOB, request_for_ann.id)


def test_an_escalation_step_and_an_extension_happen_once(
    store: SqlStore, request_for_ann: Approval
) -> None:
    """An escalation step and an extension are each one conditional UPDATE."""
    with store.read() as view:
        assert view.escalations.due(HALFWAY - 1, 9) == []
        assert view.escalations.due(HALFWAY, 9) == [request_for_ann.id]
    assert (
        _count_concurrent(
            store, lambda tx: tx.escalations.step(request_for_ann.id, 0, None, HALFWAY)
        )
        == 1
    )
    until = request_for_ann.expires_at + MINUTE

    def extend(tx: Unit) -> int:
        current = request_for_ann.expires_at
        return tx.escalations.extend(
            request_for_ann.id,
            expected=current,
            until=until,
            escalate_at=until - MINUTE,
            now=HALFWAY,
        )

    assert _count_concurrent(store, extend) == 1
    with store.read() as view:
        extended = view.approvals.get(request_for_ann.id)
    assert extended is not None
    assert (extended.expires_at, extended.extensions, extended.escalated) == (until, 1, 0)


def test_a_retry_of_an_expired_request_is_requested_once(
    store: SqlStore, request_for_ann: Approval
) -> None:
    """A retry cannot be requested while the request is pending."""
    expiry = request_for_ann.expires_at

    def ask_again(tx: Unit) -> int:
        return tx.escalations.request_retry(request_for_ann.id, expiry)

    with store.write() as tx:
        assert not tx.escalations.request_retry(request_for_ann.id, expiry - 1)
        assert tx.approvals.transition(request_for_ann, State.EXPIRED, now=expiry) is not None
    assert _count_concurrent(store, ask_again) == 1
    with store.read() as view:
        expired = view.approvals.get(request_for_ann.id)
    assert expired is not None
    assert expired.retry_asked_at == expiry


def test_an_extension_applies_to_every_approver(store: SqlStore, request_for_ann: Approval) -> None:
    """Every approver's list uses the extended expiry."""
    until = request_for_ann.expires_at + MINUTE
    with store.write() as tx:
        tx.approvers.add(
            Approver(
                request_for_ann.id,
                BOB,
                "deputy",
                NOON,
                request_for_ann.expires_at,
                request_for_ann.risk,
                stands_for=ANN,
            )
        )
        assert tx.escalations.extend(
            request_for_ann.id,
            expected=request_for_ann.expires_at,
            until=until,
            escalate_at=until,
            now=HALFWAY,
        )
        approver = tx.approvers.find(request_for_ann.id, BOB)
        assert approver is not None
        assert approver.ends_at == until
        tx.deputies.remove_from_pending(ANN, BOB)
        assert tx.approvers.find(request_for_ann.id, BOB) is None


def test_a_deputys_term_begins_and_ends_once(store: SqlStore, request_for_ann: Approval) -> None:
    """A term is found by user and by deputy, between its dates."""
    assert request_for_ann.user_id == ANN
    with store.write() as tx:
        tx.deputies.add(DEPUTY)
        assert tx.deputies.get(DEPUTY.id) == DEPUTY
        assert tx.deputies.due(NOON, 9) == []
    assert _count_concurrent(store, lambda tx: len(tx.deputies.due(NOON + MINUTE, 9))) == 4
    assert _count_concurrent(store, lambda tx: tx.deputies.begin(DEPUTY.id)) == 1
    with store.read() as view:
        begun = replace(DEPUTY, state="begun")
        assert view.deputies.due(NOON + MINUTE, 9) == []
        assert view.deputies.of_user(ANN, NOON) == view.deputies.of_deputy(BOB, NOON) == [begun]
        assert view.deputies.live(NOON) == [begun]
        assert view.deputies.deciding(ANN, BOB, NOON) is None
        assert view.deputies.deciding(ANN, BOB, NOON + MINUTE) == begun
        assert view.deputies.deciding(ANN, BOB, NOON + DAY) is None
        assert view.deputies.due(NOON + DAY, 9) == [begun]
    assert _count_concurrent(store, lambda tx: tx.deputies.end(DEPUTY.id, revoked_at=NOON)) == 1
    with store.read() as view:
        assert view.deputies.get(DEPUTY.id) == replace(DEPUTY, state="over", revoked_at=NOON)
        assert view.deputies.live(NOON) == []


def test_a_mute_replaces_the_previous_one(store: SqlStore, request_for_ann: Approval) -> None:
    """A mute lasts for a while or forever, and can be removed."""
    assert request_for_ann.agent_id == BOT
    with store.administer() as tx:
        tx.agents.add(AGENT, NOON)
        for until in (NOON + MINUTE, None):
            tx.attention.mute(Mute(ANN, BOT, NOON, until))
        assert tx.attention.mutes(ANN, NOON) == [Mute(ANN, BOT, NOON, None)]
        assert tx.attention.preferences(ANN, BOT, request_for_ann.id, NOON).muted
        assert tx.attention.unmute(ANN, BOT)
        assert not tx.attention.unmute(ANN, BOT)
        tx.attention.mute(Mute(ANN, BOT, NOON, NOON + MINUTE))
        assert tx.attention.mutes(ANN, NOON + MINUTE) == []
        assert not tx.attention.preferences(ANN, BOT, request_for_ann.id, NOON + MINUTE).muted
