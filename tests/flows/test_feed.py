"""The live feed over real sockets: ordered, complete, resumable, closed with a reason."""

import json
import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

import pytest
from websockets.exceptions import InvalidStatus

from approver_tui.client.api import Client
from approver_tui.client.notifications.feed import Feed, FeedListeners
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.notifications.connection import Connection, Phase
from approver_tui.state.notifications.events import Event, EventName
from server.services.approvals.expiry import FEED_KEPT_MS
from server.services.clients.agents import Agents
from server.services.users.users import Users
from tests.support.builders.clock import MINUTE, SECOND
from tests.support.checks.log_and_rows import stored_approval
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent
from tests.support.clients.feed_frames import feed_line, open_feed
from tests.support.clients.terminal import Terminal, new_person
from tests.support.fakes.proxy import Proxy, proxy
from tests.support.servers.server import BY, LiveServer

BAD_MESSAGE, TOKEN_OVER, STOPPED, RESTARTING = 4400, 4401, 4403, 1012


@pytest.fixture
def network(server: LiveServer) -> Iterator[Proxy]:
    """A network path to the server that a test may break."""
    with proxy(server.port) as path:
        yield path


@dataclass(slots=True)
class _Screen:
    """What a client of the feed has received."""

    events: list[Event] = field(default_factory=list)
    states: list[Connection] = field(default_factory=list)
    resyncs: int = 0

    @property
    def asked(self) -> list[str]:
        """The IDs of the requests that the feed announced, in order, with repeats."""
        requested = [e for e in self.events if e.name is EventName.REQUESTED]
        return [e.approval.id for e in requested if isinstance(e.approval, Approval)]

    @property
    def is_live(self) -> bool:
        """Whether the feed is connected now."""
        return bool(self.states) and self.states[-1].phase is Phase.LIVE

    def resync(self) -> None:
        """Counts a resync."""
        self.resyncs += 1


@contextmanager
def _follow(person: Terminal, network: Proxy) -> Iterator[_Screen]:
    """Runs the terminal's own feed client over a network path that may break."""
    profile = replace(person.client.profile, issuer=network.url)
    feed = Feed(Client(person.client.session, person.client.home, profile))
    screen, stop = _Screen(), threading.Event()
    listeners = FeedListeners(screen.events.append, screen.states.append, screen.resync)
    with ThreadPoolExecutor(1) as threads:
        run = threads.submit(feed.run, listeners, stop)
        until(lambda: screen.is_live)
        try:
            yield screen
        finally:
            stop.set()
    run.result(1)


def test_events_come_in_order_with_their_subject(agent: Agent, person: Terminal) -> None:
    """Each frame has the approval's state at the time of its event."""
    with open_feed(person) as line:
        handle = agent.request_approval(person.user)
        requested = line.event("approval.requested")
        person.approve(person.only_request())
        decided = line.event("approval.decided")
        agent.poll(handle)
        redeemed = line.event("approval.redeemed")

    frames = [requested, decided, redeemed]
    assert [f["approval"]["state"] for f in frames] == ["pending", "approved", "redeemed"]
    assert len({f["approval"]["id"] for f in frames}) == 1
    assert requested["seq"] < decided["seq"] < redeemed["seq"]
    assert "nonce" not in requested["approval"]
    assert json.loads(requested["approval"]["display"])["approval"] == requested["approval"]["id"]
    assert decided["approval"]["decided"]["device"]["name"] == "laptop"


def test_the_greeting_has_cursor_token_end_and_server_time(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The cursor is at or after the last event, and no older event is sent."""
    agent.request_approval(person.user)
    with server.services.store.read() as view:
        head = view.feed.head()
    with feed_line(person) as line:
        hello = line.frame()
        nothing_old = line.nothing()

    assert sorted(hello) == ["cursor", "server_time", "token_expires_at", "type"]
    assert hello["cursor"] >= head
    assert hello["server_time"] < hello["token_expires_at"]
    assert nothing_old


def test_a_cursor_resumes_after_the_last_event(agent: Agent, person: Terminal) -> None:
    """Missed events come first, and each comes once."""
    with open_feed(person) as line:
        agent.request_approval(person.user)
        last = line.event("approval.requested")["seq"]
    agent.request_approval(person.user)
    agent.request_approval(person.user)
    person.deny(person.waiting()[0])
    with open_feed(person, cursor=last) as line:
        missed = [line.frame() for _ in range(3)]
        nothing_more = line.nothing()

    assert [m["event"] for m in missed] == [
        "approval.requested",
        "approval.requested",
        "approval.decided",
    ]
    assert last < missed[0]["seq"] < missed[1]["seq"] < missed[2]["seq"]
    assert nothing_more


def test_inbox_and_feed_join_without_a_gap(agent: Agent, person: Terminal) -> None:
    """The feed continues from the cursor of a listing, without gaps and repeats."""
    agent.request_approval(person.user)
    page = person.client.inbox("waiting")
    agent.request_approval(person.user)
    with open_feed(person, cursor=page.feed_cursor) as line:
        frame = line.event("approval.requested")
        nothing_more = line.nothing()

    assert frame["approval"]["id"] not in {item.id for item in page.items}
    assert nothing_more


def test_a_cut_connection_loses_nothing(agent: Agent, person: Terminal, network: Proxy) -> None:
    """I9: the terminal reconnects at its cursor and gets every request once, in order."""
    with _follow(person, network) as screen:
        agent.request_approval(person.user)
        until(lambda: len(screen.asked) == 1)
        network.cut()
        for _ in range(3):
            agent.request_approval(person.user)
        last = max(person.waiting(), key=lambda item: item.display.asked_at).id
        until(lambda: last in screen.asked, 10)
        network.cut()
        agent.request_approval(person.user)
        last = max(person.waiting(), key=lambda item: item.display.asked_at).id
        until(lambda: last in screen.asked, 10)

    asked_at = {approval.id: approval.display.asked_at for approval in person.waiting()}
    assert len(screen.asked) == len(set(screen.asked)) == 5
    assert screen.asked == sorted(asked_at, key=lambda item: asked_at[item])
    assert screen.resyncs == 0


def test_a_restarted_server_loses_nothing(
    server: LiveServer, agent: Agent, person: Terminal, network: Proxy
) -> None:
    """After a `kill -9`, the feed has the requests from before and after it, each once."""
    with _follow(person, network) as screen:
        agent.request_approval(person.user)
        until(lambda: len(screen.asked) == 1)
        server.kill()
        server.start()
        agent.request_approval(person.user)
        until(lambda: len(screen.asked) == 2, 60)

    assert len(set(screen.asked)) == 2
    assert screen.resyncs == 0


def test_a_half_open_connection_delivers_everything_when_it_recovers(
    agent: Agent, person: Terminal, network: Proxy
) -> None:
    """Events that could not get through arrive in order when the connection recovers."""
    with open_feed(person, port=network.port) as line:
        network.freeze()
        for _ in range(3):
            agent.request_approval(person.user)
        nothing = line.nothing()
        network.thaw()
        frames = [line.event("approval.requested") for _ in range(3)]

    assert nothing
    assert frames[0]["seq"] < frames[1]["seq"] < frames[2]["seq"]


def test_a_slow_reader_gets_every_frame_completely(
    server: LiveServer, agent: Agent, person: Terminal, network: Proxy
) -> None:
    """The server waits for a reader whose buffers are full, and does not delay other readers."""
    agent.request_approval(person.user)
    other = new_person(server)
    with open_feed(person, port=network.port) as slow, open_feed(other) as quick:
        network.freeze()
        large = _store_large_requests(server, person, count=60, characters=60_000)
        agent.request_approval(other.user)
        quick.event("approval.requested")
        network.thaw()
        frames = [slow.event("approval.requested") for _ in large]
    other.client.close()

    assert [frame["approval"]["id"] for frame in frames] == large
    assert all(len(frame["approval"]["display"]) > 60_000 for frame in frames)


def test_events_missed_in_a_long_absence_arrive_without_a_pause(
    server: LiveServer, person: Terminal
) -> None:
    """Thousands of missed events arrive in order, without a pause."""
    user = person.client.profile.user_id
    with server.services.store.write() as tx:
        before = tx.feed.head()
        for _ in range(2_100):
            tx.feed.add(user, "alarm.code_reused")
    with open_feed(person, cursor=before) as line:
        frames = [line.event("alarm.code_reused") for _ in range(2_100)]

    assert [f["seq"] for f in frames] == list(range(before + 1, before + 2_101))


def test_each_user_gets_only_their_own_events(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Two users are connected, and each gets only the event of their own request."""
    other = new_person(server)
    with open_feed(person) as own_feed, open_feed(other) as other_feed:
        agent.request_approval(person.user)
        agent.request_approval(other.user)
        my_frame = own_feed.event("approval.requested")
        their_frame = other_feed.event("approval.requested")
        assert own_feed.nothing()
        assert other_feed.nothing()
    me, them = person.client.profile.user_id, other.client.profile.user_id
    other.client.close()

    assert json.loads(my_frame["approval"]["display"])["user"]["id"] == me
    assert json.loads(their_frame["approval"]["display"])["user"]["id"] == them


def test_a_screen_gets_a_request_within_a_fraction_of_a_second(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The median time from sending a request until its frame arrives is below one second."""
    others = [new_person(server) for _ in range(4)]
    times = []
    with ExitStack() as lines, open_feed(person) as line:
        for other in others:
            lines.enter_context(open_feed(other))
        for _ in range(10):
            began = time.monotonic()
            agent.request_approval(person.user)
            line.event("approval.requested")
            times.append(time.monotonic() - began)
    for other in others:
        other.client.close()

    assert sorted(times)[len(times) // 2] < 1.0


def test_a_cursor_that_is_too_old_gets_a_resync(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """I10: events are kept for a week; a client that returns later gets a new cursor."""
    agent.request_approval(person.user)
    server.clock.forward(FEED_KEPT_MS + MINUTE)
    server.services.sweeper.round()  # expire it now, not at any moment
    agent.request_approval(person.user)
    server.services.sweeper.tidy()
    with server.services.store.read() as view:
        head = view.feed.head()
    with open_feed(person, cursor=0) as line:
        resync = line.frame()
        agent.request_approval(person.user)
        line.event("approval.requested")

    assert resync["type"] == "resync"
    assert resync["cursor"] >= head


def test_a_cursor_from_the_future_gets_a_resync(agent: Agent, person: Terminal) -> None:
    """After a restore the server knows fewer events than its clients, so they must resync."""
    agent.request_approval(person.user)
    with open_feed(person, cursor=10**12) as line:
        resync = line.frame()

    assert resync["type"] == "resync"
    assert resync["cursor"] < 10**12


@pytest.mark.parametrize("cursor", ["-1", "x", "1e3", "9" * 19, ""])
def test_an_invalid_cursor_is_refused_before_the_handshake(person: Terminal, cursor: str) -> None:
    """The refusal is a 422 over HTTP, where a client can read the reason."""
    with pytest.raises(InvalidStatus) as refused, feed_line(person, cursor=cursor):
        pass

    response = refused.value.response
    assert response.status_code == 422
    assert json.loads(response.body or b"")["code"] == "invalid_body"


def test_the_socket_closes_when_its_token_expires(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The close code is 4401, and no later event is sent."""
    with open_feed(person) as line:
        server.clock.forward(10 * MINUTE)
        agent.request_approval(person.user)
        assert line.closed() == TOKEN_OVER


def test_renewing_the_token_keeps_the_socket_open(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The terminal sends a new token with a proof, and the socket outlives the old token."""
    with feed_line(person) as line:
        before = line.frame()["token_expires_at"]
        server.clock.forward(9 * MINUTE)
        line.renew()
        renewed = line.frame()
        server.clock.forward(2 * MINUTE)
        agent.request_approval(person.user)
        line.event("approval.requested")

    assert renewed["type"] == "renewed"
    assert renewed["token_expires_at"] > before


@pytest.mark.parametrize(
    "changes", [{"access_token": "no.such.token"}, {"proof": "no.proof.atall"}, {"proof": None}]
)
def test_an_invalid_renewal_closes_the_socket(person: Terminal, changes: dict[str, object]) -> None:
    """A renewal with an invalid token or proof closes the socket with 4401."""
    with open_feed(person) as line:
        line.renew(**changes)
        assert line.closed() == TOKEN_OVER


def test_a_renewal_with_another_users_session_closes_the_socket(
    server: LiveServer, person: Terminal
) -> None:
    """A socket never changes its user, so the renewal closes it with 4401."""
    other = new_person(server)
    session = other.client.session
    token = session.tokens.access_token()
    proof = session.transport.proof("GET", "/api/feed", token)
    other.client.close()
    with open_feed(person) as line:
        line.renew(access_token=token, proof=proof)
        assert line.closed() == TOKEN_OVER


def test_a_disabled_user_is_disconnected_immediately(server: LiveServer, person: Terminal) -> None:
    """The socket closes with 4403, and later handshakes are refused."""
    with open_feed(person) as line:
        Users(server.services.store, server.services.secrets).disable(person.user, by=BY)
        began = time.monotonic()
        assert line.closed() == STOPPED
        assert time.monotonic() - began < 15
    with pytest.raises(InvalidStatus) as refused, feed_line(person):
        pass

    assert refused.value.response.status_code == 403


def test_a_disabled_agents_requests_leave_every_screen(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Each canceled request is an event whose reason is agent_disabled."""
    agent.request_approval(person.user)
    with open_feed(person) as line:
        Agents(server.services.store, server.services.secrets).disable(agent.key.id, by=BY)
        frame = line.event("approval.cancelled")

    assert frame["approval"]["state"] == "cancelled"
    assert frame["approval"]["reason"] == "agent_disabled"


@pytest.mark.parametrize(
    "frame",
    ["", "{", "null", "[]", '"renew"', "{}", '{"type":"hello"}', '{"type":1}', b"\x00\xff"],
)
def test_an_invalid_message_closes_the_socket(
    server: LiveServer, person: Terminal, frame: str | bytes
) -> None:
    """A message that is not a known JSON object closes the socket with 4400."""
    with open_feed(person) as line:
        line.socket.send(frame)
        assert line.closed() == BAD_MESSAGE

    assert "Traceback" not in server.log


def test_an_overlong_message_closes_the_socket(person: Terminal) -> None:
    """The close code is 1009 (RFC 6455 7.4.1), so a client cannot fill the server's memory."""
    with open_feed(person) as line:
        line.socket.send("x" * 20_000)
        assert line.closed() == 1009


def test_a_stopping_server_closes_every_socket_with_1012(
    server: LiveServer, person: Terminal
) -> None:
    """Connected clients do not delay the end of the server."""
    with open_feed(person) as line:
        took = server.stop()
        assert line.closed() == RESTARTING
    server.start()

    assert took < 20


def test_clients_that_vanish_leave_no_error_in_the_log(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A connection that is reset while events are sent is normal."""
    for _ in range(3):
        with proxy(server.port) as network, open_feed(person, port=network.port) as line:
            network.cut()
            agent.request_approval(person.user)
            line.closed()
    agent.request_approval(person.user)
    server.clock.forward(30 * SECOND)

    assert "Traceback" not in server.log
    assert "failed" not in server.log


def _store_large_requests(
    server: LiveServer, person: Terminal, *, count: int, characters: int
) -> list[str]:
    """Stores many requests with very long texts for the user; returns their IDs in order."""
    first = stored_approval(server, person.only_request().id)
    copies = [
        replace(
            first,
            id=server.services.secrets.new_id("sayso_ap_"),
            auth_req_hash=secrets.token_bytes(32),
            display=first.display + " " * characters,
        )
        for _ in range(count)
    ]
    with server.services.store.write() as tx:
        for copy in copies:
            tx.approvals.add(copy)
            tx.feed.add(person.client.profile.user_id, "approval.requested", approval_id=copy.id)
    return [copy.id for copy in copies]
