"""User codes: set on the person's own device, and required of agents that support them."""

import pytest

from server.protocol.approvals import decisions
from server.services.ciba.user_codes import CHANGES, WRONG
from server.services.clients.agent_forms import AgentChanges
from server.services.users.passwords import Passwords
from tests.support.builders.callers import new_person
from tests.support.builders.installation import BY

CODE = "Bla\u00fcwal 7"


@pytest.fixture
def agent(agent, local):
    """An agent that supports user codes."""
    local.admin.agents.update(agent.id, AgentChanges(takes_user_code=True), by=BY)
    return agent


def _change(person, code, key=None, **members):
    nonce = _nonce(person)
    subject = decisions.digest(f"{nonce}\n{code or ''}")
    person.pin(subject)
    signed = {"subject": subject, **members}
    statement = person.statement("user_code", nonce, key or person.high, **signed)
    return person.call("POST", "/api/user-code", {"code": code, "statement": statement})


def _nonce(person):
    items = person.call("GET", "/api/devices").json["items"]
    return next(item["nonce"] for item in items if item["id"] == person.device_id)


def _is_set(person):
    return person.call("GET", "/api/user-code").json["set"]


def test_a_user_code_is_set_changed_and_cleared_with_the_high_key(person, local):
    """Each change is in the audit log. The database does not contain the code itself."""
    assert not _is_set(person)
    for _ in range(2):
        assert _change(person, CODE).json == {"set": True}
    assert _is_set(person)
    assert [_change(person, None).json for _ in range(2)] == [{"set": False}] * 2
    assert not _is_set(person)
    assert len(local.admin.entries("user_code.set")) == 2
    (entry,) = local.admin.entries("user_code.cleared")
    assert (entry["subject"], entry["facts"]) == (person.user.id, {"device": person.device_id})
    for file in local.services.settings.data_dir.glob("sayso.db*"):
        assert CODE.encode() not in file.read_bytes()


@pytest.mark.parametrize("code", ["", "abc", "   a   ", "a" * 65, "a\x1b[2Jbc", "a\nbcd"])
def test_an_invalid_user_code_is_refused(person, code):
    """The code is too short or too long, or has characters that cannot be typed."""
    assert _change(person, code).refusal == (422, "invalid_body")
    assert not _is_set(person)


def test_the_password_cannot_be_the_user_code(person, local):
    """CB-071: agents learn the code. Only signed changes are compared with the password."""
    services, password = local.services, "correct horse battery"
    Passwords(services.store, services.passwords).set("ana", password, by=BY)
    assert _change(person, password, person.session).refusal == (403, "key_not_allowed")
    assert _change(person, password).refusal == (422, "invalid_body")
    assert not _is_set(person)
    assert _change(person, CODE).json == {"set": True}


def test_changes_of_the_user_code_are_rate_limited(person, local):
    """Without the limit, a device could guess the password by setting codes."""
    services = local.services
    Passwords(services.store, services.passwords).set("ana", "correct horse battery", by=BY)
    for _ in range(CHANGES):
        assert _change(person, CODE).json == {"set": True}
    for code in (CODE, "correct horse battery"):
        assert _change(person, code).refusal == (429, "too_many_codes")


@pytest.mark.parametrize("key", ["session", "low"])
def test_only_the_high_key_sets_a_user_code(person, key):
    """Other keys of the device are refused and do not reset the PIN attempts."""
    assert _change(person, CODE, getattr(person, key)).refusal == (403, "key_not_allowed")
    assert not _is_set(person)
    assert person.device.pin_tries == 1


@pytest.mark.parametrize("named", ["session", "x" * 43])
def test_setting_a_user_code_needs_a_pin_call_for_that_code(person, named):
    """A PIN that was entered for something else does not count."""
    nonce = _nonce(person)
    subject = decisions.digest(f"{nonce}\n{CODE}")
    person.pin(named)
    statement = person.statement("user_code", nonce, person.high, subject=subject)
    answer = person.call("POST", "/api/user-code", {"code": CODE, "statement": statement})
    assert answer.refusal == (403, "pin_required")
    assert not _is_set(person)


@pytest.mark.parametrize("other", [{"purpose": "vouch"}, {"nonce": "n" * 43}, {"code": "1234"}])
def test_a_statement_about_something_else_is_refused(person, other):
    """The statement has a different purpose or nonce, or is about a different code."""
    nonce = _nonce(person)
    person.pin(decisions.digest(f"{nonce}\n{CODE}"))
    signed = {"purpose": "user_code", "nonce": nonce, "code": CODE, **other}
    subject = decisions.digest(f"{signed['nonce']}\n{signed['code']}")
    statement = person.statement(signed["purpose"], signed["nonce"], person.high, subject=subject)
    answer = person.call("POST", "/api/user-code", {"code": CODE, "statement": statement})
    assert answer.refusal == (422, "invalid_statement")
    assert not _is_set(person)


def test_a_statement_is_used_once(person):
    """Replaying a statement cannot set an old code again."""
    nonce = _nonce(person)
    subject = decisions.digest(f"{nonce}\n{CODE}")
    person.pin(subject)
    statement = person.statement("user_code", nonce, person.high, subject=subject)
    body = {"code": CODE, "statement": statement}
    assert person.call("POST", "/api/user-code", body).status == 200
    assert person.call("POST", "/api/user-code", body).refusal == (422, "invalid_statement")


def test_a_request_needs_the_user_code_of_its_user(agent, person):
    """CB-068, CB-069: without the right code, nobody is asked."""
    assert agent.ask().status == 200
    _change(person, CODE)
    assert agent.ask().refusal == (400, "missing_user_code")
    assert agent.ask(user_code="wrong").refusal == (400, "invalid_user_code")
    assert agent.ask(user_code=CODE).status == 200
    assert agent.ask(user_code=" Blau\u0308wal 7 ").status == 200
    _change(person, None)
    assert agent.ask(user_code="anything").status == 200


def test_an_agent_without_user_code_support_needs_no_user_code(agent, person, local):
    """CB-070: a code that such an agent sends is ignored."""
    _change(person, CODE)
    local.admin.agents.update(agent.id, AgentChanges(takes_user_code=False), by=BY)
    assert agent.ask().status == 200
    assert agent.ask(user_code="wrong").status == 200


def test_wrong_user_codes_lock_out_one_agent_for_one_person(agent, person, local):
    """After five wrong codes, the agent's requests to this person fail for half an hour."""
    ben = new_person(local, "ben")
    for who in (person, ben):
        _change(who, CODE)
    for _ in range(WRONG.value):
        assert agent.ask(user_code="wrong").refusal == (400, "invalid_user_code")
    assert agent.ask(user_code=CODE).refusal == (400, "invalid_user_code")
    assert agent.ask(login_hint="ben", user_code=CODE).status == 200
    local.clock.forward(WRONG.within_ms)
    assert agent.ask(user_code=CODE).status == 200


def test_a_repeated_call_with_another_user_code_is_the_same_request(agent, person):
    """The code is not part of the request, and no hash of it is stored with it."""
    _change(person, CODE)
    key = {"idempotency-key": "once"}
    first = agent.ask(user_code=CODE, headers=key)
    again = agent.ask(user_code="other", headers=key)
    assert first.json["auth_req_id"] == again.json["auth_req_id"]


def test_with_hidden_users_a_wrong_user_code_is_not_revealed(template, open_local):
    """NG-015: a request with a missing or wrong code is accepted but asks nobody."""
    local = open_local(unknown_user="hide")
    agent, person = template.agent(local), template.person(local)
    local.admin.agents.update(agent.id, AgentChanges(takes_user_code=True), by=BY)
    _change(person, CODE)
    for code in (None, "wrong"):
        answer = agent.ask(user_code=code)
        assert answer.status == 200
        assert local.approval_for(answer.json["auth_req_id"]).user_id is None
    answer = agent.ask(user_code=CODE)
    assert local.approval_for(answer.json["auth_req_id"]).user_id == person.user.id


def test_user_code_support_is_stored_with_the_agent(agent, local):
    """Changes of other members keep it, and the audit log contains it."""
    assert local.admin.agents.show(agent.id)[0].takes_user_code
    updated = local.admin.agents.update(agent.id, AgentChanges(description="x"), by=BY)
    assert updated.takes_user_code
    assert local.admin.entries("agent.updated")[-1]["facts"]["takes_user_code"] is True
