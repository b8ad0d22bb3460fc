"""Requests are queued by the client that they claim to come from."""

import base64
import json
import time

import gevent
import pytest
from gevent.event import Event

from server.serving import client_queues
from server.serving.client_queues import ClaimedClient, ClientQueues, QueueFull, claimed_client


def basic(client):
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{client}:s".encode()).decode()


def claimed(client, credential=b""):
    """A claimed client with this name."""
    return ClaimedClient(client, credential)


def assertion_for(subject):
    """An unverified client assertion."""
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
        (_environ(), b"client_assertion=" + assertion_for("a").encode(), "a"),
        (_environ(authorization="Basic !!"), b"", ""),
        (_environ(), b"client_assertion=" + assertion_for("\ud800").encode(), "\ud800"),
        (_environ(), b"client_assertion=a.b", None),
        (_environ(), b"client_assertion=" + b"\xff" * 9, None),
        (_environ(), b"", None),
        (_environ("/jwks", basic("a")), b"", None),
        (_environ("/api/feed", basic("a")), b"", None),
    ],
)
def test_a_request_claims_a_client_however_it_authenticates(environ, body, client):
    """A request without a claim has no queue."""
    claim = claimed_client(environ, body)
    assert (None if claim is None else claim.client) == client


def test_a_body_with_too_many_fields_claims_no_client():
    """The endpoint refuses such a request later, with its own error."""
    assert claimed_client(_environ(), b"a=b&" * 5_000) is None


class _Clients:
    """Requests that hold their slot until their event is set."""

    def __init__(self, queue):
        self.queue = queue
        self.started = []
        self.refused = []
        self.jobs = []

    def send(self, client, name, *, releases=False):
        """Start a request; return the event that ends it."""
        end = Event()
        self.jobs.append(gevent.spawn(self._run, client, name, end, releases))
        gevent.sleep(0)
        return end

    def _run(self, client, name, end, releases):
        try:
            with self.queue.slot(client, 10):
                self.started.append(name)
                if releases:
                    self.queue.release()
                end.wait()
        except QueueFull:
            self.refused.append(name)


@pytest.fixture
def clients():
    """Queues in which two clients have just sent requests, so that neither is alone."""
    clients = _Clients(ClientQueues())
    clients.send(claimed("somebody"), "first").set()
    clients.send(claimed("b"), "b0").set()
    gevent.sleep(0.01)
    clients.started.clear()
    yield clients
    gevent.killall(clients.jobs)


def _let_requests_run():
    gevent.sleep(2 * client_queues._MAX_YIELD_SECONDS)


def test_a_client_among_others_has_one_request_in_progress(clients):
    """A client's other requests wait in order. Other clients do not wait for them."""
    ends = {name: clients.send(claimed("a"), name) for name in ("a1", "a2", "a3")}
    clients.send(claimed("b"), "b1")
    assert clients.started == ["a1", "b1"]
    ends["a1"].set()
    _let_requests_run()
    assert clients.started == ["a1", "b1", "a2"]
    ends["a2"].set()
    _let_requests_run()
    assert clients.started == ["a1", "b1", "a2", "a3"]


def test_a_client_that_is_alone_has_many_requests_in_progress():
    """Many requests of a single client do not delay others, and writes can share a COMMIT."""
    clients = _Clients(ClientQueues())
    client = ClaimedClient("a", b"right", "::1")
    clients.send(client, "first").set()
    gevent.sleep(0)
    clients.queue.mark_authenticated(client)
    for number in range(client_queues.MAX_CONCURRENT_ALONE + 3):
        clients.send(client, number)
    assert len(clients.started) == 1 + client_queues.MAX_CONCURRENT_ALONE
    gevent.killall(clients.jobs)


def test_a_long_poll_does_not_count_as_in_progress(clients):
    """A long poll waits for a person, and other requests of the client are served."""
    clients.send(claimed("a"), "poll", releases=True)
    clients.send(claimed("a"), "next")
    _let_requests_run()
    assert clients.started == ["poll", "next"]


def test_quick_requests_of_one_client_let_others_go_first(clients):
    """Requests that never block still yield to other clients."""
    order = []

    def quick(number):
        with clients.queue.slot(claimed("a"), 10):
            order.append(number)

    def other():
        for _ in range(3):
            gevent.sleep(0)
        order.append("other")

    clients.jobs += [gevent.spawn(quick, number) for number in range(5)]
    clients.jobs.append(gevent.spawn(other))
    gevent.joinall(clients.jobs[-6:], timeout=5)
    assert order.index("other") <= 2
    assert sorted(map(str, order)) == ["0", "1", "2", "3", "4", "other"]


def test_a_full_queue_refuses_further_requests(clients):
    """The client gets an error, and other clients are served."""
    for number in range(client_queues.MAX_WAITING + 2):
        clients.send(claimed("a"), number)
    clients.send(claimed("b"), "b1")
    assert (clients.started, clients.refused) == ([0, "b1"], [client_queues.MAX_WAITING + 1])


def test_waiting_requests_have_a_memory_limit(clients, monkeypatch):
    """The limit applies to all clients together. A request that does not have to wait is served."""
    monkeypatch.setattr(client_queues, "MAX_WAITING_BYTES", 15)
    for name in ("a1", "a2", "a3", "a4"):
        clients.send(claimed("a"), name)
    clients.send(claimed("b"), "b1")
    assert (clients.started, clients.refused) == (["a1", "b1"], ["a4"])


def test_a_wrong_credential_does_not_use_the_clients_own_queue(clients):
    """A credential that succeeded has its own queue."""
    right, wrong = claimed("a", b"right"), claimed("a", b"wrong")
    clients.queue.mark_authenticated(right)
    clients.send(wrong, "guess")
    clients.send(claimed("a", b"other"), "second guess")
    clients.send(right, "own")
    assert clients.started == ["guess", "own"]


def test_wrong_credentials_slow_only_their_client_and_address(monkeypatch):
    """Verified credentials, other addresses and other clients are not slowed.

    The delay ends after a minute.
    """
    queues, right = ClientQueues(), ClaimedClient("a", b"right", "192.0.2.1")
    guess = ClaimedClient("a", b"wrong", "192.0.2.1")
    queues.mark_authenticated(right)
    for _ in range(client_queues.FREE_REFUSALS):
        assert queues.delay(guess) == 0
        queues.mark_refused(guess)
    other_address = ClaimedClient("a", b"wrong", "::1")
    other = ClaimedClient("b", b"wrong", "192.0.2.1")
    assert queues.delay(guess) == client_queues.REFUSED_SECONDS
    assert [queues.delay(each) for each in (right, other_address, other)] == [0, 0, 0]
    later = time.monotonic() + 60
    monkeypatch.setattr(client_queues.time, "monotonic", lambda: later)
    assert queues.delay(guess) == 0


def test_refusals_of_many_clients_have_a_memory_limit(monkeypatch):
    """When the limit is reached, the oldest refusals are forgotten."""
    monkeypatch.setattr(client_queues, "_MAX_REMEMBERED", 3)
    queues = ClientQueues()
    for number in range(9):
        queues.mark_refused(claimed(f"c{number}"))
    assert len(queues._refusals) == 3


def test_forged_assertions_fill_only_the_queue_of_their_own_address():
    """Every assertion is different, so the queue is chosen by IP address."""
    body = b"client_assertion=" + assertion_for("a").encode()
    other, own = (
        claimed_client({**_environ(), "REMOTE_ADDR": address}, body)
        for address in ("192.0.2.1", "::1")
    )
    clients = _Clients(ClientQueues())
    clients.send(claimed("somebody"), "first").set()
    for number in range(client_queues.MAX_WAITING + 2):
        clients.send(other, number)
    clients.send(own, "own")
    assert (clients.started[-1], clients.refused) == ("own", [client_queues.MAX_WAITING + 1])
    gevent.killall(clients.jobs)


def test_a_client_without_requests_has_no_queue(clients):
    """The queues of many clients are deleted after their requests."""
    for number in range(50):
        clients.send(claimed(f"c{number}"), number).set()
    _let_requests_run()
    assert clients.queue.queues == {}
    assert clients.queue.waiting_bytes == 0
