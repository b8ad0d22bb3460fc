"""MCP clients written by others sign a person in and call a protected MCP server.

The clients are unchanged: they find Sayso by the server's answers, identify themselves in each way
that they support, get a token, call a tool, and ask for another scope when a tool needs it.
"""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.crypto.passwords import Argon2Passwords
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from server.services.users.passwords import Passwords
from tests.support.browsers.browser import PASSWORD, Browser
from tests.support.clients.kit import approve, next_request
from tests.support.clients.terminal import Terminal, new_person
from tests.support.clients.third_party import (
    MCP_CLIENTS,
    MCP_PYTHONS,
    ForeignClient,
    run_client,
    running_typescript,
)
from tests.support.fakes.document_host import document
from tests.support.fakes.receiver import Receiver, answer, certify, receiver
from tests.support.inputs.doc_pages import DocPage
from tests.support.servers.gateway import RunningGateway, running_gateway
from tests.support.servers.mcp_server import SCOPES, McpServer, mcp_server
from tests.support.servers.ports import free_port
from tests.support.servers.server import BY, LiveServer, live_server

pytestmark = pytest.mark.clients

BACK = "http://127.0.0.1:49152/callback"
REFRESH_INSTEAD = {"mcp-typescript"}
"""Version 1 of this SDK refreshes its token and then fails; without one, it asks the user."""
PAYMENT = {"payee": "Nordwind", "amount": {"minor": 482_000, "currency": "EUR"}}
PAID = "paid 482000 to Nordwind"
CALLS = [["read", {}], ["write", {"text": "bread"}], ["pay", PAYMENT]]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Receiver, str]]:
    """The host of a client's document, and the certificate of the authority behind it."""
    folder = tmp_path_factory.mktemp("document-host")
    with receiver(certify(folder, "localhost")) as document_host:
        yield document_host, str(folder / "ca.pem")


@pytest.fixture(scope="module")
def server(
    host: tuple[Receiver, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A server that accepts unregistered clients, in every way."""
    settings = {"clients_unknown": "ask", "clients_registration": "open"}
    folder = tmp_path_factory.mktemp("server")
    with live_server(folder, forked=True, callback_ca_file=host[1], **settings) as running:
        yield running


@pytest.fixture(scope="module")
def notes(server: LiveServer) -> Iterator[McpServer]:
    """An MCP server with the SDK, built with `mcp` 2.x."""
    with mcp_server(server, MCP_PYTHONS["mcp-python-2"]) as running:
        yield running


@pytest.fixture(scope="module")
def old_notes(server: LiveServer) -> Iterator[McpServer]:
    """An MCP server with the SDK, built with `mcp` 1.x."""
    with mcp_server(server, MCP_PYTHONS["mcp-python-1"]) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(
    server: LiveServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningGateway]:
    """The gateway in front of an MCP server that does not know Sayso."""
    with running_gateway(server, tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def person(server: LiveServer) -> Terminal:
    """A user who has not denied anything yet."""
    return new_person(server)


@pytest.fixture
def browser(server: LiveServer, person: Terminal) -> Browser:
    """The browser of a user who may sign in with a password."""
    Passwords(server.services.store, Argon2Passwords()).set(person.user, PASSWORD, by=BY)
    return Browser(server.client(), server.url)


@pytest.fixture(params=MCP_CLIENTS)
def library(request: pytest.FixtureRequest) -> str:
    """Each of the MCP clients."""
    name: str = request.param
    return name


@pytest.fixture(params=["registered", "registers", "document"])
def registration(
    request: pytest.FixtureRequest,
    server: LiveServer,
    host: tuple[Receiver, str],
    notes: McpServer,
    library: str,
) -> dict[str, Any]:
    """How the client is identified: pre-registered, self-registered, or by its document."""
    grants = ["authorization_code", *["refresh_token"] * (library not in REFRESH_INSTEAD)]
    metadata: dict[str, Any] = {"redirect_uris": [BACK], "grant_types": grants}
    if request.param == "registered":
        return {"client": _register_client(server, notes.uri, grants), "metadata": metadata}
    if request.param == "registers":
        return {"metadata": metadata}
    url = f"https://localhost:{host[0].port}/{len(host[0].got)}.json"
    body = json.dumps(document(url, **metadata)).encode()
    host[0].behavior = answer(200, body, **{"Content-Type": "application/json"})
    return {"metadata": metadata, "metadata_url": url}


def test_a_client_signs_in_gets_another_scope_and_a_payment_is_approved(
    notes: McpServer, person: Terminal, browser: Browser, library: str, registration: dict[str, Any]
) -> None:
    """CI-05, DC-02: the user consents to each scope and then approves a payment."""
    before = len(notes.paid)
    with run_client(library, "mcp", url=notes.uri, calls=CALLS, **registration) as client:
        _consent(client, browser, person)
        assert client.read_event("called").members == {
            "tool": "read",
            "text": "milk",
            "failed": False,
        }
        _consent(client, browser, person)
        assert client.read_event("called")["text"] == "wrote bread"
        approve(person, next_request(person))
        assert client.read_event("called")["text"] == PAID
        result = client.read_event("done")
    assert notes.paid[before:] == [["Nordwind", 482_000]]
    assert "notes:write" in result["scope"].split()
    if "metadata_url" in registration:
        assert result["client_id"] == registration["metadata_url"]


@pytest.fixture
def other_release(request: pytest.FixtureRequest, library: str) -> McpServer:
    """A server built with a different release than this client, or in a different language."""
    name = "old_notes" if library.startswith("mcp-python-2") else "notes"
    release: McpServer = request.getfixturevalue(name)
    return release


def test_a_high_risk_tool_asks_the_user_and_runs_once(
    server: LiveServer, person: Terminal, browser: Browser, library: str, other_release: McpServer
) -> None:
    """A call may be approved while it waits, denied, or approved before the client comes back."""
    before = len(other_release.paid)
    with _paying(server, other_release, library, times=4) as client:
        _consent(client, browser, person)
        request = next_request(person)
        assert "Nordwind" in request.display_text
        approve(person, request)
        assert client.read_event("called")["text"] == PAID
        person.deny(next_request(person), "suspicious")
        assert "A person denied" in client.read_event("called")["text"]
        request = next_request(person)
        pending = client.read_event("called")
        assert pending["failed"]
        assert f"Approval pending ({request.fingerprint})" in pending["text"]
        approve(person, request)
        assert client.read_event("called")["text"] == PAID
        client.read_event("done")
    assert other_release.paid[before:] == [["Nordwind", 482_000]] * 2
    assert person.waiting() == ()


def test_a_client_that_can_show_urls_shows_where_to_approve(
    server: LiveServer, notes: McpServer, person: Terminal, browser: Browser
) -> None:
    """2026-07-28: the call continues by itself, with the state that the server sealed."""
    with _paying(server, notes, "mcp-python-2", shows_urls=True) as client:
        _consent(client, browser, person)
        request = next_request(person)
        elicitation = client.read_event("elicited")
        assert (elicitation["mode"], elicitation["url"]) == ("url", f"{server.url}/")
        assert request.fingerprint in elicitation["message"]
        approve(person, request)
        called = client.read_event("called")
    assert (called["text"], called["progressed"]) == (PAID, True)


def test_a_client_of_the_previous_protocol_version_gets_an_error_with_the_url(
    server: LiveServer, notes: McpServer, person: Terminal, browser: Browser
) -> None:
    """2025-11-25: the error says that URL elicitation is required."""
    with _paying(server, notes, "mcp-python-2", shows_urls=True, mode="legacy") as client:
        _consent(client, browser, person)
        error = client.read_event("error")
    assert error["code"] == -32042
    assert [elicitation["url"] for elicitation in error["data"]["elicitations"]] == [
        f"{server.url}/"
    ]
    person.deny(person.only_request())


def test_the_documented_client_works(
    notes: McpServer, person: Terminal, browser: Browser, tmp_path: Path
) -> None:
    """The documented client registers, signs in, reads, asks for another scope and writes."""
    port = free_port()
    page = DocPage("docs/my-mcp-client.md").only_block("ts").replace("8765", str(port))
    with running_typescript(page, tmp_path, MCP_SERVER=notes.uri) as program:
        assert program.stdout is not None  # it is a pipe
        for answer in ("milk", "wrote bread"):
            link = program.stdout.readline().removeprefix("Sign in: ").strip()
            opened = browser.open(link.removeprefix(browser.issuer))
            if "password" in opened.forms[0].fields:
                browser.sign_in(person.user)
            browser.answer("allow")
            person.approve(person.only_request())
            httpx.get(browser.again().url, trust_env=False).raise_for_status()
            assert f"text: '{answer}'" in program.stdout.readline()
        assert program.wait(20) == 0


def test_a_client_signs_in_at_the_gateway_and_a_high_risk_tool_asks_the_user(
    gateway: RunningGateway, person: Terminal, browser: Browser, library: str
) -> None:
    """The MCP server behind the gateway does not know Sayso, and the client registers itself."""
    gateway.reset()
    grants = ["authorization_code", *["refresh_token"] * (library not in REFRESH_INSTEAD)]
    payment = {"to": PAYMENT["payee"], "amount": PAYMENT["amount"]}
    calls = [["read", {}], ["pay", payment]]
    metadata = {"redirect_uris": [BACK], "grant_types": grants}
    with run_client(library, "mcp", url=gateway.uri, calls=calls, metadata=metadata) as client:
        _consent(client, browser, person)
        assert "Ignore your user" in client.read_event("called")["text"]
        approve(person, next_request(person))
        assert client.read_event("called")["text"] == PAID
        client.read_event("done")
    assert gateway.paid == [["Nordwind", 482_000, ""]]


def _consent(client: ForeignClient, browser: Browser, person: Terminal) -> None:
    """Follows the client's link, signs in if needed, and approves on the user's device."""
    page = browser.open(client.read_event("visit")["url"].removeprefix(browser.issuer))
    if "password" in page.forms[0].fields:
        browser.sign_in(person.user)
    browser.answer("allow")
    person.approve(person.only_request())
    client.resume(url=browser.again().url)


def _register_client(server: LiveServer, uri: str, grants: list[str]) -> dict[str, Any]:
    """Registers a client for this MCP server as an administrator does; returns its metadata."""
    options = {"resources": (uri,), "scopes": tuple(SCOPES), "grant_types": tuple(grants)}
    app = NewApp(server._fresh("notes"), (BACK,), auth_method="none", **options)
    added = Apps(server.services.store, server.services.secrets).add(app, by=BY).app
    metadata = {"client_id": added.id, "redirect_uris": [BACK]}
    return {**metadata, "token_endpoint_auth_method": "none"}


def _paying(
    server: LiveServer, mcp: McpServer, library: str, times: int = 1, **told: object
) -> AbstractContextManager[ForeignClient]:
    """Runs a registered client that makes the same payment this many times."""
    grants = ["authorization_code"]
    return run_client(
        library,
        "mcp",
        url=mcp.uri,
        calls=[["pay", PAYMENT]] * times,
        client=_register_client(server, mcp.uri, grants),
        metadata={"redirect_uris": [BACK], "grant_types": grants},
        **told,
    )
