"""Batch approval with a real server: one decision and one result per request."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from approver_tui.app import ApproverApp
from approver_tui.attention.alert_schedule import AlertSchedule
from approver_tui.attention.notifier import Notifier
from approver_tui.attention.preferences import DEFAULTS
from approver_tui.attention.terminal_environment import UNKNOWN_TERMINAL
from approver_tui.client.notifications import preferences
from approver_tui.client.notifications.feed import Feed
from approver_tui.client.standing_grants import standing_grants
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.context import Environment, ScreenContext
from approver_tui.screens.guard import InputGuard
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.results import AnswerState
from approver_tui.state.keymap import Keymap
from server.services.users.users import Users
from tests.support.builders.batches import open_batch, scroll_to_end, send, type_in
from tests.support.checks.log_and_rows import story
from tests.support.clients.agent import Agent
from tests.support.clients.driving import inbox, is_live, press, screen_text, until
from tests.support.clients.pty_app import window
from tests.support.clients.terminal import PIN, Terminal, terminal
from tests.support.fakes.fake_answers import FakeUnsentDenials
from tests.support.fakes.fake_app import FakeLogWitness, NoOtherLogins, NoSettingsStore, Stage
from tests.support.fakes.fake_clock import FakeClock
from tests.support.servers.server import BY, LiveServer

_LONG = 4_000
"""How many times the test checks the screen, because a real server must answer first."""


@pytest.fixture
def phone(server: LiveServer, person: Terminal) -> Iterator[Terminal]:
    """A second terminal of this test's user."""
    services = server.services
    _, issued = Users(services.store, services.secrets).enroll(person.user, by=BY)
    second = terminal(server, person.user, issued.code, name="phone")
    yield second
    second.client.close()


@pytest.fixture
def handles(agent: Agent, person: Terminal) -> list[str]:
    """Three requests of an agent that the user has approved before."""
    agent.request_approval(person.user)
    person.approve(person.only_request())
    return [agent.request_approval(person.user) for _ in range(3)]


class _DenyingDecider:
    """The real decider, but another device denies the second request before it is approved."""

    def __init__(self, person: Terminal, other: Terminal) -> None:
        self._person = person
        self._other = other
        self._count = 0

    def approve(self, approval: Approval, **terms: Any) -> Approval:
        """Approves; if it is the second approval, the other device denies the request first."""
        self._count += 1
        if self._count == 2:
            self._other.deny(self._other.client.approval(approval.id))
        return self._person.decider.approve(approval, **terms)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._person.decider, name)


def _make_stage(person: Terminal, answers: Any) -> Stage:
    """The app in this process, with the real client and a clock that the test controls."""
    clock, client = FakeClock(), person.client
    guard, feed = InputGuard(clock.ticks), Feed(client)
    prefs_client, grants_client = (
        preferences.NotificationPrefsClient(client),
        standing_grants.StandingGrantsClient(client),
    )
    notifier = Notifier(
        AlertSchedule(DEFAULTS, clock.ticks), UNKNOWN_TERMINAL, lambda _sequence: None
    )
    context = ScreenContext(
        server=client,
        answers=answers,
        prefs_client=prefs_client,
        grants_client=grants_client,
        feed=feed,
        guard=guard,
        now=client.now,
        ticks=clock.ticks,
        environment=Environment(NoSettingsStore()),
        notifier=notifier,
        unsent_denials=FakeUnsentDenials(),
        log_witness=FakeLogWitness(),
        others=NoOtherLogins(),
    )
    load_app = partial(_load_inbox, partial(InboxScreen, context))
    app = ApproverApp(load_app, guard=guard, theme="sayso", keymap=Keymap())
    fakes: Any = (client, answers, feed, prefs_client, grants_client)
    return Stage(clock, *fakes, app)


def _load_inbox(make: partial[InboxScreen], _ring: object) -> partial[InboxScreen]:
    return make


async def test_a_request_denied_elsewhere_is_skipped_and_the_others_are_approved(
    server: LiveServer, agent: Agent, person: Terminal, phone: Terminal, handles: list[str]
) -> None:
    """The batch approves two of three requests; the third keeps the other device's denial."""
    person.decider.unlock(PIN)
    stage = _make_stage(person, _DenyingDecider(person, phone))
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await until(
            pilot, lambda: is_live(stage) and len(inbox(stage).state.inbox.rows) == 3, _LONG
        )
        ids = [row.id for row in inbox(stage).state.inbox.rows]
        await press(pilot, stage, "x")
        await open_batch(pilot, stage)
        await scroll_to_end(pilot, stage)
        await type_in(pilot, stage, "count", "3")
        panel = await send(pilot, stage)
        await until(pilot, lambda: not panel.is_busy, _LONG)
        results = [item.state for item in panel.results.items]
        assert results == [AnswerState.APPROVED, AnswerState.ALREADY, AnswerState.APPROVED]
        assert f"Denied by {person.user} on phone at" in screen_text(stage)
        assert "2 approved, 1 already decided." in screen_text(stage)
    answers = [story(server, id_)[1] for id_ in ids]
    assert answers == ["approval.approved", "approval.denied", "approval.approved"]
    statuses = sorted(agent.poll(handle, prefer="wait=5").status_code for handle in handles)
    assert statuses == [200, 200, 400]


@pytest.mark.parametrize("size", [(100, 30), (40, 24)], ids=["100x30", "40x24"])
def test_two_of_three_selected_requests_are_approved_in_a_real_terminal(
    agent: Agent, person: Terminal, phone: Terminal, handles: list[str], size: tuple[int, int]
) -> None:
    """The app deselects the request denied elsewhere and says so; one PIN approves the others."""
    with window(person, size=size) as app:
        app.wait_for_text("x 3")
        app.press("x")
        app.wait_for_text("3 selected.", "[x]")
        phone.deny(phone.waiting()[0])
        app.wait_for_text("is no longer selected: Denied")
        app.press("a")
        app.wait_for_text("Approve 2?")
        app.press("\x1b[6~" * 6, "\t", PIN, "\t")
        app.wait_for_text("Tab to Approve, then Enter.")
        app.press("\r")
        app.wait_for_text("2 approved.")
    statuses = sorted(agent.poll(handle, prefer="wait=5").status_code for handle in handles)
    assert statuses == [200, 200, 400]
