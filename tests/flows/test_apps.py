"""Signing in to an app: a real server, a browser without scripts, a real terminal."""

import base64
import json
import threading
import time

import httpx
import pytest

from server.crypto.passwords import Argon2Passwords
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps, NewAppSecret
from server.services.users.passwords import Passwords
from tests.support.browsers.browser import CALLBACK, PASSWORD, VERIFIER, Browser
from tests.support.builders.installation import PAY
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import BY, LiveServer


@pytest.fixture
def app(server: LiveServer) -> NewAppSecret:
    """A chat front end that may ask for the payment API."""
    new = NewApp(
        server._fresh("chat"),
        (CALLBACK,),
        auth_method="client_secret_post",
        resources=(PAY,),
        scopes=("payments:read",),
    )
    return Apps(server.services.store, server.services.secrets).add(new, by=BY)


@pytest.fixture
def browser(server: LiveServer, person: Terminal):
    """The browser of this test's user, who has a password."""
    Passwords(server.services.store, Argon2Passwords()).set(person.user, PASSWORD, by=BY)
    with httpx.Client(base_url=server.url, trust_env=False, timeout=100) as http:
        yield Browser(http, server.url)


def _request_token(server: LiveServer, app: NewAppSecret, **form: str) -> httpx.Response:
    credentials = {"client_id": app.app.id, "client_secret": app.secret}
    with server.client() as http:
        return http.post("/token", data={**credentials, **form})


def _redeem(server: LiveServer, app: NewAppSecret, code: str) -> dict:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    answer = _request_token(server, app, **form, code_verifier=VERIFIER)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _decode_claims(token: str) -> dict:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def test_an_app_gets_a_token_with_which_an_agent_may_act(server, agent, app, browser, person):
    """OB-03: the user signs in, consents and signs on the terminal; the app gets its tokens."""
    browser.authorize(
        app.app.id, scope="openid profile payments:read", resource=PAY, requested_actor=agent.key.id
    )
    page = browser.sign_in(person.user)
    assert agent.key.name in page.text
    assert "admin" in page.text
    assert "payments:read" in page.text
    browser.answer("allow")
    for approval in person.waiting():
        assert "waiting for" in browser.page.text
        person.approve(approval)
        browser.again()
    tokens = _redeem(server, app, browser.page.answer["code"])
    claims = _decode_claims(tokens["access_token"])
    assert claims["may_act"]["sub"] == agent.key.id
    assert claims["aud"] == PAY
    assert _decode_claims(tokens["id_token"])["name"] == person.user
    exchanged = agent.http.post(
        "/token",
        data={
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": tokens["access_token"],
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "resource": PAY,
            "scope": "payments:read",
        },
        auth=agent.key.basic,
    )
    assert exchanged.status_code == 200, exchanged.text
    acting = _decode_claims(exchanged.json()["access_token"])
    assert (acting["sub"], acting["act"]["sub"]) == (claims["sub"], agent.key.id)
    refreshed = _request_token(
        server, app, grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    ).json()
    assert _decode_claims(refreshed["access_token"])["may_act"]["sub"] == agent.key.id
    form = {
        "token": refreshed["refresh_token"],
        "client_id": app.app.id,
        "client_secret": app.secret,
    }
    with server.client() as http:
        assert http.post("/revoke", data=form).status_code == 200
    refused = _request_token(
        server, app, grant_type="refresh_token", refresh_token=refreshed["refresh_token"]
    )
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def test_a_denial_on_the_terminal_is_a_denial_for_the_app(app, browser, person):
    """When the user denies on the terminal, the page returns access_denied to the app."""
    browser.authorize(app.app.id, scope="openid payments:read", resource=PAY)
    browser.sign_in(person.user)
    browser.answer("allow")
    person.deny(person.only_request())
    assert browser.again().answer["error"] == "access_denied"


def test_fifty_redemptions_of_one_code_return_one_set_of_tokens(server, app, browser, person):
    """One redemption of a code returns tokens, and a second one revokes them."""
    browser.authorize(app.app.id)
    browser.sign_in(person.user)
    code = browser.answer("allow").answer["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    answers: list[httpx.Response] = []
    threads = [
        threading.Thread(target=lambda: answers.append(_request_token(server, app, **form)))
        for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    token_sets = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(token_sets) == 1
    with server.client() as http:
        headers = {"Authorization": f"Bearer {token_sets[0]['access_token']}"}
        assert http.get("/userinfo", headers=headers).status_code == 401


def test_password_checks_do_not_delay_other_requests(server, app, browser, person):
    """Hashing a password is slow on purpose, but other requests are answered in the meantime."""
    browser.authorize(app.app.id)
    form = browser.page.forms[0].fields

    def guess(number: int) -> None:
        fields = {**form, "name": f"nobody-{number}", "password": "wrong"}
        browser.http.post("/sign-in", data=fields)

    threads = [threading.Thread(target=guess, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    waits = []
    with server.client() as http:
        while any(thread.is_alive() for thread in threads):
            start = time.monotonic()
            assert http.get("/healthz").status_code == 200
            waits.append(time.monotonic() - start)
    for thread in threads:
        thread.join()
    assert sorted(waits)[len(waits) // 2] < 2
    assert browser.sign_in(person.user).status == 200
