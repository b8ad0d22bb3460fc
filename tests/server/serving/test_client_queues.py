"""Per-client queues: which client a request claims, and how its requests wait."""

import base64
import json
import time

import gevent
import pytest
from gevent.event import Event

from server.serving import client_queues
from server.serving.client_queues import ClaimedClient, ClientQueues, QueueFull, claimed_client


def basic(client):
    """Value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{client}:s".encode()).decode()


def named(client, credential=b""):
    """A claim."""
    return ClaimedClient(client, credential)


def asserted(subject):
    """A client assertion that nobody has verified."""
    payload = base64.urlsafe_b64encode(json.dumps({"sub": subject}).encode()).rstrip(b"=")
    return f"e30.{payload.decode()}.x"


def _environ(path="/token", authorization=""):
    return {"PATH_INFO": path, "HTTP_AUTHORIZATION": authorization}


@pytest.mark.parametrize(
    ("environ", "body", "client"),
    [
        (_environ(authorization=basic("a")), b"", "a"),
        (_environ("/introspect", basic("a")), b"client_id=b", "a"),
        (_environ(), b"grant_type=x&client_id=a&client_secret=s", "a"),
        (_environ(), b"client_id=a", "a"),
        (_environ(), b"client_assertion=" + asserted("a").encode(), "a"),
        (_environ(authorization="Basic !!"), b"", ""),
        (_environ(), b"client_assertion=" + asserted("\ud800").encode(), "\ud800"),
        (_environ(), b"client_assertion=a.b", None),
        (_environ(), b"client_assertion=" + b"\xff" * 9, None),
        (_environ(), b"", None),
        (_environ("/jwks", basic("a")), b"", None),
        (_environ("/api/feed", basic("a")), b"", None),
    ],
)
def test_a_request_claims_a_client_however_it_authenticates(environ, body, client):
    """A request without a claim has no queue."""
    found = claimed_client(environ, body)
    assert (None if found is None else found.client) == client


def test_a_body_with_too_many_fields_claims_no_client():
    """The endpoint refuses it later in its own words."""
    assert claimed_client(_environ(), b"a=b&" * 5_000) is None


class _Scene:
    """Requests that hold their slot until they are told to end."""

    def __init__(self, queue):
        self.queue = queue
        self.began = []
        self.refused = []
        self.jobs = []

    def ask(self, claimed, name, *, holds=False):
        """Begin a request."""
        end = Event()
        self.jobs.append(gevent.spawn(self._one, claimed, name, end, holds))
        gevent.sleep(0)
        return end

    def _one(self, claimed, name, end, holds):
        try:
            with self.queue.slot(claimed, 10):
                self.began.append(name)
                if holds:
                    self.queue.release()
                end.wait()
        except QueueFull:
            self.refused.append(name)


@pytest.fixture
def scene():
    """Two clients have just sent requests, so that neither is alone."""
    made = _Scene(ClientQueues())
    made.ask(named("somebody"), "first").set()
    made.ask(named("b"), "b0").set()
    gevent.sleep(0.01)
    made.began.clear()
    yield made
    gevent.killall(made.jobs)


def _settled():
    gevent.sleep(2 * client_queues._MAX_YIELD_SECONDS)


def test_beside_others_a_client_has_one_request_in_progress(scene):
    """The rest waits in order; other clients do not wait for it."""
    ends = {name: scene.ask(named("a"), name) for name in ("a1", "a2", "a3")}
    scene.ask(named("b"), "b1")
    assert scene.began == ["a1", "b1"]
    ends["a1"].set()
    _settled()
    assert scene.began == ["a1", "b1", "a2"]
    ends["a2"].set()
    _settled()
    assert scene.began == ["a1", "b1", "a2", "a3"]


def test_a_client_alone_has_many_requests_in_progress():
    """Nobody is delayed, and writes share a COMMIT; the credential is verified once."""
    scene = _Scene(ClientQueues())
    mine = ClaimedClient("a", b"right", "::1")
    scene.ask(mine, "first").set()
    gevent.sleep(0)
    scene.queue.mark_authenticated(mine)
    for number in range(client_queues.MAX_CONCURRENT_ALONE + 3):
        scene.ask(mine, number)
    assert len(scene.began) == 1 + client_queues.MAX_CONCURRENT_ALONE
    gevent.killall(scene.jobs)


def test_a_held_poll_does_not_count_as_in_progress(scene):
    """It waits for a person, and its client goes on."""
    scene.ask(named("a"), "held", holds=True)
    scene.ask(named("a"), "next")
    _settled()
    assert scene.began == ["held", "next"]


def test_quick_requests_of_one_client_let_others_go_first(scene):
    """Requests that never wait still yield to other clients."""
    order = []

    def quick(number):
        with scene.queue.slot(named("a"), 10):
            order.append(number)

    def other():
        for _ in range(3):
            gevent.sleep(0)
        order.append("other")

    scene.jobs += [gevent.spawn(quick, number) for number in range(5)]
    scene.jobs.append(gevent.spawn(other))
    gevent.joinall(scene.jobs[-6:], timeout=5)
    assert order.index("other") <= 2
    assert sorted(map(str, order)) == ["0", "1", "2", "3", "4", "other"]


def test_a_full_queue_refuses_further_requests(scene):
    """The client is told to retry; other clients are served."""
    for number in range(client_queues.MAX_WAITING + 2):
        scene.ask(named("a"), number)
    scene.ask(named("b"), "b1")
    assert (scene.began, scene.refused) == ([0, "b1"], [client_queues.MAX_WAITING + 1])


def test_waiting_requests_have_a_memory_limit(scene, monkeypatch):
    """The limit is for all clients together; a request that need not wait is served."""
    monkeypatch.setattr(client_queues, "MAX_WAITING_BYTES", 15)
    for name in ("a1", "a2", "a3", "a4"):
        scene.ask(named("a"), name)
    scene.ask(named("b"), "b1")
    assert (scene.began, scene.refused) == (["a1", "b1"], ["a4"])


def test_a_wrong_credential_does_not_use_the_clients_own_queue(scene):
    """A credential that succeeded has a queue of its own."""
    right, wrong = named("a", b"right"), named("a", b"wrong")
    scene.queue.mark_authenticated(right)
    scene.ask(wrong, "guess")
    scene.ask(named("a", b"other"), "another guess")
    scene.ask(right, "own")
    assert scene.began == ["guess", "own"]


def test_wrong_credentials_slow_only_their_client_and_address(monkeypatch):
    """Not a verified credential, another address or another client; and for a minute only."""
    queues, right = ClientQueues(), ClaimedClient("a", b"right", "192.0.2.1")
    guess = ClaimedClient("a", b"wrong", "192.0.2.1")
    queues.mark_authenticated(right)
    for _ in range(client_queues.FREE_REFUSALS):
        assert queues.delay(guess) == 0
        queues.mark_refused(guess)
    elsewhere = ClaimedClient("a", b"wrong", "::1")
    other = ClaimedClient("b", b"wrong", "192.0.2.1")
    assert queues.delay(guess) == client_queues.REFUSED_SECONDS
    assert [queues.delay(each) for each in (right, elsewhere, other)] == [0, 0, 0]
    later = time.monotonic() + 60
    monkeypatch.setattr(client_queues.time, "monotonic", lambda: later)
    assert queues.delay(guess) == 0


def test_refusals_of_many_clients_have_a_memory_limit(monkeypatch):
    """The oldest are forgotten."""
    monkeypatch.setattr(client_queues, "_MAX_REMEMBERED", 3)
    queues = ClientQueues()
    for number in range(9):
        queues.mark_refused(named(f"c{number}"))
    assert len(queues._refusals) == 3


def test_forged_assertions_fill_only_the_queue_of_their_own_address():
    """Every assertion is different, so none is known before it is verified."""
    body = b"client_assertion=" + asserted("a").encode()
    other, own = (
        claimed_client({**_environ(), "REMOTE_ADDR": at}, body) for at in ("192.0.2.1", "::1")
    )
    scene = _Scene(ClientQueues())
    scene.ask(named("somebody"), "first").set()
    for number in range(client_queues.MAX_WAITING + 2):
        scene.ask(other, number)
    scene.ask(own, "own")
    assert (scene.began[-1], scene.refused) == ("own", [client_queues.MAX_WAITING + 1])
    gevent.killall(scene.jobs)


def test_a_client_that_went_away_leaves_no_queue(scene):
    """However many there were."""
    for number in range(50):
        scene.ask(named(f"c{number}"), number).set()
    _settled()
    assert scene.queue.queues == {}
    assert scene.queue.waiting_bytes == 0
