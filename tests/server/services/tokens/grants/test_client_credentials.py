"""Client credentials: the tokens that an agent can get for itself."""

import pytest

from server.protocol.names import GRANT_CIBA, GRANT_CLIENT_CREDENTIALS
from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import AgentChanges
from server.services.resources.resources import ResourceChanges
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY

MAIL = "https://mail.example"


@pytest.fixture
def request_token(agent, local):
    """Return a function that requests a token for the agent itself."""

    def post(**parameters):
        form = {"grant_type": GRANT_CLIENT_CREDENTIALS, "scope": "payments:read", "resource": PAY}
        return local.post_form("/token", {**form, **agent.credentials, **parameters})

    return post


def _update(local, **changes):
    local.admin.agents.update("invoice-bot", AgentChanges(**changes), by=BY)


def test_a_low_risk_scope_is_granted_to_the_agent_itself(agent, local, request_token):
    """RFC 6749 4.4: the token has no user or actor, and comes without ID or refresh token."""
    answer = request_token()
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "scope"}
    assert (answer.status, answer.json["scope"]) == (200, "payments:read")
    claims = local.claims(answer.json["access_token"])
    assert (claims["sub"], claims["client_id"], claims["aud"]) == (agent.id, agent.id, PAY)
    assert (claims["sub_profile"], claims["scope"]) == ("ai_agent", "payments:read")
    assert not {"act", "approval", "acr", "auth_time"} & set(claims)


def test_its_token_has_a_delegation_and_an_entry_without_a_user(agent, local, request_token):
    """The delegation and the audit entry have no user; disabling the agent revokes the token."""
    claims = local.claims(request_token().json["access_token"])
    (entry,) = local.admin.entries("token.issued")
    assert (entry["agent_id"], entry["facts"]["jti"]) == (agent.id, claims["jti"])
    assert not {"subject", "approval_id", "posture"} & set(entry)
    with local.services.store.read() as view:
        delegation = view.delegations.get(claims["jti"])
    assert (delegation.user_id, delegation.approval_id, delegation.chain) == (None, None, "")
    assert local.admin.agents.disable("invoice-bot", by=BY).tokens_revoked == 1


def test_a_token_expires_no_later_than_its_agent(local, request_token):
    """The token lasts five minutes, or until the agent expires."""
    _update(local, expires_at=local.clock.now() + MINUTE)
    answer = request_token()
    assert answer.json["expires_in"] == 60
    claims = local.claims(answer.json["access_token"])
    assert claims["exp"] == local.clock.now() // 1000 + 60


def test_scopes_above_medium_risk_need_a_person(local, request_token):
    """One scope of high risk is enough for the refusal, and no token is issued."""
    local.admin.resources.add(MAIL, {"mail:send": Risk.MEDIUM}, {}, by=BY)
    _update(
        local, resources=(PAY, MAIL), scopes=("payments:read", "payments:transfer", "mail:send")
    )
    assert request_token(resource=MAIL, scope="mail:send").status == 200
    answer = request_token(scope="payments:read payments:transfer")
    assert answer.refusal == (400, "interaction_required")
    assert "/bc-authorize" in answer.json["error_description"]
    assert len(local.admin.entries("token.issued")) == 1


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"scope": None}, "invalid_scope"),
        ({"scope": "openid payments:read"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "payments:all"}, "invalid_scope"),
        ({"resource": MAIL}, "invalid_target"),
        ({"resource": [PAY, MAIL]}, "invalid_target"),
        ({"authorization_details": "[]"}, "interaction_required"),
    ],
)
def test_an_invalid_request_is_refused(local, request_token, parameters, error):
    """The request needs scopes of one resource; OpenID scopes and details are refused."""
    assert request_token(**parameters).refusal == (400, error)
    assert local.admin.entries("token.issued") == []


def test_a_scope_that_requires_an_action_type_is_refused(local, request_token):
    """The scope is refused even if its risk is low."""
    changes = ResourceChanges(requires={"payments:read": "payment.transfer"})
    local.admin.resources.update(PAY, changes, by=BY)
    assert request_token().refusal == (400, "invalid_authorization_details")


def test_an_agent_without_the_grant_is_unauthorized(local, request_token):
    """RFC 6749 5.2: an agent that did not register the grant gets unauthorized_client."""
    _update(local, grant_types=(GRANT_CIBA,))
    assert request_token().refusal == (400, "unauthorized_client")


def test_token_lifetime_limits_of_agent_and_resource_apply(local, request_token):
    """The shorter of the two limits applies."""
    local.admin.resources.update(PAY, ResourceChanges(token_seconds=120), by=BY)
    assert request_token().json["expires_in"] == 120
    _update(local, token_seconds=30)
    assert request_token().json["expires_in"] == 30
