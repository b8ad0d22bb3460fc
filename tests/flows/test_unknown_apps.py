"""An unregistered app signs a user in: its document is fetched over a real connection."""

import json

import httpx
import pytest

from server import outward
from server.crypto.passwords import Argon2Passwords
from server.model.ports import Unreachable
from server.services.resources.resources import ResourceChanges, Resources
from server.services.users.passwords import Passwords
from server.settings import Settings
from tests.support.browsers.browser import PASSWORD, VERIFIER, Browser
from tests.support.builders.installation import PAY
from tests.support.clients.terminal import new_person
from tests.support.fakes.document_host import document
from tests.support.fakes.receiver import answer, certify, drip, flood, receiver
from tests.support.servers.server import BY, live_server

BACK = "http://127.0.0.1/callback"
SENT_TO = "http://127.0.0.1:49152/callback"
"""A native app uses a different port each time."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The folder with the certificates of the document's host."""
    return tmp_path_factory.mktemp("document-host")


@pytest.fixture(scope="module")
def host(place):
    """A host that serves the app's metadata document."""
    with receiver(certify(place, "localhost")) as document_host:
        yield document_host


@pytest.fixture(scope="module")
def server(host, place, tmp_path_factory):
    """A server that asks users about every app and trusts that host's certificate."""
    settings = {"clients_unknown": "ask", "callback_ca_file": str(place / "ca.pem")}
    assert host.port
    with live_server(tmp_path_factory.mktemp("server"), forked=True, **settings) as running:
        resources = Resources(running.services.store, running.services.secrets)
        resources.update(PAY, ResourceChanges(unknown_clients=True), by=BY)
        yield running


@pytest.fixture
def url(host):
    """The client_id, which is the URL of the app's document."""
    client_id = f"https://localhost:{host.port}/client.json"
    body = json.dumps(document(client_id, redirect_uris=[BACK])).encode()
    host.behavior = answer(200, body, **{"Content-Type": "application/json"})
    host.got.clear()
    return client_id


def test_from_a_link_to_a_token(server, host, url):
    """MC-03, CI-02, CI-05: the document is fetched once, and the loopback port may be any port."""
    person = new_person(server)
    Passwords(server.services.store, Argon2Passwords()).set(person.user, PASSWORD, by=BY)
    with httpx.Client(base_url=server.url, trust_env=False, timeout=100) as http:
        browser = Browser(http, server.url)
        browser.authorize(url, scope="payments:read", resource=f"{PAY}/", redirect_uri=SENT_TO)
        page = browser.sign_in(person.user)
        assert "Not verified." in page.text
        assert "a program on your computer" in page.text
        browser.answer("allow")
        person.approve(person.only_request())
        back = browser.again().answer
        assert back["iss"] == server.url
        form = {"grant_type": "authorization_code", "code": back["code"], "client_id": url}
        redemption = {**form, "redirect_uri": SENT_TO, "code_verifier": VERIFIER, "resource": PAY}
        tokens = http.post("/token", data=redemption).json()
    assert tokens["scope"] == "payments:read"
    assert "refresh_token" in tokens
    (fetched,) = host.got
    assert (fetched.method, fetched.path, fetched.headers["Accept"]) == (
        "GET",
        "/client.json",
        "application/json",
    )
    assert len(person.client.consents()) == 1
    assert person.client.delegations() != ()
    person.client.revoke_access(url)
    assert (person.client.consents(), person.client.delegations()) == ((), ())
    person.client.close()


@pytest.mark.parametrize("behavior", [drip, flood, answer(302, Location="https://localhost/x")])
def test_a_host_that_does_not_answer_as_it_should_ends_in_time(server, host, url, behavior):
    """CI-13: if the host is slow, sends too much or redirects, the user sees an error page."""
    host.behavior = behavior
    with httpx.Client(base_url=server.url, trust_env=False, timeout=100) as http:
        page = Browser(http, server.url).authorize(f"{url}?{id(behavior)}", resource=PAY)
    assert page.status in {400, 503}
    assert "metadata document" in page.text


@pytest.mark.parametrize(
    "name", ["localhost", "127.0.0.1", "10.0.0.1", "[fd00::1]", "169.254.169.254"]
)
def test_a_document_at_a_private_address_is_not_fetched(host, url, name, tmp_path):
    """CI-07, NG-103: a private address is refused, whatever the name of its host is."""
    settings = Settings(data_dir=tmp_path, issuer="https://auth.example")
    for port in (443, host.port):
        with pytest.raises(Unreachable):
            outward.fetch(settings, f"https://{name}:{port}/client.json", 100)
    assert (host.got, url[:8]) == ([], "https://")
