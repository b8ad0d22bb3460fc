"""Unregistered apps that have a metadata document can sign people in."""

import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from server import outward
from server.model.ports import Fetched, Unreachable
from server.protocol.clients.client_documents import MAX_BYTES
from server.protocol.policy.risks import Risk
from server.services.clients.app_expiry import UNUSED_MS, UnknownAppExpiry
from server.services.clients.app_forms import AppChanges, NewApp
from server.services.clients.client_auth import MAX_PER_HOST
from server.services.refusals import Conflict
from server.services.resources.resources import ResourceChanges
from tests.support.browsers.browser import CALLBACK
from tests.support.builders.app_users import LocalApp, give_password, new_browser
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAY, PAY_SCOPES
from tests.support.builders.site import ISSUER
from tests.support.fakes.document_host import URL, DocumentHost, document

READ = {"scope": "openid payments:read", "resource": PAY}
OTHER = "https://other.example/client.json"
JSON = {"content-type": "application/json"}


@pytest.fixture
def host(monkeypatch):
    """A fake of every other host, which serves one document."""
    document_host = DocumentHost()
    document_host.serve()
    monkeypatch.setattr(outward, "fetch", document_host.fetch)
    return document_host


@pytest.fixture
def open_site(host, open_local, template):
    """Return a function that opens the installation with some settings; Ana has a password."""
    assert host.answers

    def opened(**settings):
        local = open_local(**{"clients_unknown": "ask", **settings})
        if PAY not in {resource.uri for resource in local.admin.resources.all()}:
            local.admin.resources.add(PAY, PAY_SCOPES, {}, by=BY)
        local.admin.resources.update(PAY, ResourceChanges(unknown_clients=True), by=BY)
        give_password(local, "ana")
        return local, template.person(local)

    return opened


@pytest.fixture
def site(open_site):
    """An installation that lets people decide about every unregistered app."""
    return open_site()[0]


@pytest.fixture
def ana(site, template):
    """Ana at her device."""
    return template.person(site)


@pytest.fixture
def browser(site):
    """Her browser."""
    return new_browser(site)


@pytest.fixture
def app(site):
    """The app of the document, as a client of the token endpoint."""

    class Id:
        id = URL

    return LocalApp(site, Id, "")


def get_code(browser, ana, *, again=True):
    """Sign Ana in, allow the app and sign the approval; return the code."""
    if again:
        browser.authorize(URL, **READ)
    if "password" in browser.page.text:
        browser.sign_in("ana")
    browser.answer("allow")
    for item in ana.call("GET", "/api/approvals").json["items"]:
        ana.approve(item["id"])
    return browser.again().answer["code"]


def refusal_text(local, url=URL, **parameters):
    """Return the text of the error page that appears instead of a sign-in."""
    page = new_browser(local).authorize(url, **{**READ, **parameters})
    assert page.status in {400, 503}
    assert local.admin.apps.all() == []
    return page.text


def test_an_app_that_nobody_registered_gets_a_token(ana, app, browser, site, host):
    """CI-09, MC-03: the page shows the app's host, its name, and that it is not verified."""
    browser.authorize(URL, **READ)
    page = browser.sign_in("ana").text
    assert "Allow this for <bdi>chat.example</bdi>?" in page
    assert "Not verified." in page
    assert URL in page
    assert "It calls itself “<bdi>Chat</bdi>”" in page
    browser.answer("allow")
    (item,) = ana.call("GET", "/api/approvals").json["items"]
    assert "this client is not registered" in json.dumps(item)
    ana.approve(item["id"])
    tokens = app.redeem(browser.again().answer["code"]).json
    claims = site.claims(tokens["access_token"])
    assert (claims["client_id"], claims["aud"], claims["scope"]) == (URL, PAY, "payments:read")
    assert site.claims(tokens["id_token"], "JWT")["aud"] == URL
    assert app.refresh(tokens["refresh_token"]).json["scope"] == "openid payments:read"
    assert host.fetched == [URL]
    (added,) = site.admin.entries("app.added")
    assert (added["actor"], added["facts"]["app"], added["facts"]["origin"]) == (
        "system",
        URL,
        "document",
    )
    assert [entry["facts"]["app"] for entry in site.admin.entries("grant.given")] == [URL]
    assert "code" in browser.authorize(URL, **READ).answer


def test_an_administrator_can_see_disable_and_delete_an_unregistered_app(ana, app, browser, site):
    """An administrator can disable or delete it, but not change it, because it describes itself."""
    tokens = app.redeem(get_code(browser, ana)).json
    stored_app = site.admin.apps.show("chat.example")
    assert (stored_app.id, stored_app.origin, stored_app.claimed_name) == (URL, "document", "Chat")
    with pytest.raises(Conflict, match="cannot be changed"):
        site.admin.apps.update(URL, AppChanges(scopes=("payments:transfer",)), by=BY)
    site.admin.apps.update("chat.example", AppChanges(enabled=False), by=BY)
    assert app.refresh(tokens["refresh_token"]).json["error"] == "unauthorized_client"
    assert "not enabled" in new_browser(site).authorize(URL, **READ).text
    site.admin.apps.delete(URL, by=BY)
    assert app.refresh(tokens["refresh_token"]).json["error"] == "invalid_client"
    assert site.admin.apps.all() == []


def test_an_unregistered_app_gets_only_open_resources_and_no_critical_scope(browser, site):
    """Unregistered apps cannot request other resources or critical scopes."""
    site.admin.resources.update(PAY, ResourceChanges(unknown_clients=False), by=BY)
    assert browser.authorize(URL, **READ).answer["error"] == "invalid_target"
    risky = ResourceChanges(scopes={"payments:all": Risk.CRITICAL}, unknown_clients=True)
    site.admin.resources.update(PAY, risky, by=BY)
    answer = browser.authorize(URL, scope="payments:all", resource=PAY).answer
    assert answer["error"] == "invalid_scope"
    assert "name" in browser.authorize(URL, **READ).text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clients_unknown": "never"}, "Only registered clients"),
        ({"clients_unknown": "list"}, "not allowed"),
        ({"clients_blocked": "example.org,chat.example"}, "blocked"),
    ],
)
def test_the_settings_refuse_unregistered_apps_without_a_fetch(open_site, host, settings, message):
    """No document is fetched if the settings do not allow the app's host."""
    local, _ = open_site(**settings)
    assert message in refusal_text(local)
    assert host.fetched == []
    listed, _ = open_site(clients_unknown="list", clients_allowed="chat.example")
    assert "name" in new_browser(listed).authorize(URL, **READ).text


def test_discovery_advertises_it_only_if_enabled(open_site, open_local):
    """CI-10: the metadata names the feature only if the settings allow it."""
    name = "client_id_metadata_document_supported"
    for local, supported in ((open_site()[0], True), (open_local(), False)):
        metadata = local.send("GET", "/.well-known/oauth-authorization-server")
        assert metadata.json.get(name, False) is supported


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://chat.example/client.json", "Unknown client_id"),
        (f"{URL}#top", "without a fragment"),
        ("https://ana@chat.example/client.json", "user name"),
        ("https://10.0.0.1/client.json", "fully qualified host name"),
    ],
)
def test_an_invalid_client_id_url_is_not_fetched(site, host, url, message):
    """CI-01: an invalid client_id URL gets an error page and is not fetched."""
    assert message in refusal_text(site, url)
    assert host.fetched == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Fetched(302, b"", {"location": OTHER}), "without redirecting"),
        (Fetched(404, b"", {}), "status 200"),
        (Fetched(200, b"x" * 10_000_000, JSON), f"{MAX_BYTES} bytes"),
        (Fetched(503, b"", {}), "cannot be fetched now"),
        (Unreachable("the target is not at a public address", retry=False), "cannot be fetched"),
    ],
    ids=["redirect", "missing", "10 MB", "fault", "private"],
)
def test_any_other_response_is_not_a_document(site, host, answer, message):
    """CI-02, CI-07, CI-08, CI-13: nothing is stored, and the next request fetches again."""
    host.answers[URL] = answer
    assert message in refusal_text(site)
    host.serve()
    assert "name" in new_browser(site).authorize(URL, **READ).text
    assert host.fetched == [URL, URL]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"client_id": OTHER}, "client_id must be the URL"),
        ({"redirect_uris": ["https://bank.example/cb"]}, "on its own host"),
        (
            {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": OTHER},
            "jwks_uri must be on its own host",
        ),
    ],
)
def test_a_document_about_another_host_is_refused(site, host, changes, message):
    """CI-03: a document may not describe a client on a different host."""
    host.serve(URL, document(**changes))
    assert message in refusal_text(site)


def test_a_redirect_uri_missing_from_the_document_gets_no_redirect(browser, host):
    """CI-05, BC-02: the person sees an error page and is not redirected."""
    host.serve(URL, document(redirect_uris=[CALLBACK, "https://bank.example/cb"]))
    for uri in ("https://bank.example/cb", "https://chat.example/other"):
        page = browser.authorize(URL, **READ, redirect_uri=uri)
        assert "not registered" in page.text
    assert "name" in browser.authorize(URL, **READ).text


def test_a_document_that_changed_before_the_token_request_applies(ana, app, browser, site, host):
    """If the document no longer has the redirect URI of the code, the code is refused."""
    host.serve(headers={"cache-control": "max-age=60"})
    browser.authorize(URL, **READ)
    site.clock.forward(MINUTE)
    code = get_code(browser, ana, again=False)
    assert host.fetched == [URL]
    host.serve(URL, document(redirect_uris=["https://chat.example/new"]))
    answer = app.redeem(code)
    assert answer.refusal == (400, "invalid_grant")
    assert "no longer registered" in answer.json["error_description"]
    assert host.fetched == [URL, URL]
    (changed,) = site.admin.entries("app.updated")
    assert changed["facts"]["redirect_uris"] == ["https://chat.example/new"]
    host.serve()
    site.clock.forward(MINUTE * 61)
    assert "code" in browser.authorize(URL, **READ).answer


def test_the_stored_document_is_used_for_a_day_while_its_host_is_unreachable(
    ana, app, browser, site, host
):
    """The stored copy is used for a day; if the document is missing, the app is refused."""
    tokens = app.redeem(get_code(browser, ana)).json
    host.answers[URL] = Unreachable("timeout", retry=True)
    site.clock.forward(DAY - MINUTE)
    tokens = app.refresh(tokens["refresh_token"]).json
    site.clock.forward(2 * MINUTE)
    assert app.refresh(tokens["refresh_token"]).json["error"] == "temporarily_unavailable"
    host.answers[URL] = Fetched(404, b"", {})
    assert app.refresh(tokens["refresh_token"]).json["error"] == "invalid_client_metadata"
    host.serve()
    assert "access_token" in app.refresh(tokens["refresh_token"]).json


def test_a_name_that_looks_like_the_name_of_a_registered_app_is_withheld(browser, site, host):
    """Anyone can claim a name, so a look-alike of a registered app's name is not shown."""
    site.admin.apps.add(NewApp("Payroll", (CALLBACK,)), by=BY)
    host.serve(URL, document(client_name="PayroII"))
    browser.authorize(URL, **READ)
    page = browser.sign_in("ana").text
    assert "looks like someone else's name here" in page
    assert "PayroII" not in page


def test_a_host_that_looks_like_another_client_is_refused(site, host):
    """The app would be named after its host, so a look-alike host is refused."""
    site.admin.apps.add(NewApp("chat.examp1e", (CALLBACK,)), by=BY)
    page = new_browser(site).authorize(URL, **READ)
    assert "can be confused with the name of another client" in page.text
    assert [app.name for app in site.admin.apps.all()] == ["chat.examp1e"]
    assert host.fetched == [URL]


def test_two_apps_of_one_host_have_two_names(site, host):
    """The names of both apps begin with the host; the second name also has a suffix."""
    second = host.serve("https://chat.example/second.json")
    for url in (URL, second):
        new_browser(site).authorize(url, **READ)
    first, other = (app.name for app in site.admin.apps.all())
    assert first == "chat.example"
    assert other.startswith("chat.example ")


def test_the_claimed_name_is_shown_as_text(browser, host):
    """Markup in the name is escaped, and direction marks are removed."""
    host.serve(URL, document(client_name="<b>Bank</b>\u202e"))
    browser.authorize(URL, **READ)
    page = browser.sign_in("ana").text
    assert "<b>Bank" not in page
    assert "\u202e" not in page
    assert "&lt;b&gt;Bank" in page


def test_the_token_endpoint_fetches_no_document_for_an_unknown_client(app, host):
    """A document is fetched only at the authorization endpoint, when somebody signs in."""
    answer = app.redeem("code")
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")
    assert host.fetched == []


def test_an_app_may_push_its_first_request(app, host, site):
    """RFC 9126: the first request of an unknown app can be a pushed one."""
    form = {"response_type": "code", "redirect_uri": CALLBACK, **READ, "client_id": URL}
    pkce = {"code_challenge": "a" * 43, "code_challenge_method": "S256"}
    answer = site.post_form("/par", {**form, **pkce})
    assert answer.status == 201, answer.body
    assert (host.fetched, app.id) == ([URL], URL)


def test_an_app_with_keys_must_authenticate_with_them(ana, app, browser, site, host):
    """The app's keys are fetched with its document; without an assertion it gets no token."""
    private_key, keys_url = ec.generate_private_key(ec.SECP256R1()), f"{URL}/keys"
    public_jwk = {**json.loads(ECAlgorithm.to_jwk(private_key.public_key())), "kid": "k"}
    host.serve(keys_url, {"keys": [public_jwk]})
    changes = {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": keys_url}
    host.serve(URL, document(**changes))
    code = get_code(browser, ana)
    assert host.fetched == [URL, keys_url]
    assert app.redeem(code).refusal == (401, "invalid_client")
    now = site.clock.now() // 1000
    claims = {"iss": URL, "sub": URL, "aud": ISSUER, "exp": now + 60, "jti": "1"}
    assertion = jwt.encode(claims, private_key, "ES256", {"kid": "k"})
    assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    proof = {"client_assertion": assertion, "client_assertion_type": assertion_type}
    assert "access_token" in app.redeem(code, **proof).json


def test_fetches_are_limited_per_host(site, host):
    """A limit is needed, because each new URL causes a fetch."""
    host.answers.clear()
    for number in range(MAX_PER_HOST):
        refusal_text(site, f"{URL}?{number}")
    assert "Too many client documents" in refusal_text(site, URL)
    assert len(host.fetched) == MAX_PER_HOST
    site.clock.forward(MINUTE)
    host.serve()
    assert "name" in new_browser(site).authorize(URL, **READ).text


def test_an_unused_unregistered_app_is_deleted_after_a_day(ana, app, browser, site, host):
    """An app that got a token stays, and so does one that an administrator disabled."""
    other, blocked = host.serve(OTHER), host.serve("https://blocked.example/c.json")
    for url in (other, blocked):
        new_browser(site).authorize(url, **READ)
    site.admin.apps.update(blocked, AppChanges(enabled=False), by=BY)
    app.redeem(get_code(browser, ana))
    site.clock.forward(UNUSED_MS - MINUTE)
    assert UnknownAppExpiry(site.services.store).round() == 0
    site.clock.forward(2 * MINUTE)
    assert UnknownAppExpiry(site.services.store).round() == 1
    assert [remaining_app.id for remaining_app in site.admin.apps.all()] == [blocked, URL]
    (entry,) = site.admin.entries("app.deleted")
    assert (entry["actor"], entry["facts"]["app"]) == ("system", OTHER)
