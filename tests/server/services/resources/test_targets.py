"""Finding the resource of a request, and refusing scopes that exceed the permissions."""

from dataclasses import replace

import pytest

from server.model.clients import Agent
from server.model.resources import Resource
from server.protocol import errors
from server.protocol.policy.risks import Risk
from server.services.resources import targets

PAY, MAIL, BOTH = "https://pay.example", "https://mail.example", "https://both.example"
RESOURCES = {
    PAY: Resource(PAY, {"read": Risk.LOW, "pay": Risk.HIGH}, {"pay": "payment"}, 0),
    MAIL: Resource(MAIL, {"send": Risk.MEDIUM}, {}, 0),
    BOTH: Resource(BOTH, {"read": Risk.LOW, "send": Risk.MEDIUM}, {}, 0),
}
AGENT = Agent(
    id="sayso_ag_a",
    name="bot",
    description="",
    auth_method="client_secret_basic",
    jwks=(),
    grant_types=(),
    delivery="poll",
    resources=(PAY, MAIL),
    scopes=("read", "send"),
    action_types=None,
    asks=None,
    owners=(),
    secrets=(),
    id_token_alg="RS256",
    state="enabled",
    expires_at=None,
    created_at=0,
)


class Directory:
    """A directory of the resources above."""

    def resource(self, uri):
        """Return the resource with this URI."""
        return RESOURCES.get(uri)


def _resolve(resource_uri=None, scope=(), resources=AGENT.resources):
    agent = replace(AGENT, resources=resources)
    return targets.resolve(Directory(), agent, resource_uri, scope)


def test_a_named_resource_is_the_target():
    """RFC 8707 2: the client names the resource."""
    assert _resolve(PAY, ("read",)) == targets.TokenTarget(RESOURCES[PAY], ("read",))


@pytest.mark.parametrize("resource_uri", [BOTH, "https://unknown.example"])
def test_a_forbidden_resource_gets_the_same_error_as_an_unknown_one(resource_uri):
    """An agent must not be able to find out which other resources exist."""
    with pytest.raises(errors.InvalidTarget) as refused:
        _resolve(resource_uri, ("read",))
    assert refused.value.description == (
        "This client cannot request this resource. An administrator can allow it."
    )


def test_a_deleted_resource_is_not_a_target():
    """The permissions of an agent may still name a deleted resource."""
    with pytest.raises(errors.InvalidTarget):
        _resolve("https://gone.example", resources=("https://gone.example",))


def test_an_agent_with_one_resource_need_not_name_it():
    """A deleted resource in the permissions does not count."""
    assert _resolve(scope=("send",), resources=(MAIL,)).resource.uri == MAIL
    target = _resolve(scope=("send",), resources=(MAIL, "https://gone.example"))
    assert target.resource.uri == MAIL


def test_the_scopes_select_the_resource_if_only_one_has_them_all():
    """If several resources have the scopes, the agent must name one."""
    assert _resolve(scope=("send",)).resource.uri == MAIL


@pytest.mark.parametrize(
    ("scope", "resources"),
    [((), (PAY, MAIL)), (("read",), (PAY, BOTH)), (("read", "send"), (PAY, MAIL)), (("read",), ())],
)
def test_an_ambiguous_resource_must_be_named(scope, resources):
    """The scopes match no resource, two resources, or parts of several resources."""
    with pytest.raises(errors.InvalidTarget, match="Specify the resource"):
        _resolve(scope=scope, resources=resources)


@pytest.mark.parametrize("scope", [("other",), ("other", "read"), ("typo", "send")])
def test_a_scope_that_no_resource_has_is_an_invalid_scope(scope):
    """RFC 6749 5.2: without a resource the scope is invalid, not the target."""
    with pytest.raises(errors.InvalidScope, match=f"cannot request {scope[0]}. An administrator"):
        _resolve(scope=scope, resources=(PAY, MAIL))


@pytest.mark.parametrize("scope", [("pay",), ("send",), ("other",), ("other", "read")])
def test_a_scope_that_the_agent_or_the_resource_lacks_is_refused(scope):
    """The server never silently drops a scope or reveals which scopes exist."""
    with pytest.raises(errors.InvalidScope, match=f"cannot request {scope[0]} at {PAY}. An admin"):
        _resolve(PAY, scope)


def test_a_request_without_scopes_gets_the_permitted_defaults(monkeypatch):
    """RFC 6749 3.3: scopes that the client names replace the defaults."""
    monkeypatch.setitem(RESOURCES, PAY, replace(RESOURCES[PAY], default_scopes=("pay", "read")))
    target = targets.resolve_or_default(Directory(), AGENT, PAY, ())
    assert target == targets.TokenTarget(RESOURCES[PAY], ("read",))
    named = targets.resolve_or_default(Directory(), AGENT, MAIL, ("send",))
    assert named.scope == ("send",)
    with pytest.raises(errors.InvalidScope, match="There are no default scopes"):
        targets.resolve_or_default(Directory(), AGENT, MAIL, ())


@pytest.mark.parametrize(
    ("scope", "risk"), [((), Risk.LOW), (("read",), Risk.LOW), (("pay", "read"), Risk.HIGH)]
)
def test_the_risk_is_the_highest_of_the_scopes(scope, risk):
    """A target without scopes has low risk, so the risk of the action counts."""
    assert targets.TokenTarget(RESOURCES[PAY], scope).risk is risk


def test_a_scope_is_refused_without_its_required_action_type():
    """A resource can require that each payment is described by its details."""
    target = targets.TokenTarget(RESOURCES[PAY], ("pay", "read"))
    targets.check_required_types(target, frozenset({"payment"}))
    for types in (frozenset(), frozenset({"other"})):
        with pytest.raises(errors.InvalidAuthorizationDetails, match=r"pay needs .* payment"):
            targets.check_required_types(target, types)
    targets.check_required_types(targets.TokenTarget(RESOURCES[PAY], ("read",)), frozenset())


@pytest.mark.parametrize(
    ("agent", "resource", "seconds"),
    [(None, None, 300), (60, None, 60), (None, 600, 600), (900, 600, 600), (60, 600, 60)],
)
def test_the_shorter_lifetime_limit_or_the_default_applies(agent, resource, seconds):
    """An agent's limit cannot extend a resource's limit, or vice versa."""
    limited_resource = replace(RESOURCES[PAY], token_seconds=resource)
    limited_agent = replace(AGENT, token_seconds=agent)
    assert targets.lifetime(limited_agent, limited_resource, 300) == seconds
    assert targets.lifetime(limited_agent, None, 300) == (agent or 300)


def test_a_scope_limited_at_a_resource_selects_another_resource():
    """The scope is refused at a resource where the agent's scopes are limited."""
    agent = replace(
        AGENT, resources=(PAY, MAIL, BOTH), scopes=("read", "send"), only={PAY: (), MAIL: ()}
    )
    with pytest.raises(errors.InvalidScope):
        targets.resolve(Directory(), agent, PAY, ("read",))
    assert targets.resolve(Directory(), agent, None, ("read",)).resource.uri == BOTH
    with pytest.raises(errors.InvalidTarget):
        targets.resolve(Directory(), replace(agent, only={}), None, ("read",))
