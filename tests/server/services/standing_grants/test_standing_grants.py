"""Standing grants: the preview, the signature at a higher risk, the list, and what ends a grant."""

import json

import pytest

from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.protocol.times import rfc3339
from server.services.clients.agent_forms import AgentChanges
from server.services.operations.administration import AdminServices
from server.services.policy.policies import Policies
from server.services.refusals import Conflict, NotFound
from server.services.standing_grants.proposals import MAX_IN_FORCE
from tests.support.builders import standing_grants
from tests.support.builders.callers import new_person
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY, PAYMENT
from tests.support.builders.policies import rule


@pytest.fixture(autouse=True)
def low_payments(local):
    """Payments are low risk in these tests."""
    standing_grants.lower(local)


@pytest.fixture
def cli_service(local):
    """The service as the command line builds it."""
    return AdminServices(local.services.store, local.services).standing_grants


def post(person, terms, path="/api/grants"):
    """Send the terms of a standing grant."""
    return person.call("POST", path, terms)


def refused(person, terms):
    """Assert that a grant is refused both on request and on preview; return the reason."""
    before = len(person.call("GET", "/api/approvals").json["items"])
    answer = post(person, terms)
    assert answer.refusal == (400, "not_grantable")
    assert post(person, terms, "/api/grants/preview").json["detail"] == answer.json["detail"]
    assert len(person.call("GET", "/api/approvals").json["items"]) == before
    return answer.json["detail"]


def test_the_signed_text_contains_the_bounds_and_the_example(local, agent, person):
    """The action text, whose digest the device signs, contains the example byte for byte."""
    example = standing_grants.example(agent)
    opened = post(person, standing_grants.wish(example)).json
    action = json.loads(opened["action"])
    assert action["authorization_details"] == [
        {
            "type": "sayso:standing_grant",
            "until": rfc3339(local.clock.now() + standing_grants.HOUR * 1000),
            "uses": 3,
            "sum": {"minor": 3_000, "currency": "EUR"},
            "vary": [{"path": "/amount", "up_to": {"minor": 2_000, "currency": "EUR"}}],
            "version": 2,
            "risk": "low",
            "notify": True,
        },
        *standing_grants.details(),
    ]
    assert (action["agent"], action["user"], action["scope"]) == (agent.id, person.user.id, [])
    assert (opened["kind"], opened["risk"], opened["ceremony"]) == (
        "standing_grant",
        "medium",
        "confirm",
    )


def test_the_display_states_every_bound_of_the_grant(agent, person):
    """The page shows agent, key, resource, allowed variation, uses, sum and expiry."""
    standing_grants.example(agent, 9_999)
    opened = post(person, standing_grants.wish(standing_grants.example(agent), notify=False)).json
    display = json.loads(opened["display"])
    until = "2025-10-09 09:53 UTC"
    assert [(fact["label"], fact["value"]) for fact in display["facts"]] == [
        ("Agent", "invoice-bot"),
        ("Agent key", "the current key; a new key ends the grant"),
        ("Resource", PAY),
        ("Amount", "up to EUR 20.00"),
        ("Payee", "Nord"),
        ("Type", "payment.transfer"),
        ("How often", "3 times"),
        ("Total", "up to EUR 30.00"),
        ("Until", until),
        ("Risk", "up to low"),
        ("Each use", "only in your history"),
        ("Would have covered", "1 of the last 2"),
    ]
    assert all(fact["material"] for fact in display["facts"])
    assert display["headline"] == "Let invoice-bot do this 3 times without asking: Payment"
    assert (display["kind"], display["unusual"], display["agent_says"]) == (
        "standing_grant",
        None,
        None,
    )
    assert until in display["gives"]


def test_an_approval_creates_exactly_the_grant_that_was_shown(local, agent, person):
    """The approval stores the grant, writes an audit entry and sends an event."""
    grant = standing_grants.give(person, standing_grants.example(agent))
    assert (grant.user_id, grant.agent_id, grant.resource) == (person.user.id, agent.id, PAY)
    assert (grant.uses, grant.sum_minor, grant.sum_currency) == (3, 3_000, "EUR")
    assert (grant.risk, grant.ceremony, grant.notify) == (Risk.LOW, "confirm", True)
    assert (grant.type, grant.version, grant.used) == ("payment.transfer", 2, 0)
    assert json.loads(grant.details) == standing_grants.details()
    entry = local.admin.entries("standing_grant.given")[-1]
    assert (entry["actor"], entry["approval_id"]) == (
        f"user:{person.user.id}",
        grant.approval_id,
    )
    assert entry["decision"] == "given"
    assert entry["facts"] == {
        "standing_grant": grant.id,
        "scope": "",
        "expires_at": grant.expires_at,
        "uses": 3,
        "used": 0,
        "sum": [3_000, "EUR"],
        "spent": 0,
        "ceremony": "confirm",
    }
    assert local.admin.events(person.user)[-1] == "standing_grant.given"
    assert local.messages()[-1]["event"] == "standing_grant.given"


def test_repeating_the_approval_creates_no_second_grant(local, agent, person):
    """A terminal that lost the response may repeat the decision; a denial creates no grant."""
    opened = post(person, standing_grants.wish(standing_grants.example(agent))).json
    jws = person.decision(opened["id"])
    for _ in range(2):
        assert person.send_decision(opened["id"], jws).json["state"] == "redeemed"
    other = post(person, standing_grants.wish(standing_grants.example(agent))).json
    assert person.deny(other["id"]).json["state"] == "denied"
    assert (
        len(standing_grants.all_of(local)) == len(local.admin.entries("standing_grant.given")) == 1
    )


def test_the_session_key_cannot_approve_a_standing_grant(agent, person):
    """The session key may only remove power, not add it."""
    opened = post(person, standing_grants.wish(standing_grants.example(agent))).json
    jws = person.decision(opened["id"], person.session)
    assert person.send_decision(opened["id"], jws).refusal == (403, "key_not_allowed")


@pytest.mark.parametrize(("risk", "approval_risk"), [("medium", "high"), ("high", "high")])
def test_a_standing_grant_is_approved_one_level_higher(local, agent, person, risk, approval_risk):
    """A grant for medium risk needs the PIN, like a high-risk approval."""
    standing_grants.lower(local, risk)
    local.admin.agents.update(agent.id, AgentChanges(high_grants=True), by=BY)
    example = standing_grants.example(agent)
    opened = post(person, standing_grants.wish(example)).json
    assert (opened["risk"], opened["ceremony"]) == (approval_risk, "pin")
    without_pin = person.decision(opened["id"])
    assert person.send_decision(opened["id"], without_pin).refusal == (403, "pin_required")
    grant = standing_grants.signed(person, post(person, standing_grants.wish(example)))
    assert (str(grant.risk), grant.ceremony) == (risk, "pin")


def test_standing_grants_for_high_risk_must_be_allowed_for_the_agent(local, agent, person):
    """An administrator must allow such grants for the agent first."""
    standing_grants.lower(local, "high")
    reason = refused(person, standing_grants.wish(standing_grants.example(agent)))
    assert "first allow standing grants at high risk for invoice-bot" in reason
    local.admin.agents.update(agent.id, AgentChanges(high_grants=True), by=BY)
    assert post(person, standing_grants.wish(standing_grants.example(agent))).status == 201


def test_a_critical_action_cannot_have_a_standing_grant(local, agent, person):
    """The server refuses one even if the agent's settings and the policy would allow it."""
    local.admin.agents.update(agent.id, AgentChanges(high_grants=True), by=BY)
    example = standing_grants.example(agent)
    standing_grants.lower(local, "critical")
    assert "cannot have a standing grant" in refused(person, standing_grants.wish(example))
    one_approver = rule("ask", 'when.risk.at_least = "critical"', "ask.quorum = 1")
    Policies(local.services.store).set(one_approver, by=BY)
    assert "cannot have a standing grant" in refused(person, standing_grants.wish(example))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seconds": 30 * 86_400 + 1}, "2592000"),
        ({"seconds": 59}, "60 to"),
        ({"uses": 1_000_001}, "1000000"),
        ({"sum": None}, "sum"),
        ({"sum": "a lot"}, "such as 500"),
        ({"sum": "90071992547409.92"}, "too large"),
        ({"vary": [{"fact": "/amount"}]}, "/amount"),
        ({"vary": [{"fact": "/payee"}]}, "/payee"),
        ({"vary": [{"fact": "/nothing"}]}, "/nothing"),
    ],
)
def test_invalid_bounds_are_refused_with_the_member_and_the_limit(agent, person, changes, message):
    """Invalid bounds are refused and never adjusted."""
    assert message in refused(
        person, standing_grants.wish(standing_grants.example(agent), **changes)
    )


def test_sum_and_variation_need_details_with_an_amount(local, agent, person):
    """A grant for scopes alone is limited by its uses and its expiry."""
    _, example = agent.request_approval()
    plain = {"sum": None, "vary": []}
    assert "not about money" in refused(person, standing_grants.wish(example, vary=[], sum="1"))
    assert "no details" in refused(person, standing_grants.wish(example, sum=None))
    grant = standing_grants.give(person, example, **plain)
    assert (grant.scopes, grant.type, grant.sum_minor) == (("payments:read",), None, None)
    entry = local.admin.entries("standing_grant.given")[-1]
    assert (entry["facts"]["sum"], entry["facts"]["scope"]) == (None, "payments:read")


def test_the_example_must_be_an_agents_request_to_the_person(local, agent, person):
    """A request to a different person, a request for a grant and an unknown ID are refused."""
    bob = new_person(local, "bob")
    example = standing_grants.example(agent)
    opened = post(person, standing_grants.wish(example)).json
    for sender, terms in (
        (bob, standing_grants.wish(example)),
        (person, {**standing_grants.wish(example), "approval": opened["id"]}),
        (person, {**standing_grants.wish(example), "approval": "sayso_ap_nothing"}),
    ):
        assert post(sender, terms).refusal == (404, "not_found")


def test_an_example_that_is_no_longer_a_valid_request_is_refused(local, agent, person):
    """The policy, the approvers, the action type, the scopes and the agent are checked again."""
    example = standing_grants.example(agent)
    _, reading = agent.request_approval()
    Policies(local.services.store).set(rule("deny", 'when.type = ["payment.transfer"]'), by=BY)
    assert "denies" in refused(person, standing_grants.wish(example))
    new_person(local, "bob")
    other = rule("ask", 'when.resource = ["*"]', 'ask.who = ["bob"]')
    Policies(local.services.store).set(other, by=BY)
    assert "more than your approval" in refused(person, standing_grants.wish(example))
    local.admin.actions.delete("payment.transfer", by=BY)
    assert "registered" in refused(person, standing_grants.wish(example))
    local.admin.agents.update(agent.id, AgentChanges(scopes=("payments:transfer",)), by=BY)
    reason = refused(person, standing_grants.wish(reading, sum=None, vary=[]))
    assert "cannot request payments:read" in reason
    local.admin.agents.disable(agent.id, by=BY)
    assert "is not enabled" in refused(person, standing_grants.wish(example))


def test_a_request_with_several_actions_cannot_be_an_example(agent, person):
    """A grant is for one action type."""
    details = json.dumps([*standing_grants.details(), *standing_grants.details(2_000)])
    example = agent.local.approval_for(
        agent.ask(scope="openid", authorization_details=details).json["auth_req_id"]
    )
    assert "one action" in refused(person, standing_grants.wish(example))


def test_a_pin_that_policy_requires_is_required_for_the_grant(local, agent, person):
    """If policy requires the PIN for the request, the grant needs it at any risk."""
    example = standing_grants.example(agent)
    pin_rule = rule("ask", 'when.type = ["payment.transfer"]', 'ask.ceremony = "pin"')
    Policies(local.services.store).set(pin_rule, by=BY)
    opened = post(person, standing_grants.wish(example)).json
    assert (opened["risk"], opened["ceremony"]) == ("medium", "pin")


@pytest.mark.parametrize("step", ["type_back", "reason"])
def test_a_grant_is_refused_if_a_rule_needs_a_step_for_each_request(local, agent, person, step):
    """Nobody is asked when a grant is used, so such a grant could never be used."""
    example = standing_grants.example(agent)
    stricter = rule("ask", 'when.type = ["payment.transfer"]', f'ask.ceremony = "{step}"')
    Policies(local.services.store).set(stricter, by=BY)
    assert "more than your approval in advance" in refused(person, standing_grants.wish(example))


def test_the_preview_checks_the_latest_ten_requests_and_stores_nothing(local, agent, person):
    """Each request that the grant would not cover is shown with the bound that it exceeds."""
    amounts = (9_999, 2_001, 2_000, 900, 500)
    for minor in amounts:
        standing_grants.example(agent, minor)
        local.clock.forward(MINUTE)
    _, reading = agent.request_approval()
    local.clock.forward(MINUTE)
    example = standing_grants.example(agent, 100)
    preview = post(person, standing_grants.wish(example), "/api/grants/preview").json
    assert [request["mismatch"] for request in preview["requests"]] == [
        None,
        "scope",
        "sum",
        None,
        None,
        "/amount",
        "/amount",
    ]
    assert [request["id"] for request in preview["requests"]][:2] == [example.id, reading.id]
    assert (preview["risk"], preview["given_at"], preview["uses"]) == ("low", "medium", 3)
    assert {"label": "Amount", "value": "up to EUR 20.00"} in preview["pattern"]
    assert standing_grants.all_of(local) == []
    one_use = post(person, standing_grants.wish(example, uses=1), "/api/grants/preview").json
    assert [request["mismatch"] for request in one_use["requests"]][:5] == [
        "uses",
        "scope",
        "uses",
        "uses",
        None,
    ]
    short = post(person, standing_grants.wish(example, sum="21"), "/api/grants/preview").json
    assert [request["mismatch"] for request in short["requests"]][:5] == [
        None,
        "scope",
        "sum",
        "sum",
        None,
    ]


def test_the_preview_shows_a_different_resource_or_a_higher_risk(local, agent, person):
    """The preview shows that the grant would not cover such requests."""
    local.admin.resources.add("https://x.example", {"x:use": Risk.LOW}, {}, by=BY)
    changes = AgentChanges(
        resources=(PAY, "https://x.example"),
        scopes=("payments:read", "payments:transfer", "x:use"),
    )
    local.admin.agents.update(agent.id, changes, by=BY)
    agent.request_approval(scope="openid x:use", resource="https://x.example")
    local.clock.forward(MINUTE)
    standing_grants.lower(local, "medium")
    standing_grants.example(agent)
    local.clock.forward(MINUTE)
    standing_grants.lower(local)
    example = standing_grants.example(agent)
    preview = post(person, standing_grants.wish(example), "/api/grants/preview").json
    assert [request["mismatch"] for request in preview["requests"]] == [None, "risk", "resource"]


def _forbid(local):
    Policies(local.services.store).set(rule("deny", 'when.resource = ["*"]'), by=BY)


@pytest.mark.parametrize(
    "change",
    [
        lambda local: standing_grants.lower(local, title="Another"),
        lambda local: standing_grants.lower(local, "medium"),
        _forbid,
    ],
    ids=["type", "risk", "policy"],
)
def test_a_change_before_the_signature_cancels_the_request(local, agent, person, change):
    """A change of the action type, its risk or the policy cancels the request."""
    opened = post(person, standing_grants.wish(standing_grants.example(agent))).json
    change(local)
    assert person.approve(opened["id"]).refusal == (409, "not_pending")
    assert local.stored_approval(opened["id"]).reason == "policy_changed"
    assert standing_grants.all_of(local) == []


def test_disabling_the_agent_cancels_the_request_for_a_grant(local, agent, person):
    """The decision is refused, and a later check finds the same reason."""
    opened = post(person, standing_grants.wish(standing_grants.example(agent))).json
    row = local.stored_approval(opened["id"])
    local.admin.agents.disable(agent.id, by=BY)
    assert person.approve(opened["id"]).refusal == (409, "not_pending")
    with local.services.store.read() as view:
        assert local.site.approvals.checks.proposals.invalid_reason(view, row) == "agent_disabled"


def test_deleting_the_resource_invalidates_the_request_for_a_grant(local, agent, person):
    """The check of the request returns `resource_deleted`."""
    opened = post(person, standing_grants.wish(standing_grants.example(agent))).json
    row = local.stored_approval(opened["id"])
    with local.services.store.administer() as tx:
        tx.resources.delete(PAY)
    with local.services.store.read() as view:
        assert local.site.approvals.checks.proposals.invalid_reason(view, row) == "resource_deleted"


def test_standing_grants_per_person_are_limited(local, agent, person):
    """The error tells the person to revoke a grant first."""
    example = standing_grants.example(agent)
    grant = standing_grants.give(person, example)
    with local.services.store.write() as tx:
        for number in range(MAX_IN_FORCE - 1):
            tx.standing_grants.add(standing_grants.like(grant, number))
    assert "revoke one first" in refused(person, standing_grants.wish(example))


def test_pending_requests_for_grants_count_against_the_limit(local, agent, person):
    """Otherwise, the person could sign several requests and exceed the limit."""
    example = standing_grants.example(agent)
    grant = standing_grants.give(person, example)
    with local.services.store.write() as tx:
        for number in range(MAX_IN_FORCE - 2):
            tx.standing_grants.add(standing_grants.like(grant, number))
    assert post(person, standing_grants.wish(example)).status == 201
    assert "revoke one first" in refused(person, standing_grants.wish(example))


def test_open_requests_for_grants_are_limited(agent, person):
    """The eleventh open request for a grant is refused."""
    example = standing_grants.example(agent)
    for _ in range(10):
        assert post(person, standing_grants.wish(example)).status == 201
    assert post(person, standing_grants.wish(example)).refusal == (409, "too_many_open")


def test_people_list_show_and_revoke_their_own_grants(local, agent, person):
    """Revoking needs only a session, and revoking a second time changes nothing."""
    bob = new_person(local, "bob")
    grant = standing_grants.give(person, standing_grants.example(agent))
    (item,) = person.call("GET", "/api/grants").json["items"]
    assert (item["id"], item["state"], item["used"], item["spent"]) == (
        grant.id,
        "live",
        0,
        {"minor": 0, "currency": "EUR", "text": "EUR 0.00"},
    )
    path = f"/api/grants/{grant.id}"
    assert person.call("GET", path).json["taken"] == []
    assert bob.call("GET", "/api/grants").json["items"] == []
    bobs_grant = standing_grants.give(bob, standing_grants.example(agent, login_hint="bob"))
    for method in ("GET", "DELETE"):
        assert bob.call(method, path).refusal == (404, "not_found")
        assert person.call(method, f"/api/grants/{bobs_grant.id}").refusal == (404, "not_found")
    for _ in range(2):
        ended = person.call("DELETE", path).json
        assert (ended["state"], ended["ended_because"]) == ("ended", "revoked")
    assert person.call("GET", "/api/grants").json["items"] == []
    (item,) = person.call("GET", "/api/grants", query={"ended": "true"}).json["items"]
    assert item["state"] == "ended"
    (entry,) = local.admin.entries("standing_grant.ended")
    assert (entry["actor"], entry["cause"]) == (f"user:{person.user.id}", "revoked")
    assert entry["decision"] == "ended"
    assert local.admin.events(person.user)[-1] == "standing_grant.ended"
    invalid = person.call("GET", "/api/grants", query={"ended": "maybe"})
    assert invalid.refusal == (422, "invalid_body")


def test_an_administrator_lists_and_revokes_all_grants(agent, person, cli_service):
    """The search can filter by user and agent, and revoking an ended grant is a conflict."""
    grant = standing_grants.give(person, standing_grants.example(agent))
    (result,) = cli_service.search(user="ana", agent="invoice-bot", ended=False)
    assert (result.grant.id, result.user_name, result.agent_name) == (
        grant.id,
        "ana",
        "invoice-bot",
    )
    assert cli_service.search(user="admin", agent=None, ended=True) == []
    assert cli_service.revoke(grant.id, by=BY).grant.ended_because == "revoked"
    assert cli_service.search(user=None, agent=None, ended=False) == []
    with pytest.raises(Conflict):
        cli_service.revoke(grant.id, by=BY)
    with pytest.raises(NotFound):
        cli_service.revoke("sayso_sg_nothing", by=BY)


def test_an_owner_lists_and_revokes_grants_for_their_agents(local, agent, person):
    """An owner of other agents neither sees nor revokes the grant."""
    owner, other = (new_person(local, name) for name in ("olga", "sven"))
    local.admin.agents.update(agent.id, AgentChanges(add_owners=("olga",)), by=BY)
    grant = standing_grants.give(person, standing_grants.example(agent))
    assert other.call("GET", "/api/admin/grants").json["items"] == []
    revoke_path = f"/api/admin/grants/{grant.id}/revoke"
    assert other.call("POST", revoke_path).refusal == (404, "not_found")
    (item,) = owner.call("GET", "/api/admin/grants").json["items"]
    assert (item["id"], item["user"]["name"]) == (grant.id, "ana")
    query = {"agent": "invoice-bot", "limit": "1"}
    assert len(owner.call("GET", "/api/admin/grants", query=query).json["items"]) == 1
    assert owner.call("POST", revoke_path).json["state"] == "ended"
    assert local.admin.entries("standing_grant.ended")[-1]["actor"] == f"user:{owner.user.id}"
    assert owner.call("POST", revoke_path).refusal == (409, "conflict")


def _rotate(local, agent, _person):
    local.admin.agents.rotate_secret(agent.id, by=BY)


def _new_owner(local, agent, person):
    local.admin.agents.update(agent.id, AgentChanges(add_owners=(person.user.name,)), by=BY)


def _disable(local, agent, _person):
    local.admin.agents.disable(agent.id, by=BY)


def _delete(local, agent, _person):
    local.admin.agents.delete(agent.id, by=BY)


def _change_type(local, _agent, _person):
    local.admin.actions.update(json.dumps({**PAYMENT, "title": "Other"}), by=BY)


def _delete_type(local, _agent, _person):
    local.admin.actions.delete("payment.transfer", by=BY)


def _delete_resource(local, _agent, _person):
    local.admin.resources.delete(PAY, by=BY)


def _disable_user(local, _agent, person):
    local.admin.users.disable(person.user.id, by=BY)


@pytest.mark.parametrize(
    ("change", "because"),
    [
        (_rotate, "key_rotated"),
        (_new_owner, "owner_changed"),
        (_disable, "agent_disabled"),
        (_delete, "agent_disabled"),
        (_change_type, "type_changed"),
        (_delete_type, "type_changed"),
        (_delete_resource, "resource_deleted"),
        (_disable_user, "user_disabled"),
    ],
)
def test_a_grant_ends_with_what_it_depends_on(local, agent, person, change, because):
    """The change ends the grant immediately and writes an audit entry."""
    grant = standing_grants.give(person, standing_grants.example(agent))
    change(local, agent, person)
    assert standing_grants.reload_grant(local, grant).ended_because == because
    entry = local.admin.entries("standing_grant.ended")[-1]
    assert (entry["cause"], entry["actor"]) == (because, BY)


@pytest.mark.parametrize(
    ("change", "because"), [(_rotate, "key_rotated"), (_new_owner, "owner_changed")]
)
def test_an_unsigned_grant_for_a_replaced_agent_is_canceled(local, agent, person, change, because):
    """The person proposed it for the old key and owners. The example stays pending."""
    example = standing_grants.example(agent)
    opened = post(person, standing_grants.wish(example)).json
    change(local, agent, person)
    assert person.approve(opened["id"]).refusal == (409, "not_pending")
    assert local.stored_approval(opened["id"]).reason == because
    assert local.stored_approval(example.id).state is State.PENDING


def test_an_expired_grant_does_not_end_again(local, agent, person, cli_service):
    """Neither a revocation nor a disabled agent changes it, and its user gets no notice."""
    grant = standing_grants.give(person, standing_grants.example(agent))
    local.clock.forward(grant.expires_at - local.clock.now())
    with pytest.raises(Conflict):
        cli_service.revoke(grant.id, by=BY)
    _disable(local, agent, person)
    assert standing_grants.reload_grant(local, grant) == grant
    assert local.admin.entries("standing_grant.ended") == []
    assert "standing_grant.ended" not in local.admin.events(person.user)


def test_reporting_a_request_ends_the_grants_of_its_agent(local, agent, person):
    """The report quarantines the agent, which ends its grants."""
    grant = standing_grants.give(person, standing_grants.example(agent))
    approval = standing_grants.example(agent)
    members = {"decision": "deny", "code": "suspicious", "ceremony": "none"}
    jws = person.decision(approval.id, person.session, **members)
    body = {"decision": jws, "scope": "agent"}
    assert person.call("POST", f"/api/approvals/{approval.id}/report", body).status == 200
    assert standing_grants.reload_grant(local, grant).ended_because == "agent_quarantined"


def test_revoking_a_consent_ends_the_grants_at_its_resource(local, agent, person):
    """The consent and the grant are for the same agent and resource."""
    grant = standing_grants.give(person, standing_grants.example(agent))
    consent = local.admin.consent(agent.id, person.user.id)
    assert person.call("DELETE", f"/api/consents/{consent.id}").status == 200
    assert standing_grants.reload_grant(local, grant).ended_because == "consent_revoked"


def test_other_changes_to_the_agent_keep_the_grant(local, agent, person):
    """For example, a new description does not end the grant."""
    grant = standing_grants.give(person, standing_grants.example(agent))
    local.admin.agents.update(agent.id, AgentChanges(description="x"), by=BY)
    assert standing_grants.reload_grant(local, grant) == grant


def test_a_grant_past_its_expiry_is_expired(local, agent, person):
    """An expired grant is listed as expired, not as ended."""
    grant = standing_grants.give(person, standing_grants.example(agent), seconds=60)
    local.clock.forward(2 * MINUTE)
    assert person.refresh().status == 200
    (item,) = person.call("GET", "/api/grants", query={"ended": "true"}).json["items"]
    assert (item["id"], item["state"], item["ended_at"]) == (grant.id, "expired", None)


def test_an_approval_creates_only_one_grant(local, agent, person):
    """Redeeming the approval a second time changes nothing."""
    grant = standing_grants.give(person, standing_grants.example(agent))
    signed = local.stored_approval(grant.approval_id)
    with local.services.store.write() as tx:
        assert local.site.standing_grants.give(tx, signed, "confirm") == signed
    assert standing_grants.all_of(local) == [grant]
