"""CIBA Core 7.1.2 and 13: `user_code`, set on the user's own terminal."""

from collections.abc import Iterator

import pytest

from tests.support.checks.refusals import assert_unchanged, check_refusal
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.terminal import PIN, Terminal, new_person
from tests.support.servers.server import LiveServer

CODE = "blue whale 7"


@pytest.fixture
def person_with_code(server: LiveServer) -> Iterator[Terminal]:
    """A user who requires a user code from agents."""
    user_with_code = new_person(server)
    user_with_code.decider.change_user_code(CODE, PIN)
    yield user_with_code
    user_with_code.client.close()


@pytest.fixture
def agent_with_codes(server: LiveServer) -> Iterator[Agent]:
    """An agent that sends user codes."""
    agent_with_codes = new_agent(server, takes_user_code=True)
    yield agent_with_codes
    agent_with_codes.http.close()


def test_a_missing_user_code_is_refused(
    server: LiveServer, agent_with_codes: Agent, person_with_code: Terminal
) -> None:
    """CB-068, CB-185: the agent is told that a code is missing, and the user is not asked."""
    with assert_unchanged(server):
        response = agent_with_codes.ask(person_with_code.user)
    check_refusal(response, 400, "missing_user_code")


def test_a_wrong_user_code_is_refused_and_counted(
    server: LiveServer, agent_with_codes: Agent, person_with_code: Terminal
) -> None:
    """CB-069, CB-186: after five wrong codes, even the right one is refused for a while."""
    with assert_unchanged(server):
        for _ in range(5):
            check_refusal(
                agent_with_codes.ask(person_with_code.user, user_code="no"),
                400,
                "invalid_user_code",
            )
        check_refusal(
            agent_with_codes.ask(person_with_code.user, user_code=CODE), 400, "invalid_user_code"
        )
    assert person_with_code.waiting() == ()


def test_the_right_user_code_is_accepted(
    agent_with_codes: Agent, person_with_code: Terminal
) -> None:
    """The code appears in nothing that the user sees."""
    assert agent_with_codes.ask(person_with_code.user, user_code=CODE).status_code == 200
    assert CODE not in person_with_code.only_request().display_text


def test_an_agent_that_does_not_support_user_codes_needs_none(
    agent: Agent, person_with_code: Terminal
) -> None:
    """CB-070: a code that such an agent sends is ignored."""
    assert agent.ask(person_with_code.user).status_code == 200
    assert agent.ask(person_with_code.user, user_code="no").status_code == 200


def test_the_user_code_is_not_the_pin_and_never_in_the_log(
    server: LiveServer, agent_with_codes: Agent, person_with_code: Terminal
) -> None:
    """CB-071, CB-070: the log contains neither the code nor the PIN."""
    check_refusal(
        agent_with_codes.ask(person_with_code.user, user_code=PIN), 400, "invalid_user_code"
    )
    assert agent_with_codes.ask(person_with_code.user, user_code=CODE).status_code == 200
    assert CODE not in server.log
    assert PIN not in server.log


def test_a_cleared_user_code_is_no_longer_needed(
    agent_with_codes: Agent, person_with_code: Terminal
) -> None:
    """A user who clears the code with their PIN can be asked without it."""
    assert person_with_code.client.has_user_code()
    assert not person_with_code.decider.change_user_code(None, PIN)
    assert agent_with_codes.ask(person_with_code.user).status_code == 200
