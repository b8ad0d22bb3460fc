"""Quiet hours, mutes, holds, steps and deputies in the database, on both kinds."""

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
from server.storage.rows import Rows
from server.storage.store import SqlStore
from tests.support.builders.clock import DAY, MINUTE, NOON
from tests.support.builders.installation import approval_row

ANN, BOB, BOT = "sayso_us_ann", "sayso_us_bob", "sayso_ag_bot"
HALF = NOON + 5 * MINUTE
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
ONE = Deputy("sayso_dy_1", ANN, BOB, NOON + MINUTE, NOON + DAY, "named", "sayso_dv_1", NOON)


@pytest.fixture
def asked(store: SqlStore) -> Approval:
    """A request for Ann; Bob is there too."""
    row = approval_row("sayso_ap_1", BOT, ANN, NOON)
    with store.administer() as tx:
        for name in ("ann", "bob"):
            tx.users.add(User(f"sayso_us_{name}", name, None, (), "enabled", NOON))
        tx.approvals.add(replace(row, escalate_at=HALF, life_ms=10 * MINUTE))
    return row


def _once(store: SqlStore, work: Callable[[Rows], int]) -> int:
    """How often it counted, when four do it at the same time."""

    def one(_: int) -> int:
        with store.write() as tx:
            return work(tx)

    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(one, range(4)))


def test_what_somebody_wants_is_read_at_once(store: SqlStore, asked: Approval) -> None:
    """Nothing, one of it, and all of it; what is over does not count."""
    hold = Hold(asked.id, ANN, NOON + MINUTE, "snoozed")
    with store.write() as tx:
        nothing = tx.attention.preferences(ANN, BOT, asked.id, NOON)
        assert nothing == NotificationPreferences(muted=False, hold=None, quiet=None)
        tx.attention.set_quiet_hours(ANN, NIGHT, NOON)
        tx.attention.set_quiet_hours(ANN, NIGHT, NOON)
        tx.attention.hold(replace(hold, until=NOON + DAY))
        tx.attention.hold(hold)
    with store.read() as view:
        now = view.attention.preferences(ANN, BOT, asked.id, NOON)
        assert now == NotificationPreferences(muted=False, hold=hold, quiet=NIGHT)
        assert view.attention.preferences(ANN, BOT, asked.id, NOON + MINUTE).hold is None
        assert view.attention.preferences(BOB, BOT, asked.id, NOON) == nothing
        assert view.attention.holds(ANN, NOON) == [hold]
        assert view.attention.quiet_hours(ANN) == NIGHT
    with store.write() as tx:
        assert tx.attention.clear_quiet_hours(ANN)
        assert not tx.attention.clear_quiet_hours(ANN)
        assert tx.attention.quiet_hours(ANN) is None


def test_a_hold_that_is_over_is_released_once(store: SqlStore, asked: Approval) -> None:
    """By whichever of four comes first."""
    with store.write() as tx:
        tx.attention.hold(Hold(asked.id, ANN, NOON, "quiet_hours"))
        tx.attention.hold(Hold(asked.id, BOB, NOON + DAY, "quiet_hours"))
        assert tx.attention.due(NOON)
        assert not tx.attention.due(NOON - 1)
    assert _once(store, lambda tx: len(tx.attention.release(NOON, 9))) == 1
    with store.write() as tx:
        tx.attention.end_quiet(BOB, NOON)
        assert [one.user_id for one in tx.attention.release(NOON, 9)] == [BOB]
        assert not tx.attention.unhold(BOB, asked.id)


def test_a_step_is_taken_once_and_an_end_moved_once(store: SqlStore, asked: Approval) -> None:
    """Each is one conditional UPDATE."""
    with store.read() as view:
        assert view.escalations.due(HALF - 1, 9) == []
        assert view.escalations.due(HALF, 9) == [asked.id]
    assert _once(store, lambda tx: tx.escalations.step(asked.id, 0, None, HALF)) == 1
    until = asked.expires_at + MINUTE

    def extend(tx: Rows) -> int:
        was = asked.expires_at
        return tx.escalations.extend(
            asked.id, was=was, until=until, escalate_at=until - MINUTE, now=HALF
        )

    assert _once(store, extend) == 1
    with store.read() as view:
        found = view.approvals.get(asked.id)
    assert found is not None
    assert (found.expires_at, found.extensions, found.escalated) == (until, 1, 0)


def test_what_expired_is_asked_for_again_once(store: SqlStore, asked: Approval) -> None:
    """And what still waits is not."""
    end = asked.expires_at

    def ask_again(tx: Rows) -> int:
        return tx.escalations.ask_again(asked.id, end)

    with store.write() as tx:
        assert not tx.escalations.ask_again(asked.id, end - 1)
        assert tx.approvals.transition(asked, State.EXPIRED, now=end) is not None
    assert _once(store, ask_again) == 1
    with store.read() as view:
        found = view.approvals.get(asked.id)
    assert found is not None
    assert found.retry_asked_at == end


def test_who_else_is_asked_is_asked_as_long(store: SqlStore, asked: Approval) -> None:
    """Their list goes by the same end."""
    until = asked.expires_at + MINUTE
    with store.write() as tx:
        tx.approvers.add(
            Approver(asked.id, BOB, "deputy", NOON, asked.expires_at, asked.risk, stands_for=ANN)
        )
        assert tx.escalations.extend(
            asked.id, was=asked.expires_at, until=until, escalate_at=until, now=HALF
        )
        found = tx.approvers.find(asked.id, BOB)
        assert found is not None
        assert found.ends_at == until
        tx.deputies.remove_from_pending(ANN, BOB)
        assert tx.approvers.find(asked.id, BOB) is None


def test_a_deputy_begins_and_ends_once(store: SqlStore, asked: Approval) -> None:
    """And is found from both sides, between the two dates."""
    assert asked.user_id == ANN
    with store.write() as tx:
        tx.deputies.add(ONE)
        assert tx.deputies.get(ONE.id) == ONE
        assert tx.deputies.due(NOON, 9) == []
    assert _once(store, lambda tx: len(tx.deputies.due(NOON + MINUTE, 9))) == 4
    assert _once(store, lambda tx: tx.deputies.begin(ONE.id)) == 1
    with store.read() as view:
        begun = replace(ONE, state="begun")
        assert view.deputies.due(NOON + MINUTE, 9) == []
        assert view.deputies.of_user(ANN, NOON) == view.deputies.of_deputy(BOB, NOON) == [begun]
        assert view.deputies.live(NOON) == [begun]
        assert view.deputies.deciding(ANN, BOB, NOON) is None
        assert view.deputies.deciding(ANN, BOB, NOON + MINUTE) == begun
        assert view.deputies.deciding(ANN, BOB, NOON + DAY) is None
        assert view.deputies.due(NOON + DAY, 9) == [begun]
    assert _once(store, lambda tx: tx.deputies.end(ONE.id, revoked_at=NOON)) == 1
    with store.read() as view:
        assert view.deputies.get(ONE.id) == replace(ONE, state="over", revoked_at=NOON)
        assert view.deputies.live(NOON) == []


def test_a_mute_is_in_the_place_of_the_one_before(store: SqlStore, asked: Approval) -> None:
    """For a while, for ever, and not any more."""
    assert asked.agent_id == BOT
    with store.administer() as tx:
        tx.agents.add(AGENT, NOON)
        for until in (NOON + MINUTE, None):
            tx.attention.mute(Mute(ANN, BOT, NOON, until))
        assert tx.attention.mutes(ANN, NOON) == [Mute(ANN, BOT, NOON, None)]
        assert tx.attention.preferences(ANN, BOT, asked.id, NOON).muted
        assert tx.attention.unmute(ANN, BOT)
        assert not tx.attention.unmute(ANN, BOT)
        tx.attention.mute(Mute(ANN, BOT, NOON, NOON + MINUTE))
        assert tx.attention.mutes(ANN, NOON + MINUTE) == []
        assert not tx.attention.preferences(ANN, BOT, asked.id, NOON + MINUTE).muted
