"""Flask around the routes: what becomes of a request, and of what is none."""

import pytest

from tests.support.builders.site import FORM


@pytest.fixture
def http(local):
    """A client of the WSGI application."""
    return local.app.test_client()


def test_a_route_is_answered_with_a_correlation_id_of_its_own(http):
    """Log, audit entry and answer are tied together by it."""
    first, second = http.get("/healthz"), http.get("/healthz")
    assert first.get_json() == {"status": "ok"}
    assert len(first.headers["X-Correlation-Id"]) == 16
    assert first.headers["X-Correlation-Id"] != second.headers["X-Correlation-Id"]
    assert first.headers["X-Content-Type-Options"] == "nosniff"


def test_the_correlation_id_stands_in_the_entries_of_the_request(http, agent, local):
    """Whoever has the answer finds the entry."""
    form = {"login_hint": "ana", "scope": "openid payments:read", **agent.credentials}
    answer = http.post("/bc-authorize", data=form)
    assert answer.status_code == 200
    (entry,) = local.desk.entries("approval.requested")
    assert entry["correlation_id"] == answer.headers["X-Correlation-Id"]


def test_path_query_headers_and_proofs_arrive_as_they_were_sent(http, agent, person):
    """Through the whole application."""
    _, approval = agent.asked()
    path = f"/api/approvals/{approval.id}"
    headers = {
        "Authorization": f"DPoP {person.access_token}",
        "DPoP": person.proof("GET", path),
    }
    answer = http.get(path, query_string={"ignored": "1"}, headers=headers)
    assert answer.get_json()["id"] == approval.id
    twice = [*headers.items(), ("DPoP", person.proof("GET", path))]
    assert http.get(path, headers=twice).get_json()["code"] == "invalid_dpop_proof"


def test_a_parameter_that_is_there_twice_is_refused(http, person):
    """Nobody guesses which of them was meant; one that no route knows is not looked at."""
    path = "/api/approvals"

    def asked(query):
        headers = {
            "Authorization": f"DPoP {person.access_token}",
            "DPoP": person.proof("GET", path),
        }
        return http.get(f"{path}?{query}", headers=headers)

    twice = asked("state=waiting&limit=1&state=decided")
    assert (twice.status_code, twice.get_json()["code"]) == (422, "invalid_body")
    assert "state must appear once" in twice.get_json()["detail"]
    assert asked("state=waiting&unknown=1&unknown=2").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "member"),
    [
        ("GET", "/nothing", 404, "error"),
        ("GET", "/api/nothing", 404, "code"),
        ("GET", "/token", 405, "error"),
        ("PUT", "/api/me", 405, "code"),
    ],
)
def test_what_is_no_route_is_refused_in_the_words_of_its_side(http, method, path, status, member):
    """JSON, never a page of the framework."""
    answer = http.open(path, method=method)
    assert answer.status_code == status
    assert member in answer.get_json()


@pytest.mark.parametrize("path", ["", "//healthz", "//evil.example/healthz", "/healthz/"])
def test_no_path_is_answered_by_a_redirect_to_whatever_host_was_named(http, path):
    """No slash is mended by sending the browser elsewhere, and no path at all is the root."""
    answer = http.get("/", headers={"Host": "evil.example"}, environ_overrides={"PATH_INFO": path})
    assert "evil.example" not in answer.headers.get("Location", "")
    assert answer.status_code == 303 if path == "" else answer.status_code in {200, 404}


def test_a_wrong_method_is_told_which_ones_there_are(http):
    """RFC 9110 15.5.6."""
    assert http.get("/token").headers["Allow"] == "POST"
    assert set(http.put("/api/devices").headers["Allow"].split(", ")) >= {"GET", "POST"}


def test_a_body_that_is_too_long_is_refused_unread(http):
    """128 KiB."""
    answer = http.post("/token", data=b"a" * (128 * 1024 + 1), content_type=FORM)
    assert answer.status_code == 413
    assert answer.get_json()["error"] == "invalid_request"


def test_the_operators_routes_answer_anybody(http, local):
    """Health, readiness, metrics; ready ends when the process is about to."""
    assert http.get("/readyz").get_json() == {"status": "ready"}
    local.messages()
    metrics = http.get("/metrics")
    assert metrics.content_type.startswith("text/plain")
    assert b"sayso_outbox" in metrics.data
    local.site.readiness.ending = True
    ending = http.get("/readyz")
    assert (ending.status_code, ending.headers["Retry-After"]) == (503, "1")
    assert http.get("/healthz").status_code == 200


def test_keys_and_discovery_may_be_read_by_any_page(http):
    """Public halves alone; the same document under both names."""
    keys = http.get("/jwks")
    assert {key["alg"] for key in keys.get_json()["keys"]} == {"ES256", "EdDSA", "RS256"}
    assert all("d" not in key for key in keys.get_json()["keys"])
    assert keys.headers["Access-Control-Allow-Origin"] == "*"
    openid = http.get("/.well-known/openid-configuration").get_json()
    assert openid == http.get("/.well-known/oauth-authorization-server").get_json()
    assert openid["authorization_details_types_supported"] == ["payment.transfer"]
