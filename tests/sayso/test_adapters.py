"""The SDK in front of a Flask app and an ASGI app."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import flask
import httpx
import pytest

from sayso import AsyncGuard, Caller, Guard, asgi
from sayso import flask as kit_flask
from tests.support.fakes.issuer import API, ISSUER, USER, FakeIssuer
from tests.support.inputs import dpop_proofs
from tests.support.inputs.handmade_jwts import new_key

PAYMENT = {"type": "payment.transfer", "amount": 1}
METADATA = "/.well-known/oauth-protected-resource"


@pytest.fixture
def issuer() -> FakeIssuer:
    """An issuer whose keys the test controls."""
    return FakeIssuer()


@pytest.fixture
def web(issuer: FakeIssuer) -> Iterator[Any]:
    """A client of a Flask app with a balance, a payment and a public page."""
    app = flask.Flask("pay")
    with issuer.http as http:
        api = kit_flask.Protected(app, Guard(ISSUER, API, scopes=["payments:read"], http=http))

        @app.get("/balance/<account>")
        @api.require("payments:read")
        def balance(caller: Caller, account: str) -> dict[str, object]:
            return {"user": caller.user, "account": account}

        @app.post("/pay")
        @api.require()
        def pay(caller: Caller) -> dict[str, object]:
            caller.require_approval(PAYMENT)
            return {"paid": True}

        @app.get("/about")
        def about() -> str:
            return "a bank"

        yield app.test_client()


def test_flask_passes_the_caller_and_responds_to_refusals(issuer: FakeIssuer, web: Any) -> None:
    """A refusal has a status, a challenge and a body, and unprotected routes stay public."""
    good = {"Authorization": f"Bearer {issuer.token()}"}
    assert web.get("/balance/7", headers=good).json == {"user": USER, "account": "7"}
    assert web.get("/about").text == "a bank"
    refused = web.get("/balance/7")
    assert refused.status_code == 401
    assert "resource_metadata" in refused.headers["WWW-Authenticate"]
    wrong_scope = {"Authorization": f"Bearer {issuer.token(scope='other')}"}
    assert web.get("/balance/7", headers=wrong_scope).json["error"] == "insufficient_scope"
    approval_required = web.post("/pay", headers=good)
    assert approval_required.status_code == 403
    assert approval_required.json["authorization_details"] == [PAYMENT]
    assert approval_required.headers["Cache-Control"] == "no-store"


def test_flask_runs_an_async_view(issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flask runs async views with a package of its own, which this replaces."""
    app = flask.Flask("pay")
    monkeypatch.setattr(app, "async_to_sync", lambda view: lambda *args: asyncio.run(view(*args)))
    with issuer.http as http:
        api = kit_flask.Protected(app, Guard(ISSUER, API, http=http))

        @app.get("/me")
        @api.require()
        async def show(caller: Caller) -> str:
            return str(caller.user)

        answer = app.test_client().get("/me", headers={"Authorization": f"Bearer {issuer.token()}"})
    assert answer.text == USER


def test_flask_serves_the_metadata(web: Any) -> None:
    """The metadata can be read without a token."""
    assert web.get(METADATA).json["authorization_servers"] == [ISSUER]


def test_a_flask_app_can_have_several_guards() -> None:
    """Each API has its own metadata, at a different path; two guards of one API share it."""
    app = flask.Flask("pay")
    for audience in (API, f"{API}/mcp", f"{API}/mcp"):
        kit_flask.Protected(app, Guard(ISSUER, audience))
    with pytest.raises(ValueError, match=r"other\.example.*different paths"):
        kit_flask.Protected(app, Guard(ISSUER, "https://other.example"))
    web: Any = app.test_client()
    assert web.get(METADATA).json["resource"] == API
    assert web.get(f"{METADATA}/mcp").json["resource"] == f"{API}/mcp"


def test_flask_reads_the_proof_of_a_bound_token(issuer: FakeIssuer, web: Any) -> None:
    """The proof must name the public URL of the API, whatever host the app sees."""
    headers = _bound(issuer, "/balance/7")
    assert web.get("/balance/7", headers=headers).json["user"] == USER
    assert web.get("/balance/7", headers=headers).json["error"] == "invalid_dpop_proof"
    assert web.get("/balance/8", headers=_bound(issuer, "/balance/7")).status_code == 401


async def _app(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI app that requires an approval at /pay and fails in the middle of /broken."""
    del receive
    if scope["path"] == "/pay":
        asgi.caller(scope).require_approval(PAYMENT)
    user = asgi.caller(scope).user if scope["path"] != "/about" else None
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/broken":
        asgi.caller(scope).require("nothing")
    await send({"type": "http.response.body", "body": json.dumps({"user": user}).encode()})


@pytest.fixture
def protected(issuer: FakeIssuer) -> asgi.Protected:
    """The ASGI app behind the SDK."""
    return asgi.Protected(_app, AsyncGuard(ISSUER, API, http=issuer.async_http), public=["/about"])


async def test_asgi_passes_the_caller_and_responds_to_refusals(
    issuer: FakeIssuer, protected: asgi.Protected
) -> None:
    """An error that the app raises becomes a response if no response has started yet."""
    good = {"Authorization": f"Bearer {issuer.token()}"}
    async with _client(protected) as http:
        assert (await http.get("/balance", headers=good)).json() == {"user": USER}
        assert (await http.get("/about")).json() == {"user": None}
        assert (await http.get(METADATA)).json()["resource"] == API
        refused = await http.get("/balance")
        assert refused.status_code == 401
        assert "resource_metadata" in refused.headers["WWW-Authenticate"]
        twice = [("Authorization", good["Authorization"])] * 2
        assert (await http.get("/balance", headers=twice)).status_code == 401
        approval_required = await http.post("/pay", headers=good)
        assert approval_required.json()["authorization_details"] == [PAYMENT]
        with pytest.raises(Exception, match="requires the scope nothing"):
            await http.get("/broken", headers=good)


async def test_asgi_reads_the_proof_of_a_bound_token(
    issuer: FakeIssuer, protected: asgi.Protected
) -> None:
    """A proof can be used only once."""
    headers = _bound(issuer, "/balance")
    async with _client(protected) as http:
        assert (await http.get("/balance", headers=headers)).json() == {"user": USER}
        replayed = await http.get("/balance", headers=headers)
    assert replayed.json()["error"] == "invalid_dpop_proof"


async def test_asgi_closes_a_socket_without_a_token(protected: asgi.Protected) -> None:
    """A WebSocket without a token is closed before anything is read."""
    sent_items: list[Any] = []

    async def send(message: Any) -> None:
        sent_items.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing should be read")

    await protected({"type": "websocket", "path": "/feed", "headers": []}, receive, send)
    assert sent_items == [{"type": "websocket.close", "code": 1008, "reason": "unauthenticated"}]


def _client(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://internal")


def _bound(issuer: FakeIssuer, path: str) -> dict[str, str]:
    key = new_key("ES256")
    token = issuer.token(cnf={"jkt": dpop_proofs.thumbprint(key)})
    now, ath = int(time.time() * 1000), dpop_proofs.ath(token)
    proof = dpop_proofs.proof(key, API + path, now, "GET", ath=ath)
    return {"Authorization": f"DPoP {token}", "DPoP": proof}
