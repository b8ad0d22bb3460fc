"""The feed survives every connection problem and ends only with the session."""

import threading
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path

import jwt
import pytest
from jwt.algorithms import ECAlgorithm
from websockets.sync.client import ClientConnection

from approver_tui.client.api import Client
from approver_tui.client.devices.vault import FileVault
from approver_tui.client.errors import LoginFirst
from approver_tui.client.files import write_private
from approver_tui.client.jose import SigningKey
from approver_tui.client.notifications import feed as feeds
from approver_tui.client.notifications.feed import Feed, FeedListeners, load_cursor, reconnect_delay
from approver_tui.client.sign_in import tokens
from approver_tui.client.sign_in.profile import Profile
from approver_tui.client.sign_in.session import Session
from approver_tui.client.sign_in.tokens import Tokens
from approver_tui.state.notifications.connection import Phase
from tests.approver_tui.client.conftest import clock
from tests.support.checks.waiting import until
from tests.support.fakes.feed_server import FeedServer, event, hello

WAIT = 5


class Recorder:
    """Records what the feed reports, and waits for a condition on it."""

    def __init__(self):
        self.events, self.phases, self.reasons, self.problems = [], [], [], []
        self.resyncs = 0
        self.stop = threading.Event()
        self.changed = threading.Condition()

    @property
    def listeners(self):
        return FeedListeners(
            partial(self._record, self.events),
            self._connection,
            self._resync,
            partial(self._record, self.problems),
        )

    def wait_for(self, condition):
        """Wait until the recorded values meet the condition."""
        with self.changed:
            assert self.changed.wait_for(condition, WAIT), vars(self)

    def _record(self, values, value):
        with self.changed:
            values.append(value)
            self.changed.notify_all()

    def _connection(self, connection):
        self._record(self.reasons, connection.reason)
        self._record(self.phases, connection.phase)

    def _resync(self):
        with self.changed:
            self.resyncs += 1
            self.changed.notify_all()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Shorten the back-off to hundredths of a second."""
    monkeypatch.setattr(feeds, "_MIN_BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(feeds, "_MAX_BACKOFF_SECONDS", 0.02)
    monkeypatch.setattr(feeds, "_TICK_SECONDS", 0.02)


@pytest.fixture
def make_client(home):
    """Return a function that creates a logged-in client of a feed server."""
    clients = []

    def make(issuer):
        vault = FileVault(home.secrets_folder)
        tokens.save(vault, Tokens("access", "refresh", clock() + 600_000))
        key = SigningKey.generate()
        session = Session(issuer, key, vault, lock_file=home.lock_file, clock=clock)
        values = dict.fromkeys(Profile.__dataclass_fields__, "x") | {"issuer": issuer}
        clients.append(Client(session, home, Profile(**values)))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@contextmanager
def running(feed):
    """Run the feed in a thread and stop it at the end."""
    recorder = Recorder()
    thread = threading.Thread(target=feed.run, args=(recorder.listeners, recorder.stop))
    thread.start()
    try:
        yield recorder
    finally:
        recorder.stop.set()
        thread.join(WAIT)
        assert not thread.is_alive()


def test_events_arrive_once_and_in_order(make_client):
    """A repeated or late frame does not count as a second event."""
    script = [hello(), event(1), event(2), event(2), event(1), event(3)]
    with FeedServer(script) as server, running(Feed(make_client(server.issuer))) as recorder:
        recorder.wait_for(lambda: len(recorder.events) == 3)
    assert [received.seq for received in recorder.events] == [1, 2, 3]
    assert recorder.phases == [Phase.CONNECTING, Phase.LIVE, Phase.OFFLINE]


def test_an_answered_ping_updates_the_last_contact(make_client, monkeypatch):
    """The answer to a ping counts as contact, even if there are no events."""
    monkeypatch.setattr(feeds, "_PING_EVERY_MS", 10)
    feed = Feed(make_client((server := FeedServer()).issuer))
    with server, running(feed) as recorder:
        recorder.wait_for(lambda: Phase.LIVE in recorder.phases)
        first = feed.last_contact_at
        until(lambda: feed.last_contact_at > first, WAIT)


def test_a_silent_connection_is_closed(make_client, monkeypatch):
    """If pings are not answered, the connection is closed; the last contact remains known."""
    monkeypatch.setattr(ClientConnection, "ping", lambda _self: threading.Event())
    feed = Feed(make_client((server := FeedServer()).issuer))
    with server, running(feed) as recorder:
        recorder.wait_for(lambda: Phase.LIVE in recorder.phases)
        monkeypatch.setattr(feeds, "_SILENCE_LIMIT_MS", 50)
        recorder.wait_for(lambda: "The server stopped responding." in recorder.reasons)
    assert feed.last_contact_at is not None


def test_the_handshake_has_a_proof(make_client):
    """The proof covers GET, the http form of the URL without its query, and the token."""
    with FeedServer() as server:
        client = make_client(server.issuer)
        with running(Feed(client, cursor=4)) as recorder:
            recorder.wait_for(lambda: Phase.LIVE in recorder.phases)
    headers = server.requests[0].headers
    public = ECAlgorithm.from_jwk(client.session.key.jwk)
    claims = jwt.decode(headers["DPoP"], public, algorithms=["ES256"])
    assert headers["Authorization"] == "DPoP access"
    assert (claims["htm"], claims["htu"]) == ("GET", f"{server.issuer}/api/feed")
    assert claims["ath"]
    assert server.requests[0].path == "/api/feed?cursor=4"


@pytest.mark.parametrize("code", [1000, 1011, 1012, 4400, 4401])
def test_a_lost_connection_continues_after_the_last_event(make_client, code):
    """After a restart, a crash or an expired token, the feed reconnects with its cursor."""
    server = FeedServer([hello(), event(1), code], [hello(), event(2)])
    with server, running(Feed(make_client(server.issuer))) as recorder:
        recorder.wait_for(lambda: len(recorder.events) == 2)
    assert [request.path for request in server.requests[:2]] == [
        "/api/feed",
        "/api/feed?cursor=1",
    ]
    assert [received.seq for received in recorder.events] == [1, 2]


def test_an_invalid_frame_is_skipped(make_client):
    """Invalid frames and a forged approval are reported as problems, and the next event arrives."""
    forged = event(3)
    forged["approval"]["display"] = forged["approval"]["display"].replace("4,820", "9,820")
    script = [hello(), "noise\x1b", "[]", {"type": "event"}, forged, {"type": "new"}, event(4)]
    with FeedServer(script) as server, running(Feed(make_client(server.issuer))) as recorder:
        recorder.wait_for(lambda: recorder.events)
    assert [received.seq for received in recorder.events] == [4]
    assert len(recorder.problems) == 4
    assert not any("\x1b" in problem for problem in recorder.problems)


def test_a_resync_is_reported_and_moves_the_cursor(make_client):
    """The feed continues at the new cursor and does not wait for the lost events."""
    script = [hello(5), {"type": "resync", "cursor": 90}, event(91)]
    with FeedServer(script) as server:
        feed = Feed(make_client(server.issuer), cursor=5)
        with running(feed) as recorder:
            recorder.wait_for(lambda: recorder.events)
    assert (recorder.resyncs, feed.cursor) == (1, 91)


def test_the_token_is_renewed_in_band(make_client):
    """Shortly before the expiry, a new token is sent over the same connection."""
    expiring = hello(lasts=feeds.RENEW_BEFORE_MS - 1)
    with FeedServer([expiring]) as server, running(Feed(make_client(server.issuer))) as recorder:
        recorder.wait_for(lambda: Phase.LIVE in recorder.phases)
        until(lambda: server.received, WAIT)
    assert server.received[0]["type"] == "renew"
    assert server.received[0]["access_token"] == "access"
    assert jwt.get_unverified_header(server.received[0]["proof"])["typ"] == "dpop+jwt"


def test_a_signed_out_device_stops_for_good(make_client):
    """Close code 4403 ends the feed, and it does not connect again."""
    with FeedServer([hello(), 4403]) as server:
        recorder = Recorder()
        with pytest.raises(LoginFirst):
            Feed(make_client(server.issuer)).run(recorder.listeners, recorder.stop)
    assert recorder.phases[-1] is Phase.SIGNED_OUT
    assert recorder.reasons[-1] == "This device was signed out."
    assert len(server.requests) == 1


def test_the_feed_connects_again_to_a_busy_server(make_client):
    """After a handshake that returns 503, the feed connects again."""
    server = FeedServer()
    server.refuse_next = [HTTPStatus.SERVICE_UNAVAILABLE] * 3
    with server, running(Feed(make_client(server.issuer))) as recorder:
        recorder.wait_for(lambda: Phase.LIVE in recorder.phases)
    assert "The server refused the live feed (503)." in recorder.reasons


def test_an_unreachable_server_is_offline_with_a_reason(make_client):
    """While the feed tries to connect again, it keeps the reason."""
    with running(Feed(make_client("http://localhost:1"))) as recorder:
        recorder.wait_for(lambda: recorder.phases.count(Phase.CONNECTING) > 2)
    assert Phase.LIVE not in recorder.phases
    assert set(recorder.reasons[1:]) == {"The server does not respond."}


def test_a_feed_that_saves_its_cursor_continues_there(make_client):
    """Only a feed with `saves_cursor` changes the stored cursor; the feed of the app does not."""
    with FeedServer([hello(), event(1), event(2)], [hello(2), event(3)]) as server:
        client = make_client(server.issuer)
        with running(Feed(client, saves_cursor=True)) as recorder:
            recorder.wait_for(lambda: len(recorder.events) == 2)
        assert load_cursor(client) == 2
        with running(Feed(client)) as recorder:
            recorder.wait_for(lambda: recorder.events)
        assert load_cursor(client) == 2
    assert Feed(client, saves_cursor=True).cursor == 2


@pytest.mark.parametrize("content", [b"", b"-1", b"9" * 19, b"9" * 5_000])
def test_an_invalid_stored_cursor_is_ignored(make_client, content):
    """The server refuses such a cursor, so a feed that kept it would never connect."""
    client = make_client("http://localhost:1")
    write_private(client.home.cursor_file, content)
    assert Feed(client, saves_cursor=True).cursor is None


def test_the_reconnect_delay_grows_to_a_limit(monkeypatch):
    """The delay grows from half a second to at most fifteen seconds, with jitter."""
    monkeypatch.undo()
    assert 0.25 <= reconnect_delay(0) <= 0.5
    assert all(7.5 <= reconnect_delay(failures) <= 15 for failures in (5, 6, 100))
    assert len({reconnect_delay(3) for _ in range(20)}) > 1


@pytest.mark.parametrize("milliseconds", [feeds.SLEEP_GAP_MS + 1_000, -600_000])
def test_after_a_sleep_or_a_set_clock_the_feed_reconnects(make_client, monkeypatch, milliseconds):
    """The old connection may be dead, and the server's time is learned again."""
    with FeedServer([hello(), event(1)], [hello(2), event(2)]) as server:
        client = make_client(server.issuer)
        with running(Feed(client)) as recorder:
            recorder.wait_for(lambda: len(recorder.events) == 1)
            monkeypatch.setattr(client.session.transport, "clock", lambda: clock() + milliseconds)
            recorder.wait_for(lambda: len(recorder.events) == 2)
        assert "This machine was asleep, or its clock was set." in recorder.reasons
        assert server.requests[1].path == "/api/feed?cursor=1"


def test_a_failing_listener_ends_the_feed_and_its_live_phase(make_client):
    """If the listener fails, for example on a closed pipe, its error is raised."""
    recorder = Recorder()

    def fail(_event):
        raise BrokenPipeError

    with FeedServer([hello(), event(1)]) as server:
        listeners = FeedListeners(fail, recorder.listeners.on_connection)
        with pytest.raises(BrokenPipeError):
            Feed(make_client(server.issuer)).run(listeners, recorder.stop)
    assert recorder.phases[-1] is Phase.OFFLINE


def test_the_feed_connects_again_once_its_tokens_can_be_stored(make_client, monkeypatch):
    """If the disk is full or the keyring is locked, no refresh token is used up."""
    with FeedServer([hello(), 4401], [hello(), event(1)]) as server:
        client = make_client(server.issuer)
        put, renewals = FileVault.put, []
        monkeypatch.setattr(client.session.tokens, "_renew", renewals.append)
        monkeypatch.setattr(client.session.tokens, "_is_valid_for", lambda *_: False)
        monkeypatch.setattr(FileVault, "put", fail_with_full_disk)
        with running(Feed(client)) as recorder:
            recorder.wait_for(
                lambda: any("cannot be stored" in reason for reason in recorder.reasons)
            )
            assert renewals == []
            monkeypatch.setattr(FileVault, "put", put)
            monkeypatch.setattr(client.session.tokens, "_is_valid_for", lambda *_: True)
            recorder.wait_for(lambda: len(recorder.events) == 1)


def test_a_feed_that_cannot_store_its_cursor_ends_with_the_folder(make_client, monkeypatch):
    """On a read-only disk a retry cannot help, so `watch` ends with an error."""

    def fail_with_read_only_disk(folder, _mode):
        raise OSError(30, "Read-only file system", str(folder))

    client = make_client("http://127.0.0.1:1")
    monkeypatch.setattr(Path, "chmod", fail_with_read_only_disk)
    feed, recorder = Feed(client, saves_cursor=True), Recorder()
    recorder.stop.set()
    with pytest.raises(OSError, match="Read-only") as caught:
        feed.run(recorder.listeners, recorder.stop)
    assert caught.value.filename == str(client.home.cursor_file.parent)


def fail_with_full_disk(*_):
    """Raise the error of a full disk."""
    raise OSError(28, "No space left on device")
