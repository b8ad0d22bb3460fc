"""A client repeats a request, for example after a timeout, while the first one is processed.

On PostgreSQL, the repetition waits and gets the same result as after the first one.
"""

import pytest

from server.storage.approvals.approvals import Approvals
from server.storage.devices.sessions import Sessions
from server.storage.tokens.code_grants import CodeGrants
from tests.support.builders.app_users import give_password, new_app, new_browser
from tests.support.builders.callers import new_local_agent, new_person
from tests.support.builders.installation import BY, PAY, PAY_SCOPES
from tests.support.checks.locks import run_during


@pytest.fixture
def local(postgres_local):
    """A site on PostgreSQL with an API."""
    postgres_local.admin.resources.add(PAY, PAY_SCOPES, {}, by=BY)
    return postgres_local


@pytest.fixture
def person(local):
    """A person with a device."""
    return new_person(local, "ana")


@pytest.fixture
def agent(local):
    """An agent that may ask everybody."""
    return new_local_agent(local, "bot")


@pytest.fixture
def send_twice(local, monkeypatch):
    """Sends a request again after a call of this method; returns both answers."""

    def send(rows, name, request):
        answers = []
        second = run_during(
            monkeypatch, rows, name, local.services.store, lambda: answers.append(request())
        )
        answers.insert(0, request())
        second.join(20)
        return answers

    return send


def test_a_repeated_poll_gets_the_same_token(agent, person, send_twice):
    """Otherwise, a client that timed out would lose the token that only it can fetch."""
    handle, approval = agent.request_approval(login_hint="ana")
    assert person.approve(approval.id).status == 200

    first, second = send_twice(Approvals, "redeem", lambda: agent.poll(handle, idempotency_key="k"))
    assert (first.status, second.status) == (200, 200)
    assert first.json["access_token"] == second.json["access_token"]


def test_a_repeated_poll_without_a_key_gets_no_token(agent, person, send_twice):
    """Only the idempotency key shows that both polls come from the same client."""
    handle, approval = agent.request_approval(login_hint="ana")
    person.approve(approval.id)

    first, second = send_twice(Approvals, "redeem", lambda: agent.poll(handle))
    assert first.status == 200
    assert second.refusal == (400, "invalid_grant")


def test_a_repeated_decision_is_accepted(agent, person, send_twice):
    """Otherwise, the person would see a conflict with their own answer."""
    _, approval = agent.request_approval(login_hint="ana")
    jws = person.decision(approval.id)

    answers = send_twice(Approvals, "transition", lambda: person.send_decision(approval.id, jws))
    assert [answer.status for answer in answers] == [200, 200]


def test_a_repeated_refresh_continues_the_session(person, send_twice):
    """Otherwise, two commands that start at the same time would sign the person out."""
    refresh_token = person.refresh_token

    answers = send_twice(Sessions, "rotate", lambda: person.refresh(refresh_token))
    assert [answer.status for answer in answers] == [200, 200]
    assert person.refresh(answers[1].json["refresh_token"]).status == 200


def test_a_second_redemption_of_a_code_revokes_the_tokens_of_the_first(local, person, send_twice):
    """RFC 6749 4.1.2: one of the two clients may have stolen the code."""
    give_password(local, person.user.name)
    app, browser = new_app(local), new_browser(local)
    browser.authorize(app.id)
    browser.sign_in("ana")
    code = browser.answer("allow").answer["code"]

    first, second = send_twice(CodeGrants, "use_code", lambda: app.redeem(code))
    assert second.refusal == (400, "invalid_grant")
    assert app.userinfo(first.json["access_token"]).status == 401
