"""Where users are hidden, nothing that an agent gets or measures tells whom it named exists."""

import statistics
import time
from functools import partial

import pytest
from sqlalchemy import Connection

from server.services.clients.agent_forms import AgentChanges
from server.services.users.users import UserChanges
from server.storage.prepared import Prepared
from tests.support.builders.callers import new_person
from tests.support.builders.clock import HOUR, MINUTE
from tests.support.builders.installation import BY, registered

PAIRS = 18


@pytest.fixture
def hiding(open_local):
    """The installation, where an agent is not told who exists."""
    local = open_local(unknown_user="hide", open_per_agent=500, open_per_user=900)
    local.desk.users.update("ana", UserChanges(email="ana@example.com"), by=BY)
    return local


@pytest.fixture
def asks(hiding, template):
    """The agent of this test."""
    return template.agent(hiding)


@pytest.fixture
def statements(monkeypatch):
    """What is sent to the database by a call."""
    sent = []
    run, run_each, execute = Prepared.run, Prepared.run_each, Connection.execute

    def prepared(self, connection, values):
        sent.append(str(self._statement))
        return run(self, connection, values)

    def prepared_each(self, connection, rows):
        sent.append(str(self._statement))
        return run_each(self, connection, rows)

    def executed(self, statement, *more, **named):
        sent.append(str(statement))
        return execute(self, statement, *more, **named)

    monkeypatch.setattr(Prepared, "run", prepared)
    monkeypatch.setattr(Prepared, "run_each", prepared_each)
    monkeypatch.setattr(Connection, "execute", executed)

    def of(call):
        sent.clear()
        answer = call()
        assert answer.status == 200, answer.body
        return list(sent)

    return of


def test_somebody_and_nobody_cost_the_same_statements(asks, statements):
    """Requests of low and of high risk, and a poll of each, after many to nobody."""
    for _ in range(100):
        asks.ask(login_hint="nobody")
        asks.ask(login_hint="ana")
    for ask in (asks.ask, asks.ask_payment):
        ask(login_hint="ana")
        ask(login_hint="nobody")
        known, unknown = (statements(partial(ask, login_hint=hint)) for hint in ("ana", "nobody"))
        assert len(known) > 10
        assert known == unknown


def test_the_time_of_an_answer_does_not_tell_who_exists(asks):
    """Eighteen pairs after many requests: the medians of processor time lie close together."""
    for _ in range(200):
        asks.ask(login_hint="nobody")
    asks.ask(login_hint="ana")
    took = {"ana": [], "nobody": []}
    for _ in range(PAIRS):
        for hint, times in took.items():
            began = time.process_time()
            assert asks.ask(login_hint=hint).status == 200
            times.append(time.process_time() - began)
    known, unknown = (statistics.median(times) for times in took.values())
    assert 0.6 < known / unknown < 1.6


@pytest.mark.parametrize("name", ["ana", "nobody"])
def test_a_request_takes_the_place_of_one_that_names_its_person_in_the_same_way(asks, name):
    """Case and look-alikes are one way; an e-mail address is another, whoever has it."""
    for other, status in ((name.upper(), 200), (name, 200), (f"{name}@example.com", 400)):
        handle, _ = asks.asked(login_hint=name)
        answer = asks.ask(login_hint=other, supersedes=handle)
        assert answer.status == status
    assert "must ask the same person" in answer.json["error_description"]


def test_an_id_names_somebody_in_its_own_way(asks, person):
    """Whether it is that of a person, or of nobody."""
    for name, of_id in (("ana", person.user.id), ("nobody", "sayso_us_aaaaaaaaaaaaaaaa")):
        handle, _ = asks.asked(login_hint=name)
        assert asks.ask(login_hint=of_id, supersedes=handle).status == 400
        handle, _ = asks.asked(login_hint=of_id)
        assert asks.ask(login_hint=of_id, supersedes=handle).status == 200


def test_a_poll_does_not_tell_that_somebody_looked(asks, template, hiding):
    """Nor does the reason after the end."""
    person = template.person(hiding)
    handles = {}
    for name in ("ana", "nobody"):
        handles[name], approval = asks.asked(login_hint=name, requested_expiry="60")
        if name == "ana":
            assert person.call("GET", "/api/approvals").status == 200
            assert person.show(approval.id)["id"] == approval.id
    for moved in (5_000, MINUTE):
        hiding.clock.forward(moved)
        known, unknown = (asks.poll(handle).json for handle in handles.values())
        assert known == unknown
    assert known["reason"] == "expired_unseen"


def test_limits_count_what_the_agent_named(open_local, template):
    """As often under each name, whether it means the same person or nobody."""
    local = open_local(unknown_user="hide", open_per_agent=2)
    local.desk.users.update("ana", UserChanges(email="ana@example.com"), by=BY)
    agent = template.agent(local)
    for name in ("ana", "nobody", "ana@example.com", "nobody@example.com"):
        assert [agent.ask(login_hint=name).status for _ in range(3)] == [200, 200, 403]


def test_what_speaks_against_one_person_alone_is_not_told(open_local, template):
    """Too many requests of others to them: this one waits, and asks nobody."""
    local = open_local(unknown_user="hide", open_per_user=1)
    agent = template.agent(local)
    given = registered(local.desk, "other", auth_method="client_secret_post")
    local.desk.approval(given.agent.id, template.person(local).user.id)
    handle, approval = agent.asked(login_hint="ana")
    assert approval.user_id is None
    local.clock.forward(5_000)
    assert agent.poll(handle).json["error"] == "authorization_pending"


def test_a_person_who_denied_repeatedly_is_like_nobody_for_a_while(open_local, template):
    """The pause is theirs, and its end would tell that they exist."""
    local = open_local(unknown_user="hide", denials_before_pause=1)
    agent, person = template.agent(local), template.person(local)
    _, approval = agent.asked(login_hint="ana")
    assert person.deny(approval.id).status == 200
    assert agent.asked(login_hint="ana")[1].user_id is None
    local.clock.forward(HOUR)
    assert agent.asked(login_hint="ana")[1].user_id == person.user.id


def test_a_person_whom_the_agent_may_not_ask_is_nobody(hiding, asks, statements):
    """In as many statements."""
    new_person(hiding, "ben")
    hiding.desk.agents.update(asks.id, AgentChanges(asks=("ana",)), by=BY)
    for hint in 3 * ("ana", "ben"):
        asks.ask(login_hint=hint)
    known, unknown = (statements(partial(asks.ask, login_hint=hint)) for hint in ("ana", "ben"))
    assert known == unknown
