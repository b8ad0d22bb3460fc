"""With hidden users, neither a response nor its cost tells an agent whether a user exists."""

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
from tests.support.builders.installation import BY, register_agent

PAIRS = 18


@pytest.fixture
def hiding(open_local):
    """The installation with hidden users."""
    local = open_local(unknown_user="hide", open_per_agent=500, open_per_user=900)
    local.admin.users.update("ana", UserChanges(email="ana@example.com"), by=BY)
    return local


@pytest.fixture
def asking_agent(hiding, template):
    """The agent that sends the requests."""
    return template.agent(hiding)


@pytest.fixture
def statements(monkeypatch):
    """Returns the SQL statements of a call."""
    sent = []
    execute = Connection.execute

    def recorded(run):
        def prepared(self, connection, values):
            sent.append(str(self._statement))
            return run(self, connection, values)

        return prepared

    def executed(self, statement, *more, **named):
        sent.append(str(statement))
        return execute(self, statement, *more, **named)

    for name in ("run", "run_each", "count_changes"):
        monkeypatch.setattr(Prepared, name, recorded(getattr(Prepared, name)))
    monkeypatch.setattr(Connection, "execute", executed)

    def of(call):
        sent.clear()
        answer = call()
        assert answer.status == 200, answer.body
        return list(sent)

    return of


def test_known_and_unknown_users_cost_the_same_statements(asking_agent, statements):
    """Low-risk and high-risk requests are compared, after many earlier requests."""
    for _ in range(100):
        asking_agent.ask(login_hint="nobody")
        asking_agent.ask(login_hint="ana")
    for ask in (asking_agent.ask, asking_agent.ask_payment):
        ask(login_hint="ana")
        ask(login_hint="nobody")
        for_known_user, for_unknown_user = (
            statements(partial(ask, login_hint=hint)) for hint in ("ana", "nobody")
        )
        assert len(for_known_user) > 10
        assert for_known_user == for_unknown_user


def test_known_and_unknown_users_take_the_same_time(asking_agent):
    """The median processor times of eighteen pairs of requests are close."""
    for _ in range(200):
        asking_agent.ask(login_hint="nobody")
    asking_agent.ask(login_hint="ana")
    took = {"ana": [], "nobody": []}
    for _ in range(PAIRS):
        for hint, times in took.items():
            began = time.process_time()
            assert asking_agent.ask(login_hint=hint).status == 200
            times.append(time.process_time() - began)
    for_known_user, for_unknown_user = (statistics.median(times) for times in took.values())
    assert 0.6 < for_known_user / for_unknown_user < 1.6


@pytest.mark.parametrize("name", ["ana", "nobody"])
def test_supersedes_must_name_the_person_in_the_same_way(asking_agent, name):
    """Case and look-alikes do not matter, but an email address is a different hint."""
    for other, status in ((name.upper(), 200), (name, 200), (f"{name}@example.com", 400)):
        handle, _ = asking_agent.request_approval(login_hint=name)
        answer = asking_agent.ask(login_hint=other, supersedes=handle)
        assert answer.status == status
    assert "must name a request to the same person" in answer.json["error_description"]


def test_supersedes_does_not_match_a_name_with_an_id(asking_agent, person):
    """The responses are equal for an existing and an unknown person."""
    for name, of_id in (("ana", person.user.id), ("nobody", "sayso_us_aaaaaaaaaaaaaaaa")):
        handle, _ = asking_agent.request_approval(login_hint=name)
        assert asking_agent.ask(login_hint=of_id, supersedes=handle).status == 400
        handle, _ = asking_agent.request_approval(login_hint=of_id)
        assert asking_agent.ask(login_hint=of_id, supersedes=handle).status == 200


def test_a_poll_does_not_reveal_that_a_person_looked(asking_agent, template, hiding):
    """Known and unknown users get equal responses, before and after the expiry."""
    person = template.person(hiding)
    handles = {}
    for name in ("ana", "nobody"):
        handles[name], approval = asking_agent.request_approval(
            login_hint=name, requested_expiry="60"
        )
        if name == "ana":
            assert person.call("GET", "/api/approvals").status == 200
            assert person.show(approval.id)["id"] == approval.id
    for moved in (5_000, MINUTE):
        hiding.clock.forward(moved)
        for_known_user, for_unknown_user = (
            asking_agent.poll(handle).json for handle in handles.values()
        )
        assert for_known_user == for_unknown_user
    assert for_known_user["reason"] == "expired_unseen"


def test_request_limits_count_per_login_hint(open_local, template):
    """The limit is the same for a hint that names an existing person and one that does not."""
    local = open_local(unknown_user="hide", open_per_agent=2)
    local.admin.users.update("ana", UserChanges(email="ana@example.com"), by=BY)
    agent = template.agent(local)
    for name in ("ana", "nobody", "ana@example.com", "nobody@example.com"):
        assert [agent.ask(login_hint=name).status for _ in range(3)] == [200, 200, 403]


def test_the_limit_of_one_person_is_not_revealed(open_local, template):
    """The request is accepted but asks nobody, and it stays pending."""
    local = open_local(unknown_user="hide", open_per_user=1)
    agent = template.agent(local)
    registration = register_agent(local.admin, "other", auth_method="client_secret_post")
    local.admin.approval(registration.agent.id, template.person(local).user.id)
    handle, approval = agent.request_approval(login_hint="ana")
    assert approval.user_id is None
    local.clock.forward(5_000)
    assert agent.poll(handle).json["error"] == "authorization_pending"


def test_a_pause_after_denials_is_not_revealed(open_local, template):
    """During the pause, requests are accepted but ask nobody."""
    local = open_local(unknown_user="hide", denials_before_pause=1)
    agent, person = template.agent(local), template.person(local)
    _, approval = agent.request_approval(login_hint="ana")
    assert person.deny(approval.id).status == 200
    assert agent.request_approval(login_hint="ana")[1].user_id is None
    local.clock.forward(HOUR)
    assert agent.request_approval(login_hint="ana")[1].user_id == person.user.id


def test_a_person_whom_the_agent_may_not_ask_looks_unknown(hiding, asking_agent, statements):
    """Requests to both kinds of users run the same SQL statements."""
    new_person(hiding, "ben")
    hiding.admin.agents.update(asking_agent.id, AgentChanges(asks=("ana",)), by=BY)
    for hint in 3 * ("ana", "ben"):
        asking_agent.ask(login_hint=hint)
    for_known_user, for_unknown_user = (
        statements(partial(asking_agent.ask, login_hint=hint)) for hint in ("ana", "ben")
    )
    assert for_known_user == for_unknown_user
