"""The hub wakes subscribers, and the feed returns the events of a person after a cursor."""

from dataclasses import replace
from functools import partial

import pytest

from server.http.feed import event_frame
from server.services.approvals.views import approver_view
from server.services.clients.agent_forms import AgentChanges
from server.services.notifications import feed as feeds
from server.services.notifications.feed import (
    ANY_CHANGE,
    FeedService,
    Hub,
    approval_topic,
    user_topic,
)
from server.services.users.users import Users
from tests.support.builders.callers import another_device, new_person
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY
from tests.support.inputs.agent_icons import png


class CountedWake:
    """A wake that returns immediately and counts how often it was waited for."""

    def __init__(self):
        self.waits = []

    def notify(self):
        """Does nothing: the hub only waits."""

    def wait(self, timeout):
        """Reports that there is a change."""
        self.waits.append(timeout)
        return True


@pytest.fixture
def hub(local):
    """A hub after its first round."""
    hub = Hub(local.services.store, CountedWake())
    hub.round()
    return hub


@pytest.fixture
def feed(local):
    """The feed service that the sockets read from."""
    return FeedService(local.services.store, approver_view)


def _woken(hub, topics, change):
    """Return which of these three topics a change wakes."""
    with (
        hub.subscribe(topics[0]) as first,
        hub.subscribe(topics[1]) as second,
        hub.subscribe(topics[2]) as third,
    ):
        change()
        hub.round()
        return [event.is_set() for event in (first, second, third)]


def test_the_first_round_does_not_wait_and_wakes_nobody(local, person, agent):
    """Earlier events are already in the database, where a new subscriber reads them."""
    agent.request_approval()
    wake = CountedWake()
    hub = Hub(local.services.store, wake)
    with hub.subscribe(approval_topic("any")):
        hub.round()
        assert wake.waits == []
        hub.round()
    assert wake.waits == [1.0]
    assert person.device_id


def test_an_event_wakes_only_its_person_and_its_request(hub, agent, person, local):
    """An event does not wake other people's subscribers."""
    new_person(local, "ben")
    _, approval = agent.request_approval()
    hub.round()
    topics = [user_topic(person.user.id), approval_topic(approval.id), user_topic("ben")]
    assert _woken(hub, topics, lambda: person.approve(approval.id)) == [True, True, False]


def test_an_event_about_a_device_wakes_its_person(hub, agent, person, local):
    """A locked device wakes its person but not the subscribers of a request."""
    _, approval = agent.request_approval()
    hub.round()
    topics = [user_topic(person.user.id), approval_topic(approval.id), user_topic("ben")]

    def lock():
        for _ in range(10):
            person.pin()

    assert _woken(hub, topics, lock) == [True, False, False]
    assert local.admin.events(person.user)[-1] == "device.locked"


def test_an_administrative_change_wakes_subscribers_in_batches(hub, local, monkeypatch):
    """Every subscriber is woken in the end, even if more changes follow."""
    monkeypatch.setattr(feeds, "_PAUSE_SECONDS", (0.0, 0.0))  # wake one subscriber per round
    agents = local.admin.agents
    with hub.subscribe("a") as first, hub.subscribe("b") as second, hub.subscribe("c") as third:
        woken = []
        for change in (agents.disable, agents.enable, agents.disable):
            change("invoice-bot", by=BY)
            hub.round()
            woken.append([event.is_set() for event in (first, second, third)])
    assert woken == [[True, False, False], [True, True, False], [True, True, True]]


@pytest.mark.parametrize(
    ("topics", "pause", "size"),
    [(0, 0.1, 1), (3, 0.1, 1), (100, 0.1, 1), (250, 0.04, 1), (1_000, 0.02, 2), (5_000, 0.02, 10)],
)
def test_batches_reach_all_topics_within_ten_seconds(topics, pause, size):
    """Pauses between the batches leave time for requests."""
    assert feeds.batch_pace(topics) == (pause, size)
    assert topics / size * pause <= 10


def test_the_next_batch_waits_a_moment_after_an_administrative_change(hub, local, monkeypatch):
    """No subscriber is woken before the wait ends."""
    monkeypatch.setattr(feeds, "_PAUSE_SECONDS", (60.0, 60.0))
    local.admin.agents.disable("invoice-bot", by=BY)
    assert _woken(hub, ["a", "b", "c"], lambda: None) == [False, False, False]


@pytest.mark.parametrize("disabled", ["user", "device"])
def test_a_disabled_user_or_revoked_device_is_woken_immediately(
    hub, person, local, disabled, monkeypatch
):
    """A disabled user or revoked device has an event of its own, so it waits for no batch."""
    new_person(local, "ben")
    hub.round()
    monkeypatch.setattr(feeds, "_PAUSE_SECONDS", (60.0, 60.0))
    topics = ["user a", user_topic(person.user.id), "user b"]
    change = (
        partial(Users(local.services.store, local.services.secrets).disable, "ana", by=BY)
        if disabled == "user"
        else partial(person.call, "DELETE", "/api/devices/self")
    )
    assert _woken(hub, topics, change) == [False, True, False]


def test_background_work_is_woken_in_every_round(hub):
    """Background work checks for itself whether there is something to do."""
    assert _woken(hub, [ANY_CHANGE, "user a", "user b"], lambda: None) == [True, False, False]


def test_the_hub_passes_on_all_pages_of_events(hub, person, local, monkeypatch):
    """The hub passes on every page of events in one round."""
    monkeypatch.setattr(feeds, "_PAGE_SIZE", 2)
    with local.services.store.write() as tx:
        for number in range(5):
            tx.feed.add(person.user.id, "approval.requested", approval_id=f"a{number}")
    topics = [approval_topic(f"a{number}") for number in (0, 3, 4)]
    assert _woken(hub, topics, lambda: None) == [True, True, True]


def test_an_ended_subscription_is_removed(hub):
    """Ending one subscription keeps the other subscriptions of the topic."""
    with hub.subscribe("t") as first:
        with hub.subscribe("t") as second:
            hub.wake("t")
            assert first.is_set()
            assert second.is_set()
        first.clear()
        second.clear()
        hub.wake("t")
        assert (first.is_set(), second.is_set()) == (True, False)
    hub.wake("t")
    assert hub._subscribers == {}


def test_ending_the_hub_wakes_all_subscribers(hub):
    """Waiting polls return before the process ends."""
    with hub.subscribe("a") as first, hub.subscribe("b") as second:
        assert not hub.ending
        hub.end()
        assert (hub.ending, first.is_set(), second.is_set()) == (True, True, True)


def test_a_page_contains_the_persons_events_after_the_cursor_in_order(feed, agent, person, local):
    """Each event contains its request or device in its current state."""
    ben = new_person(local, "ben")
    cursor = feed.head()
    _, approval = agent.request_approval()
    agent.request_approval(login_hint="ben")
    person.approve(approval.id)
    other = another_device(person)
    page = feed.page(person.user.id, person.device_id, cursor)
    assert [item.event.event for item in page.items] == [
        "approval.requested",
        "approval.decided",
        "device.enrolled",
    ]
    assert {item.approval.approval.state for item in page.items[:2]} == {"approved"}
    assert page.items[2].device.id == other.device_id
    assert (page.cursor, page.resync, page.allowed, page.has_more) == (
        feed.head(),
        False,
        True,
        False,
    )
    assert feed.page(person.user.id, None, page.cursor).items == ()
    assert len(feed.page(ben.user.id, ben.device_id, cursor).items) == 1


def test_a_page_without_events_keeps_the_cursor(feed, agent, person, local):
    """Events of other people do not move the cursor."""
    new_person(local, "ben")
    cursor = feed.head()
    agent.request_approval(login_hint="ben")
    assert feed.page(person.user.id, person.device_id, cursor).cursor == cursor


def test_many_missed_events_are_read_in_pages(feed, agent, person, monkeypatch):
    """`more` says whether there is a further page."""
    monkeypatch.setattr(feeds, "_PAGE_SIZE", 2)
    cursor = feed.head()
    for _ in range(3):
        agent.request_approval()
    first = feed.page(person.user.id, person.device_id, cursor)
    assert (len(first.items), first.has_more) == (2, True)
    second = feed.page(person.user.id, person.device_id, first.cursor)
    assert (len(second.items), second.has_more) == (1, False)


def test_an_invalid_cursor_requires_a_resync(feed, agent, person, local):
    """Events are kept for a week, and a cursor after the last event is from another database."""
    start = feed.head()
    agent.request_approval()
    local.clock.forward(8 * DAY)
    local.services.sweeper.tidy()
    with local.services.store.write() as tx:
        floor = tx.feed.floor()
    for cursor in (0, floor - 2, feed.head() + 1):
        page = feed.page(person.user.id, person.device_id, cursor)
        assert (page.resync, page.items, page.cursor) == (True, (), feed.head())
    assert start < floor
    assert feed.page(person.user.id, person.device_id, floor - 1).resync is False


def test_a_disabled_user_or_revoked_device_gets_no_events(feed, agent, person, local):
    """Other devices of the person still get events until the user is disabled."""
    other = another_device(person)
    agent.request_approval()
    person.call("DELETE", "/api/devices/self")
    assert feed.page(person.user.id, person.device_id, 0).allowed is False
    assert feed.page(person.user.id, "sayso_dv_none", 0).allowed is False
    assert feed.page("sayso_us_none", None, 0).allowed is False
    assert feed.page(person.user.id, other.device_id, 0).allowed is True
    local.admin.users.disable("ana", by=BY)
    disabled = feed.page(person.user.id, other.device_id, 0)
    assert (disabled.allowed, disabled.items) == (False, ())


def test_a_revoked_session_gets_no_events(feed, person, local):
    """A revoked session gets no events, even if the user and the device are enabled."""
    with local.services.store.write() as tx:
        tx.sessions.revoke(person.device.session_id, tx.now)
    assert feed.page(person.user.id, person.device_id, 0).allowed is False


def test_an_event_without_a_request_or_device_is_returned(feed, person, local):
    """For example, an alarm has none, and neither has an event whose request is gone."""
    cursor = feed.head()
    with local.services.store.write() as tx:
        tx.feed.add(person.user.id, "alarm.code_reused")
        tx.feed.add(person.user.id, "approval.requested", approval_id="sayso_ap_gone")
    alarm, gone = feed.page(person.user.id, person.device_id, cursor).items
    assert (alarm.approval, alarm.device) == (None, None)
    assert gone.approval is None
    assert replace(alarm.event, seq=0).event == "alarm.code_reused"


def test_an_alarm_about_an_agent_contains_its_current_name(feed, person, local, agent):
    """An agent that no longer exists is shown as deleted."""
    cursor = feed.head()
    about = {"agent_id": agent.id, "incident_id": "sayso_in_1"}
    with local.services.store.write() as tx:
        tx.feed.add(person.user.id, "alarm.incident_opened", **about)
        tx.feed.add(person.user.id, "alarm.agent_paused", agent_id="sayso_ag_gone")
    frames = map(event_frame, feed.page(person.user.id, person.device_id, cursor).items)
    opened, paused = frames
    assert opened["agent"] == {"id": agent.id, "name": "invoice-bot"}
    assert opened["incident"] == "sayso_in_1"
    assert paused["agent"]["name"] == "(deleted agent)"
    assert "incident" not in paused


def test_a_new_request_has_the_icon_of_its_agent(feed, person, local, agent):
    """Later events of the request have no icon."""
    local.admin.agents.update(agent.id, AgentChanges(icon=png()), by=BY)
    person.approve(agent.request_approval()[1].id)
    items = feed.page(person.user.id, person.device_id, 0).items
    frames = {frame["event"]: frame.get("icon") for frame in map(event_frame, items)}
    assert frames["approval.requested"].startswith("/icons/")
    assert frames["approval.decided"] is None


def test_the_server_time_is_that_of_the_store(feed, local):
    """Clients correct their clocks with the time that the feed reports."""
    assert feed.now() == local.clock.now()
