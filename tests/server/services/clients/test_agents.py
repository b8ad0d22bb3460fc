"""Agents: valid registrations and changes, secrets, and what disabling an agent ends."""

import hashlib
import json

import pytest

from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import AgentChanges
from server.services.refusals import Conflict, Exists, Invalid, NotFound
from tests.support.builders.clock import DAY, HOUR
from tests.support.builders.installation import BY, PAY, PAYMENT, add_user, register_agent

MAIL = "https://mail.example"
JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
"""The public key of RFC 7515, appendix A.3."""
JWKS = json.dumps({"keys": [{**JWK, "kid": "a"}]})

pytestmark = pytest.mark.usefixtures("admin")


@pytest.fixture
def admin(admin_services):
    """A user who can own agents."""
    return add_user(admin_services)


def _update(admin_services, **changes):
    return admin_services.agents.update("invoice-bot", AgentChanges(**changes), by=BY)


def test_registering_an_agent_returns_its_secret_once(admin_services, admin):
    """The database contains only the hash and the last four characters of the secret."""
    registration = register_agent(admin_services)
    assert registration.agent.id.startswith("sayso_ag_")
    assert registration.agent.state == "enabled"
    assert registration.agent.owners == (admin.id,)
    (secret,) = admin_services.agents.show("invoice-bot")[0].secrets
    assert secret.hash == hashlib.sha256(registration.secret.encode()).digest()
    assert (secret.hint, secret.expires_at) == (registration.secret[-4:], None)
    assert registration.secret not in str(admin_services.entries())


def test_an_agent_is_found_by_name_in_any_case_and_by_client_id(admin_services, admin):
    """Both the name and the client_id identify an agent."""
    agent = register_agent(admin_services).agent
    assert admin_services.agents.show("Invoice-Bot")[0] == agent
    assert admin_services.agents.show(agent.id) == (agent, (admin,))


@pytest.mark.parametrize("owners", [(), ("nobody",)])
def test_an_agent_needs_an_owner(admin_services, owners):
    """Somebody must be responsible for each agent, so an agent without an owner is refused."""
    with pytest.raises((Invalid, NotFound)):
        register_agent(admin_services, owners=owners)
    assert admin_services.agents.all() == []


def test_an_agent_needs_an_enabled_owner(admin_services, admin):
    """An agent whose only owner is disabled is refused."""
    add_user(admin_services, "ana")
    admin_services.users.disable("ana", by=BY)
    with pytest.raises(Invalid, match="an enabled owner"):
        register_agent(admin_services, owners=("ana",))
    assert register_agent(admin_services, owners=("ana", "admin")).agent.owners[1] == admin.id


def test_an_agent_without_permissions_can_be_registered(admin_services):
    """An agent can be registered before anyone knows which permissions it needs."""
    agent = register_agent(admin_services, resources=(), scopes=()).agent
    assert (agent.resources, agent.scopes) == ((), ())


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"resources": ("https://nowhere.example",), "scopes": ()},
            "no resource https://nowhere.example",
        ),
        ({"scopes": ("payments:delete",)}, "No resource has the scope payments:delete"),
        ({"resources": ()}, "belongs to https://pay.example. Add that resource to `resources`"),
        ({"scopes": ("openid",)}, "Leave it out"),
        ({"auth_method": "none"}, "client_secret_basic"),
        ({"auth_method": "private_key_jwt"}, "needs `jwks`"),
        ({"request_alg": "ES256"}, "has no ES256 key. Add one to `jwks`"),
        ({"request_alg": "EdDSA", "jwks": JWKS}, "has no EdDSA key"),
        ({"request_alg": "HS256", "jwks": JWKS}, "one of ES256"),
        ({"delivery": "push"}, "`backchannel_client_notification_endpoint` is required"),
        ({"notification_endpoint": "https://a.example/cb"}, "not allowed for poll"),
        ({"delivery": "pigeon", "notification_endpoint": "https://a.example"}, "poll, ping, push"),
        ({"delivery": "ping", "notification_endpoint": "http://a.example"}, "must be https"),
        ({"delivery": "ping", "notification_endpoint": "https://localhost"}, "not be this machine"),
        ({"grant_types": ("password",)}, "client_credentials"),
        ({"grant_types": ()}, "at least one"),
        ({"id_token_alg": "none"}, "RS256"),
        ({"expires_at": 1}, "in the past"),
        ({"expires_at": 10**15}, "hundred years"),
        ({"asks": ("finance",)}, "no user or group finance"),
        ({"description": "a\x1b[0m"}, "The description"),
    ],
)
def test_an_invalid_registration_is_refused_with_the_remedy(admin_services, members, message):
    """The error says what to write instead, and nothing is stored."""
    with pytest.raises((Invalid, NotFound), match=message):
        register_agent(admin_services, **members)
    assert admin_services.agents.all() == []
    assert admin_services.entries("agent.added") == []


@pytest.mark.parametrize("name", ["", "a\nb", "[b]x[/b]", "sayso_ag_x", "\u202ebot", "x" * 65])
def test_an_agent_name_must_be_displayable(admin_services, name):
    """People see the name on their screens, so control characters and markup are refused."""
    with pytest.raises(Invalid, match=r"[Nn]ame"):
        register_agent(admin_services, name)


def test_agent_names_are_unique_in_any_case(admin_services):
    """Adding and renaming an agent both check the name."""
    register_agent(admin_services)
    register_agent(admin_services, "other")
    with pytest.raises(Exists):
        register_agent(admin_services, "INVOICE-BOT")
    with pytest.raises(Exists):
        admin_services.agents.update("other", AgentChanges(name="Invoice-bot"), by=BY)
    assert admin_services.agents.update("other", AgentChanges(name="Other"), by=BY).name == "Other"


def test_an_agent_with_keys_has_no_secret(admin_services):
    """The agent keeps its private key, so the server has no secret that could leak."""
    registration = register_agent(admin_services, auth_method="private_key_jwt", jwks=JWKS)
    assert registration.secret == ""
    assert registration.agent.secrets == ()
    assert registration.agent.jwks == ({**JWK, "kid": "a", "alg": "ES256"},)
    with pytest.raises(Conflict, match="Replace the keys instead"):
        admin_services.agents.rotate_secret("invoice-bot", by=BY)


def test_the_last_owner_cannot_be_removed(admin_services, admin):
    """An update can remove the last owner only if it adds another one."""
    register_agent(admin_services)
    with pytest.raises(Conflict, match="Add a new owner with `add_owners`"):
        _update(admin_services, remove_owners=("admin",))
    ana = add_user(admin_services, "ana")
    changes = AgentChanges(add_owners=("ana",), remove_owners=("admin",))
    assert admin_services.agents.update("invoice-bot", changes, by=BY).owners == (ana.id,)
    with pytest.raises(Invalid):
        _update(admin_services, remove_owners=("admin",))
    assert admin.id not in admin_services.agents.show("invoice-bot")[0].owners


def test_the_last_enabled_owner_cannot_be_removed(admin_services):
    """A remaining owner who is disabled does not count."""
    add_user(admin_services, "ana")
    register_agent(admin_services, owners=("admin", "ana"))
    admin_services.users.disable("ana", by=BY)
    with pytest.raises(Invalid, match="enabled"):
        _update(admin_services, remove_owners=("admin",))


def test_an_update_changes_only_the_named_members(admin_services):
    """Members that the update does not name keep their values."""
    before = register_agent(
        admin_services, expires_at=admin_services.clock.now() + DAY, asks=("admin",)
    ).agent
    after = _update(admin_services, scopes=("payments:read",))
    assert after.scopes == ("payments:read",)
    assert (after.asks, after.expires_at, after.secrets) == (
        before.asks,
        before.expires_at,
        before.secrets,
    )
    removals = AgentChanges(asks=None, expires_at=None)
    assert admin_services.agents.update("invoice-bot", removals, by=BY).asks is None
    assert admin_services.agents.show("invoice-bot")[0].expires_at is None


def test_disabling_an_agent_revokes_tokens_cancels_requests_and_counts_them(admin_services, admin):
    """Pending and approved requests are canceled; other agents are not affected."""
    agent, other = (
        register_agent(admin_services).agent,
        register_agent(admin_services, "other").agent,
    )
    pending = admin_services.approval(agent.id, admin.id)
    approved = admin_services.approval(agent.id, admin.id, state=State.APPROVED)
    redeemed = admin_services.approval(agent.id, admin.id, state=State.REDEEMED)
    untouched = admin_services.approval(other.id, admin.id)
    token, other_token = (
        admin_services.token(agent.id, admin.id),
        admin_services.token(other.id, admin.id, "t2"),
    )
    child = admin_services.token(other.id, admin.id, "t3", parent_id=token.id)
    counts = {
        "tokens_revoked": 2,
        "descendants_revoked": 1,
        "requests_cancelled": 2,
        "approved_cancelled": 1,
    }
    assert admin_services.agents.preview("invoice-bot").counts == counts
    assert admin_services.agents.show("invoice-bot")[0].state == "enabled"
    disabled = admin_services.agents.disable("invoice-bot", by=BY)
    assert (disabled.agent.state, disabled.counts) == ("disabled", counts)
    for approval in (pending, approved):
        assert admin_services.state(approval) == (State.CANCELLED, "agent_disabled")
    assert admin_services.state(redeemed)[0] is State.REDEEMED
    assert admin_services.state(untouched)[0] is State.PENDING
    revoked = [admin_services.revoked(issued_token) for issued_token in (token, child, other_token)]
    assert revoked == [True, True, False]
    assert admin_services.events(admin) == ["approval.cancelled"] * 2
    (entry,) = admin_services.entries("agent.disabled")
    assert entry["facts"] == counts
    assert entry["agent_id"] == agent.id


def test_a_preview_does_not_count_expired_requests_and_tokens(admin_services):
    """Neither the preview nor the disabling counts expired requests or tokens."""
    agent = register_agent(admin_services).agent
    admin_services.approval(agent.id, admin_services.users.show("admin")[0].id)
    admin_services.token(agent.id, None)
    admin_services.clock.forward(DAY)
    preview = admin_services.agents.preview("invoice-bot")
    assert set(preview.counts.values()) == {0}
    assert admin_services.agents.disable("invoice-bot", by=BY).counts == preview.counts


def test_disabling_twice_counts_zero_and_writes_no_entry(admin_services):
    """A script can repeat the command without writing a second audit entry."""
    register_agent(admin_services)
    admin_services.agents.disable("invoice-bot", by=BY)
    second_result = admin_services.agents.disable("invoice-bot", by=BY)
    assert (
        second_result.agent.state,
        second_result.tokens_revoked,
        second_result.requests_cancelled,
    ) == ("disabled", 0, 0)
    assert len(admin_services.entries("agent.disabled")) == 1


def test_enabling_an_agent_needs_an_enabled_owner(admin_services):
    """Without an enabled owner, enabling is refused; with a new owner, it succeeds."""
    register_agent(admin_services)
    add_user(admin_services, "ana")
    admin_services.agents.disable("invoice-bot", by=BY)
    admin_services.users.disable("admin", by=BY, force=True)
    with pytest.raises(Conflict, match="No owner of invoice-bot is enabled"):
        admin_services.agents.enable("invoice-bot", by=BY)
    _update(admin_services, add_owners=("ana",))
    assert admin_services.agents.enable("invoice-bot", by=BY).state == "enabled"
    assert admin_services.entries("agent.enabled")[0]["facts"] == {"was": "disabled"}


def test_after_a_rotation_both_secrets_work_during_the_overlap(admin_services):
    """The overlap is a day by default, so that there is time to update a running agent."""
    old = register_agent(admin_services).agent.secrets[0]
    admin_services.clock.forward(HOUR)
    rotation = admin_services.agents.rotate_secret("invoice-bot", by=BY)
    first, second = rotation.agent.secrets
    assert (first.id, first.expires_at) == (old.id, admin_services.clock.now() + DAY)
    assert second.expires_at is None
    assert admin_services.agents.show("invoice-bot")[0].secrets == rotation.agent.secrets


def test_a_rotation_without_overlap_ends_the_old_secret_immediately(admin_services):
    """An overlap of zero is for a secret that leaked; only the new secret remains."""
    register_agent(admin_services)
    rotation = admin_services.agents.rotate_secret("invoice-bot", by=BY, overlap_ms=0)
    assert [secret.hint for secret in rotation.agent.secrets] == [rotation.secret[-4:]]


def test_a_later_rotation_never_extends_an_old_secret(admin_services):
    """An old secret ends at the time that its own rotation set."""
    register_agent(admin_services)
    end = admin_services.clock.now() + HOUR
    admin_services.agents.rotate_secret("invoice-bot", by=BY, overlap_ms=HOUR)
    admin_services.clock.forward(1)
    rotation = admin_services.agents.rotate_secret("invoice-bot", by=BY, overlap_ms=30 * DAY)
    assert min(secret.expires_at for secret in rotation.agent.secrets if secret.expires_at) == end
    admin_services.clock.forward(2 * HOUR)
    assert len(admin_services.agents.rotate_secret("invoice-bot", by=BY).agent.secrets) == 3


@pytest.mark.parametrize("overlap", [-1, 30 * DAY + 1])
def test_an_overlap_longer_than_thirty_days_is_refused(admin_services, overlap):
    """An overlap must be temporary, so a longer or a negative one is refused."""
    register_agent(admin_services)
    with pytest.raises(Invalid, match="30 days"):
        admin_services.agents.rotate_secret("invoice-bot", by=BY, overlap_ms=overlap)


def test_deleting_an_agent_ends_its_tokens_and_requests_and_keeps_its_entries(
    admin_services, admin
):
    """Deleting ends the same things as disabling; the audit log keeps the agent's name."""
    agent = register_agent(admin_services).agent
    approval, token = (
        admin_services.approval(agent.id, admin.id),
        admin_services.token(agent.id, admin.id),
    )
    deleted = admin_services.agents.delete("invoice-bot", by=BY)
    assert (deleted.tokens_revoked, deleted.requests_cancelled) == (1, 1)
    assert admin_services.state(approval) == (State.CANCELLED, "agent_disabled")
    assert admin_services.revoked(token)
    assert admin_services.agents.all() == []
    assert admin_services.entries("agent.deleted")[0]["facts"]["name"] == "invoice-bot"
    assert register_agent(admin_services).agent.id != agent.id


@pytest.mark.parametrize("verb", ["show", "disable", "enable", "rotate_secret", "delete"])
def test_an_unknown_agent_is_not_found(admin_services, verb):
    """Every operation on an unknown agent says that it was not found."""
    with pytest.raises(NotFound, match=r"There is no agent x\."):
        getattr(admin_services.agents, verb)("x", **({} if verb == "show" else {"by": BY}))


def test_a_scope_that_its_resource_lost_does_not_block_other_changes(admin_services):
    """An agent can be changed even if one of its scopes no longer exists."""
    register_agent(admin_services)
    admin_services.resources.delete(PAY, by=BY)
    admin_services.resources.add(PAY, {"other": Risk.LOW}, {}, by=BY)
    agent = _update(admin_services, description="Pays bills")
    assert agent.description == "Pays bills"


def test_an_update_without_effect_writes_no_entry(admin_services):
    """Neither an unchanged name nor enabling an enabled agent writes an entry."""
    before = register_agent(admin_services).agent
    version = admin_services.version()
    assert _update(admin_services, name="invoice-bot") == before
    assert admin_services.agents.enable("invoice-bot", by=BY) == before
    assert admin_services.entries("agent.updated") == admin_services.entries("agent.enabled") == []
    assert admin_services.version() >= version


@pytest.mark.parametrize(
    ("text", "message"),
    [("not json", "key file"), ('{"keys": []}', "key file"), ("[]", "key file")],
)
def test_an_unusable_key_file_is_refused(admin_services, text, message):
    """The error names the key file, and no agent is registered."""
    with pytest.raises(Invalid, match=message):
        register_agent(admin_services, auth_method="private_key_jwt", jwks=text)
    assert admin_services.agents.all() == []


def test_keys_are_replaced_and_can_be_used_with_a_secret(admin_services):
    """An agent with a secret can have keys to sign requests; new keys replace all old keys."""
    register_agent(admin_services, auth_method="private_key_jwt", jwks=JWKS)
    register_agent(admin_services, "other")
    new_jwks = json.dumps({"keys": [{**JWK, "kid": "b"}]})
    changed = _update(admin_services, jwks=new_jwks)
    assert [key["kid"] for key in changed.jwks] == ["b"]
    other = admin_services.agents.update(
        "other", AgentChanges(jwks=new_jwks, request_alg="ES256"), by=BY
    )
    assert (other.auth_method, len(other.secrets)) == ("client_secret_basic", 1)
    assert [key["kid"] for key in other.jwks] == ["b"]


def test_an_agent_may_be_limited_to_registered_action_types(admin_services):
    """An update of another member keeps the limit; None removes it."""
    agent = register_agent(admin_services)
    assert agent.agent.action_types is None
    with pytest.raises(NotFound, match=r"no action type payment\.transfer"):
        _update(admin_services, action_types=("payment.transfer",))
    admin_services.actions.add(json.dumps(PAYMENT), by=BY)
    limit = AgentChanges(action_types=("payment.transfer", "payment.transfer"))
    assert admin_services.agents.update("invoice-bot", limit, by=BY).action_types == (
        "payment.transfer",
    )
    updated_agent = _update(admin_services, description="Pays")
    assert updated_agent.action_types == ("payment.transfer",)
    assert admin_services.agents.show("invoice-bot")[0].action_types == ("payment.transfer",)
    assert _update(admin_services, action_types=()).action_types == ()
    unlimited_agent = _update(admin_services, action_types=None)
    assert unlimited_agent.action_types is None


def test_the_notification_endpoint_changes_with_the_delivery_mode(admin_services):
    """A callback mode needs an endpoint; changing to poll mode removes the endpoint."""
    parameters = {"delivery": "ping", "notification_endpoint": "https://bot.example/cb"}
    agent = register_agent(admin_services, **parameters).agent
    assert (agent.delivery, agent.notification_endpoint) == tuple(parameters.values())
    assert admin_services.agents.show("invoice-bot")[0] == agent
    updated = _update(admin_services, description="x")
    assert updated.notification_endpoint == "https://bot.example/cb"
    changes = AgentChanges(delivery="push", notification_endpoint="https://new.example/cb")
    changed = admin_services.agents.update("invoice-bot", changes, by=BY)
    assert (changed.delivery, changed.notification_endpoint) == ("push", "https://new.example/cb")
    changes = AgentChanges(notification_endpoint="ftp://bot.example")
    with pytest.raises(Invalid, match="must be https"):
        admin_services.agents.update("invoice-bot", changes, by=BY)
    polling = _update(admin_services, delivery="poll")
    assert (polling.delivery, polling.notification_endpoint) == ("poll", None)
    facts = admin_services.entries("agent.updated")[-1]["facts"]
    assert (facts["delivery"], facts["notification_endpoint"]) == ("poll", None)


def test_required_request_signing_is_set_kept_and_removed(admin_services):
    """An update that would leave the agent without a suitable key is refused."""
    agent = register_agent(admin_services, jwks=JWKS, request_alg="ES256").agent
    assert agent.request_alg == "ES256"
    assert admin_services.agents.show("invoice-bot")[0] == agent
    updated = _update(admin_services, description="x")
    assert updated.request_alg == "ES256"
    assert admin_services.entries("agent.updated")[-1]["facts"]["request_alg"] == "ES256"
    with pytest.raises(Invalid, match="has no RS256 key"):
        _update(admin_services, request_alg="RS256")
    unsigned_agent = _update(admin_services, request_alg="")
    assert unsigned_agent.request_alg is None


def test_deleting_a_resource_removes_it_from_the_resources_an_agent_serves(admin_services):
    """A served resource must exist; when it is deleted, the agent no longer serves it."""
    with pytest.raises(NotFound, match=r"no resource https://desk\.example"):
        register_agent(admin_services, serves=("https://desk.example",))
    admin_services.resources.add("https://desk.example", {}, {}, by=BY)
    agent = register_agent(admin_services, serves=(PAY, "https://desk.example", PAY)).agent
    assert agent.serves == (PAY, "https://desk.example")
    updated = _update(admin_services, description="Pays")
    assert updated.serves == (PAY, "https://desk.example")
    admin_services.resources.delete("https://desk.example", by=BY)
    assert admin_services.agents.show("invoice-bot")[0].serves == (PAY,)
    assert _update(admin_services, serves=()).serves == ()


@pytest.mark.parametrize("seconds", [0, 9, 3_601])
def test_a_token_lifetime_limit_must_be_between_10_and_3600_seconds(admin_services, seconds):
    """Registering and updating an agent both refuse an invalid limit."""
    with pytest.raises(Invalid, match="10 to 3600"):
        register_agent(admin_services, token_seconds=seconds)
    register_agent(admin_services)
    with pytest.raises(Invalid, match="10 to 3600"):
        _update(admin_services, token_seconds=seconds)


def test_a_token_lifetime_limit_is_set_kept_and_removed(admin_services):
    """An update of another member keeps the limit; None removes it."""
    assert register_agent(admin_services, token_seconds=60).agent.token_seconds == 60
    for changes, expected in (
        (AgentChanges(description="Pays"), 60),
        (AgentChanges(token_seconds=30), 30),
        (AgentChanges(token_seconds=None), None),
    ):
        assert admin_services.agents.update("invoice-bot", changes, by=BY).token_seconds == expected
        assert admin_services.agents.show("invoice-bot")[0].token_seconds == expected


@pytest.fixture
def mail(admin_services):
    """A second API, which has a scope of the same name."""
    admin_services.resources.add(
        MAIL, {"payments:read": Risk.LOW, "mail:send": Risk.LOW}, {}, by=BY
    )
    return MAIL


def _with_two_resources(admin_services, mail, **members):
    scopes = ("payments:read", "payments:transfer", "mail:send")
    return register_agent(admin_services, resources=(PAY, mail), scopes=scopes, **members).agent


def test_scopes_can_be_limited_for_one_resource(admin_services, mail):
    """At a resource without a limit, the agent may use all its scopes."""
    agent = _with_two_resources(admin_services, mail, only={mail: ("mail:send", "mail:send")})
    assert agent.only == {mail: ("mail:send",)}
    assert admin_services.agents.show("invoice-bot")[0] == agent
    assert agent.allows(mail, "mail:send")
    assert not agent.allows(mail, "payments:read")
    assert agent.allows(PAY, "payments:read")
    assert not agent.allows("https://other.example", "payments:read")
    updated = _update(admin_services, description="x")
    assert updated.only == agent.only
    assert _update(admin_services, only={}).only == {}


@pytest.mark.parametrize(
    ("only", "message"),
    [
        ({"https://other.example": ("mail:send",)}, "Add it to `resources`"),
        ({PAY: ("mail:send",)}, "does not have the scope mail:send at"),
        (
            {PAY: ("payments:delete",)},
            "does not have the scope payments:delete at .* Add it to `scopes`",
        ),
    ],
)
def test_a_resource_limit_must_be_within_the_permissions_of_the_agent(
    admin_services, mail, only, message
):
    """Registering and updating an agent both refuse an invalid limit."""
    with pytest.raises(Invalid, match=message):
        _with_two_resources(admin_services, mail, only=only)
    _with_two_resources(admin_services, mail)
    with pytest.raises(Invalid, match=message):
        _update(admin_services, only=only)


def test_removing_permissions_also_removes_them_from_resource_limits(admin_services, mail):
    """The agent's limits never allow more than its remaining permissions."""
    _with_two_resources(
        admin_services, mail, only={mail: ("mail:send", "payments:read"), PAY: ("payments:read",)}
    )
    fewer = AgentChanges(scopes=("payments:read",))
    agent = admin_services.agents.update("invoice-bot", fewer, by=BY)
    assert agent.only == {mail: ("payments:read",), PAY: ("payments:read",)}
    narrowed_agent = _update(admin_services, resources=(mail,))
    assert narrowed_agent.only == {mail: ("payments:read",)}
    admin_services.resources.delete(mail, by=BY)
    assert admin_services.agents.show("invoice-bot")[0].only == {}
