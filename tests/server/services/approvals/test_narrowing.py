"""A person approves less than was asked, and that much is what the agent gets."""

import json
from dataclasses import replace

import pytest

from server.protocol.approvals import decisions
from server.protocol.approvals.narrowing import NOT_GRANTED
from server.protocol.approvals.states import State
from server.services.resources.resources import ResourceChanges
from tests.support.builders.callers import new_person
from tests.support.builders.consents import ask, wanted
from tests.support.builders.installation import BY, PAY, PAYMENT
from tests.support.clients.agent import PAYMENT_DETAILS

LESS = {"changes": [{"fact": "/amount", "to": "500"}]}
FIVE_HUNDRED = [{**PAYMENT_DETAILS[0], "amount": {"minor": 50_000, "currency": "EUR"}}]
NARROWABLE = {"narrow": {"/amount": "lower"}, "amount": "/amount"}
BOTH = "openid payments:read payments:transfer"


@pytest.fixture(autouse=True)
def narrowable(local):
    """Payments may be made less, and there is a second scope."""
    local.desk.actions.update(json.dumps({**PAYMENT, **NARROWABLE}), by=BY)


@pytest.fixture
def asked(agent):
    """A payment that waits: its handle and its row."""
    return agent.asked_payment(scope=BOTH)


def propose(person, approval, **wish):
    """Ask how less would read."""
    return person.call("POST", f"/api/approvals/{approval.id}/narrowing", wish)


def signed(person, approval, digest, **members):
    """A yes to a part, by the PIN."""
    person.pin(approval.id)
    return person.decision(approval.id, person.high, ceremony="pin", granted=digest, **members)


def approve(person, approval, **wish):
    """Approve less."""
    less = propose(person, approval, **wish).json
    jws = signed(person, approval, less["digest"])
    return person.send_decision(approval.id, jws, granted=less["text"])


def test_what_less_would_be_is_shown_beside_what_was_asked(person, asked, local):
    """The text is the server's, and nothing is decided by asking."""
    _, approval = asked
    answer = propose(person, approval, **LESS, drop_scopes=["payments:read"], token_seconds=60)
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
    assert local.stored(approval.id).state is State.PENDING


def test_what_may_be_less_is_told_before_anybody_wishes(person, asked):
    """Scopes, the facts that the type names, and how long the token would live."""
    _, approval = asked
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


def test_what_may_be_less_is_asked_of_ones_own_that_waits(person, asked, local):
    """Not of somebody else's, nor of what is over."""
    _, approval = asked
    path = f"/api/approvals/{approval.id}/narrowing"
    assert new_person(local, "ben").call("GET", path).status == 404
    person.approve(approval.id)
    assert person.call("GET", path).status == 409


def test_a_type_that_changed_meanwhile_lets_nothing_be_less(person, asked, local):
    """What was asked no longer fits it, which is told."""
    _, approval = asked
    properties = {"type": {"const": "payment.transfer"}, "sum": {"type": "integer"}}
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    changed = {**PAYMENT, "schema": schema, "headline": "Pay", "material": [], "labels": {}}
    local.desk.actions.update(json.dumps(changed), by=BY)
    answer = person.call("GET", f"/api/approvals/{approval.id}/narrowing")
    assert (answer.status, answer.json["code"]) == (422, "not_narrower")


def test_the_agent_gets_what_was_granted_and_is_told(person, agent, asked, local):
    """CB-142: proposed, approved and effective are three things, and all are kept."""
    handle, approval = asked
    wish = {**LESS, "drop_scopes": ["payments:read"], "token_seconds": 60}
    answer = approve(person, approval, **wish)
    assert answer.status == 200
    told = agent.poll(handle).json
    assert told["narrowed"] is True
    assert told["authorization_details"] == FIVE_HUNDRED
    assert (told["scope"], told["expires_in"]) == ("openid payments:transfer", 60)
    claims = local.claims(told["access_token"])
    assert (claims["scope"], claims["authorization_details"]) == ("payments:transfer", FIVE_HUNDRED)
    stored = local.stored(approval.id)
    assert claims["approval"]["action_digest"] == stored.action_digest
    assert claims["approval"]["granted_digest"] == decisions.digest(stored.granted)
    assert (stored.details, stored.action) == (approval.details, approval.action)
    (entry,) = local.desk.entries("approval.approved")
    assert entry["action"] == approval.action_digest
    assert entry["facts"]["granted_digest"] == claims["approval"]["granted_digest"]
    (issued,) = local.desk.entries("token.issued")
    assert issued["action"] == claims["approval"]["granted_digest"]
    assert issued["facts"]["scope"] == "payments:transfer"


def test_the_person_sees_afterwards_what_they_granted(person, asked):
    """In the answer, and whenever they look."""
    _, approval = asked
    answer = approve(person, approval, **LESS)
    shown = person.show(approval.id)["granted"]
    assert answer.json["granted"] == shown
    assert shown["digest"] == decisions.digest(shown["text"])
    assert shown["changes"] == [
        {"label": "Amount", "asked": "EUR 4,820.00", "granted": "EUR 500.00"}
    ]


def test_what_was_asked_and_not_granted_is_an_alarm_when_it_ran(person, agent, asked, resource):
    """The outcome that a resource reports is held against what was granted."""
    handle, approval = asked
    assert approve(person, approval, **LESS).status == 200
    token = agent.poll(handle).json["access_token"]
    assert resource.consume(token, authorization_details=FIVE_HUNDRED).status == 200
    whole = json.loads(approval.details)
    assert resource.report(approval.id, authorization_details=whole).json["as_granted"] is False


def test_a_whole_approval_is_no_narrowed_one(person, agent, asked, local):
    """Nothing is said of it."""
    handle, approval = asked
    person.approve(approval.id)
    told = agent.poll(handle).json
    assert "narrowed" not in told
    assert person.show(approval.id)["granted"] is None
    assert "granted_digest" not in local.desk.entries("approval.approved")[0]["facts"]


def test_the_resource_spends_what_was_granted(person, agent, asked, resource):
    """The digest is made of what is about to run; what was asked before is refused."""
    handle, approval = asked
    approve(person, approval, **LESS)
    token = agent.poll(handle).json["access_token"]
    more = resource.consume(token, authorization_details=PAYMENT_DETAILS)
    assert more.refusal == (403, "not_granted")
    spent = resource.consume(token, authorization_details=FIVE_HUNDRED)
    assert spent.status == 200
    assert spent.json["granted_digest"] == person.show(approval.id)["granted"]["digest"]


def test_several_objects_are_told_apart(person, agent):
    """By their number, as on the screen."""
    two = json.dumps([*PAYMENT_DETAILS, {**PAYMENT_DETAILS[0], "payee": "Rhenus"}])
    handle, approval = agent.asked_payment(authorization_details=two)
    wish = {"changes": [{"place": 1, "fact": "/amount", "to": "1"}]}
    assert propose(person, approval, **wish).json["changes"] == [
        {"label": "2. Amount", "asked": "EUR 4,820.00", "granted": "EUR 1.00"}
    ]
    approve(person, approval, **wish)
    details = agent.poll(handle).json["authorization_details"]
    assert [one["amount"]["minor"] for one in details] == [482_000, 100]


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({}, "all that was asked for"),
        ({"changes": [{"fact": "/amount", "to": "4820"}]}, "all that was asked for"),
        ({"changes": [{"fact": "/amount", "to": "4820.01"}]}, "/amount: is not less"),
        ({"changes": [{"fact": "/payee", "to": "Mallory"}]}, "/0/payee: this type does not"),
        ({"changes": [{"fact": "/a~1b~0c", "to": "1"}]}, "/0/a~1b~0c: this type does not"),
        ({"drop_scopes": ["payments:delete"]}, "was not asked for"),
        ({"token_seconds": 300}, "must be less than 300 seconds"),
    ],
)
def test_what_is_not_less_says_why(person, asked, wish, says):
    """And nothing changes."""
    answer = propose(person, asked[1], **wish)
    assert answer.refusal == (422, "not_narrower")
    assert says in answer.json["detail"]


def test_what_the_type_does_not_accept_is_not_granted(person, asked, local):
    """A smaller value has to be one that the agent could have asked for."""
    schema = json.loads(json.dumps(PAYMENT["schema"]))
    schema["properties"]["amount"]["properties"]["minor"]["minimum"] = 60_000
    document = {**PAYMENT, **NARROWABLE, "schema": schema}
    local.desk.actions.update(json.dumps(document), by=BY)
    assert propose(person, asked[1], **LESS).refusal == (422, "not_narrower")
    local.desk.resources.update(PAY, ResourceChanges(requires={}), by=BY)
    local.desk.actions.delete("payment.transfer", by=BY)
    assert propose(person, asked[1], **LESS).refusal == (422, "not_narrower")


def test_only_an_action_is_made_less(person, agent, local):
    """A consent is given or not: no text of less is made, and none is taken."""
    approval = ask(local, wanted(local, agent, person))
    assert propose(person, approval, token_seconds=60).refusal == (422, "not_narrower")
    jws = person.decision(approval.id, granted=decisions.digest("less"))
    sent = person.send_decision(approval.id, jws, granted="less")
    assert sent.refusal == (422, "not_narrower")


def test_nobody_makes_another_persons_request_less(asked, local, person):
    """It is not there for them; nor does one that is over have less."""
    _, approval = asked
    ben = new_person(local, "ben")
    assert propose(ben, approval, **LESS).refusal == (404, "not_found")
    nowhere = replace(approval, id="sayso_ap_none")
    assert propose(person, nowhere, **LESS).refusal == (404, "not_found")
    person.deny(approval.id)
    assert propose(person, approval, **LESS).refusal == (409, "not_pending")


def test_a_part_is_approved_as_the_whole_is(person, asked):
    """The same key and the same PIN."""
    _, approval = asked
    less = propose(person, approval, **LESS).json
    by_session = person.decision(approval.id, person.session, granted=less["digest"])
    sent = person.send_decision(approval.id, by_session, granted=less["text"])
    assert sent.refusal == (403, "key_not_allowed")
    confirmed = person.decision(approval.id, person.high, granted=less["digest"])
    sent = person.send_decision(approval.id, confirmed, granted=less["text"])
    assert sent.refusal == (403, "pin_required")


def test_what_is_granted_must_be_what_was_signed(person, asked):
    """A text without its digest, a digest without its text, and the digest of another."""
    _, approval = asked
    less = propose(person, approval, **LESS).json
    whole = signed(person, approval, None)
    assert person.send_decision(approval.id, whole, granted=less["text"]).status == 422
    part = signed(person, approval, less["digest"])
    assert person.send_decision(approval.id, part).refusal == (422, "invalid_decision")
    other = propose(person, approval, drop_scopes=["payments:read"]).json
    assert person.send_decision(approval.id, part, granted=other["text"]).status == 422
    assert person.send_decision(approval.id, part, granted=approval.action).status == 422
    assert person.show(approval.id)["state"] == "pending"


def test_nothing_is_granted_with_a_denial(person, asked):
    """A no is about everything."""
    _, approval = asked
    less = propose(person, approval, **LESS).json
    denied = person.deny(approval.id, granted=less["text"])
    assert denied.refusal == (422, "invalid_decision")


def test_the_same_part_again_is_the_same_answer_and_another_is_too_late(person, asked):
    """Whoever lost the receipt sends the same bytes; a different yes is a different answer."""
    _, approval = asked
    less = propose(person, approval, **LESS).json
    jws = signed(person, approval, less["digest"])
    first = person.send_decision(approval.id, jws, granted=less["text"])
    again = person.send_decision(approval.id, jws, granted=less["text"])
    assert (first.status, again.status, again.json["state"]) == (200, 200, "approved")
    whole = signed(person, approval, None)
    assert person.send_decision(approval.id, whole).refusal == (409, "already_decided")


def test_history_remembers_what_was_granted(person, agent):
    """Three small yeses to large requests make the large one unusual."""
    for _ in range(3):
        _, approval = agent.asked_payment(scope=BOTH)
        approve(person, approval, **LESS)
    _, approval = agent.asked_payment(scope=BOTH)
    unusual = json.loads(approval.display)["unusual"]
    assert "large_amount" in [one["code"] for one in unusual]


def test_rights_are_judged_again_by_what_was_granted(person, agent, asked, local):
    """A scope that was left out may go; one that was granted may not."""
    handle, approval = asked
    approve(person, approval, **LESS, drop_scopes=["payments:read"])
    local.desk.resources.update(PAY, ResourceChanges(without=("payments:read",)), by=BY)
    assert agent.poll(handle).json["scope"] == "openid payments:transfer"


def test_what_is_gone_meanwhile_takes_nothing_down_with_it(person, asked, local):
    """Whether it may still be approved is not judged here; and only what was approved is a part."""
    _, approval = asked
    narrowings = local.site.approvals.narrowings
    text = propose(person, approval, **LESS, token_seconds=60).json["text"]
    orphan = replace(approval, agent_id="sayso_ag_none", resource="https://gone.example")
    with local.services.store.write() as tx:
        less = narrowings.check(tx, orphan, text)
        assert less.rows[-1].asked == "300 seconds"
        assert narrowings.store_granted(tx, orphan, less) == orphan
    assert local.stored(approval.id).granted is None
