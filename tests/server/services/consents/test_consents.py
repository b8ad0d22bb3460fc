"""Consents: a page requests one, a device signs it, and it is valid until it ends."""

import json

import pytest

from server.model.tokens import Delegation
from server.protocol import errors
from server.protocol.approvals.states import State
from server.protocol.names import GRANT_CLIENT_CREDENTIALS
from server.protocol.policy.risks import Risk
from server.protocol.times import rfc3339
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.app_forms import AppChanges, NewApp
from server.services.refusals import Conflict, NotFound
from server.services.resources.resources import ResourceChanges
from server.services.users.users import NewUser
from server.storage.approvals.approvals import Approvals
from server.storage.consents.consents import Consents
from tests.support.builders.callers import new_local_agent, new_person
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.consents import all_of, ask, consent_request, give, live
from tests.support.builders.installation import BY, PAY, register_agent
from tests.support.checks.locks import run_during

REDIRECT_URI = "https://chat.example/back"
BOTH_SCOPES = ("payments:read", "payments:transfer")


def _invalid_reason(local, approval):
    with local.services.store.write() as tx:
        return local.site.approvals.checks.invalid_reason(tx, approval)


def _app(local):
    new = NewApp("chat", (REDIRECT_URI,), resources=(PAY,), scopes=("payments:read",))
    return local.admin.apps.add(new, by=BY).app


def _outcome(local, approval, user):
    with local.services.store.read() as view:
        return local.site.consents.outcome(view, approval.id, user.id)


def _token(local, agent, person, consent, name="sayso_at_1", **members):
    now = local.clock.now()
    fields = {"consent_id": consent.id, **members}
    token = Delegation(name, agent.id, person.user.id, PAY, "", now, now + 5 * MINUTE, **fields)
    with local.services.store.write() as tx:
        tx.delegations.add(token)
    return token


def test_a_consent_request_appears_in_the_feed_of_the_person(local, agent, person):
    """The request is listed like any other, and its kind is part of the signed text."""
    approval = ask(local, consent_request(local, agent, person))
    assert (approval.kind, approval.state, approval.risk) == ("consent", State.PENDING, Risk.LOW)
    (shown,) = person.call("GET", "/api/approvals").json["items"]
    assert (shown["id"], shown["kind"]) == (approval.id, "consent")
    assert shown["agent"]["name"] == "invoice-bot"
    action = json.loads(shown["action"])
    until = rfc3339(local.clock.now() + 30 * DAY)
    assert action["authorization_details"] == [
        {"type": "sayso:consent", "until": until, "app": None}
    ]
    assert (action["agent"], action["resource"], action["scope"]) == (
        agent.id,
        PAY,
        ["payments:read"],
    )
    assert local.admin.events(person.user)[-1] == "approval.requested"
    entry = local.admin.entries("approval.requested")[-1]
    assert entry["facts"]["kind"] == "consent"
    assert entry["actor"] == f"user:{person.user.id}"


def test_the_display_states_client_resource_scopes_and_expiry(local, agent, person):
    """Each scope is shown with its risk."""
    approval = ask(local, consent_request(local, agent, person, scopes=BOTH_SCOPES))
    display = json.loads(approval.display)
    facts = [(fact["label"], fact["value"]) for fact in display["facts"]]
    until = display["facts"][-1]["value"]
    assert facts == [
        ("Agent", "invoice-bot"),
        ("Owner", "admin"),
        ("Resource", PAY),
        ("Scope", "payments:read (low risk)"),
        ("Scope", "payments:transfer (high risk)"),
        ("Until", until),
    ]
    assert all(fact["material"] for fact in display["facts"])
    assert display["headline"] == f"Let invoice-bot act for you at {PAY} until {until}"
    assert (display["kind"], display["title"]) == ("consent", "Consent")
    assert display["risk_reason"] == "The risk comes from payments:transfer."
    assert "without asking you each time" in display["gives"]
    assert "revoke it at any time" in display["undo"]
    assert display["unusual"] is None


def test_an_approval_creates_exactly_the_consent_that_was_shown(local, agent, person):
    """The approval stores the consent, writes an audit entry and sends a message."""
    approval = ask(local, consent_request(local, agent, person))
    answer = person.approve(approval.id)
    assert (answer.status, answer.json["state"]) == (200, "redeemed")
    consent = live(local, agent, person)
    assert consent is not None
    assert (consent.scopes, consent.approval_id) == (("payments:read",), approval.id)
    assert consent.expires_at == local.clock.now() + 30 * DAY
    entry = local.admin.entries("consent.given")[-1]
    assert entry["approval_id"] == approval.id
    assert entry["facts"] == {
        "consent": consent.id,
        "app": None,
        "scope": "payments:read",
        "expires_at": consent.expires_at,
    }
    assert local.messages()[-1]["event"] == "consent.given"
    assert _outcome(local, approval, person.user) == "given"


def test_repeating_the_same_decision_creates_no_second_consent(local, agent, person):
    """A terminal that lost the response may repeat the decision."""
    approval = ask(local, consent_request(local, agent, person))
    jws = person.decision(approval.id)
    assert person.send_decision(approval.id, jws).status == 200
    assert person.send_decision(approval.id, jws).json["state"] == "redeemed"
    assert len(all_of(local)) == len(local.admin.entries("consent.given")) == 1


def test_a_denial_creates_no_consent(local, agent, person):
    """The page that sent the request gets the outcome of the denial."""
    approval = ask(local, consent_request(local, agent, person))
    assert _outcome(local, approval, person.user) == "waiting"
    assert person.deny(approval.id).json["state"] == "denied"
    assert all_of(local) == []
    assert _outcome(local, approval, person.user) == "denied"


def test_a_high_risk_scope_needs_the_high_key_and_the_pin(local, agent, person):
    """A consent needs the same ceremony as any approval at its risk."""
    approval = ask(local, consent_request(local, agent, person, scopes=BOTH_SCOPES))
    assert (approval.risk, approval.ceremony) == (Risk.HIGH, "pin")
    without_pin = person.send_decision(approval.id, person.decision(approval.id))
    assert without_pin.refusal == (403, "pin_required")
    session = person.decision(approval.id, person.session)
    assert person.send_decision(approval.id, session).status == 403
    assert live(local, agent, person) is None
    assert person.approve(approval.id).status == 200
    assert live(local, agent, person).scopes == BOTH_SCOPES


def test_an_agent_cannot_poll_a_consent_request(local, agent, person):
    """The poll is refused even with the auth_req_id, which the agent cannot know."""
    approval = ask(local, consent_request(local, agent, person))
    handle = local.services.secrets.auth_req_id(approval.id)
    assert agent.poll(handle).refusal == (400, "invalid_grant")


def test_a_poll_only_finds_actions(local, agent, person, monkeypatch):
    """Even if an auth_req_id led to a consent request, it would be treated as unknown."""
    approval = ask(local, consent_request(local, agent, person))
    monkeypatch.setattr(Approvals, "by_handle", lambda self, _hash: self.get(approval.id))
    assert agent.poll("sayso_ar_any").refusal == (400, "invalid_grant")


def test_a_new_consent_includes_the_scopes_of_the_old_one(local, agent, person):
    """The new consent replaces the old one, and the display marks the old scopes."""
    first = give(local, agent, person)
    local.clock.forward(MINUTE)
    request = consent_request(local, agent, person, scopes=("payments:transfer",), until=None)
    approval = ask(local, request)
    values = [fact["value"] for fact in json.loads(approval.display)["facts"]]
    assert "payments:read (low risk, as before)" in values
    assert "payments:transfer (high risk)" in values
    assert person.approve(approval.id).status == 200
    (result,) = all_of(local)
    assert (result.consent.id, result.consent.scopes) == (first.id, BOTH_SCOPES)
    assert result.consent.expires_at == local.clock.now() + 30 * DAY
    assert (result.consent.created_at, result.consent.approval_id) == (
        first.created_at,
        approval.id,
    )


PERMISSION_CHANGES = {
    "ceiling": lambda admin_services: admin_services.agents.update(
        "invoice-bot", AgentChanges(scopes=("payments:transfer",)), by=BY
    ),
    "gone": lambda admin_services: admin_services.resources.update(
        PAY, ResourceChanges(remove_scopes=("payments:read",)), by=BY
    ),
    "critical": lambda admin_services: admin_services.resources.update(
        PAY, ResourceChanges(scopes={"payments:read": Risk.CRITICAL}), by=BY
    ),
}


@pytest.mark.parametrize("change", PERMISSION_CHANGES)
def test_old_scopes_that_are_no_longer_allowed_are_left_out(local, agent, person, change):
    """Such scopes do not prevent the new consent."""
    give(local, agent, person, scopes=("openid", "payments:read"))
    PERMISSION_CHANGES[change](local.admin)
    request = consent_request(local, agent, person, scopes=("payments:transfer",))
    approval = ask(local, request)
    assert approval.scope == "openid payments:transfer"
    assert person.approve(approval.id).status == 200
    assert live(local, agent, person).scopes == ("openid", "payments:transfer")


def test_the_expiry_of_an_omitted_consent_is_ignored(local, agent, person):
    """The new consent gets the requested expiry, although the old one was valid longer."""
    give(local, agent, person)
    PERMISSION_CHANGES["ceiling"](local.admin)
    until = local.clock.now() + DAY
    approval = ask(
        local, consent_request(local, agent, person, scopes=("payments:transfer",), until=until)
    )
    assert person.approve(approval.id).status == 200
    assert live(local, agent, person).expires_at == until


def test_a_new_consent_never_shortens_the_old_one(local, agent, person):
    """To shorten a consent, a person revokes it."""
    first = give(local, agent, person)
    second = give(local, agent, person, until=local.clock.now() + DAY)
    assert second.expires_at == first.expires_at


def test_an_expired_consent_is_not_renewed(local, agent, person):
    """The new consent is stored separately, and the old one stays expired."""
    give(local, agent, person, until=local.clock.now() + MINUTE)
    local.clock.forward(MINUTE)
    give(local, agent, person)
    assert [result.state(local.clock.now()) for result in all_of(local)] == ["live", "expired"]


def test_a_consent_that_would_remove_scopes_of_a_later_one_is_canceled(local, agent, person):
    """With two pages open, signing the second one removes nothing that the first one granted."""
    narrow = ask(local, consent_request(local, agent, person))
    wider_approval = ask(local, consent_request(local, agent, person, scopes=BOTH_SCOPES))
    assert person.approve(wider_approval.id).status == 200
    refused = person.approve(narrow.id)
    assert (refused.status, refused.json["approval"]["reason"]) == (409, "consent_changed")
    assert live(local, agent, person).scopes == BOTH_SCOPES


def test_of_two_consents_signed_at_once_one_is_canceled(postgres_local, monkeypatch):
    """The second answer is checked only after the first consent is stored."""
    local, statuses = postgres_local, []
    ana = new_person(local, "ana")
    agent = new_local_agent(local)
    reads = ask(local, consent_request(local, agent, ana))
    pays = ask(local, consent_request(local, agent, ana, scopes=("payments:transfer",)))

    def approve_second():
        statuses.append(ana.approve(reads.id).status)

    second = run_during(monkeypatch, Consents, "live", local.services.store, approve_second)
    assert ana.approve(pays.id).status == 200
    second.join()
    assert statuses == [409]
    assert live(local, agent, ana).scopes == ("payments:transfer",)


def test_the_later_of_two_equal_consents_is_used(local, agent, person):
    """A consent that removes no scopes of the one in force replaces it."""
    requests = [ask(local, consent_request(local, agent, person)) for _page in range(2)]
    assert [person.approve(request.id).status for request in requests] == [200, 200]
    assert live(local, agent, person).approval_id == requests[1].id


def test_a_scope_that_is_no_longer_allowed_does_not_cancel_a_consent(local, agent, person):
    """The client lost the scope of the first consent before the second one was signed."""
    request = ask(local, consent_request(local, agent, person, scopes=("payments:transfer",)))
    give(local, agent, person)
    PERMISSION_CHANGES["ceiling"](local.admin)
    assert person.approve(request.id).status == 200
    assert live(local, agent, person).scopes == ("payments:transfer",)


def test_openid_scopes_are_low_risk_and_need_no_permission(local, agent, person):
    """OpenID scopes concern the person, not a resource."""
    consent = give(local, agent, person, scopes=("openid", "payments:read", "profile"))
    assert consent.scopes == ("openid", "payments:read", "profile")


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"client_id": "sayso_ag_aaaaaaaaaaaaaaaa"}, errors.UnauthorizedClient),
        ({"resource": "https://other.example"}, errors.InvalidTarget),
        ({"scopes": ()}, errors.InvalidScope),
        ({"scopes": ("payments:refund",)}, errors.InvalidScope),
        ({"until": 0}, errors.InvalidRequest),
        ({"until": 4_000_000_000_000}, errors.InvalidRequest),
    ],
)
def test_an_invalid_consent_request_is_refused(local, agent, person, members, error):
    """The client, the resource, the scopes and the expiry must be valid."""
    with pytest.raises(error):
        ask(local, consent_request(local, agent, person, **members))
    assert local.admin.entries("approval.requested") == []


def test_a_disabled_agent_gets_no_consent(local, agent, person):
    """A disabled agent is treated as an unauthorized client."""
    local.admin.agents.disable("invoice-bot", by=BY)
    with pytest.raises(errors.UnauthorizedClient):
        ask(local, consent_request(local, agent, person))


def test_a_scope_outside_the_agents_permissions_is_refused(local, agent, person):
    """The scope is refused even if the resource has it."""
    local.admin.resources.update(PAY, ResourceChanges(scopes={"payments:undo": Risk.LOW}), by=BY)
    with pytest.raises(errors.InvalidScope):
        ask(local, consent_request(local, agent, person, scopes=("payments:undo",)))


def test_a_critical_scope_cannot_be_part_of_a_consent(local, agent, person):
    """Two people must approve each critical action."""
    scopes = {"payments:transfer": Risk.CRITICAL}
    local.admin.resources.update(PAY, ResourceChanges(scopes=scopes), by=BY)
    with pytest.raises(errors.InvalidScope, match="cannot be part of a consent"):
        ask(local, consent_request(local, agent, person, scopes=BOTH_SCOPES))


def test_a_user_without_a_device_is_told_to_enroll_one(local, agent, person):
    """Without a device, the person cannot sign the consent."""
    user, _ = local.admin.users.add(NewUser("ben"), by=BY)
    with pytest.raises(errors.AccessDenied, match="Enroll"):
        ask(local, consent_request(local, agent, person, user=user))


def test_open_consent_requests_per_person_are_limited(local, agent, person):
    """Consent requests are counted separately from requests from agents."""
    for _ in range(10):
        ask(local, consent_request(local, agent, person))
    with pytest.raises(errors.AccessDenied, match="Answer them"):
        ask(local, consent_request(local, agent, person))
    assert agent.ask().status == 200


def test_repeated_denials_pause_consent_requests(local, agent, person):
    """The pause lasts half an hour and does not affect the agent's own requests."""
    for _ in range(3):
        assert person.deny(ask(local, consent_request(local, agent, person)).id).status == 200
    with pytest.raises(errors.AccessDenied, match="half an hour"):
        ask(local, consent_request(local, agent, person))
    assert agent.ask().status == 200
    local.clock.forward(31 * MINUTE)
    ask(local, consent_request(local, agent, person))


def test_a_consent_request_expires_after_ten_minutes(local, agent, person):
    """The page gets the outcome "over" even before the sweeper runs."""
    approval = ask(local, consent_request(local, agent, person))
    local.clock.forward(10 * MINUTE)
    assert _outcome(local, approval, person.user) == "over"
    assert local.services.sweeper.round() == 1
    assert local.stored_approval(approval.id).state is State.EXPIRED
    assert _outcome(local, approval, person.user) == "over"


def test_the_outcome_of_a_consent_is_only_visible_to_its_user(local, agent, person):
    """Other people, and requests that are not consents, get the outcome "over"."""
    approval = ask(local, consent_request(local, agent, person))
    other = new_person(local, "ben")
    assert _outcome(local, approval, other.user) == "over"
    _, action = agent.request_approval()
    assert _outcome(local, action, person.user) == "over"
    with local.services.store.read() as view:
        assert local.site.consents.outcome(view, "sayso_ap_none", person.user.id) == "over"


DISABLING_CHANGES = {
    "user_disabled": lambda admin_services: admin_services.users.disable("ana", by=BY),
    "resource_deleted": lambda admin_services: admin_services.resources.delete(PAY, by=BY),
    "agent_disabled": lambda admin_services: admin_services.agents.disable("invoice-bot", by=BY),
}


@pytest.mark.parametrize("reason", DISABLING_CHANGES)
def test_a_disabled_user_agent_or_deleted_resource_cancels_the_request(
    local, agent, person, reason
):
    """The request is canceled immediately, with the reason."""
    approval = ask(local, consent_request(local, agent, person))
    DISABLING_CHANGES[reason](local.admin)
    stored = local.stored_approval(approval.id)
    assert (stored.state, stored.reason) == (State.CANCELLED, reason)


RISK_AND_PERMISSION_CHANGES = {
    "ceiling": lambda admin_services: admin_services.agents.update(
        "invoice-bot", AgentChanges(scopes=("payments:transfer",)), by=BY
    ),
    "risk": lambda admin_services: admin_services.resources.update(
        PAY, ResourceChanges(scopes={"payments:read": Risk.MEDIUM}), by=BY
    ),
    "scope": lambda admin_services: admin_services.resources.update(
        PAY, ResourceChanges(remove_scopes=("payments:read",)), by=BY
    ),
}


@pytest.mark.parametrize("change", RISK_AND_PERMISSION_CHANGES)
def test_permissions_narrowed_before_the_decision_cancel_the_request(local, agent, person, change):
    """The approval comes too late and is refused."""
    approval = ask(local, consent_request(local, agent, person))
    jws = person.decision(approval.id)
    RISK_AND_PERMISSION_CHANGES[change](local.admin)
    assert person.send_decision(approval.id, jws).refusal == (409, "not_pending")
    assert local.stored_approval(approval.id).reason == "policy_changed"
    assert all_of(local) == []


def test_a_consent_needs_no_grant_type_of_the_agent(local, agent, person):
    """The page sends the request, not the agent."""
    local.admin.agents.update(
        "invoice-bot", AgentChanges(grant_types=(GRANT_CLIENT_CREDENTIALS,)), by=BY
    )
    assert give(local, agent, person) is not None


def test_the_invalid_reason_follows_what_was_deleted_or_disabled(local, agent, person):
    """A disabled user takes precedence over the agent, and the agent over the resource."""
    approval = ask(local, consent_request(local, agent, person))
    assert _invalid_reason(local, approval) is None
    local.admin.resources.delete(PAY, by=BY)
    assert _invalid_reason(local, approval) == "resource_deleted"
    local.admin.agents.delete("invoice-bot", by=BY)
    assert _invalid_reason(local, approval) == "agent_disabled"
    local.admin.users.disable("ana", by=BY)
    assert _invalid_reason(local, approval) == "user_disabled"


def test_a_consent_is_only_created_for_an_approved_request(local, agent, person):
    """The approval must still be in the approved state when the consent is created."""
    approval = ask(local, consent_request(local, agent, person))
    with local.services.store.write() as tx:
        assert local.site.consents.give(tx, approval) == approval
    assert all_of(local) == []


def test_covering_finds_the_consent_that_allows_all_scopes(local, agent, person):
    """If a consent covers a request, the person does not have to be asked again."""
    consent = give(local, agent, person)

    def covering(*scope, client=agent.id):
        with local.services.store.read() as view:
            return local.site.consents.covering(view, person.user.id, client, PAY, scope)

    assert covering("payments:read") == consent
    assert covering() == consent
    assert covering("payments:read", "payments:transfer") is None
    assert covering("payments:read", client="sayso_ag_other") is None


def test_people_list_their_own_consents(local, agent, person):
    """The list contains the consents in force, or also the ended ones on request."""
    consent = give(local, agent, person, until=local.clock.now() + DAY)
    (item,) = person.call("GET", "/api/consents").json["items"]
    assert item == {
        "id": consent.id,
        "state": "live",
        "client": {"id": agent.id, "name": "invoice-bot"},
        "app": None,
        "resource": PAY,
        "scopes": ["payments:read"],
        "created_at": item["created_at"],
        "expires_at": item["expires_at"],
        "revoked_at": None,
    }
    other = new_person(local, "ben")
    assert other.call("GET", "/api/consents").json == {"items": []}
    local.clock.forward(2 * MINUTE)
    assert person.call("DELETE", f"/api/consents/{consent.id}").status == 200
    assert person.call("GET", "/api/consents").json == {"items": []}
    (item,) = person.call("GET", "/api/consents", query={"ended": "true"}).json["items"]
    assert item["state"] == "revoked"
    refused = person.call("GET", "/api/consents", query={"ended": "perhaps"})
    assert refused.refusal == (422, "invalid_body")


def test_revoking_a_consent_revokes_its_tokens_and_their_descendants(local, agent, person):
    """A session is enough, because revoking only removes power; other tokens stay valid."""
    consent = give(local, agent, person)
    root = _token(local, agent, person, consent)
    child = _token(local, agent, person, consent, "sayso_at_2", parent_id=root.id, consent_id=None)
    other = _token(local, agent, person, consent, "sayso_at_3", consent_id=None)
    answer = person.call("DELETE", f"/api/consents/{consent.id}")
    assert (answer.status, answer.json["tokens_revoked"]) == (200, 2)
    assert answer.json["consent"]["state"] == "revoked"
    assert [local.admin.revoked(token) for token in (root, child, other)] == [True, True, False]
    assert live(local, agent, person) is None
    entry = local.admin.entries("consent.revoked")[-1]
    assert (entry["actor"], entry["facts"]["tokens"]) == (f"user:{person.user.id}", 2)
    repeated = person.call("DELETE", f"/api/consents/{consent.id}")
    assert (repeated.status, repeated.json["tokens_revoked"]) == (200, 0)
    assert len(local.admin.entries("consent.revoked")) == 1


def test_revoking_a_consent_of_another_person_is_not_found(local, agent, person):
    """The response is the same as for an unknown ID."""
    consent = give(local, agent, person)
    other = new_person(local, "ben")
    for consent_id in (consent.id, "sayso_co_none"):
        assert other.call("DELETE", f"/api/consents/{consent_id}").refusal == (404, "not_found")
    assert live(local, agent, person) is not None


def test_an_administrator_revokes_a_consent_once(local, agent, person):
    """Revoking an ended or unknown consent is an error and writes no audit entry."""
    consent = give(local, agent, person)
    token = _token(local, agent, person, consent)
    result, tokens = local.site.consents.revoke(consent.id, by=BY)
    assert (result.consent.revoked_at is None, tokens) == (False, 1)
    assert local.admin.revoked(token)
    with pytest.raises(Conflict, match="already ended"):
        local.site.consents.revoke(consent.id, by=BY)
    with pytest.raises(NotFound, match="no consent sayso_co_none"):
        local.site.consents.revoke("sayso_co_none", by=BY)
    (entry,) = local.admin.entries("consent.revoked")
    assert (entry["actor"], entry["cause"]) == (BY, "revoked")


def test_deleting_an_agent_or_a_resource_revokes_its_consents(local, agent, person):
    """A consent ends for good when its agent or resource is deleted."""
    consent = give(local, agent, person)
    token = _token(local, agent, person, consent)
    local.admin.resources.delete(PAY, by=BY)
    assert local.admin.revoked(token)
    assert local.admin.entries("consent.revoked")[-1]["cause"] == "resource_deleted"
    second = register_agent(local.admin, "second").agent
    approval = ask(local, consent_request(local, agent, person, client_id=second.id))
    assert person.approve(approval.id).status == 200
    local.admin.agents.delete("second", by=BY)
    assert local.admin.entries("consent.revoked")[-1]["cause"] == "client_deleted"
    assert {result.state(local.clock.now()) for result in all_of(local)} == {"revoked"}


def test_disabling_an_agent_keeps_its_consents(local, agent, person):
    """The consents apply again when the agent is enabled."""
    give(local, agent, person)
    local.admin.agents.disable("invoice-bot", by=BY)
    assert live(local, agent, person) is not None


def test_an_app_requests_consent_for_itself_or_for_an_agent(local, agent, person):
    """The display names the client and, if it differs, the app that sends the request."""
    scopes = ("openid", "payments:read")
    app = _app(local)
    own = ask(
        local, consent_request(local, agent, person, client_id=app.id, app_id=app.id, scopes=scopes)
    )
    facts = {fact["label"]: fact["value"] for fact in json.loads(own.display)["facts"]}
    assert facts["App"] == "chat"
    assert "Owner" not in facts
    assert "Asked by" not in facts
    assert person.approve(own.id).json["agent"]["name"] == "chat"
    other = ask(local, consent_request(local, agent, person, app_id=app.id))
    facts = {fact["label"]: fact["value"] for fact in json.loads(other.display)["facts"]}
    assert (facts["Agent"], facts["Asked by"]) == ("invoice-bot", "the app chat")
    assert person.approve(other.id).status == 200
    consents = all_of(local)
    assert {(result.client_name, result.app_name) for result in consents} == {
        ("chat", None),
        ("invoice-bot", "chat"),
    }
    chat_consents = local.site.consents.search(user=None, client="chat", ended=False)
    assert [consent.client_name for consent in chat_consents] == ["chat"]
    item = next(item for item in person.call("GET", "/api/consents").json["items"] if item["app"])
    assert item["app"] == {"id": app.id, "name": "chat"}
    local.admin.apps.delete("chat", by=BY)
    assert {result.state(local.clock.now()) for result in all_of(local)} == {"revoked"}
    assert {result.client_name for result in all_of(local)} == {"(deleted app)", "invoice-bot"}


def test_a_disabled_app_gets_no_consent(local, agent, person):
    """A disabled app is treated like a disabled agent."""
    app = _app(local)
    local.admin.apps.update("chat", AppChanges(enabled=False), by=BY)
    with pytest.raises(errors.UnauthorizedClient):
        ask(local, consent_request(local, agent, person, client_id=app.id))
