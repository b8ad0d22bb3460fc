"""Errors use the format of the route's side, and no client input is an internal error."""

import json
from contextlib import contextmanager
from dataclasses import replace

import pytest

from server import telemetry
from server.http import dispatch
from server.http.route import Caller, HttpRequest, Route
from server.model.store import Busy
from server.protocol import errors
from tests.support.builders.site import altered

REQUEST = HttpRequest("GET", "/here", {}, {}, {}, (), b"", "192.0.2.7", 0)


def _answer(site, raised, caller=Caller.CLIENT):
    def endpoint():
        raise raised

    if caller is Caller.PERSON:
        site = replace(site, users=altered(site.users, device_auth=_Everybody()))
    response = dispatch.answer(site, Route("GET", "/here", endpoint, caller, "A test."), REQUEST)
    return response, json.loads(response.body)


class _Everybody:
    """Device authentication that accepts every caller."""

    def authenticate(self, _call):
        """Accept the caller."""


class _AwayStore:
    """A database that is unreachable."""

    @contextmanager
    def read(self):
        """Raise `Busy`."""
        raise Busy("away")
        yield

    write = read


def test_a_protocol_error_is_an_oauth_error_with_its_members_and_headers(local):
    """RFC 6749 5.2; the detail is only logged."""
    error = errors.SlowDown("Wait.", detail="secret", members={"interval": 10})
    response, body = _answer(local.site, error)
    assert response.status == 400
    assert body == {"error": "slow_down", "error_description": "Wait.", "interval": 10}
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    unavailable = errors.TemporarilyUnavailable("Later.", retry_after=7)
    response, body = _answer(local.site, unavailable)
    assert (response.status, response.headers["Retry-After"]) == (503, "7")


def test_a_problem_is_a_problem_document(local):
    """RFC 9457 with a stable code; the log text is only logged."""
    problem = errors.Problem(
        409, "already_decided", "Too late.", members={"n": 1}, headers={"X-A": "b"}, log="secret"
    )
    response, body = _answer(local.site, problem, Caller.PERSON)
    assert body == {
        "type": "about:blank",
        "title": "already decided",
        "status": 409,
        "detail": "Too late.",
        "code": "already_decided",
        "n": 1,
    }
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["X-A"] == "b"


@pytest.mark.parametrize(
    ("caller", "name", "code"),
    [(Caller.CLIENT, "error", "temporarily_unavailable"), (Caller.PERSON, "code", "unavailable")],
)
def test_a_busy_database_is_503_with_retry_after(local, caller, name, code):
    """CB-131: the error has the format of its side and reveals nothing internal."""
    response, body = _answer(local.site, Busy("locked"), caller)
    assert (response.status, body[name]) == (503, code)
    assert response.headers["Retry-After"] == "1"
    assert "locked" not in response.body.decode()


@pytest.mark.parametrize(("caller", "name"), [(Caller.CLIENT, "error"), (Caller.PERSON, "code")])
def test_an_internal_error_reveals_nothing(local, log_lines, caller, name):
    """The exception's text is only in the log, with its traceback.

    NG-092.
    """
    telemetry.configure_logging(as_json=True, level="info")
    response, body = _answer(local.site, RuntimeError("secret of the house"), caller)
    assert (response.status, body[name]) == (500, "server_error")
    assert "secret" not in response.body.decode()
    line = json.loads(log_lines()[-1])
    assert (line["event"], line["route"]) == ("request.failed", "GET /here")
    assert "secret of the house" in line["exception"]


def test_an_unreachable_database_is_503_on_every_route(local, agent, person):
    """Authentication itself already needs the database."""
    away = _AwayStore()
    clients = replace(local.site.clients.auth, store=away)
    site = replace(
        local.site,
        store=away,
        clients=altered(local.site.clients, auth=clients),
        tokens=altered(
            local.site.tokens, endpoint=replace(local.site.tokens.endpoint, clients=clients)
        ),
        users=altered(
            local.site.users, device_auth=replace(local.site.users.device_auth, store=away)
        ),
    )
    unreachable = replace(local, site=site)
    assert replace(agent, local=unreachable).ask().status == 503
    assert replace(agent, local=unreachable).poll("sayso_ar_a").status == 503
    assert replace(person, local=unreachable).call("GET", "/api/me").refusal == (503, "unavailable")
    for path in ("/jwks", "/.well-known/openid-configuration", "/readyz", "/metrics"):
        assert unreachable.send("GET", path).status == 503


def test_answers_are_counted_by_route_and_status(local):
    """The label is the pattern of the route, and never the requested path."""
    counted = telemetry.ANSWERS.labels("GET /api/approvals/<id>", "401")
    before = counted._value.get()
    assert local.send("GET", "/api/approvals/anything").status == 401
    assert counted._value.get() == before + 1
    text = telemetry.metrics_text().decode()
    assert 'endpoint="GET /api/approvals/<id>",status="401"' in text
    assert "anything" not in text


def test_http_errors_use_the_format_of_their_side():
    """The error is a problem document in the API and an OAuth error elsewhere."""
    problem = dispatch.refusal(404, "Not Found", as_problem=True)
    assert json.loads(problem.body)["code"] == "not_found"
    plain = dispatch.refusal(405, "Method Not Allowed", as_problem=False)
    assert (plain.status, json.loads(plain.body)["error"]) == (405, "invalid_request")


def test_a_refusal_is_logged_with_details_hidden_from_the_caller(local, log_lines):
    """The log says why the request was refused."""
    telemetry.configure_logging(as_json=True, level="debug")
    _answer(local.site, errors.InvalidClient("Client authentication failed.", detail="no agent"))
    line = json.loads(log_lines()[-1])
    assert (line["event"], line["error"], line["detail"]) == (
        "request.refused",
        "invalid_client",
        "no agent",
    )
