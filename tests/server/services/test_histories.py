"""What is unusual about a request, by what this person approved of this agent before."""

import json
from dataclasses import replace

import pytest

from server.protocol.unusual import Code, Unusual
from server.services import histories
from server.storage.history import History
from tests.server.services.test_displays import ASKED
from tests.support.callers import new_person
from tests.support.clock import DAY, MINUTE
from tests.support.installation import BY, PAYMENT

HOUR = 60 * MINUTE
BATCH = {
    **PAYMENT,
    "type": "payment.batch",
    "headline": "Pay {payees|count:payee:payees}",
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "payees": {"type": "array", "maxItems": 60, "items": {"type": "string"}},
            "rows": {"type": "integer"},
            "note": {"type": ["string", "null"]},
        },
    },
    "material": ["/payees"],
    "labels": {"/payees/*": "Payee"},
    "target": "/payees/*",
    "amount": "/rows",
}


@pytest.fixture
def paying(agent, local):
    """Asks for a payment of a type that says what is new and how much; returns the approval."""
    stakes = {"target": "/payee", "amount": "/amount", "labels": {"/payee": "To"}}
    local.desk.actions.update(json.dumps({**PAYMENT, **stakes}), by=BY)

    def ask(payee="Nordwind", minor=10_000, *more, user="ana"):
        details = [
            {
                "type": "payment.transfer",
                "amount": {"minor": each, "currency": "EUR"},
                "payee": payee,
            }
            for each in (minor, *more)
        ]
        asked = {"login_hint": user, "authorization_details": json.dumps(details)}
        return agent.asked_payment(**asked)[1]

    return ask


def _codes(approval):
    """Those on the screen, which are those that policy gets."""
    shown = json.loads(approval.display)["unusual"]
    codes = [each["code"] for each in shown]
    assert histories.unusual_of(approval.past) == Unusual(frozenset(map(Code, codes)))
    return codes


def _said(approval):
    return [each["text"] for each in json.loads(approval.display)["unusual"]]


def _again(person, asked, times=1):
    for _ in range(times):
        person.approve(asked().id)
    return asked()


def test_everything_is_new_until_the_person_has_approved_it(paying, person):
    """Then nothing is unusual, and that is said by an empty list."""
    first = paying()
    assert _codes(first) == ["new_agent", "new_scope", "new_target"]
    assert _said(first) == [
        "You never approved anything of invoice-bot before.",
        "Never approved before for invoice-bot: payments:transfer.",
        "Never approved before: To.",
    ]
    person.approve(first.id)
    assert _codes(paying()) == []


def test_what_was_denied_or_ran_out_stays_new(paying, person, local):
    """Only a yes makes something known: an agent does not get there by asking often."""
    person.deny(paying().id, "wrong_details")
    paying()
    local.clock.forward(DAY)
    assert _codes(paying()) == ["new_agent", "new_scope", "new_target"]


def test_a_new_payee_is_told_apart_from_a_known_one(paying, person):
    """By its value, for this person and agent."""
    assert _codes(_again(person, paying)) == []
    other = paying("Other")
    assert _codes(other) == ["new_target"]
    person.approve(other.id)
    assert _codes(paying("Other")) == []


def test_a_payee_that_another_person_approved_is_new_to_this_one(paying, person, local):
    """So is the agent; what it was approved for at a resource is known of it by then."""
    person.approve(paying().id)
    new_person(local, "ben")
    assert _codes(paying(user="ben")) == ["new_agent", "new_target"]


def test_an_amount_is_compared_with_what_was_approved_before(paying, person):
    """From the third on; in the currency's own digits."""
    assert _codes(_again(person, paying, 2)) == []
    assert "large_amount" not in _codes(paying("Nordwind", 90_000))
    person.approve(paying().id)
    large = paying("Nordwind", 120_000)
    assert _codes(large) == ["large_amount"]
    assert _said(large) == ["Amount is 12 times the usual amount, EUR 100.00."]
    assert _codes(paying("Nordwind", 29_900)) == []


def test_amounts_of_one_request_are_added_up(paying, person):
    """Twelve payments of the usual size in one request are not usual."""
    _again(person, paying, 3)
    assert _codes(paying("Nordwind", *[10_000] * 4)) == ["large_amount"]


def test_a_new_key_is_told_until_something_is_approved_again(paying, person, local):
    """A secret that was added may be somebody else's."""
    person.approve(paying().id)
    local.desk.agents.rotate_secret("invoice-bot", overlap_ms=DAY, by=BY)
    rotated = paying()
    assert _codes(rotated) == ["new_key"]
    person.approve(rotated.id)
    assert _codes(paying()) == []


def test_a_key_of_an_agent_that_signs_is_told_too(agent, local):
    """By the whole public key, whatever it is called."""
    with local.services.store.read() as view:
        record = view.directory.agent(agent.id)
    first = replace(record, jwks=({"kty": "EC", "kid": "a", "x": "1"},), secrets=())
    second = replace(record, jwks=({"kty": "EC", "kid": "a", "x": "2"},), secrets=())
    assert histories.credentials(first) != histories.credentials(second)
    assert histories.credentials(first) == histories.credentials(first)


def test_a_scope_is_new_at_each_resource(agent, person):
    """What was approved once is known, for whichever scopes come with it."""
    _, first = agent.asked(scope="openid payments:read")
    person.approve(first.id)
    _, both = agent.asked(scope="openid payments:read payments:transfer")
    assert _said(both) == ["Never approved before for invoice-bot: payments:transfer."]


def test_an_hour_is_unusual_once_the_person_has_usual_ones(agent, person, local):
    """Twenty answers at noon, whatever they were; then a request at night."""
    for number in range(20):
        _, approval = agent.asked()
        answer = person.deny if number < 2 else person.approve
        assert answer(approval.id).status == 200
    assert _codes(agent.asked()[1]) == []
    local.clock.forward(12 * HOUR)
    _, late = agent.asked()
    assert _codes(late) == ["unusual_hour"]
    assert "UTC, when you rarely answer." in _said(late)[0]


def test_every_item_of_a_list_may_be_new_and_numbers_are_amounts_too(agent, person, local):
    """Only the new ones are named; what was left out is neither new nor much."""
    local.desk.actions.add(json.dumps(BATCH), by=BY)

    def ask(**members):
        details = json.dumps([{"type": "payment.batch", **members}])
        return agent.asked_payment(authorization_details=details)[1]

    for _ in range(3):
        person.approve(ask(payees=["a", "b"], rows=10).id)
    assert _codes(ask(payees=["b", "a"], rows=20)) == []
    odd = ask(payees=["a", "c", "b", "d"], rows=30)
    assert _said(odd) == [
        "Never approved before: Payee 2, Payee 4.",
        "Rows is 3 times the usual amount, 10.",
    ]
    assert _codes(ask(note=None)) == []


def test_an_amount_that_is_null_is_compared_with_nothing(agent, local):
    """Where the schema admits it, no money is no amount."""
    money = {**PAYMENT["schema"]["properties"]["amount"], "type": ["object", "null"]}
    schema = {**PAYMENT["schema"], "properties": {"amount": money}, "required": []}
    file = {**PAYMENT, "type": "gift", "schema": schema, "headline": "Give {amount}"}
    local.desk.actions.add(json.dumps({**file, "material": [], "amount": "/amount"}), by=BY)
    details = json.dumps([{"type": "gift", "amount": None}])
    _, approval = agent.asked_payment(authorization_details=details)
    assert json.loads(approval.past)["amounts"] == {}


def test_more_targets_than_are_remembered_stay_new(agent, person, local):
    """Thirty-two of one request; the rest is asked about again."""
    local.desk.actions.add(json.dumps(BATCH), by=BY)
    payees = [f"payee {number}" for number in range(histories.MOST_TARGETS + 1)]

    def ask(wanted):
        details = json.dumps([{"type": "payment.batch", "payees": wanted}])
        return agent.asked_payment(authorization_details=details)[1]

    person.approve(ask(payees).id)
    assert _codes(ask(payees[:-1])) == []
    assert _said(ask(payees)) == [f"Never approved before: Payee {histories.MOST_TARGETS + 1}."]


def test_what_is_compared_is_what_was_asked_whatever_becomes_of_the_type(paying, person, local):
    """The type is changed while the request waits; the yes still counts for this payee."""
    waiting = paying()
    local.desk.actions.update(json.dumps(PAYMENT), by=BY)
    person.approve(waiting.id)
    stakes = {"target": "/payee", "amount": "/amount"}
    local.desk.actions.update(json.dumps({**PAYMENT, **stakes}), by=BY)
    assert _codes(paying()) == []


def test_no_value_of_the_details_is_kept_in_the_clear(paying, person, local):
    """Whoever has the database alone cannot try out accounts."""
    approval = paying("Nordwind Logistik")
    person.approve(approval.id)
    assert "Nordwind" not in approval.past
    with local.services.store.read() as view:
        marks = json.loads(approval.past)["marks"]
        found = view.history.of([(approval.agent_id, mark) for mark in marks])
    assert found.keys() == set(marks)


def test_a_deleted_agent_leaves_no_history(paying, person, local, agent):
    """Another one of its name starts anew."""
    approval = paying()
    person.approve(approval.id)
    local.desk.agents.delete("invoice-bot", by=BY)
    with local.services.store.read() as view:
        marks = json.loads(approval.past)["marks"]
        assert view.history.of([(agent.id, mark) for mark in marks]) == {}


def test_policy_gets_the_codes_before_anybody_is_asked(local):
    """The same that are kept with the approval, as one record."""
    with local.services.store.read() as view:
        past = histories.look(view, local.services.secrets, ASKED)
    assert past.unusual == Unusual(frozenset({Code.NEW_AGENT, Code.NEW_SCOPE}))
    assert json.loads(past.text)["codes"] == ["new_agent", "new_scope"]


def test_a_request_looks_up_its_own_keys_alone(paying, person, monkeypatch):
    """However much was approved before: one look, of as many keys as it has facts."""
    asked_for = []
    real = History.of

    def spy(self, keys):
        asked_for.append(len(keys))
        return real(self, keys)

    monkeypatch.setattr(History, "of", spy)
    paying()
    for number in range(5):
        person.approve(paying(f"payee {number}").id)
    paying()
    assert len(set(asked_for)) == 1
    assert asked_for[0] <= 10
