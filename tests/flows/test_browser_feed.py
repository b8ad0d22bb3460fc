"""The live feed in a browser: a cookie, our own page, and a ticket that is used once."""

import json
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from server.protocol.devices.passkeys import decode_base64url
from tests.support.builders.passkey import SoftPasskey
from tests.support.clients.agent import Agent
from tests.support.servers.server import LiveServer

Page = tuple[httpx.Client, str]


@pytest.fixture
def page(server: LiveServer) -> Iterator[Page]:
    """A browser signed in with a new passkey, and its user's name."""
    name, code = server.user()
    passkey = SoftPasskey(origin=server.url, credential=name.encode())
    headers = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    with httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=70) as http:
        options = http.post("/api/passkeys/options", json={"code": code}).json()
        credential = passkey.made(decode_base64url(options["challenge"]))
        body = {"code": code, "name": "phone", **credential}
        assert http.post("/api/passkeys", json=body).status_code == 201
        cookie = http.cookies["sayso-passkey"]
        http.headers["Sayso-Csrf"] = _csrf(http)
        http.headers["Cookie"] = f"sayso-passkey={cookie}"
        yield http, name


def _csrf(http: httpx.Client) -> str:
    """The CSRF token of the inbox."""
    return http.get("/").text.partition('data-csrf="')[2].partition('"')[0]


def _connect(server: LiveServer, http: httpx.Client, **headers: str) -> ClientConnection:
    all_headers = {"Cookie": http.headers["Cookie"], "Origin": server.url, **headers}
    origin = all_headers.pop("Origin")
    address = f"ws://localhost:{server.port}/api/feed"
    return connect(address, additional_headers=all_headers, origin=origin)


def _ticket(http: httpx.Client) -> str:
    answer = http.post("/api/feed/ticket")
    assert answer.status_code == 200, answer.text
    ticket: str = json.dumps({"type": "ticket", "ticket": answer.json()["ticket"]})
    return ticket


def test_a_page_gets_events_of_its_user(server: LiveServer, page: Page, agent: Agent) -> None:
    """A page that sends its ticket gets a greeting, and then the events of its user."""
    http, name = page
    with _connect(server, http) as socket:
        socket.send(_ticket(http))
        assert json.loads(socket.recv(10))["type"] == "hello"
        agent.request_approval(name)
        assert json.loads(socket.recv(10))["event"] == "approval.requested"


def test_a_ticket_opens_only_one_socket(server: LiveServer, page: Page) -> None:
    """A ticket cannot be used a second time."""
    http, _ = page
    ticket = _ticket(http)
    with _connect(server, http) as socket:
        socket.send(ticket)
        assert json.loads(socket.recv(10))["type"] == "hello"
    _assert_closed(server, http, ticket)


@pytest.mark.parametrize("word", ["{}", "no json", '{"type":"renew"}', '{"ticket":"a.1.b"}'])
def test_a_cookie_alone_cannot_open_a_feed(server: LiveServer, page: Page, word: str) -> None:
    """A socket without a ticket is closed: another site's socket would send the cookie too."""
    _assert_closed(server, page[0], word)


def test_a_socket_from_another_site_is_refused_at_the_handshake(
    server: LiveServer, page: Page
) -> None:
    """A socket with another site's origin gets 403 before any message."""
    with pytest.raises(InvalidStatus) as refused:
        _connect(server, page[0], Origin="https://evil.example")
    assert refused.value.response.status_code == 403


def test_a_signed_out_browser_cannot_open_a_socket(server: LiveServer, page: Page) -> None:
    """The cookie of a signed-out browser gets 401 at the handshake."""
    http, _ = page
    assert http.post("/api/passkeys/sign-out").status_code == 204
    with pytest.raises(InvalidStatus) as refused:
        _connect(server, http)
    assert refused.value.response.status_code == 401


def _assert_closed(server: LiveServer, http: httpx.Client, word: str) -> None:
    with _connect(server, http) as socket:
        socket.send(word)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401
