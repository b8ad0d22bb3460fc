"""One code gives one set of tokens, one refresh token one successor: two workers on PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from server.crypto.passwords import Argon2Passwords
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from server.services.users.passwords import Passwords
from tests.support.browsers.browser import CALLBACK, PASSWORD, VERIFIER, Browser
from tests.support.builders.databases import upgraded_database
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.server import BY, LiveServer, live_server

_CONCURRENT_REQUESTS = 30


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest,
    postgres_server: PostgresServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LiveServer]:
    """Two workers on one database, with a planted fault if the test names one."""
    url = upgraded_database(postgres_server)
    folder: Path = tmp_path_factory.mktemp("two")
    planted = ("--seed", request.param) if hasattr(request, "param") else ()
    options = ("--workers", "2", *planted)
    with live_server(folder, forked=True, options=options, database_url=url) as running:
        yield running


@pytest.fixture
def ask(server: LiveServer) -> Iterator[tuple[str, dict[str, str]]]:
    """Yields the ID of a public app, and the form that redeems a new code."""
    name, _ = server.user()
    Passwords(server.services.store, Argon2Passwords()).set(name, PASSWORD, by=BY)
    new = NewApp(server._fresh("phone"), (CALLBACK,), auth_method="none")
    app = Apps(server.services.store, server.services.secrets).add(new, by=BY).app
    with server.client() as http:
        browser = Browser(http, server.url)
        browser.authorize(app.id)
        browser.sign_in(name)
        code = browser.answer("allow").answer["code"]
        yield (
            app.id,
            {
                "grant_type": "authorization_code",
                "client_id": app.id,
                "code": code,
                "redirect_uri": CALLBACK,
                "code_verifier": VERIFIER,
            },
        )


def _send_concurrently(server: LiveServer, form: dict[str, str]) -> list[httpx.Response]:
    """Sends the same request from many connections at the same moment."""

    def post(_: int) -> httpx.Response:
        with server.client() as http:
            return http.post("/token", data=form)

    with ThreadPoolExecutor(_CONCURRENT_REQUESTS) as pool:
        return list(pool.map(post, range(_CONCURRENT_REQUESTS)))


def test_many_redemptions_of_one_code_return_one_set_of_tokens(server, ask):
    """BC-15: one redemption gets tokens, and a second redemption revokes them."""
    _, form = ask
    answers = _send_concurrently(server, form)
    token_sets = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(token_sets) == 1
    assert {answer.status_code for answer in answers} == {200, 400}
    with server.client() as http:
        assert http.post("/token", data=form).status_code == 400
        headers = {"Authorization": f"Bearer {token_sets[0]['access_token']}"}
        assert http.get("/userinfo", headers=headers).status_code == 401


def test_concurrent_refreshes_get_the_same_successor(server, ask):
    """NG-089, I16: all refreshes return one refresh token, which works."""
    client_id, form = ask
    with server.client() as http:
        first = http.post("/token", data=form).json()["refresh_token"]
        again = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": first}
        answers = _send_concurrently(server, again)
        assert {answer.status_code for answer in answers} == {200}
        successors = {answer.json()["refresh_token"] for answer in answers}
        assert len(successors) == 1
        second = successors.pop()
        assert http.post("/token", data={**again, "refresh_token": second}).status_code == 200


def test_no_concurrent_refresh_escapes_a_revocation(server, ask):
    """RFC 7009 2.1: every access token of the revoked family is revoked, too."""
    client_id, form = ask
    with server.client() as http:
        token = http.post("/token", data=form).json()["refresh_token"]
        again = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": token}
        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(_send_concurrently, server, again)
            revocation = {"client_id": client_id, "token": token}
            assert http.post("/revoke", data=revocation).status_code == 200
            answers = sent.result()
        assert {answer.status_code for answer in answers} <= {200, 400}
        for answer in answers:
            headers = {"Authorization": f"Bearer {answer.json().get('access_token')}"}
            assert http.get("/userinfo", headers=headers).status_code == 401


@pytest.mark.parametrize("server", ["several_successors"], indirect=True)
def test_the_check_detects_a_refresh_token_with_several_successors(server, ask):
    """I16: each of several successors could be refreshed, and reuse would go unnoticed."""
    with pytest.raises(AssertionError):
        test_concurrent_refreshes_get_the_same_successor(server, ask)
