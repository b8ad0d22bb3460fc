"""What a yes takes: a fact typed back, a number matched, a reason; tries, and locks."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete

from server.model.approvers import NamedApprover
from server.protocol.approvals.states import State
from server.services.approvers import approvers
from server.services.clients.agent_forms import AgentChanges
from server.services.policy.policies import Policies
from server.storage.tables import approvers as rows
from tests.support.builders.callers import another_device, new_person
from tests.support.builders.installation import BY, PAYMENT
from tests.support.builders.policies import rule
from tests.support.clients.agent import PAYMENT_DETAILS

ACCOUNT = "DE89370400440532013000"
DETAILS = [{**PAYMENT_DETAILS[0], "account": ACCOUNT}]
WITH_ACCOUNT = {
    **PAYMENT,
    "schema": {
        **PAYMENT["schema"],
        "required": ["amount", "payee", "account"],
        "properties": {
            **PAYMENT["schema"]["properties"],
            "account": {"type": "string", "minLength": 4, "maxLength": 34},
        },
    },
    "material": ["/amount", "/payee", "/account"],
    "labels": {"/account": "To account"},
    "type_back": {
        "fact": "/amount",
        "new_target": {"fact": "/account", "part": "last_four"},
    },
    "target": "/account",
    "narrow": {"/amount": "lower"},
}


@pytest.fixture(autouse=True)
def typed_back(local):
    """Payments have a rule: a new payee's account, else the amount."""
    local.desk.actions.update(json.dumps(WITH_ACCOUNT), by=BY)


@pytest.fixture
def interactive(agent, local):
    """The agent has a screen."""
    local.desk.agents.update(agent.id, AgentChanges(interactive=True), by=BY)
    return agent


@pytest.fixture
def put(local):
    """Puts a rule set in force."""
    return lambda *rules: Policies(local.services.store).set("\n".join(rules), by=BY)


def pay(agent, details=DETAILS, **parameters):
    """A payment that waits."""
    return agent.asked_payment(authorization_details=json.dumps(details), **parameters)


def asked_for(approval):
    """What the display says is to be typed."""
    return json.loads(approval.display)["type_back"]


def say_yes(person, approval, key=None, **entries):
    """A yes as the request demands it, with these entries alone."""
    if "pin" in approval.ceremony:
        person.pin(approval.id)
    signer = key or (person.high if "pin" in approval.ceremony else person.low)
    jws = person.decision(approval.id, signer, ceremony=approval.ceremony)
    return person.send_decision(approval.id, jws, **entries)


def test_a_new_payees_account_is_typed_back_and_a_known_ones_amount(agent, person, local):
    """The server picks the fact; the display has its label and kind, and no further value."""
    _, first = pay(agent)
    assert first.ceremony == "pin+type_back"
    assert asked_for(first) == {
        "label": "To account",
        "kind": "last_four",
        "at": "/authorization_details/0/account",
    }
    assert say_yes(person, first, fact="3000").status == 200
    _, second = pay(agent)
    assert asked_for(second) == {
        "label": "Amount",
        "kind": "money",
        "at": "/authorization_details/0/amount",
    }
    answer = say_yes(person, second, fact="4,820.00")
    assert answer.json["state"] == "approved"
    assert local.desk.entries("approval.approved")[-1]["facts"]["ceremony"] == "pin+type_back"


def test_a_wrong_entry_is_told_with_what_is_left_and_a_right_one_takes_nothing(
    agent, person, local
):
    """The first wrong one changes nothing else; the right one afterwards counts."""
    _, approval = pay(agent)
    assert person.show(approval.id)["tries_left"] == {"type_back": 2}
    answer = say_yes(person, approval, fact="1234")
    assert answer.refusal == (422, "wrong_entry")
    assert (answer.json["step"], answer.json["left"]) == ("type_back", 1)
    assert ACCOUNT[-4:] not in answer.body.decode()
    assert person.show(approval.id)["tries_left"] == {"type_back": 1}
    assert local.stored(approval.id).state is State.PENDING
    assert say_yes(person, approval, fact="3000").status == 200
    assert local.desk.entries("approval.locked") == []


def test_two_wrong_entries_lock_the_request_and_the_agent_is_told(agent, person, local):
    """Nobody else may decide it, so it is over: flagged, and not a denial."""
    handle, approval = pay(agent)
    say_yes(person, approval, fact="1234")
    answer = say_yes(person, approval, fact="4321")
    assert answer.refusal == (423, "request_locked")
    assert answer.json["left"] == 0
    stored = local.stored(approval.id)
    assert (stored.state, stored.reason) == (State.CANCELLED, "locked")
    flagged = local.desk.entries("approval.locked")[-1]
    assert (flagged["cause"], flagged["actor"]) == ("type_back", f"user:{person.user.id}")
    assert "1234" not in json.dumps(flagged)
    told = agent.poll(handle)
    assert told.refusal == (400, "access_denied")
    assert told.json["reason"] == "locked"
    assert "nobody can approve" in told.json["error_description"]
    assert say_yes(person, approval, fact="3000").refusal == (409, "not_pending")


def test_only_the_one_who_typed_wrongly_is_locked_out(agent, person, local):
    """Somebody else who is asked may still say yes; who is locked out may still say no."""
    _, approval = pay(agent)
    ben = new_person(local, "ben")
    with local.services.store.write() as tx:
        approvers.add(tx, approval, [NamedApprover(ben.user.id, "backup")], local.services.rules)
    for wrong in ("1234", "4321"):
        answer = say_yes(person, approval, fact=wrong)
    assert answer.refusal == (423, "request_locked")
    assert say_yes(person, approval, fact="3000").refusal == (423, "request_locked")
    assert person.show(approval.id)["tries_left"] == {"type_back": 0}
    assert ben.show(approval.id)["tries_left"] == {"type_back": 2}
    assert local.stored(approval.id).state is State.PENDING
    assert say_yes(ben, approval, fact="3000").json["decided"]["by"]["name"] == "ben"
    _, another = pay(agent)
    with local.services.store.write() as tx:
        approvers.add(tx, another, [NamedApprover(ben.user.id, "backup")], local.services.rules)
    for wrong in ("1", "2"):
        say_yes(person, another, fact=wrong)
    assert person.deny(another.id).json["state"] == "denied"


def test_when_the_last_one_is_locked_out_the_request_is_over(agent, person, local):
    """Each has two tries of their own."""
    handle, approval = pay(agent)
    ben = new_person(local, "ben")
    with local.services.store.write() as tx:
        approvers.add(tx, approval, [NamedApprover(ben.user.id, "backup")], local.services.rules)
    for somebody in (person, ben):
        assert local.stored(approval.id).state is State.PENDING
        for wrong in ("1234", "4321"):
            say_yes(somebody, approval, fact=wrong)
    assert agent.poll(handle).json["reason"] == "locked"


@pytest.mark.parametrize("said", [False, True])
def test_a_person_and_who_stands_in_for_them_are_not_enough_for_two(
    agent, person, local, put, said
):
    """They have one yes together; once the third is locked out nobody can approve it any more."""
    cleo, ben = new_person(local, "cleo"), new_person(local, "ben")
    put(rule("ask", "ask.quorum = 2", 'ask.who = ["ana", "cleo"]'))
    handle, approval = pay(agent)
    lent = NamedApprover(ben.user.id, "backup", stands_for=person.user.id)
    with local.services.store.write() as tx:
        approvers.add(tx, approval, [lent], local.services.rules)
    if said:
        assert say_yes(ben, approval, fact="3000").status == 200
    for wrong in ("1234", "4321"):
        assert local.stored(approval.id).state is State.PENDING
        say_yes(cleo, approval, fact=wrong)
    assert agent.poll(handle).json["reason"] == "locked"


def test_a_yes_that_was_given_counts_when_another_is_locked_out(agent, person, local, put):
    """Of who is not asked any more, too."""
    cleo, ben = new_person(local, "cleo"), new_person(local, "ben")
    put(rule("ask", "ask.quorum = 2", 'ask.who = ["ana", "cleo", "ben"]'))
    _, approval = pay(agent)
    assert say_yes(ben, approval, fact="3000").status == 200
    with local.services.store.write() as tx:
        forgotten = delete(rows).where(rows.c.user_id == ben.user.id)
        tx._connection.execute(forgotten)
    for wrong in ("1234", "4321"):
        say_yes(cleo, approval, fact=wrong)
    assert local.stored(approval.id).state is State.PENDING
    assert say_yes(person, approval, fact="3000").json["state"] == "approved"


def test_tries_at_once_are_all_counted(agent, person, local):
    """Twenty wrong entries sent together: two are compared, whoever is first."""
    _, approval = pay(agent)
    ben = new_person(local, "ben")
    with local.services.store.write() as tx:
        approvers.add(tx, approval, [NamedApprover(ben.user.id, "backup")], local.services.rules)
    person.pin(approval.id)
    jws = person.decision(approval.id, person.high, ceremony=approval.ceremony)

    def guess(number):
        return person.send_decision(approval.id, jws, fact=f"{number:04}").refusal

    with ThreadPoolExecutor(8) as threads:
        refused = list(threads.map(guess, range(20)))
    assert sum(code == "wrong_entry" for _, code in refused) <= 1
    assert {code for _, code in refused} <= {"wrong_entry", "request_locked"}
    assert len(local.desk.entries("approval.locked")) >= 1
    assert person.show(approval.id)["tries_left"] == {"type_back": 0}


def test_another_device_has_no_further_tries(agent, person):
    """They are the person's, and not the device's."""
    _, approval = pay(agent)
    desktop = another_device(person)
    say_yes(person, approval, fact="1234")
    assert desktop.show(approval.id)["tries_left"] == {"type_back": 1}


def test_what_could_not_count_is_no_try(agent, person):
    """Without the PIN, by the wrong key, without the entry: refused before anything is counted."""
    _, approval = pay(agent)
    jws = person.decision(approval.id, person.high, ceremony="pin+type_back")
    assert person.send_decision(approval.id, jws, fact="1234").refusal == (403, "pin_required")
    assert say_yes(person, approval, person.low, fact="1234").refusal == (403, "pin_required")
    assert say_yes(person, approval).refusal == (422, "invalid_decision")
    assert say_yes(person, approval, fact="").refusal == (422, "invalid_body")
    assert person.show(approval.id)["tries_left"] == {"type_back": 2}


@pytest.mark.parametrize("signed", ["pin", "pin+reason"])
def test_a_step_that_was_not_signed_for_was_not_taken(agent, person, signed):
    """What a client says it did counts for nothing; what is asked is named."""
    _, approval = pay(agent)
    person.pin(approval.id)
    jws = person.decision(approval.id, person.high, ceremony=signed)
    answer = person.send_decision(approval.id, jws)
    assert answer.refusal == (403, "ceremony_required")
    assert answer.json["ceremony"] == "pin+type_back"
    assert "value to type back" in answer.json["detail"]


@pytest.mark.parametrize(
    ("signed", "entries"),
    [
        ("confirm", {"fact": "1"}),
        ("confirm", {"match": "111"}),
        ("confirm", {"reason": "So."}),
        ("reason", {}),
        ("type_back", {"fact": "1"}),
        ("match", {"match": "111"}),
    ],
)
def test_nothing_is_taken_that_was_not_asked_or_not_signed(agent, person, signed, entries):
    """An entry and its step go together, and a step that nobody asks for is none."""
    _, approval = agent.asked()
    jws = person.decision(approval.id, ceremony=signed)
    assert person.send_decision(approval.id, jws, **entries).refusal == (422, "invalid_decision")


def test_the_first_of_the_riskiest_details_with_a_rule_is_typed_back(agent, person):
    """Where there are several the label carries the number of the detail."""
    cheap = [{**DETAILS[0], "amount": {"minor": 100, "currency": "EUR"}}, DETAILS[0]]
    _, approval = pay(agent, cheap)
    assert asked_for(approval)["label"] == "1. To account"
    facts = [fact["label"] for fact in json.loads(approval.display)["facts"]]
    assert asked_for(approval)["label"] in facts
    assert say_yes(person, approval, fact="3000").status == 200


def test_what_is_typed_back_is_what_was_asked_where_less_is_granted(agent, person):
    """The number that was read, and not the one that the person made of it."""
    _, first = pay(agent)
    say_yes(person, first, fact="3000")
    _, approval = pay(agent)
    wish = {"changes": [{"fact": "/amount", "to": "500"}]}
    less = person.call("POST", f"/api/approvals/{approval.id}/narrowing", wish).json
    person.pin(approval.id)
    said = {"ceremony": approval.ceremony, "granted": less["digest"]}
    jws = person.decision(approval.id, person.high, **said)
    answer = person.send_decision(approval.id, jws, granted=less["text"], fact="4820")
    assert answer.json["granted"]["text"] == less["text"]


def test_a_type_without_a_template_has_its_resource_typed_back(agent, person, local):
    """Nobody said what matters in it, so it is where it happens."""
    bare = {
        "type": "ledger.rebuild",
        "title": "Ledger rebuild",
        "schema": {"type": "object", "additionalProperties": False, "properties": {}},
    }
    local.desk.actions.add(json.dumps(bare), by=BY)
    _, approval = pay(agent, [{"type": "ledger.rebuild"}])
    assert asked_for(approval) == {"label": "Resource", "kind": "text", "at": "/resource"}
    assert say_yes(person, approval, fact=approval.resource).status == 200


def test_policy_may_have_a_fact_typed_at_any_risk(agent, person, put):
    """Without a type it is the resource."""
    put(rule("ask", 'ask.ceremony = ["type_back", "reason"]'))
    _, approval = agent.asked()
    assert approval.ceremony == "reason+type_back"
    answer = say_yes(person, approval, fact=approval.resource, reason="Month end.")
    assert answer.json["state"] == "approved"


def test_a_signed_yes_counts_again_without_another_try(agent, person):
    """Whoever sends the same bytes once more is told the same, and nothing is compared."""
    _, approval = pay(agent)
    person.pin(approval.id)
    jws = person.decision(approval.id, person.high, ceremony=approval.ceremony)
    assert person.send_decision(approval.id, jws, fact="3000").status == 200
    assert person.send_decision(approval.id, jws, fact="9999").json["state"] == "approved"


# A number that is matched.


def test_an_agent_with_a_screen_gets_a_number_and_the_person_types_it(interactive, person, local):
    """From medium risk on; it is in the answer to the agent, and nowhere else."""
    answer = interactive.ask_payment(authorization_details=json.dumps(DETAILS))
    number = answer.json["match_code"]
    approval = local.behind(answer.json["auth_req_id"])
    assert approval.ceremony == "match+pin+type_back"
    assert len(number) == len("123")
    assert number.isdecimal()
    kept = [approval.action, approval.display, person.call("GET", "/api/approvals").body.decode()]
    shown = json.dumps(person.show(approval.id))
    assert "match_code" not in "".join([*kept, shown])
    assert f'"{number}"' not in "".join([*kept, shown])
    assert say_yes(person, approval, fact="3000", match=number).status == 200


@pytest.mark.parametrize("risk", ["low", "medium"])
def test_low_risk_takes_no_number(interactive, person, local, put, risk):
    """At medium it is the only thing that is typed."""
    put(rule("ask", f'ask.risk = "{risk}"'))
    answer = interactive.ask()
    approval = local.behind(answer.json["auth_req_id"])
    assert ("match_code" in answer.json) is (risk == "medium")
    assert approval.ceremony == ("match" if risk == "medium" else "confirm")
    assert say_yes(person, approval, **person.entries(approval.id)).status == 200


def test_an_agent_without_a_screen_gets_none_and_a_rule_that_wants_one_takes_the_pin(
    agent, local, put
):
    """A number that nobody can see proves nothing."""
    put(rule("ask", 'ask.ceremony = "match"'))
    answer = agent.ask()
    assert "match_code" not in answer.json
    assert local.behind(answer.json["auth_req_id"]).ceremony == "pin"


def test_two_wrong_numbers_lock_the_request_for_everybody(interactive, person, local, put):
    """Whoever types them: the screen in front of them is not the one that asks."""
    put(rule("ask", 'ask.risk = "medium"'))
    handle, approval = interactive.asked()
    ben = new_person(local, "ben")
    with local.services.store.write() as tx:
        approvers.add(tx, approval, [NamedApprover(ben.user.id, "backup")], local.services.rules)
    number = int(person.entries(approval.id)["match"])
    first = say_yes(person, approval, match=f"{(number + 1) % 1_000:03}")
    assert (first.refusal, first.json["step"]) == ((422, "wrong_entry"), "match")
    assert ben.show(approval.id)["tries_left"] == {"match": 1}
    second = say_yes(ben, approval, match=f"{(number + 2) % 1_000:03}")
    assert second.refusal == (423, "request_locked")
    assert interactive.poll(handle).json["reason"] == "locked"
    assert local.stored(approval.id).reason == "locked"


def test_each_request_has_a_number_of_its_own_and_a_joined_one_the_same(interactive):
    """The same call again learns the same number; another call learns another."""
    details = json.dumps(DETAILS)
    told = [
        interactive.ask_payment(
            headers={"idempotency-key": key}, authorization_details=details
        ).json["match_code"]
        for key in ("one", "one", "two", "three")
    ]
    assert told[0] == told[1]
    assert len(set(told)) > 1


def test_of_two_entries_a_wrong_one_costs_a_try_and_the_right_one_none(interactive, person):
    """Both are told apart, and neither is guessed through the other."""
    _, approval = pay(interactive)
    right = person.entries(approval.id)
    answer = say_yes(person, approval, **(right | {"fact": "0000"}))
    assert answer.json["step"] == "type_back"
    assert person.show(approval.id)["tries_left"] == {"match": 2, "type_back": 1}
    assert say_yes(person, approval, **right).status == 200


# A reason.


def test_a_reason_is_kept_for_the_record_and_never_told_to_the_agent(agent, person, local, put):
    """Policy wants it; it is in the answer and its entry."""
    put(rule("ask", 'ask.ceremony = "reason"'))
    handle, approval = agent.asked()
    assert say_yes(person, approval).refusal == (422, "invalid_decision")
    assert say_yes(person, approval, reason="Agreed at noon.").status == 200
    with local.services.store.read() as view:
        assert view.decisions.of_approval(approval.id)[0].reason == "Agreed at noon."
    assert local.desk.entries("approval.approved")[-1]["facts"]["reason"] == "Agreed at noon."
    assert "noon" not in agent.poll(handle).body.decode()


def test_a_reason_may_be_given_where_nobody_asks(agent, person):
    """Signed for like any other."""
    _, approval = agent.asked()
    jws = person.decision(approval.id, ceremony="reason")
    assert person.send_decision(approval.id, jws, reason="It is mine.").status == 200


@pytest.mark.parametrize("reason", ["x" * 501, "a\u202eb", "one\ntwo"])
def test_a_reason_is_prose(agent, person, put, reason):
    """Short, in one line, and nothing that hides."""
    put(rule("ask", 'ask.ceremony = "reason"'))
    _, approval = agent.asked()
    assert say_yes(person, approval, reason=reason).refusal == (422, "invalid_body")


def test_a_critical_request_takes_everything(interactive, person, put):
    """Number, PIN, reason and fact; one person where a rule says so."""
    put(rule("ask", 'ask.risk = "critical"', "ask.quorum = 1"))
    _, approval = pay(interactive)
    assert approval.ceremony == "match+pin+reason+type_back"
    entries = person.entries(approval.id)
    lacking = {name: entry for name, entry in entries.items() if name != "reason"}
    assert say_yes(person, approval, **lacking).refusal == (422, "invalid_decision")
    assert say_yes(person, approval, **entries).json["state"] == "approved"


def test_a_ceremony_that_was_tightened_meanwhile_wins(agent, person, put):
    """What was asked by less is withdrawn, before anything is counted."""
    handle, approval = agent.asked()
    put(rule("ask", 'ask.ceremony = "reason"'))
    assert person.approve(approval.id).refusal == (409, "not_pending")
    assert agent.poll(handle).json["reason"] == "cancelled"


PIN_AT_ANY_RISK = {
    "a rule at low risk": ['ask.risk = "low"', 'ask.ceremony = "pin"'],
    "a rule at medium risk": ['ask.risk = "medium"', 'ask.ceremony = "pin"'],
    "a rule at high risk": ['ask.risk = "high"'],
}


@pytest.mark.parametrize("lines", PIN_AT_ANY_RISK.values(), ids=PIN_AT_ANY_RISK)
def test_a_demanded_pin_is_proved_by_the_high_key_alone(agent, person, local, put, lines):
    """Whatever demands it: the low key gets nothing by a PIN call that it never had to answer."""
    put(rule("ask", *lines))
    _, approval = agent.asked()
    assert "pin" in approval.ceremony
    typed = person.entries(approval.id)
    person.pin(approval.id)
    for ceremony in (approval.ceremony, "confirm"):
        jws = person.decision(approval.id, person.low, ceremony=ceremony)
        answer = person.send_decision(approval.id, jws, **typed)
        assert answer.refusal == (403, "pin_required")
    assert person.device.pin_tries == 1
    assert local.stored(approval.id).state is State.PENDING
    assert say_yes(person, approval, **typed).status == 200
    assert person.device.pin_tries == 0


def test_a_pin_that_nobody_demands_is_claimed_only_by_the_high_key(agent, person):
    """The token and the log repeat what was signed, so it must be true."""
    _, approval = agent.asked()
    assert approval.ceremony == "confirm"
    person.pin(approval.id)
    claimed = person.decision(approval.id, person.low, ceremony="pin")
    assert person.send_decision(approval.id, claimed).refusal == (403, "pin_required")
    person.pin()
    for another in (person.low, person.high):
        unproved = person.decision(approval.id, another, ceremony="pin")
        assert person.send_decision(approval.id, unproved).refusal == (403, "pin_required")


@pytest.mark.parametrize(
    ("key", "ceremony", "told"),
    [
        ("low", "confirm", ("urn:sayso:acr:signed", ["swk"])),
        ("high", "confirm", ("urn:sayso:acr:signed", ["swk"])),
        ("high", "pin", ("urn:sayso:acr:signed-pin", ["swk", "pin"])),
    ],
)
def test_a_token_names_what_was_proved(agent, person, local, key, ceremony, told):
    """The PIN is in `acr` and `amr` only where it was entered for this request."""
    handle, approval = agent.asked()
    person.pin(approval.id)
    jws = person.decision(approval.id, getattr(person, key), ceremony=ceremony)
    assert person.send_decision(approval.id, jws).status == 200
    claims = local.claims(agent.poll(handle).json["access_token"])
    assert (claims["acr"], claims["amr"]) == told
    (entry,) = local.desk.entries("approval.approved")
    assert entry["facts"]["ceremony"] == ceremony
