"""MCP clients written by others sign a person in and call a protected MCP server.

Nothing of them is changed: they find Sayso by the server's answers, make themselves known in each
way that they can, get a token, call a tool, and ask for one more scope when a tool needs it.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from server.crypto.passwords import Argon2Passwords
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from server.services.users.passwords import Passwords
from tests.support.browsers.browser import PASSWORD, Browser
from tests.support.clients.terminal import Terminal
from tests.support.clients.third_party import MCP_CLIENTS, ForeignClient, playing
from tests.support.fakes.document_host import document
from tests.support.fakes.receiver import Receiver, answer, certify, receiver
from tests.support.servers.mcp_server import SCOPES, mcp_server
from tests.support.servers.server import BY, LiveServer, live_server

pytestmark = pytest.mark.clients

BACK = "http://127.0.0.1:49152/callback"
REFRESH_INSTEAD = {"mcp-typescript"}
"""Version 1 of this SDK uses its refresh token and gives up; without one, it asks the person."""
CALLS = [["read", {}], ["write", {"text": "bread"}]]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Receiver, str]]:
    """The host of a client's document, and the certificate of the authority behind it."""
    folder = tmp_path_factory.mktemp("document-host")
    with receiver(certify(folder, "localhost")) as found:
        yield found, str(folder / "ca.pem")


@pytest.fixture(scope="module")
def server(
    host: tuple[Receiver, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A server that takes clients that nobody registered, in every way."""
    settings = {"clients_unknown": "ask", "clients_registration": "open"}
    folder = tmp_path_factory.mktemp("server")
    with live_server(folder, forked=True, callback_ca_file=host[1], **settings) as running:
        yield running


@pytest.fixture(scope="module")
def notes(server: LiveServer) -> Iterator[str]:
    """The URI of an MCP server behind the kit's guard."""
    with mcp_server(server) as uri:
        server.resources.add(
            uri, SCOPES, default_scopes=("notes:read",), unknown_clients=True, by=BY
        )
        yield uri


@pytest.fixture
def browser(server: LiveServer, person: Terminal) -> Browser:
    """The browser of a person who may sign in with a password."""
    Passwords(server.services.store, Argon2Passwords()).set(person.user, PASSWORD, by=BY)
    return Browser(server.client(), server.url)


@pytest.fixture(params=MCP_CLIENTS)
def library(request: pytest.FixtureRequest) -> str:
    """Each of the clients."""
    name: str = request.param
    return name


@pytest.fixture(params=["registered", "registers", "document"])
def known(
    request: pytest.FixtureRequest,
    server: LiveServer,
    host: tuple[Receiver, str],
    notes: str,
    library: str,
) -> dict[str, Any]:
    """How the client is known: an administrator registered it, it registers, or has a document."""
    grants = ["authorization_code", *["refresh_token"] * (library not in REFRESH_INSTEAD)]
    metadata: dict[str, Any] = {"redirect_uris": [BACK], "grant_types": grants}
    if request.param == "registered":
        apps = Apps(server.services.store, server.services.secrets)
        more = {"resources": (notes,), "scopes": tuple(SCOPES), "grant_types": tuple(grants)}
        app = NewApp(server._fresh("notes"), (BACK,), auth_method="none", **more)
        client = {"client_id": apps.add(app, by=BY).app.id, "redirect_uris": [BACK]}
        return {"client": {**client, "token_endpoint_auth_method": "none"}, "metadata": metadata}
    if request.param == "registers":
        return {"metadata": metadata}
    url = f"https://localhost:{host[0].port}/{len(host[0].got)}.json"
    body = json.dumps(document(url, **metadata)).encode()
    host[0].behaviour = answer(200, body, **{"Content-Type": "application/json"})
    return {"metadata": metadata, "metadata_url": url}


def test_a_client_signs_in_calls_a_tool_and_is_stepped_up(
    notes: str, person: Terminal, browser: Browser, library: str, known: dict[str, Any]
) -> None:
    """CI-05, DC-02: one consent for the first scope, and one that adds the second."""
    with playing(library, "mcp", url=notes, calls=CALLS, **known) as client:
        _consent(client, browser, person)
        assert client.hear("called").members == {"tool": "read", "text": "milk", "failed": False}
        _consent(client, browser, person)
        assert client.hear("called")["text"] == "wrote bread"
        done = client.hear("done")
    assert "notes:write" in done["scope"].split()
    if "metadata_url" in known:
        assert done["client_id"] == known["metadata_url"]


def _consent(client: ForeignClient, browser: Browser, person: Terminal) -> None:
    """The person follows the client's link, signs in if need be, and says yes on their device."""
    page = browser.open(client.hear("visit")["url"].removeprefix(browser.issuer))
    if "password" in page.forms[0].fields:
        browser.sign_in(person.user)
    browser.answer("allow")
    person.approve(person.only())
    client.tell(url=browser.again().url)
