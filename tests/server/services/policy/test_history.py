"""Unusual signals: a request is compared with what the person approved for the agent before."""

import json
from dataclasses import replace

import pytest

from server.protocol.approvals.unusual import Code
from server.services.policy import history
from server.services.policy.history_keys import MAX_TARGETS, credentials
from server.storage.approvals.history import History
from tests.server.services.policy.test_displays import PAYMENT_REQUEST
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
def request_payment(agent, local):
    """A function that requests a payment with a target and an amount and returns the approval."""
    fact_rules = {"target": "/payee", "amount": "/amount", "labels": {"/payee": "To"}}
    local.admin.actions.update(json.dumps({**PAYMENT, **fact_rules}), by=BY)

    def ask(payee="Nordwind", minor=10_000, *more, user="ana"):
        details = [
            {
                "type": "payment.transfer",
                "amount": {"minor": amount_minor, "currency": "EUR"},
                "payee": payee,
            }
            for amount_minor in (minor, *more)
        ]
        parameters = {"login_hint": user, "authorization_details": json.dumps(details)}
        return agent.request_payment(**parameters)[1]

    return ask


def _signal_codes(approval):
    """The displayed codes, which policy gets too, along with the codes that they imply."""
    signals = json.loads(approval.display)["unusual"]
    codes = [signal["code"] for signal in signals]
    assert history.stored_codes(approval.past) >= set(map(Code, codes))
    return codes


def _history_keys(approval):
    """The history keys that an approval adds, with their owners."""
    return [(owner, key) for owner, key, _amount, _members in json.loads(approval.past)["adds"]]


def _comparison_text(approval):
    return json.loads(approval.display)["compared"]


def _signal_texts(approval):
    return [signal["text"] for signal in json.loads(approval.display)["unusual"]]


def _request_after_approvals(person, request, times=1):
    for _ in range(times):
        person.approve(request().id)
    return request()


def test_everything_is_new_until_it_was_approved(request_payment, person):
    """Policy gets every code; the display combines them into a few sentences."""
    first = request_payment()
    assert _signal_codes(first) == ["new_agent", "new_target"]
    assert _signal_texts(first) == [
        "First request from invoice-bot that you are asked to approve.",
        "First time: “To”.",
    ]
    assert history.stored_codes(first.past) == {
        Code.NEW_AGENT,
        Code.NEW_TYPE,
        Code.NEW_RESOURCE,
        Code.NEW_SCOPE,
        Code.NEW_TARGET,
    }
    person.approve(first.id)
    assert history.stored_codes(request_payment().past) == frozenset()


def test_with_few_approvals_nothing_is_called_usual(request_payment, person):
    """The display always says how many earlier approvals it compares with."""
    comparisons = [_comparison_text(request_payment())]
    for _ in range(5):
        person.approve(request_payment(minor=4_820).id)
        comparisons.append(_comparison_text(request_payment()))
    assert comparisons == [
        "No earlier approval to compare with.",
        "Only 1 earlier approval to compare with, EUR 48.20.",
        "Only 2 earlier approvals to compare with.",
        "Only 3 earlier approvals to compare with.",
        "Only 4 earlier approvals to compare with.",
        "Nothing unusual, compared with 5 earlier approvals since 9 October 2025.",
    ]
    assert (
        _comparison_text(request_payment("Other"))
        == "Compared with 5 earlier approvals since 9 October 2025."
    )


def test_an_opened_request_is_compared_with_later_approvals_too(request_payment, person):
    """The new comparison is shown next to the signed display, which does not change."""
    first, second = request_payment(), request_payment(minor=11_000)
    assert person.approve(first.id).status == 200
    opened = person.show(second.id)
    assert json.loads(opened["display"])["compared"] == "No earlier approval to compare with."
    assert opened["unusual"] == {
        "signals": [],
        "compared": "Only 1 earlier approval to compare with, EUR 100.00.",
    }
    person.approve(second.id)
    assert person.show(second.id)["unusual"] is None


def test_denied_and_expired_requests_add_no_history(request_payment, person, local):
    """Otherwise, an agent could become known by sending many requests."""
    person.deny(request_payment().id, "wrong_details")
    request_payment()
    local.clock.forward(DAY)
    assert _signal_codes(request_payment()) == ["new_agent", "new_target"]


def test_a_new_payee_is_a_signal_and_a_known_one_is_not(request_payment, person):
    """A payee is known as soon as the person has approved a payment to it."""
    assert _signal_codes(_request_after_approvals(person, request_payment)) == []
    other = request_payment("Other")
    assert _signal_codes(other) == ["new_target"]
    person.approve(other.id)
    assert _signal_codes(request_payment("Other")) == []


def test_approvals_by_other_people_do_not_add_to_a_persons_history(request_payment, person, local):
    """What another person approved still counts as new for this person."""
    person.approve(request_payment().id)
    new_person(local, "ben")
    approval = request_payment(user="ben")
    assert _signal_codes(approval) == ["new_agent", "new_target"]
    assert Code.NEW_SCOPE in history.stored_codes(approval.past)


def test_an_amount_is_compared_with_approved_amounts_for_its_payee(request_payment, person):
    """The sentence says how many approved amounts it compares with."""
    few = {
        1: "Amount is 12 times the only earlier amount for this “To”, EUR 100.00.",
        2: "Amount is 12 times the larger of the 2 earlier amounts for this “To”, EUR 100.00.",
        3: "Amount is 12 times the usual amount for this “To”, EUR 100.00.",
    }
    for sentence in few.values():
        person.approve(request_payment().id)
        assert _signal_texts(request_payment("Nordwind", 120_000)) == [sentence]
    assert _signal_codes(request_payment("Nordwind", 29_900)) == []


def test_an_amount_for_a_new_payee_is_compared_with_the_agents_amounts(request_payment, person):
    """The payee itself has no amounts to compare with yet."""
    _request_after_approvals(person, request_payment, 3)
    texts = _signal_texts(request_payment("Other", 90_000))
    assert texts == [
        "Amount is 9 times the usual amount for invoice-bot, EUR 100.00.",
        "First time: “To”.",
    ]


def test_amounts_of_one_request_are_added(request_payment, person):
    """Splitting a large amount within a request does not hide it."""
    _request_after_approvals(person, request_payment, 3)
    assert _signal_codes(request_payment("Nordwind", *[10_000] * 4)) == ["large_amount"]


def test_a_new_key_is_a_signal_until_the_next_approval(request_payment, person, local):
    """Somebody else may have the new secret."""
    person.approve(request_payment().id)
    local.admin.agents.rotate_secret("invoice-bot", overlap_ms=DAY, by=BY)
    rotated = request_payment()
    assert _signal_codes(rotated) == ["new_key"]
    person.approve(rotated.id)
    assert _signal_codes(request_payment()) == []


def test_public_keys_are_compared_by_value(agent, local):
    """Two keys with the same kid and different values are different credentials."""
    with local.services.store.read() as view:
        record = view.directory.agent(agent.id)
    secrets = local.services.secrets
    first = replace(record, jwks=({"kty": "EC", "kid": "a", "x": "1"},), secrets=())
    second = replace(record, jwks=({"kty": "EC", "kid": "a", "x": "2"},), secrets=())
    assert credentials(secrets, first) != credentials(secrets, second)
    assert credentials(secrets, first) == credentials(secrets, first)


def test_a_scope_is_new_per_resource(agent, person):
    """A scope that was approved once stays known when it is requested with other scopes."""
    _, first = agent.request_approval(scope="openid payments:read")
    person.approve(first.id)
    _, both = agent.request_approval(scope="openid payments:read payments:transfer")
    assert _signal_texts(both) == ["First time for invoice-bot: payments:transfer."]


def test_an_unusual_hour_is_a_signal_after_twenty_decisions(agent, person, local):
    """All decisions were made at one time of day; the next request comes twelve hours later."""
    for number in range(20):
        _, approval = agent.request_approval()
        answer = person.deny if number < 2 else person.approve
        assert answer(approval.id).status == 200
    assert _signal_codes(agent.request_approval()[1]) == []
    local.clock.forward(12 * HOUR)
    _, late = agent.request_approval()
    assert _signal_codes(late) == ["unusual_hour"]
    assert "UTC, when you rarely answer." in _signal_texts(late)[0]


def test_new_items_of_a_list_are_named_and_numbers_are_amounts(agent, person, local):
    """A missing value is neither new nor large."""
    local.admin.actions.add(json.dumps(BATCH), by=BY)

    def ask(**members):
        details = json.dumps([{"type": "payment.batch", **members}])
        return agent.request_payment(authorization_details=details)[1]

    for _ in range(3):
        person.approve(ask(payees=["a", "b"], rows=10).id)
    assert _signal_codes(ask(payees=["b", "a"], rows=20)) == []
    unusual_request = ask(payees=["a", "c", "b", "d"], rows=30)
    assert _signal_texts(unusual_request) == [
        "Rows is 3 times the usual amount for invoice-bot, 10.",
        "First time: “Payee 2”, “Payee 4”.",
    ]
    assert _signal_codes(ask(note=None)) == []


def test_a_name_is_compared_with_its_account_in_a_list(agent, person, local):
    """If two payees have swapped their accounts, both facts are signals."""
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
    pointers = {name: f"/payees/*/{name}" for name in row["properties"]}
    file = {
        **BATCH,
        "schema": schema,
        "labels": {pointers["to"]: "Account", pointers["name"]: "Payee"},
        "target": pointers["to"],
        "target_name": pointers["name"],
        "amount": pointers["units"],
    }
    local.admin.actions.add(json.dumps(file), by=BY)

    def ask(*payees):
        rows_of_payees = [{"to": to, "name": name, "units": units} for to, name, units in payees]
        details = json.dumps([{"type": "payment.batch", "payees": rows_of_payees}])
        return agent.request_payment(authorization_details=details)[1]

    for _ in range(3):
        person.approve(ask(("DE1", "Ada", 10), ("DE2", "Bo", 1_000)).id)
    assert _signal_codes(ask(("DE2", "Bo", 1_000), ("DE1", "Ada", 10))) == []
    assert _signal_texts(ask(("DE1", "Bo", 10), ("DE2", "Ada", 1_000))) == [
        "This “Account 1” was approved before with a different “Payee 1”.",
        "This “Payee 1” was approved before with a different “Account 1”.",
    ]


def test_an_amount_of_null_is_not_compared(agent, local):
    """If the schema allows null, a null amount counts as zero."""
    money = {**PAYMENT["schema"]["properties"]["amount"], "type": ["object", "null"]}
    schema = {**PAYMENT["schema"], "properties": {"amount": money}, "required": []}
    file = {**PAYMENT, "type": "gift", "schema": schema, "headline": "Give {amount}"}
    local.admin.actions.add(json.dumps({**file, "material": [], "amount": "/amount"}), by=BY)
    details = json.dumps([{"type": "gift", "amount": None}])
    _, approval = agent.request_payment(authorization_details=details)
    assert all(amount == 0 for _, _, amount, _ in json.loads(approval.past)["adds"])


def test_targets_over_the_stored_maximum_stay_new(agent, person, local):
    """The server stores at most 32 targets of a request."""
    local.admin.actions.add(json.dumps(BATCH), by=BY)
    payees = [f"payee {number}" for number in range(MAX_TARGETS + 1)]

    def ask(names):
        details = json.dumps([{"type": "payment.batch", "payees": names}])
        return agent.request_payment(authorization_details=details)[1]

    person.approve(ask(payees).id)
    assert _signal_codes(ask(payees[:-1])) == []
    assert _signal_texts(ask(payees)) == [f"First time: “Payee {MAX_TARGETS + 1}”."]


def test_history_is_computed_when_the_request_is_made(request_payment, person, local):
    """A change of the action type before the approval does not matter."""
    pending = request_payment()
    local.admin.actions.update(json.dumps(PAYMENT), by=BY)
    person.approve(pending.id)
    fact_rules = {"target": "/payee", "amount": "/amount"}
    local.admin.actions.update(json.dumps({**PAYMENT, **fact_rules}), by=BY)
    assert _signal_codes(request_payment()) == []


def test_history_contains_no_plain_values(request_payment, person, local):
    """Nobody can search a stolen database for account numbers."""
    approval = request_payment("Nordwind Logistik")
    person.approve(approval.id)
    assert "Nordwind" not in approval.past
    with local.services.store.read() as view:
        history_rows = view.history.fetch(_history_keys(approval))
    assert history_rows.keys() == {key for _, key in _history_keys(approval)}
    assert "Nordwind" not in str(history_rows)


def test_deleting_an_agent_deletes_its_history(request_payment, person, local, agent):
    """A new agent with the same name starts without history."""
    approval = request_payment()
    person.approve(approval.id)
    local.admin.agents.delete("invoice-bot", by=BY)
    with local.services.store.read() as view:
        assert (
            view.history.fetch([key for key in _history_keys(approval) if key[0] == agent.id]) == {}
        )


def test_policy_gets_the_same_signals_that_are_stored(local):
    """The stored text has exactly the codes that policy evaluates."""
    with local.services.store.read() as view:
        compared = history.compare(view, local.services.secrets, PAYMENT_REQUEST)
    codes = ["new_agent", "new_resource", "new_scope", "new_type"]
    assert sorted(compared.unusual.codes) == codes
    assert json.loads(compared.text)["codes"] == codes


def test_a_request_reads_only_its_own_history_keys(request_payment, person, monkeypatch):
    """The number of keys that are read does not grow with the number of earlier approvals."""
    key_counts = []
    real = History.fetch

    def spy(self, keys):
        key_counts.append(len(keys))
        return real(self, keys)

    monkeypatch.setattr(History, "fetch", spy)
    request_payment()
    for number in range(5):
        person.approve(request_payment(f"payee {number}").id)
    key_counts.clear()
    request_payment("payee 3")
    assert sum(key_counts) <= 12
