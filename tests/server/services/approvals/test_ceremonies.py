"""Ceremonies: type-back, match number, reason and PIN; attempts and locks."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete

from server.model.approvers import NamedApprover
from server.protocol.approvals.states import State
from server.services.approvers import approvers
from server.services.approvers.groups import GroupChanges, Groups
from server.services.clients.agent_forms import AgentChanges
from server.services.policy.policies import Policies
from server.storage.approvers.tables import approvers as rows
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
    """Payments require typing back the account of a new payee, or else the amount."""
    local.admin.actions.update(json.dumps(WITH_ACCOUNT), by=BY)


@pytest.fixture
def interactive(agent, local):
    """The agent can show a match number."""
    local.admin.agents.update(agent.id, AgentChanges(interactive=True), by=BY)
    return agent


@pytest.fixture
def put(local):
    """Puts a rule set in force."""
    return lambda *rules: Policies(local.services.store).set("\n".join(rules), by=BY)


def pay(agent, details=DETAILS, **parameters):
    """A pending payment."""
    return agent.request_payment(authorization_details=json.dumps(details), **parameters)


def type_back_of(approval):
    """Return what the display asks the approver to type back."""
    return json.loads(approval.display)["type_back"]


def approve_with(person, approval, key=None, **entries):
    """Approve with the required ceremony and only these entries."""
    if "pin" in approval.ceremony:
        person.pin(approval.id)
    signer = key or (person.high if "pin" in approval.ceremony else person.low)
    jws = person.decision(approval.id, signer, ceremony=approval.ceremony)
    return person.send_decision(approval.id, jws, **entries)


def backup_of(person, backup):
    """Return the approver who acts for this person."""
    return NamedApprover(backup.user.id, "backup", stands_for=person.user.id)


def test_type_back_is_the_account_of_a_new_payee_or_else_the_amount(agent, person, local):
    """The display contains the label and kind of the value, but not the value itself."""
    _, first = pay(agent)
    assert first.ceremony == "pin+type_back"
    assert type_back_of(first) == {
        "label": "To account",
        "kind": "last_four",
        "at": "/authorization_details/0/account",
    }
    assert approve_with(person, first, fact="3000").status == 200
    _, second = pay(agent)
    assert type_back_of(second) == {
        "label": "Amount",
        "kind": "money",
        "at": "/authorization_details/0/amount",
    }
    answer = approve_with(person, second, fact="4,820.00")
    assert answer.json["state"] == "approved"
    assert local.admin.entries("approval.approved")[-1]["facts"]["ceremony"] == "pin+type_back"


def test_a_wrong_entry_returns_the_attempts_left(agent, person, local):
    """A correct entry is accepted after a wrong one, which does not count as a wrong PIN."""
    _, approval = pay(agent)
    assert person.show(approval.id)["tries_left"] == {"type_back": 2}
    answer = approve_with(person, approval, fact="1234")
    assert answer.refusal == (422, "wrong_entry")
    assert (answer.json["step"], answer.json["left"]) == ("type_back", 1)
    assert ACCOUNT[-4:] not in answer.body.decode()
    assert person.device.pin_tries == 0
    assert person.show(approval.id)["tries_left"] == {"type_back": 1}
    assert local.stored_approval(approval.id).state is State.PENDING
    assert approve_with(person, approval, fact="3000").status == 200
    assert local.admin.entries("approval.locked") == []


def test_two_wrong_entries_lock_the_request(agent, person, local):
    """Without other approvers a locked request is canceled, which is not a denial."""
    handle, approval = pay(agent)
    approve_with(person, approval, fact="1234")
    answer = approve_with(person, approval, fact="4321")
    assert answer.refusal == (423, "request_locked")
    assert answer.json["left"] == 0
    stored = local.stored_approval(approval.id)
    assert (stored.state, stored.reason) == (State.CANCELLED, "locked")
    flagged = local.admin.entries("approval.locked")[-1]
    assert (flagged["cause"], flagged["actor"]) == ("type_back", f"user:{person.user.id}")
    assert "1234" not in json.dumps(flagged)
    polled = agent.poll(handle)
    assert polled.refusal == (400, "access_denied")
    assert polled.json["reason"] == "locked"
    assert "nobody can approve" in polled.json["error_description"]
    assert approve_with(person, approval, fact="3000").refusal == (409, "not_pending")


def test_a_lock_applies_only_to_the_person_who_made_the_wrong_entries(agent, person, local):
    """Other approvers may still approve, and the locked person may still deny."""
    _, approval = pay(agent)
    ben = new_person(local, "ben")
    with local.services.store.write() as tx:
        approvers.add(tx, approval, [backup_of(person, ben)], local.server_policy)
    for wrong in ("1234", "4321"):
        answer = approve_with(person, approval, fact=wrong)
    assert answer.refusal == (423, "request_locked")
    assert approve_with(person, approval, fact="3000").refusal == (423, "request_locked")
    assert person.show(approval.id)["tries_left"] == {"type_back": 0}
    assert ben.show(approval.id)["tries_left"] == {"type_back": 2}
    assert local.stored_approval(approval.id).state is State.PENDING
    assert approve_with(ben, approval, fact="3000").json["decided"]["by"]["name"] == "ben"
    _, another = pay(agent)
    with local.services.store.write() as tx:
        approvers.add(tx, another, [backup_of(person, ben)], local.server_policy)
    for wrong in ("1", "2"):
        approve_with(person, another, fact=wrong)
    assert person.deny(another.id).json["state"] == "denied"


def test_the_request_is_cancelled_when_the_last_approver_is_locked(agent, person, local):
    """Each approver has two attempts; the request ends when all are locked."""
    handle, approval = pay(agent)
    ben = new_person(local, "ben")
    with local.services.store.write() as tx:
        approvers.add(tx, approval, [backup_of(person, ben)], local.server_policy)
    for somebody in (person, ben):
        assert local.stored_approval(approval.id).state is State.PENDING
        for wrong in ("1234", "4321"):
            approve_with(somebody, approval, fact=wrong)
    assert agent.poll(handle).json["reason"] == "locked"


@pytest.mark.parametrize("substitute_first", [False, True])
def test_a_person_and_their_substitute_do_not_make_a_quorum_of_two(
    agent, person, local, put, substitute_first
):
    """The two share one vote, so the request ends when the third person is locked."""
    cleo, ben = new_person(local, "cleo"), new_person(local, "ben")
    put(rule("ask", "ask.quorum = 2", 'ask.who = ["ana", "cleo"]'))
    handle, approval = pay(agent)
    substitute = backup_of(person, ben)
    with local.services.store.write() as tx:
        approvers.add(tx, approval, [substitute], local.server_policy)
    if substitute_first:
        assert approve_with(ben, approval, fact="3000").status == 200
    for wrong in ("1234", "4321"):
        assert local.stored_approval(approval.id).state is State.PENDING
        approve_with(cleo, approval, fact=wrong)
    assert agent.poll(handle).json["reason"] == "locked"


def test_a_vote_still_counts_when_another_approver_is_locked(agent, person, local, put):
    """A vote counts even if the person who cast it is no longer an approver."""
    cleo, ben = new_person(local, "cleo"), new_person(local, "ben")
    put(rule("ask", "ask.quorum = 2", 'ask.who = ["ana", "cleo", "ben"]'))
    _, approval = pay(agent)
    assert approve_with(ben, approval, fact="3000").status == 200
    with local.services.store.write() as tx:
        forgotten = delete(rows).where(rows.c.user_id == ben.user.id)
        tx._connection.execute(forgotten)
    for wrong in ("1234", "4321"):
        approve_with(cleo, approval, fact=wrong)
    assert local.stored_approval(approval.id).state is State.PENDING
    assert approve_with(person, approval, fact="3000").json["state"] == "approved"


def test_a_vote_of_a_former_member_does_not_keep_a_request_open(agent, local, put):
    """The request ends if the votes that still count cannot reach the quorum."""
    cleo, ben = new_person(local, "cleo"), new_person(local, "ben")
    groups = Groups(local.services.store, local.services.secrets)
    groups.add("finance", ["cleo", "ben"], by=BY)
    put(rule("ask", "ask.quorum = 2", 'ask.who = ["ana", "finance"]'))
    handle, approval = pay(agent)
    assert approve_with(ben, approval, fact="3000").status == 200
    groups.update("finance", GroupChanges(remove=("ben",)), by=BY)
    for wrong in ("1234", "4321"):
        approve_with(cleo, approval, fact=wrong)
    assert agent.poll(handle).json["reason"] == "locked"


def test_concurrent_attempts_are_all_counted(agent, person, local):
    """Of twenty concurrent wrong entries, only two are compared."""
    _, approval = pay(agent)
    ben = new_person(local, "ben")
    with local.services.store.write() as tx:
        approvers.add(tx, approval, [backup_of(person, ben)], local.server_policy)
    person.pin(approval.id)
    jws = person.decision(approval.id, person.high, ceremony=approval.ceremony)

    def guess(number):
        return person.send_decision(approval.id, jws, fact=f"{number:04}").refusal

    with ThreadPoolExecutor(8) as threads:
        refused = list(threads.map(guess, range(20)))
    assert sum(code == "wrong_entry" for _, code in refused) <= 1
    assert {code for _, code in refused} <= {"wrong_entry", "request_locked"}
    assert len(local.admin.entries("approval.locked")) >= 1
    assert person.show(approval.id)["tries_left"] == {"type_back": 0}


def test_attempts_are_counted_per_person_not_per_device(agent, person):
    """A second device of the person has the same number of attempts left."""
    _, approval = pay(agent)
    desktop = another_device(person)
    approve_with(person, approval, fact="1234")
    assert desktop.show(approval.id)["tries_left"] == {"type_back": 1}


def test_an_attempt_that_could_not_succeed_is_not_counted(agent, person):
    """A call without the PIN or the entry, or with a wrong key, uses no attempt."""
    _, approval = pay(agent)
    jws = person.decision(approval.id, person.high, ceremony="pin+type_back")
    assert person.send_decision(approval.id, jws, fact="1234").refusal == (403, "pin_required")
    assert approve_with(person, approval, person.low, fact="1234").refusal == (403, "pin_required")
    assert approve_with(person, approval).refusal == (422, "invalid_decision")
    assert approve_with(person, approval, fact="").refusal == (422, "invalid_body")
    assert person.show(approval.id)["tries_left"] == {"type_back": 2}


@pytest.mark.parametrize("signed", ["pin", "pin+reason"])
def test_a_required_step_must_be_signed(agent, person, signed):
    """The error names the steps that are required."""
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
def test_entries_and_signed_steps_must_match_the_ceremony(agent, person, signed, entries):
    """Each entry needs its signed step and each step its entry; extra steps are refused."""
    _, approval = agent.request_approval()
    jws = person.decision(approval.id, ceremony=signed)
    assert person.send_decision(approval.id, jws, **entries).refusal == (422, "invalid_decision")


def test_type_back_is_about_the_riskiest_detail(agent, person):
    """With several details, the label contains the number of the riskiest one."""
    cheap = [{**DETAILS[0], "amount": {"minor": 100, "currency": "EUR"}}, DETAILS[0]]
    _, approval = pay(agent, cheap)
    assert type_back_of(approval)["label"] == "1. To account"
    facts = [fact["label"] for fact in json.loads(approval.display)["facts"]]
    assert type_back_of(approval)["label"] in facts
    assert approve_with(person, approval, fact="3000").status == 200


def test_type_back_compares_the_requested_value_when_narrowing(agent, person):
    """The approver types the requested value, not the narrowed one."""
    _, first = pay(agent)
    approve_with(person, first, fact="3000")
    _, approval = pay(agent)
    body = {"changes": [{"fact": "/amount", "to": "500"}]}
    narrowing = person.call("POST", f"/api/approvals/{approval.id}/narrowing", body).json
    person.pin(approval.id)
    members = {"ceremony": approval.ceremony, "granted": narrowing["digest"]}
    jws = person.decision(approval.id, person.high, **members)
    answer = person.send_decision(approval.id, jws, granted=narrowing["text"], fact="4820")
    assert answer.json["granted"]["text"] == narrowing["text"]


def test_a_type_without_a_template_asks_to_type_back_the_resource(agent, person, local):
    """The action type names no fact to type back, so the resource is used."""
    bare = {
        "type": "ledger.rebuild",
        "title": "Ledger rebuild",
        "schema": {"type": "object", "additionalProperties": False, "properties": {}},
    }
    local.admin.actions.add(json.dumps(bare), by=BY)
    _, approval = pay(agent, [{"type": "ledger.rebuild"}])
    assert type_back_of(approval) == {"label": "Resource", "kind": "text", "at": "/resource"}
    assert approve_with(person, approval, fact=approval.resource).status == 200


def test_policy_may_require_type_back_at_any_risk(agent, person, put):
    """A request without an action requires typing back the resource."""
    put(rule("ask", 'ask.ceremony = ["type_back", "reason"]'))
    _, approval = agent.request_approval()
    assert approval.ceremony == "reason+type_back"
    answer = approve_with(person, approval, fact=approval.resource, reason="Month end.")
    assert answer.json["state"] == "approved"


def test_repeating_a_decision_uses_no_attempt(agent, person):
    """The same signed bytes get the same response, and entries are not compared again."""
    _, approval = pay(agent)
    person.pin(approval.id)
    jws = person.decision(approval.id, person.high, ceremony=approval.ceremony)
    assert person.send_decision(approval.id, jws, fact="3000").status == 200
    assert person.send_decision(approval.id, jws, fact="9999").json["state"] == "approved"


# Match number.


def test_an_interactive_agent_gets_a_match_number_to_type(interactive, person, local):
    """A match number is required from medium risk on, and only the agent's response has it."""
    answer = interactive.ask_payment(authorization_details=json.dumps(DETAILS))
    number = answer.json["match_code"]
    approval = local.approval_for(answer.json["auth_req_id"])
    assert approval.ceremony == "match+pin+type_back"
    assert len(number) == len("123")
    assert number.isdecimal()
    texts = [approval.action, approval.display, person.call("GET", "/api/approvals").body.decode()]
    shown = json.dumps(person.show(approval.id))
    assert "match_code" not in "".join([*texts, shown])
    assert f'"{number}"' not in "".join([*texts, shown])
    assert approve_with(person, approval, fact="3000", match=number).status == 200


@pytest.mark.parametrize("risk", ["low", "medium"])
def test_low_risk_needs_no_match_number(interactive, person, local, put, risk):
    """At low risk no match number is required; at medium risk it is the only entry."""
    put(rule("ask", f'ask.risk = "{risk}"'))
    answer = interactive.ask()
    approval = local.approval_for(answer.json["auth_req_id"])
    assert ("match_code" in answer.json) is (risk == "medium")
    assert approval.ceremony == ("match" if risk == "medium" else "confirm")
    assert approve_with(person, approval, **person.entries(approval.id)).status == 200


def test_a_match_rule_for_an_agent_without_a_screen_requires_the_pin(agent, local, put):
    """The agent cannot show a match number, so the PIN is required instead."""
    put(rule("ask", 'ask.ceremony = "match"'))
    answer = agent.ask()
    assert "match_code" not in answer.json
    assert local.approval_for(answer.json["auth_req_id"]).ceremony == "pin"


def test_two_wrong_match_numbers_lock_the_request_for_everybody(interactive, person, local, put):
    """All approvers share the match number, so they share the two attempts."""
    put(rule("ask", 'ask.risk = "medium"'))
    handle, approval = interactive.request_approval()
    ben = new_person(local, "ben")
    with local.services.store.write() as tx:
        approvers.add(tx, approval, [backup_of(person, ben)], local.server_policy)
    number = int(person.entries(approval.id)["match"])
    first = approve_with(person, approval, match=f"{(number + 1) % 1_000:03}")
    assert (first.refusal, first.json["step"]) == ((422, "wrong_entry"), "match")
    assert ben.show(approval.id)["tries_left"] == {"match": 1}
    second = approve_with(ben, approval, match=f"{(number + 2) % 1_000:03}")
    assert second.refusal == (423, "request_locked")
    assert interactive.poll(handle).json["reason"] == "locked"
    assert local.stored_approval(approval.id).reason == "locked"


def test_each_request_has_its_own_match_number(interactive):
    """A repeated call with the same idempotency key gets the same match number."""
    details = json.dumps(DETAILS)
    numbers = [
        interactive.ask_payment(
            headers={"idempotency-key": key}, authorization_details=details
        ).json["match_code"]
        for key in ("one", "one", "two", "three")
    ]
    assert numbers[0] == numbers[1]
    assert len(set(numbers)) > 1


def test_only_a_wrong_entry_uses_an_attempt(interactive, person):
    """Attempts for type-back and for the match number are counted separately."""
    _, approval = pay(interactive)
    right = person.entries(approval.id)
    answer = approve_with(person, approval, **(right | {"fact": "0000"}))
    assert answer.json["step"] == "type_back"
    assert person.show(approval.id)["tries_left"] == {"match": 2, "type_back": 1}
    assert approve_with(person, approval, **right).status == 200


# A reason.


def test_a_reason_is_recorded_and_never_sent_to_the_agent(agent, person, local, put):
    """Policy may require a reason, which only the audit log and approvers see."""
    put(rule("ask", 'ask.ceremony = "reason"'))
    handle, approval = agent.request_approval()
    assert approve_with(person, approval).refusal == (422, "invalid_decision")
    assert approve_with(person, approval, reason="Agreed at noon.").status == 200
    with local.services.store.read() as view:
        assert view.decisions.of_approval(approval.id)[0].reason == "Agreed at noon."
    assert local.admin.entries("approval.approved")[-1]["facts"]["reason"] == "Agreed at noon."
    assert "noon" not in agent.poll(handle).body.decode()


def test_a_reason_may_be_given_without_being_required(agent, person):
    """A voluntary reason is accepted if it is signed as a step."""
    _, approval = agent.request_approval()
    jws = person.decision(approval.id, ceremony="reason")
    assert person.send_decision(approval.id, jws, reason="It is mine.").status == 200


@pytest.mark.parametrize("reason", ["x" * 501, "a\u202eb"])
def test_a_reason_must_be_short_and_displayable(agent, person, put, reason):
    """A reason has at most 500 characters."""
    put(rule("ask", 'ask.ceremony = "reason"'))
    _, approval = agent.request_approval()
    assert approve_with(person, approval, reason=reason).refusal == (422, "invalid_body")


def test_a_critical_request_needs_every_step(interactive, person, put):
    """A critical request requires the match number, the PIN, a reason and type-back."""
    put(rule("ask", 'ask.risk = "critical"', "ask.quorum = 1"))
    _, approval = pay(interactive)
    assert approval.ceremony == "match+pin+reason+type_back"
    entries = person.entries(approval.id)
    lacking = {name: entry for name, entry in entries.items() if name != "reason"}
    assert approve_with(person, approval, **lacking).refusal == (422, "invalid_decision")
    assert approve_with(person, approval, **entries).json["state"] == "approved"


def test_a_stricter_ceremony_cancels_a_pending_request(agent, person, put):
    """A request that showed a weaker ceremony is canceled when somebody decides it."""
    handle, approval = agent.request_approval()
    put(rule("ask", 'ask.ceremony = "reason"'))
    assert person.approve(approval.id).refusal == (409, "not_pending")
    assert agent.poll(handle).json["reason"] == "cancelled"


PIN_AT_ANY_RISK = {
    "a rule at low risk": ['ask.risk = "low"', 'ask.ceremony = "pin"'],
    "a rule at medium risk": ['ask.risk = "medium"', 'ask.ceremony = "pin"'],
    "a rule at high risk": ['ask.risk = "high"'],
}


@pytest.mark.parametrize("lines", PIN_AT_ANY_RISK.values(), ids=PIN_AT_ANY_RISK)
def test_a_required_pin_needs_the_high_key(agent, person, local, put, lines):
    """A PIN call is not enough if the low key signs the decision."""
    put(rule("ask", *lines))
    _, approval = agent.request_approval()
    assert "pin" in approval.ceremony
    typed = person.entries(approval.id)
    person.pin(approval.id)
    for ceremony in (approval.ceremony, "confirm"):
        jws = person.decision(approval.id, person.low, ceremony=ceremony)
        answer = person.send_decision(approval.id, jws, **typed)
        assert answer.refusal == (403, "pin_required")
    assert person.device.pin_tries == 1
    assert local.stored_approval(approval.id).state is State.PENDING
    assert approve_with(person, approval, **typed).status == 200
    assert person.device.pin_tries == 0


def test_a_voluntary_pin_needs_the_high_key_and_a_pin_call(agent, person):
    """An unproven PIN cannot be claimed, because the token and the log state the ceremony."""
    _, approval = agent.request_approval()
    assert approval.ceremony == "confirm"
    person.pin(approval.id)
    claimed = person.decision(approval.id, person.low, ceremony="pin")
    assert person.send_decision(approval.id, claimed).refusal == (403, "pin_required")
    person.pin()
    for another in (person.low, person.high):
        unproved = person.decision(approval.id, another, ceremony="pin")
        assert person.send_decision(approval.id, unproved).refusal == (403, "pin_required")


@pytest.mark.parametrize(
    ("key", "ceremony", "claimed"),
    [
        ("low", "confirm", ("urn:sayso:acr:signed", ["swk"])),
        ("high", "confirm", ("urn:sayso:acr:signed", ["swk"])),
        ("high", "pin", ("urn:sayso:acr:signed-pin", ["swk", "pin"])),
    ],
)
def test_a_token_states_the_proved_ceremony(agent, person, local, key, ceremony, claimed):
    """The acr and amr claims name the PIN only if it was entered for this request."""
    handle, approval = agent.request_approval()
    person.pin(approval.id)
    jws = person.decision(approval.id, getattr(person, key), ceremony=ceremony)
    assert person.send_decision(approval.id, jws).status == 200
    claims = local.claims(agent.poll(handle).json["access_token"])
    assert (claims["acr"], claims["amr"]) == claimed
    (entry,) = local.admin.entries("approval.approved")
    assert entry["facts"]["ceremony"] == ceremony
