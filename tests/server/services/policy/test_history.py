"""What is unusual about a request, by what this person approved of this agent before."""

import json
from dataclasses import replace

import pytest

from server.protocol.approvals.unusual import Code
from server.services.policy import history
from server.services.policy.history_keys import MAX_TARGETS, credentials
from server.storage.approvals.history import History
from tests.server.services.policy.test_displays import ASKED
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAYMENT

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
    fact_rules = {"target": "/payee", "amount": "/amount", "labels": {"/payee": "To"}}
    local.desk.actions.update(json.dumps({**PAYMENT, **fact_rules}), by=BY)

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
    """Those on the screen; policy gets these, and those that their sentences say as well."""
    shown = json.loads(approval.display)["unusual"]
    codes = [each["code"] for each in shown]
    assert history.stored_codes(approval.past) >= set(map(Code, codes))
    return codes


def _keys(approval):
    """What a yes adds: owners and their keys."""
    return [(owner, key) for owner, key, _amount, _members in json.loads(approval.past)["adds"]]


def _compared(approval):
    return json.loads(approval.display)["compared"]


def _said(approval):
    return [each["text"] for each in json.loads(approval.display)["unusual"]]


def _again(person, asked, times=1):
    for _ in range(times):
        person.approve(asked().id)
    return asked()


def test_everything_is_new_until_the_person_has_approved_it(paying, person):
    """Policy gets every code; a person reads the few sentences that say them all."""
    first = paying()
    assert _codes(first) == ["new_agent", "new_target"]
    assert _said(first) == [
        "First request from invoice-bot that you would approve.",
        "You never approved this before: “To”.",
    ]
    assert history.stored_codes(first.past) == {
        Code.NEW_AGENT,
        Code.NEW_TYPE,
        Code.NEW_RESOURCE,
        Code.NEW_SCOPE,
        Code.NEW_TARGET,
    }
    person.approve(first.id)
    assert history.stored_codes(paying().past) == frozenset()


def test_nothing_is_called_usual_before_there_is_enough_to_compare_with(paying, person):
    """How much there is, is always said; the amount too while there is only one."""
    said = [_compared(paying())]
    for _ in range(5):
        person.approve(paying(minor=4_820).id)
        said.append(_compared(paying()))
    assert said == [
        "No earlier approval to compare with.",
        "Only 1 earlier approval to compare with, EUR 48.20.",
        "Only 2 earlier approvals to compare with.",
        "Only 3 earlier approvals to compare with.",
        "Only 4 earlier approvals to compare with.",
        "Nothing unusual, compared with 5 earlier approvals since 9 October 2025.",
    ]
    assert _compared(paying("Other")) == "Compared with 5 earlier approvals since 9 October 2025."


def test_a_request_that_is_opened_is_compared_with_what_was_approved_until_then(paying, person):
    """What is signed stays what it was; what is unusual now stands beside it."""
    first, second = paying(), paying(minor=11_000)
    assert person.approve(first.id).status == 200
    shown = person.show(second.id)
    assert json.loads(shown["display"])["compared"] == "No earlier approval to compare with."
    assert shown["unusual"] == {
        "signals": [],
        "compared": "Only 1 earlier approval to compare with, EUR 100.00.",
    }
    person.approve(second.id)
    assert person.show(second.id)["unusual"] is None


def test_what_was_denied_or_ran_out_stays_new(paying, person, local):
    """Only a yes makes something known: an agent does not get there by asking often."""
    person.deny(paying().id, "wrong_details")
    paying()
    local.clock.forward(DAY)
    assert _codes(paying()) == ["new_agent", "new_target"]


def test_a_new_payee_is_told_apart_from_a_known_one(paying, person):
    """By its value, for this person and agent."""
    assert _codes(_again(person, paying)) == []
    other = paying("Other")
    assert _codes(other) == ["new_target"]
    person.approve(other.id)
    assert _codes(paying("Other")) == []


def test_a_payee_that_another_person_approved_is_new_to_this_one(paying, person, local):
    """So is everything else: what others approve makes nothing known to somebody."""
    person.approve(paying().id)
    new_person(local, "ben")
    approval = paying(user="ben")
    assert _codes(approval) == ["new_agent", "new_target"]
    assert Code.NEW_SCOPE in history.stored_codes(approval.past)


def test_an_amount_is_compared_with_what_was_approved_before(paying, person):
    """Five times a few, three times the usual one; in the currency's own digits."""
    few = {
        1: "Amount is 12 times the only amount approved before for this “To”, EUR 100.00.",
        2: "Amount is 12 times the larger of the 2 amounts approved before for this “To”, "
        "EUR 100.00.",
        3: "Amount is 12 times the usual amount for this “To”, EUR 100.00.",
    }
    for sentence in few.values():
        person.approve(paying().id)
        assert _said(paying("Nordwind", 120_000)) == [sentence]
    assert _codes(paying("Nordwind", 29_900)) == []


def test_an_amount_for_a_new_payee_is_compared_with_those_of_its_agent(paying, person):
    """Else with those of its person, else with those of everybody."""
    _again(person, paying, 3)
    said = _said(paying("Other", 90_000))
    assert said == [
        "Amount is 9 times the usual amount for invoice-bot, EUR 100.00.",
        "You never approved this before: “To”.",
    ]


def test_amounts_of_one_request_are_added_up(paying, person):
    """Five payments of the usual size in one request are not usual."""
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
    secrets = local.services.secrets
    first = replace(record, jwks=({"kty": "EC", "kid": "a", "x": "1"},), secrets=())
    second = replace(record, jwks=({"kty": "EC", "kid": "a", "x": "2"},), secrets=())
    assert credentials(secrets, first) != credentials(secrets, second)
    assert credentials(secrets, first) == credentials(secrets, first)


def test_a_scope_is_new_at_each_resource(agent, person):
    """What was approved once is known, for whichever scopes come with it."""
    _, first = agent.asked(scope="openid payments:read")
    person.approve(first.id)
    _, both = agent.asked(scope="openid payments:read payments:transfer")
    assert _said(both) == ["First time for invoice-bot: payments:transfer."]


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
        "Rows is 3 times the usual amount for invoice-bot, 10.",
        "You never approved this before: “Payee 2”, “Payee 4”.",
    ]
    assert _codes(ask(note=None)) == []


def test_a_name_belongs_to_the_account_in_the_same_item_of_a_list(agent, person, local):
    """Two payees whose accounts are exchanged, in one request; an amount goes with its account."""
    row = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "to": {"type": "string"},
            "name": {"type": "string"},
            "units": {"type": "integer"},
        },
    }
    rows = {"type": "array", "maxItems": 60, "items": row}
    schema = {**BATCH["schema"], "properties": {"payees": rows}}
    places = {name: f"/payees/*/{name}" for name in row["properties"]}
    file = {
        **BATCH,
        "schema": schema,
        "labels": {places["to"]: "Account", places["name"]: "Payee"},
        "target": places["to"],
        "target_name": places["name"],
        "amount": places["units"],
    }
    local.desk.actions.add(json.dumps(file), by=BY)

    def ask(*payees):
        found = [{"to": to, "name": name, "units": units} for to, name, units in payees]
        details = json.dumps([{"type": "payment.batch", "payees": found}])
        return agent.asked_payment(authorization_details=details)[1]

    for _ in range(3):
        person.approve(ask(("DE1", "Ada", 10), ("DE2", "Bo", 1_000)).id)
    assert _codes(ask(("DE2", "Bo", 1_000), ("DE1", "Ada", 10))) == []
    assert _said(ask(("DE1", "Bo", 10), ("DE2", "Ada", 1_000))) == [
        "This “Account 1” was approved before with another “Payee 1”.",
        "This “Payee 1” was approved before with another “Account 1”.",
    ]


def test_an_amount_that_is_null_is_compared_with_nothing(agent, local):
    """Where the schema admits it, no money is no amount."""
    money = {**PAYMENT["schema"]["properties"]["amount"], "type": ["object", "null"]}
    schema = {**PAYMENT["schema"], "properties": {"amount": money}, "required": []}
    file = {**PAYMENT, "type": "gift", "schema": schema, "headline": "Give {amount}"}
    local.desk.actions.add(json.dumps({**file, "material": [], "amount": "/amount"}), by=BY)
    details = json.dumps([{"type": "gift", "amount": None}])
    _, approval = agent.asked_payment(authorization_details=details)
    assert all(amount == 0 for _, _, amount, _ in json.loads(approval.past)["adds"])


def test_more_targets_than_are_remembered_stay_new(agent, person, local):
    """Thirty-two of one request; the rest is asked about again."""
    local.desk.actions.add(json.dumps(BATCH), by=BY)
    payees = [f"payee {number}" for number in range(MAX_TARGETS + 1)]

    def ask(wanted):
        details = json.dumps([{"type": "payment.batch", "payees": wanted}])
        return agent.asked_payment(authorization_details=details)[1]

    person.approve(ask(payees).id)
    assert _codes(ask(payees[:-1])) == []
    assert _said(ask(payees)) == [f"You never approved this before: “Payee {MAX_TARGETS + 1}”."]


def test_what_is_compared_is_what_was_asked_whatever_becomes_of_the_type(paying, person, local):
    """The type is changed while the request waits; the yes still counts for this payee."""
    waiting = paying()
    local.desk.actions.update(json.dumps(PAYMENT), by=BY)
    person.approve(waiting.id)
    fact_rules = {"target": "/payee", "amount": "/amount"}
    local.desk.actions.update(json.dumps({**PAYMENT, **fact_rules}), by=BY)
    assert _codes(paying()) == []


def test_no_value_of_the_details_is_kept_in_the_clear(paying, person, local):
    """Whoever has the database alone cannot try out accounts."""
    approval = paying("Nordwind Logistik")
    person.approve(approval.id)
    assert "Nordwind" not in approval.past
    with local.services.store.read() as view:
        found = view.history.of(_keys(approval))
    assert found.keys() == {key for _, key in _keys(approval)}
    assert "Nordwind" not in str(found)


def test_a_deleted_agent_leaves_no_history(paying, person, local, agent):
    """Another one of its name starts anew."""
    approval = paying()
    person.approve(approval.id)
    local.desk.agents.delete("invoice-bot", by=BY)
    with local.services.store.read() as view:
        assert view.history.of([one for one in _keys(approval) if one[0] == agent.id]) == {}


def test_policy_gets_the_codes_before_anybody_is_asked(local):
    """The same that are kept with the approval, as one record."""
    with local.services.store.read() as view:
        compared = history.compare(view, local.services.secrets, ASKED)
    codes = ["new_agent", "new_resource", "new_scope", "new_type"]
    assert sorted(compared.unusual.codes) == codes
    assert json.loads(compared.text)["codes"] == codes


def test_a_request_looks_up_its_own_keys_alone(paying, person, monkeypatch):
    """However much was approved before: as many keys as it has facts."""
    asked_for = []
    real = History.of

    def spy(self, keys):
        asked_for.append(len(keys))
        return real(self, keys)

    monkeypatch.setattr(History, "of", spy)
    paying()
    for number in range(5):
        person.approve(paying(f"payee {number}").id)
    asked_for.clear()
    paying("payee 3")
    assert sum(asked_for) <= 12
