"""User codes: set by the person's own device, known by the agents that they were given to."""

import pytest

from server.protocol.approvals import decisions
from server.services.ciba.user_codes import CHANGES, MOST_WRONG, WRONG_WINDOW_MS
from server.services.clients.agent_forms import AgentChanges
from server.services.users.passwords import Passwords
from tests.support.builders.callers import new_person
from tests.support.builders.installation import BY

CODE = "Bla\u00fcwal 7"


@pytest.fixture
def agent(agent, local):
    """The agent of this test, which takes user codes."""
    local.desk.agents.update(agent.id, AgentChanges(takes_user_code=True), by=BY)
    return agent


def _change(person, code, key=None, **members):
    nonce = _nonce(person)
    subject = decisions.digest(f"{nonce}\n{code or ''}")
    person.pin(subject)
    said = {"subject": subject, **members}
    statement = person.statement("user_code", nonce, key or person.high, **said)
    return person.call("POST", "/api/user-code", {"code": code, "statement": statement})


def _nonce(person):
    items = person.call("GET", "/api/devices").json["items"]
    return next(item["nonce"] for item in items if item["id"] == person.device_id)


def _is_set(person):
    return person.call("GET", "/api/user-code").json["set"]


def test_a_code_is_set_changed_and_cleared_by_the_high_key(person, local):
    """Each of them is on the record, and the code is nowhere."""
    assert not _is_set(person)
    for _ in range(2):
        assert _change(person, CODE).json == {"set": True}
    assert _is_set(person)
    assert [_change(person, None).json for _ in range(2)] == [{"set": False}] * 2
    assert not _is_set(person)
    assert len(local.desk.entries("user_code.set")) == 2
    (entry,) = local.desk.entries("user_code.cleared")
    assert (entry["subject"], entry["facts"]) == (person.user.id, {"device": person.device_id})
    for file in local.services.settings.data_dir.glob("sayso.db*"):
        assert CODE.encode() not in file.read_bytes()


@pytest.mark.parametrize("code", ["", "abc", "   a   ", "a" * 65, "a\x1b[2Jbc", "a\nbcd"])
def test_what_is_no_code_is_refused(person, code):
    """Too short to keep anybody away, or nothing that can be typed."""
    assert _change(person, code).refusal == (422, "invalid_body")
    assert not _is_set(person)


def test_the_password_is_no_user_code(person, local):
    """CB-071: agents are told the code; only who signed for it learns that it is the password."""
    services, words = local.services, "correct horse battery"
    Passwords(services.store, services.passwords).set("ana", words, by=BY)
    assert _change(person, words, person.session).refusal == (403, "key_not_allowed")
    assert _change(person, words).refusal == (422, "invalid_body")
    assert not _is_set(person)
    assert _change(person, CODE).json == {"set": True}


def test_a_device_cannot_guess_the_password_by_choosing_codes(person, local):
    """The answer tells whether a code is the password, so there are few answers in an hour."""
    services = local.services
    Passwords(services.store, services.passwords).set("ana", "correct horse battery", by=BY)
    for _ in range(CHANGES):
        assert _change(person, CODE).json == {"set": True}
    for code in (CODE, "correct horse battery"):
        assert _change(person, code).refusal == (429, "too_many_codes")


@pytest.mark.parametrize("key", ["session", "low"])
def test_only_the_high_key_of_this_device_sets_a_code(person, key):
    """What an unlocked app holds without a PIN sets no code, and gives no PIN try back."""
    assert _change(person, CODE, getattr(person, key)).refusal == (403, "key_not_allowed")
    assert not _is_set(person)
    assert person.device.pin_tries == 1


@pytest.mark.parametrize("named", ["session", "x" * 43])
def test_a_code_needs_a_pin_call_that_named_it(person, named):
    """A PIN that was entered for something else is none for this code."""
    nonce = _nonce(person)
    subject = decisions.digest(f"{nonce}\n{CODE}")
    person.pin(named)
    statement = person.statement("user_code", nonce, person.high, subject=subject)
    answer = person.call("POST", "/api/user-code", {"code": CODE, "statement": statement})
    assert answer.refusal == (403, "pin_required")
    assert not _is_set(person)


@pytest.mark.parametrize(
    "members", [{"subject": "x" * 43}, {"subject": "other"}, {"nonce": "n"}, {"aud": "a"}]
)
def test_a_statement_about_something_else_is_none(person, members):
    """About another code above all."""
    if "aud" in members:
        nonce = _nonce(person)
        statement = person.statement("vouch", nonce, person.high, subject=person.device_id)
        body = {"code": CODE, "statement": statement}
        answer = person.call("POST", "/api/user-code", body)
    elif "nonce" in members:
        statement = person.statement(
            "user_code", "n" * 43, person.high, subject=decisions.digest(f"{'n' * 43}\n{CODE}")
        )
        answer = person.call("POST", "/api/user-code", {"code": CODE, "statement": statement})
    else:
        answer = _change(person, CODE, **members)
    assert answer.refusal == (422, "invalid_statement")
    assert not _is_set(person)


def test_a_statement_counts_once(person):
    """Nobody sets an old code again by repeating what was sent."""
    nonce = _nonce(person)
    subject = decisions.digest(f"{nonce}\n{CODE}")
    person.pin(subject)
    statement = person.statement("user_code", nonce, person.high, subject=subject)
    body = {"code": CODE, "statement": statement}
    assert person.call("POST", "/api/user-code", body).status == 200
    assert person.call("POST", "/api/user-code", body).refusal == (422, "invalid_statement")


def test_an_agent_needs_the_code_of_a_person_who_has_one(agent, person):
    """CB-068, CB-069: and nobody is asked without it."""
    assert agent.ask().status == 200
    _change(person, CODE)
    assert agent.ask().refusal == (400, "missing_user_code")
    assert agent.ask(user_code="wrong").refusal == (400, "invalid_user_code")
    assert agent.ask(user_code=CODE).status == 200
    assert agent.ask(user_code=" Blau\u0308wal 7 ").status == 200
    _change(person, None)
    assert agent.ask(user_code="anything").status == 200


def test_an_agent_that_takes_no_codes_needs_none(agent, person, local):
    """CB-070: and what it sends is not looked at."""
    _change(person, CODE)
    local.desk.agents.update(agent.id, AgentChanges(takes_user_code=False), by=BY)
    assert agent.ask().status == 200
    assert agent.ask(user_code="wrong").status == 200


def test_wrong_codes_are_counted_for_each_agent_and_person(agent, person, local):
    """After five the right one does not help either, for half an hour, and for nobody else."""
    ben = new_person(local, "ben")
    for who in (person, ben):
        _change(who, CODE)
    for _ in range(MOST_WRONG):
        assert agent.ask(user_code="wrong").refusal == (400, "invalid_user_code")
    assert agent.ask(user_code=CODE).refusal == (400, "invalid_user_code")
    assert agent.ask(login_hint="ben", user_code=CODE).status == 200
    local.clock.forward(WRONG_WINDOW_MS)
    assert agent.ask(user_code=CODE).status == 200


def test_a_repeated_call_with_another_code_is_the_same_request(agent, person):
    """The code says who may ask, and not what is asked; its hash is kept nowhere."""
    _change(person, CODE)
    key = {"idempotency-key": "once"}
    first = agent.ask(user_code=CODE, headers=key)
    again = agent.ask(user_code="other", headers=key)
    assert first.json["auth_req_id"] == again.json["auth_req_id"]


def test_where_nobody_is_told_apart_a_code_tells_nothing(template, open_local):
    """NG-015: a missing or wrong code makes a request that waits for nobody."""
    local = open_local(unknown_user="hide")
    agent, person = template.agent(local), template.person(local)
    local.desk.agents.update(agent.id, AgentChanges(takes_user_code=True), by=BY)
    _change(person, CODE)
    for code in (None, "wrong"):
        answer = agent.ask(user_code=code)
        assert answer.status == 200
        assert local.behind(answer.json["auth_req_id"]).user_id is None
    answer = agent.ask(user_code=CODE)
    assert local.behind(answer.json["auth_req_id"]).user_id == person.user.id


def test_an_agent_keeps_and_changes_whether_it_takes_codes(agent, local):
    """Like every other member of its registration."""
    assert local.desk.agents.show(agent.id)[0].takes_user_code
    kept = local.desk.agents.update(agent.id, AgentChanges(description="x"), by=BY)
    assert kept.takes_user_code
    assert local.desk.entries("agent.updated")[-1]["facts"]["takes_user_code"] is True
