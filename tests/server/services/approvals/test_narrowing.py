"""Approving with limits: the agent gets exactly the narrowed grant."""

import json
from dataclasses import replace

import pytest

from server.protocol.approvals import decisions
from server.protocol.approvals.narrowing import NOT_GRANTED
from server.protocol.approvals.states import State
from server.services.resources.resources import ResourceChanges
from tests.support.builders.callers import new_person
from tests.support.builders.consents import ask, consent_request
from tests.support.builders.installation import BY, PAY, PAYMENT
from tests.support.clients.agent import PAYMENT_DETAILS

NARROWED = {"changes": [{"fact": "/amount", "to": "500"}]}
FIVE_HUNDRED = [{**PAYMENT_DETAILS[0], "amount": {"minor": 50_000, "currency": "EUR"}}]
NARROWABLE = {"narrow": {"/amount": "lower"}, "amount": "/amount"}
BOTH = "openid payments:read payments:transfer"


@pytest.fixture(autouse=True)
def narrowable(local):
    """Payments may be narrowed, and there is a second scope."""
    local.admin.actions.update(json.dumps({**PAYMENT, **NARROWABLE}), by=BY)


@pytest.fixture
def pending_payment(agent):
    """A pending payment: its auth_req_id and its row."""
    return agent.request_payment(scope=BOTH)


def propose(person, approval, **body):
    """Request a preview of the narrowed text."""
    return person.call("POST", f"/api/approvals/{approval.id}/narrowing", body)


def sign_narrowed(person, approval, digest, **members):
    """Sign an approval of the narrowed text, with the PIN."""
    person.pin(approval.id)
    return person.decision(approval.id, person.high, ceremony="pin", granted=digest, **members)


def approve_narrowed(person, approval, **changes):
    """Approve with limits."""
    narrowing = propose(person, approval, **changes).json
    jws = sign_narrowed(person, approval, narrowing["digest"])
    return person.send_decision(approval.id, jws, granted=narrowing["text"])


def test_a_proposal_shows_the_narrowed_values_next_to_the_requested(person, pending_payment, local):
    """The server writes the granted text; a proposal does not decide the request."""
    _, approval = pending_payment
    answer = propose(person, approval, **NARROWED, drop_scopes=["payments:read"], token_seconds=60)
    assert answer.status == 200
    assert answer.json["digest"] == decisions.digest(answer.json["text"])
    text = json.loads(answer.json["text"])
    assert text == {
        **json.loads(approval.action),
        "authorization_details": FIVE_HUNDRED,
        "scope": ["payments:transfer"],
        "token_seconds": 60,
    }
    assert answer.json["changes"] == [
        {"label": "Scope", "asked": "payments:read", "granted": NOT_GRANTED},
        {"label": "Amount", "asked": "EUR 4,820.00", "granted": "EUR 500.00"},
        {"label": "Token lifetime", "asked": "300 seconds", "granted": "60 seconds"},
    ]
    assert local.stored_approval(approval.id).state is State.PENDING


def test_the_members_that_may_be_narrowed_are_listed(person, pending_payment):
    """The list has the scopes, the facts that the type names, and the token lifetime."""
    _, approval = pending_payment
    answer = person.call("GET", f"/api/approvals/{approval.id}/narrowing")
    assert answer.json == {
        "scopes": ["payments:read", "payments:transfer"],
        "facts": [
            {
                "place": 0,
                "fact": "/amount",
                "label": "Amount",
                "asked": "EUR 4,820.00",
                "rule": "lower",
                "items": [],
            }
        ],
        "token_seconds": 300,
    }


def test_narrowing_options_are_for_own_pending_requests(person, pending_payment, local):
    """Other people's requests are not found, and decided requests have no options."""
    _, approval = pending_payment
    path = f"/api/approvals/{approval.id}/narrowing"
    assert new_person(local, "ben").call("GET", path).status == 404
    person.approve(approval.id)
    assert person.call("GET", path).status == 409


def test_a_changed_action_type_prevents_narrowing(person, pending_payment, local):
    """The requested details no longer match the changed action type."""
    _, approval = pending_payment
    properties = {"type": {"const": "payment.transfer"}, "sum": {"type": "integer"}}
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    changed = {**PAYMENT, "schema": schema, "headline": "Pay", "material": [], "labels": {}}
    local.admin.actions.update(json.dumps(changed), by=BY)
    answer = person.call("GET", f"/api/approvals/{approval.id}/narrowing")
    assert (answer.status, answer.json["code"]) == (422, "not_narrower")


def test_the_agent_gets_the_narrowed_grant_and_is_told(person, agent, pending_payment, local):
    """CB-142: the requested, approved and effective values are all stored."""
    handle, approval = pending_payment
    changes = {**NARROWED, "drop_scopes": ["payments:read"], "token_seconds": 60}
    answer = approve_narrowed(person, approval, **changes)
    assert answer.status == 200
    answer_json = agent.poll(handle).json
    assert answer_json["narrowed"] is True
    assert answer_json["authorization_details"] == FIVE_HUNDRED
    assert (answer_json["scope"], answer_json["expires_in"]) == ("openid payments:transfer", 60)
    claims = local.claims(answer_json["access_token"])
    assert (claims["scope"], claims["authorization_details"]) == ("payments:transfer", FIVE_HUNDRED)
    stored = local.stored_approval(approval.id)
    assert claims["approval"]["action_digest"] == stored.action_digest
    assert claims["approval"]["granted_digest"] == decisions.digest(stored.granted)
    assert (stored.details, stored.action) == (approval.details, approval.action)
    (entry,) = local.admin.entries("approval.approved")
    assert entry["action"] == approval.action_digest
    assert entry["facts"]["granted_digest"] == claims["approval"]["granted_digest"]
    (issued,) = local.admin.entries("token.issued")
    assert issued["action"] == claims["approval"]["granted_digest"]
    assert issued["facts"]["scope"] == "payments:transfer"


def test_the_person_sees_what_they_granted(person, pending_payment):
    """The response and every later view show the narrowed grant."""
    _, approval = pending_payment
    answer = approve_narrowed(person, approval, **NARROWED)
    shown = person.show(approval.id)["granted"]
    assert answer.json["granted"] == shown
    assert shown["digest"] == decisions.digest(shown["text"])
    assert shown["changes"] == [
        {"label": "Amount", "asked": "EUR 4,820.00", "granted": "EUR 500.00"}
    ]


def test_executing_the_requested_instead_of_the_granted_raises_an_alarm(
    person, agent, pending_payment, resource
):
    """A reported outcome is compared with the grant, not with the request."""
    handle, approval = pending_payment
    assert approve_narrowed(person, approval, **NARROWED).status == 200
    token = agent.poll(handle).json["access_token"]
    assert resource.consume(token, authorization_details=FIVE_HUNDRED).status == 200
    requested = json.loads(approval.details)
    assert resource.report(approval.id, authorization_details=requested).json["as_granted"] is False


def test_a_full_approval_is_not_marked_as_narrowed(person, agent, pending_payment, local):
    """The token response, the approver's view and the audit log show no narrowing."""
    handle, approval = pending_payment
    person.approve(approval.id)
    answer_json = agent.poll(handle).json
    assert "narrowed" not in answer_json
    assert person.show(approval.id)["granted"] is None
    assert "granted_digest" not in local.admin.entries("approval.approved")[0]["facts"]


def test_the_resource_consumes_what_was_granted(person, agent, pending_payment, resource):
    """The resource cannot consume the requested details, only the granted ones."""
    handle, approval = pending_payment
    approve_narrowed(person, approval, **NARROWED)
    token = agent.poll(handle).json["access_token"]
    more = resource.consume(token, authorization_details=PAYMENT_DETAILS)
    assert more.refusal == (403, "not_granted")
    consumed = resource.consume(token, authorization_details=FIVE_HUNDRED)
    assert consumed.status == 200
    assert consumed.json["granted_digest"] == person.show(approval.id)["granted"]["digest"]


def test_several_details_are_narrowed_by_their_number(person, agent):
    """Labels have the numbers that are shown on the screen."""
    two = json.dumps([*PAYMENT_DETAILS, {**PAYMENT_DETAILS[0], "payee": "Rhenus"}])
    handle, approval = agent.request_payment(authorization_details=two)
    changes = {"changes": [{"place": 1, "fact": "/amount", "to": "1"}]}
    assert propose(person, approval, **changes).json["changes"] == [
        {"label": "2. Amount", "asked": "EUR 4,820.00", "granted": "EUR 1.00"}
    ]
    approve_narrowed(person, approval, **changes)
    details = agent.poll(handle).json["authorization_details"]
    assert [detail["amount"]["minor"] for detail in details] == [482_000, 100]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "everything that was requested"),
        ({"changes": [{"fact": "/amount", "to": "4820"}]}, "everything that was requested"),
        ({"changes": [{"fact": "/amount", "to": "4820.01"}]}, "/0/amount: is not less"),
        ({"changes": [{"fact": "/payee", "to": "Mallory"}]}, "/0/payee: this action type does not"),
        ({"changes": [{"fact": "/a~1b~0c", "to": "1"}]}, "/0/a~1b~0c: this action type does not"),
        ({"drop_scopes": ["payments:delete"]}, "was not requested"),
        ({"token_seconds": 300}, "must be less than 300 seconds"),
    ],
)
def test_a_proposal_that_is_not_narrower_is_refused_with_the_reason(
    person, pending_payment, changes, message
):
    """The error explains which value is not less than the requested one."""
    answer = propose(person, pending_payment[1], **changes)
    assert answer.refusal == (422, "not_narrower")
    assert message in answer.json["detail"]


def test_a_narrowed_value_must_satisfy_the_schema(person, pending_payment, local):
    """A narrowed value must be one that the agent could have requested."""
    schema = json.loads(json.dumps(PAYMENT["schema"]))
    schema["properties"]["amount"]["properties"]["minor"]["minimum"] = 60_000
    document = {**PAYMENT, **NARROWABLE, "schema": schema}
    local.admin.actions.update(json.dumps(document), by=BY)
    assert propose(person, pending_payment[1], **NARROWED).refusal == (422, "not_narrower")
    local.admin.resources.update(PAY, ResourceChanges(requires={}), by=BY)
    local.admin.actions.delete("payment.transfer", by=BY)
    assert propose(person, pending_payment[1], **NARROWED).refusal == (422, "not_narrower")


def test_only_actions_can_be_narrowed(person, agent, local):
    """A consent cannot be narrowed."""
    approval = ask(local, consent_request(local, agent, person))
    assert propose(person, approval, token_seconds=60).refusal == (422, "not_narrower")
    jws = person.decision(approval.id, granted=decisions.digest("less"))
    sent = person.send_decision(approval.id, jws, granted="less")
    assert sent.refusal == (422, "not_narrower")


def test_another_persons_request_cannot_be_narrowed(pending_payment, local, person):
    """Other people's requests are not found, and a final request is no longer pending."""
    _, approval = pending_payment
    ben = new_person(local, "ben")
    assert propose(ben, approval, **NARROWED).refusal == (404, "not_found")
    nowhere = replace(approval, id="sayso_ap_none")
    assert propose(person, nowhere, **NARROWED).refusal == (404, "not_found")
    person.deny(approval.id)
    assert propose(person, approval, **NARROWED).refusal == (409, "not_pending")


def test_a_narrowed_approval_needs_the_same_key_and_pin(person, pending_payment):
    """A narrowed approval requires the same ceremony as a full one."""
    _, approval = pending_payment
    narrowing = propose(person, approval, **NARROWED).json
    by_session = person.decision(approval.id, person.session, granted=narrowing["digest"])
    sent = person.send_decision(approval.id, by_session, granted=narrowing["text"])
    assert sent.refusal == (403, "key_not_allowed")
    confirmed = person.decision(approval.id, person.high, granted=narrowing["digest"])
    sent = person.send_decision(approval.id, confirmed, granted=narrowing["text"])
    assert sent.refusal == (403, "pin_required")


def test_the_granted_text_must_match_the_signed_digest(person, pending_payment):
    """A missing text, a missing digest and the digest of another text are refused."""
    _, approval = pending_payment
    narrowing = propose(person, approval, **NARROWED).json
    full = sign_narrowed(person, approval, None)
    assert person.send_decision(approval.id, full, granted=narrowing["text"]).status == 422
    narrowed = sign_narrowed(person, approval, narrowing["digest"])
    assert person.send_decision(approval.id, narrowed).refusal == (422, "invalid_decision")
    other = propose(person, approval, drop_scopes=["payments:read"]).json
    assert person.send_decision(approval.id, narrowed, granted=other["text"]).status == 422
    assert person.send_decision(approval.id, narrowed, granted=approval.action).status == 422
    assert person.show(approval.id)["state"] == "pending"


def test_a_denial_cannot_contain_a_granted_text(person, pending_payment):
    """A denial always applies to the whole request."""
    _, approval = pending_payment
    narrowing = propose(person, approval, **NARROWED).json
    denied = person.deny(approval.id, granted=narrowing["text"])
    assert denied.refusal == (422, "invalid_decision")


def test_repeating_a_narrowed_approval_returns_the_same_response(person, pending_payment):
    """A different second approval is refused with already_decided."""
    _, approval = pending_payment
    narrowing = propose(person, approval, **NARROWED).json
    jws = sign_narrowed(person, approval, narrowing["digest"])
    first = person.send_decision(approval.id, jws, granted=narrowing["text"])
    again = person.send_decision(approval.id, jws, granted=narrowing["text"])
    assert (first.status, again.status, again.json["state"]) == (200, 200, "approved")
    full = sign_narrowed(person, approval, None)
    assert person.send_decision(approval.id, full).refusal == (409, "already_decided")


def test_history_contains_the_granted_amounts(person, agent):
    """After three small grants, the large request is unusual."""
    for _ in range(3):
        _, approval = agent.request_payment(scope=BOTH)
        approve_narrowed(person, approval, **NARROWED)
    _, approval = agent.request_payment(scope=BOTH)
    unusual = json.loads(approval.display)["unusual"]
    assert "large_amount" in [signal["code"] for signal in unusual]


def test_permissions_are_checked_for_what_was_granted(person, agent, pending_payment, local):
    """Removing a scope that the approver dropped does not invalidate the approval."""
    handle, approval = pending_payment
    approve_narrowed(person, approval, **NARROWED, drop_scopes=["payments:read"])
    local.admin.resources.update(PAY, ResourceChanges(remove_scopes=("payments:read",)), by=BY)
    assert agent.poll(handle).json["scope"] == "openid payments:transfer"


def test_a_narrowing_check_tolerates_a_deleted_agent_and_resource(person, pending_payment, local):
    """Other checks refuse such an approval."""
    _, approval = pending_payment
    narrowings = local.site.approvals.narrowings
    text = propose(person, approval, **NARROWED, token_seconds=60).json["text"]
    orphan = replace(approval, agent_id="sayso_ag_none", resource="https://gone.example")
    with local.services.store.write() as tx:
        narrowing = narrowings.check(tx, orphan, text)
        assert narrowing.rows[-1].asked == "300 seconds"
        assert narrowings.store_granted(tx, orphan, narrowing) == orphan
    assert local.stored_approval(approval.id).granted is None
