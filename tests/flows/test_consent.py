"""A consent from end to end: a browser asks, a terminal signs and revokes, the log has all."""

import json
from pathlib import Path

import httpx

from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from server.services.users.passwords import Passwords
from tests.support.browsers.browser import CALLBACK, PASSWORD, VERIFIER, Browser
from tests.support.builders.installation import PAY
from tests.support.checks.log_and_rows import entries
from tests.support.clients.terminal import Terminal
from tests.support.inputs.commands import command
from tests.support.servers.server import BY, LiveServer


def _app(server: LiveServer) -> tuple[str, str]:
    services = server.services
    new = NewApp("books", (CALLBACK,), resources=(PAY,), scopes=("payments:read",))
    given = Apps(services.store, services.secrets).add(new, by=BY)
    return given.app.id, given.secret


def _run(module: str, *arguments: str, environment: dict[str, str]) -> dict[str, object]:
    """Runs a command; returns its JSON document."""
    done = command(module, *arguments, "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    document: dict[str, object] = json.loads(done.stdout)
    return document


def _approver(home: Path, *arguments: str) -> dict[str, object]:
    return _run("approver_tui", *arguments, environment={"SAYSO_APPROVER_HOME": str(home)})


def test_a_consent_is_requested_signed_shown_and_revoked(
    server: LiveServer, person: Terminal
) -> None:
    """The page, the terminal and the audit log agree."""
    client_id, secret = _app(server)
    Passwords(server.services.store, server.services.passwords).set(person.user, PASSWORD, by=BY)
    with server.client() as http:
        browser = Browser(http, server.url)
        browser.authorize(client_id, scope="openid payments:read", resource=PAY)
        browser.sign_in(person.user)
        browser.answer("allow")
        waiting = person.only()
        assert waiting.kind.value == "consent"
        facts = [(fact.label, fact.value) for fact in waiting.display.facts]
        assert ("App", "books") in facts
        assert ("May use", "payments:read (low risk)") in facts
        person.approve(waiting)
        code = browser.again().answer["code"]
        tokens = _redeem(http, client_id, secret, code)
        (mine,) = [
            item for item in _items(_approver(person.home, "consents")) if item["resource"] == PAY
        ]
        assert mine["client"] == {"id": client_id, "name": "books"}
        seen = _run("server", "consents", "list", environment=server.environment)
        assert mine["id"] in [item["id"] for item in _items(seen)]
        revoked = _approver(person.home, "revoke", str(mine["id"]))
        assert (revoked["state"], revoked["tokens_revoked"]) == ("revoked", 1)
        again = http.post(
            "/token",
            data={"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]},
            auth=(client_id, secret),
        )
        assert again.json()["error"] == "invalid_grant"
    (given,) = entries(server, "consent.given", approval_id=waiting.id)
    (ended,) = entries(server, "consent.revoked", approval_id=waiting.id)
    assert given["facts"]["consent"] == ended["facts"]["consent"] == mine["id"]


def _redeem(http: httpx.Client, client_id: str, secret: str, code: str) -> dict[str, str]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    answer = http.post("/token", data=form, auth=(client_id, secret))
    tokens: dict[str, str] = answer.json()
    assert answer.status_code == 200, tokens
    return tokens


def _items(document: dict[str, object]) -> list[dict[str, object]]:
    items = document["items"]
    assert isinstance(items, list)
    return items
