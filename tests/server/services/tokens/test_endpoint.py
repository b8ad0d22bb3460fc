"""The steps that all grants at the token endpoint share."""

import jwt
import pytest

from server.protocol.names import GRANT_CIBA, GRANT_CLIENT_CREDENTIALS, GRANT_ENROLLMENT
from server.services.clients.agent_forms import AgentChanges
from tests.support.builders.installation import BY


def test_the_grant_type_is_required(agent, local):
    """A request without a grant type is invalid, because there is no default."""
    assert local.post_form("/token", agent.credentials).refusal == (400, "invalid_request")


def test_an_unknown_grant_type_is_refused_before_authentication(local):
    """RFC 6749 5.2: even an unauthenticated client learns that a grant is not supported."""
    for grant in ("implicit", "password", ""):
        answer = local.post_form("/token", {"grant_type": grant})
        assert answer.refusal[0] == 400
    assert answer.refusal == (400, "invalid_request")
    unknown = local.post_form("/token", {"grant_type": "password"})
    assert unknown.refusal == (400, "unsupported_grant_type")


def test_an_agent_may_use_only_its_registered_grant_types(agent, local):
    """A grant type that the agent did not register is refused."""
    form = {"grant_type": GRANT_CLIENT_CREDENTIALS, "scope": "payments:read", **agent.credentials}
    assert local.post_form("/token", form).status == 200
    local.admin.agents.update("invoice-bot", AgentChanges(grant_types=(GRANT_CIBA,)), by=BY)
    assert local.post_form("/token", form).refusal == (400, "unauthorized_client")


def test_an_agent_is_authenticated_before_its_grant_type_is_checked(local):
    """An unauthenticated caller must not find out which grants a client has."""
    form = {"grant_type": GRANT_CIBA, "auth_req_id": "sayso_ar_a"}
    assert local.post_form("/token", form).refusal == (401, "invalid_client")


def test_an_agent_cannot_use_the_enrollment_grant(agent, local):
    """An authenticated agent gets unauthorized_client, and others get invalid_client."""
    form = {"grant_type": GRANT_ENROLLMENT, "code": "AAAA"}
    answer = local.post_form("/token", {**form, **agent.credentials})
    assert answer.refusal == (400, "unauthorized_client")
    assert local.post_form("/token", form).refusal == (401, "invalid_client")


def test_responses_are_not_cacheable(agent, local):
    """RFC 6749 5.1: neither tokens nor errors may be cached."""
    valid_form = {
        "grant_type": GRANT_CLIENT_CREDENTIALS,
        "scope": "payments:read",
        **agent.credentials,
    }
    for form in (valid_form, {}):
        assert local.post_form("/token", form).headers["Cache-Control"] == "no-store"


def test_each_token_has_its_own_jti(agent, local):
    """Three tokens have three different IDs."""
    form = {"grant_type": GRANT_CLIENT_CREDENTIALS, "scope": "payments:read", **agent.credentials}
    token_ids = {
        local.claims(local.post_form("/token", form).json["access_token"])["jti"] for _ in range(3)
    }
    assert len(token_ids) == 3


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "RS256"])
def test_access_tokens_are_signed_with_the_configured_algorithm(open_local, template, alg):
    """AT-02: the header names the algorithm, and a published key verifies the token."""
    local = open_local(access_token_alg=alg)
    token = template.agent(local).alone().json["access_token"]
    header = jwt.get_unverified_header(token)
    keys = {key["kid"]: key for key in local.send("GET", "/jwks").json["keys"]}
    options = {"verify_aud": False, "verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, jwt.PyJWK(keys[header["kid"]]), algorithms=[alg], options=options)
    assert (header["alg"], header["typ"]) == (alg, "at+jwt")
    assert claims["client_id"] == claims["sub"]
