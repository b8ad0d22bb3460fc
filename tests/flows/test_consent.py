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


def _add_app(server: LiveServer) -> tuple[str, str]:
    services = server.services
    new = NewApp("books", (CALLBACK,), resources=(PAY,), scopes=("payments:read",))
    added = Apps(services.store, services.secrets).add(new, by=BY)
    return added.app.id, added.secret


def _run(module: str, *arguments: str, environment: dict[str, str]) -> dict[str, object]:
    """Runs a command and returns its JSON document."""
    result = command(module, *arguments, "--json", environment=environment)
    assert result.returncode == 0, result.stderr
    document: dict[str, object] = json.loads(result.stdout)
    return document


def _run_approver(home: Path, *arguments: str) -> dict[str, object]:
    return _run("approver_tui", *arguments, environment={"SAYSO_APPROVER_HOME": str(home)})


def test_a_consent_is_requested_signed_shown_and_revoked(
    server: LiveServer, person: Terminal
) -> None:
    """The page, the terminal, the command line and the audit log show the same consent."""
    client_id, secret = _add_app(server)
    Passwords(server.services.store, server.services.passwords).set(person.user, PASSWORD, by=BY)
    with server.client() as http:
        browser = Browser(http, server.url)
        browser.authorize(client_id, scope="openid payments:read", resource=PAY)
        browser.sign_in(person.user)
        browser.answer("allow")
        pending = person.only_request()
        assert pending.kind.value == "consent"
        facts = [(fact.label, fact.value) for fact in pending.display.facts]
        assert ("App", "books") in facts
        assert ("Scope", "payments:read (low risk)") in facts
        person.approve(pending)
        code = browser.again().answer["code"]
        tokens = _redeem(http, client_id, secret, code)
        (consent,) = [
            item
            for item in _items(_run_approver(person.home, "consents"))
            if item["resource"] == PAY
        ]
        assert consent["client"] == {"id": client_id, "name": "books"}
        listing = _run("server", "consents", "list", environment=server.environment)
        assert consent["id"] in [item["id"] for item in _items(listing)]
        revoked = _run_approver(person.home, "revoke", str(consent["id"]))
        assert (revoked["state"], revoked["tokens_revoked"]) == ("revoked", 1)
        refused = http.post(
            "/token",
            data={"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]},
            auth=(client_id, secret),
        )
        assert refused.json()["error"] == "invalid_grant"
    (given_entry,) = entries(server, "consent.given", approval_id=pending.id)
    (revoked_entry,) = entries(server, "consent.revoked", approval_id=pending.id)
    assert given_entry["facts"]["consent"] == revoked_entry["facts"]["consent"] == consent["id"]


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
