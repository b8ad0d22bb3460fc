"""Flask around the routes: how requests arrive, and which requests are invalid."""

import pytest

from tests.support.builders.clock import MINUTE
from tests.support.builders.site import FORM


@pytest.fixture
def http(local):
    """A client of the WSGI application."""
    return local.app.test_client()


def test_each_answer_has_its_own_correlation_id(http):
    """The ID connects the log, the audit log entry and the answer."""
    first, second = http.get("/healthz"), http.get("/healthz")
    assert first.get_json() == {"status": "ok"}
    assert len(first.headers["X-Correlation-Id"]) == 16
    assert first.headers["X-Correlation-Id"] != second.headers["X-Correlation-Id"]
    assert first.headers["X-Content-Type-Options"] == "nosniff"


def test_audit_log_entries_have_the_correlation_id_of_their_request(http, agent, local):
    """The ID in an answer leads to the audit log entries of its request."""
    form = {"login_hint": "ana", "scope": "openid payments:read", **agent.credentials}
    answer = http.post("/bc-authorize", data=form)
    assert answer.status_code == 200
    (entry,) = local.admin.entries("approval.requested")
    assert entry["correlation_id"] == answer.headers["X-Correlation-Id"]


def test_path_query_headers_and_proofs_arrive_as_sent(http, agent, person):
    """A real request passes them unchanged through the whole application."""
    _, approval = agent.request_approval()
    path = f"/api/approvals/{approval.id}"
    headers = {
        "Authorization": f"DPoP {person.access_token}",
        "DPoP": person.proof("GET", path),
    }
    answer = http.get(path, query_string={"ignored": "1"}, headers=headers)
    assert answer.get_json()["id"] == approval.id
    twice = [*headers.items(), ("DPoP", person.proof("GET", path))]
    assert http.get(path, headers=twice).get_json()["code"] == "invalid_dpop_proof"


def test_a_repeated_query_parameter_is_refused(http, person):
    """Unknown parameters are ignored, even if they are repeated."""
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
def test_unknown_routes_are_refused_in_the_format_of_their_side(http, method, path, status, member):
    """The answer is JSON and never an error page of the framework."""
    answer = http.open(path, method=method)
    assert answer.status_code == status
    assert member in answer.get_json()


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "//token"), ("GET", "///healthz"), ("GET", "/.well-known//jwks")]
)
def test_a_path_with_two_slashes_in_a_row_is_not_found(http, method, path):
    """A proxy or firewall that has rules for `/token` does not apply them to `//token`."""
    answer = http.open("/", method=method, environ_overrides={"PATH_INFO": path})
    assert (answer.status_code, answer.get_json()["error"]) == (404, "invalid_request")


@pytest.mark.parametrize("path", ["", "//healthz", "//evil.example/healthz", "/healthz/"])
def test_no_path_redirects_to_the_host_header(http, path):
    """The framework must not correct slashes with a redirect to a forged host."""
    answer = http.get("/", headers={"Host": "evil.example"}, environ_overrides={"PATH_INFO": path})
    assert "evil.example" not in answer.headers.get("Location", "")
    assert answer.status_code == 303 if path == "" else answer.status_code in {200, 404}


def test_the_refusal_of_a_method_names_the_allowed_ones(http):
    """RFC 9110 15.5.6: the 405 answer has the Allow header."""
    assert http.get("/token").headers["Allow"] == "POST"
    assert set(http.put("/api/devices").headers["Allow"].split(", ")) >= {"GET", "POST"}


def test_a_body_over_the_limit_is_refused_unread(http):
    """The limit is 128 KiB."""
    answer = http.post("/token", data=b"a" * (128 * 1024 + 1), content_type=FORM)
    assert answer.status_code == 413
    assert answer.get_json()["error"] == "invalid_request"


def test_bodies_over_both_limits_are_refused_in_the_same_words(http):
    """The limit of a form is lower than the limit of every body."""
    refusals = [
        http.post("/token", data=b"a" * (limit + 1), content_type=FORM).get_json()
        for limit in (64 * 1024, 128 * 1024)
    ]
    assert [refusal["error_description"] for refusal in refusals] == [
        "The body is longer than 65536 bytes.",
        "The body is longer than 131072 bytes.",
    ]
    problem = http.post("/api/devices", data=b"a" * (128 * 1024 + 1)).get_json()
    assert problem["code"] == "request_entity_too_large"
    assert problem["detail"] == "The body is longer than 131072 bytes."


def test_operator_routes_need_no_authentication(http, local):
    """A process that is about to end is healthy but not ready."""
    assert http.get("/readyz").get_json() == {"status": "ready"}
    local.messages()
    metrics = http.get("/metrics")
    assert metrics.content_type.startswith("text/plain")
    assert b"sayso_outbox" in metrics.data
    local.site.readiness.ending = True
    ending = http.get("/readyz")
    assert (ending.status_code, ending.headers["Retry-After"]) == (503, "1")
    assert http.get("/healthz").status_code == 200


def test_a_server_that_signs_no_checkpoints_is_not_ready(http, local):
    """The server stops being ready after a minute; metrics count unsigned entries and seconds."""
    local.clock.forward(MINUTE)
    assert http.get("/readyz").status_code == 200
    local.clock.forward(1)
    unsigned = http.get("/readyz")
    assert (unsigned.status_code, unsigned.headers["Retry-After"]) == (503, "1")
    assert unsigned.get_json()["error_description"] == "The audit log is not signed."
    assert b"sayso_audit_unsigned_seconds 60.001" in http.get("/metrics").data
    local.site.audit_log.sign()
    assert http.get("/readyz").status_code == 200
    assert b"sayso_audit_unsigned_entries 0.0" in http.get("/metrics").data


def test_keys_and_discovery_are_readable_across_origins(http):
    """The keys are public keys only, and both names give the same document."""
    keys = http.get("/jwks")
    assert {key["alg"] for key in keys.get_json()["keys"]} == {"ES256", "EdDSA", "RS256"}
    assert all("d" not in key for key in keys.get_json()["keys"])
    assert keys.headers["Access-Control-Allow-Origin"] == "*"
    openid = http.get("/.well-known/openid-configuration").get_json()
    assert openid == http.get("/.well-known/oauth-authorization-server").get_json()
    assert openid["authorization_details_types_supported"] == ["payment.transfer"]
