"""Limits on open requests and on guessing. A server that hides its users reveals none of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from server.protocol.policy.risks import Risk
from server.services.notifications.request_limits import UNKNOWN_USERS
from tests.support.builders.clock import MINUTE, SECOND
from tests.support.checks.log_and_rows import entries, story, waiting
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.terminal import Terminal, new_person
from tests.support.servers.server import BY, LiveServer, live_server

PER_AGENT, PER_USER = 3, 5


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with small limits."""
    folder: Path = tmp_path_factory.mktemp("limits")
    limits = {"open_per_agent": str(PER_AGENT), "open_per_user": str(PER_USER)}
    with live_server(folder, forked=True, **limits) as running:
        yield running


@pytest.fixture(scope="module")
def hiding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that hides which users exist."""
    folder: Path = tmp_path_factory.mktemp("hiding")
    limits = {"unknown_user": "hide", "open_per_agent": str(PER_AGENT)}
    with live_server(folder, forked=True, **limits) as running:
        yield running


def _status_and_error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error", "")


REFUSED = (403, "access_denied")


def test_open_requests_of_one_agent_to_one_user_are_limited(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """CB-200: a request over the limit is refused and logged, until the user answers one."""
    for _ in range(PER_AGENT):
        agent.request_approval(person.user)
    refused = agent.ask(person.user)
    (entry,) = entries(server, "approval.refused", agent_id=agent.key.id)
    person.deny(person.waiting()[0])

    assert _status_and_error(refused) == REFUSED
    assert f"{PER_AGENT} open requests" in refused.json()["error_description"]
    assert entry["cause"] == "open_per_agent"
    assert agent.ask(person.user).status_code == 200
    assert len(person.waiting()) == PER_AGENT


def test_the_limit_of_one_pair_does_not_affect_others(
    server: LiveServer, agent: Agent, user: str
) -> None:
    """A different agent may ask this user, and this agent may ask a different user."""
    for _ in range(PER_AGENT):
        agent.request_approval(user)
    other_agent, other_person = Agent(server.agent(), agent.http), server.user()[0]

    assert other_agent.ask(user).status_code == 200
    assert agent.ask(other_person).status_code == 200


def test_open_requests_to_one_user_are_limited_in_total(
    server: LiveServer, agent: Agent, user: str
) -> None:
    """The limit per user counts the requests of all agents."""
    for count in range(PER_USER):
        asking = agent if count < PER_AGENT else Agent(server.agent(), agent.http)
        asking.request_approval(user)
    next_agent = Agent(server.agent(), agent.http)
    refused = next_agent.ask(user)
    (entry,) = entries(server, "approval.refused", agent_id=next_agent.key.id)

    assert _status_and_error(refused) == REFUSED
    assert entry["cause"] == "open_per_user"
    assert len(waiting(server, user)) == PER_USER


def test_expired_requests_do_not_count(server: LiveServer, agent: Agent, user: str) -> None:
    """Expired requests are not open, so the agent may send another request."""
    for _ in range(PER_AGENT):
        agent.request_approval(user, requested_expiry="60")
    server.clock.forward(MINUTE)

    assert agent.ask(user).status_code == 200


def test_three_denials_in_ten_minutes_pause_the_agent_for_half_an_hour(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The pause applies to that user and that kind of request, and ends after half an hour."""
    for _ in range(3):
        agent.request_approval(person.user)
        person.deny(person.only_request())
    paused = agent.ask(person.user)
    another_kind = agent.ask_payment(person.user)
    another_person = agent.ask(server.user()[0])
    server.clock.forward(29 * MINUTE)
    later = agent.ask(person.user)
    server.clock.forward(MINUTE)

    assert _status_and_error(paused) == _status_and_error(later) == REFUSED
    assert "half an hour" in paused.json()["error_description"]
    assert another_kind.status_code == another_person.status_code == 200
    assert agent.ask(person.user).status_code == 200


def test_denials_far_apart_do_not_pause_an_agent(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The agent is not paused if it gets one denial every six minutes."""
    for _ in range(4):
        agent.request_approval(person.user)
        person.deny(person.only_request())
        server.clock.forward(6 * MINUTE)

    assert agent.ask(person.user).status_code == 200


def test_an_unknown_user_is_unknown_user_id(agent: Agent) -> None:
    """CIBA 13: the agent is told that the name is wrong and can correct it."""
    assert _status_and_error(agent.ask("nobody-of-that-name")) == (400, "unknown_user_id")


def test_an_agent_that_guesses_users_is_refused_for_every_user(
    server: LiveServer, agent: Agent, user: str
) -> None:
    """After twenty unknown names an agent is refused for ten minutes, even for a known user."""
    guesses = [_status_and_error(agent.ask(f"guess-{n}")) for n in range(UNKNOWN_USERS.value)]
    before = agent.ask(user)
    unknown_answer, known_answer = agent.ask("guess-again"), agent.ask(user)
    other = Agent(server.agent(), agent.http).ask(user)
    server.clock.forward(10 * MINUTE)

    assert set(guesses) == {(400, "unknown_user_id")}
    assert before.status_code == other.status_code == 200
    assert _status_and_error(unknown_answer) == _status_and_error(known_answer) == REFUSED
    assert unknown_answer.content == known_answer.content
    assert agent.ask(user).status_code == 200


def test_a_user_whom_an_agent_may_not_ask_looks_unknown(
    server: LiveServer, person: Terminal
) -> None:
    """The refusal has the same status and bytes, and the user's screen shows nothing."""
    friend, _ = server.user()
    limited = new_agent(server, asks=(friend,))
    with limited.http:
        forbidden, missing = limited.ask(person.user), limited.ask("no-such-person")
        allowed = limited.ask(friend)

    assert _status_and_error(forbidden) == (400, "unknown_user_id")
    assert (forbidden.status_code, forbidden.content) == (missing.status_code, missing.content)
    assert allowed.status_code == 200
    assert person.waiting() == ()


def test_a_request_that_needs_two_approvers_is_refused_if_there_is_only_one(
    server: LiveServer, agent: Agent
) -> None:
    """The request gets 403 and is logged, and the only administrator is not asked."""
    uri = f"https://core-{agent.key.name}.example"
    server.resources.add(uri, {"core:wipe": Risk.CRITICAL}, {}, by=BY)
    critical_agent = Agent(server.agent(resources=(uri,), scopes=("core:wipe",)), agent.http)
    answer = critical_agent.ask("admin", scope="openid core:wipe", resource=uri)
    (entry,) = entries(server, "approval.refused", agent_id=critical_agent.key.id)

    assert _status_and_error(answer) == REFUSED
    assert (entry["cause"], entry["posture"]) == ("too_few_people", "critical")
    assert waiting(server, "admin") == []


def test_a_repeated_request_with_its_key_joins_the_open_one(
    server: LiveServer, agent: Agent, user: str
) -> None:
    """The repeated answer has the same handle and the remaining lifetime of the one request."""
    key = {"Idempotency-Key": "payroll-11"}
    first = agent.ask(user, key, requested_expiry="100").json()
    server.clock.forward(40 * SECOND)
    second = agent.ask(user, key, requested_expiry="100").json()

    assert second["auth_req_id"] == first["auth_req_id"]
    assert second["fingerprint"] == first["fingerprint"]
    assert first["expires_in"] == 100
    assert 30 <= second["expires_in"] <= 60
    assert story(server, waiting(server, user)[0].id) == ["approval.requested"]


@pytest.mark.parametrize(
    "change",
    [
        {"binding_message": "another"},
        {"requested_expiry": "99"},
        {"scope": "openid payments:transfer"},
        {"authorization_details": '[{"type":"payment.transfer"}]'},
        {"acr_values": "urn:x"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_different_request_under_the_same_key_is_refused(
    server: LiveServer, agent: Agent, user: str, change: dict[str, str]
) -> None:
    """A request with the same key and different parameters is refused; the first stays pending."""
    key = {"Idempotency-Key": "payroll-12"}
    agent.ask(user, key)
    other = agent.ask(user, key, **change)

    assert _status_and_error(other) == (400, "invalid_request")
    assert "Idempotency-Key" in other.json()["error_description"]
    assert len(waiting(server, user)) == 1


def test_an_idempotency_key_belongs_to_its_agent(
    server: LiveServer, agent: Agent, user: str
) -> None:
    """Two agents that use the same key get two requests."""
    key = {"Idempotency-Key": "payroll-13"}
    other = Agent(server.agent(), agent.http)
    first, second = agent.ask(user, key).json(), other.ask(user, key).json()

    assert first["auth_req_id"] != second["auth_req_id"]


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_an_empty_or_overlong_idempotency_key_is_refused(
    server: LiveServer, agent: Agent, user: str, key: str
) -> None:
    """An overlong key is refused and not truncated silently."""
    answer = agent.ask(user, {"Idempotency-Key": key})

    assert _status_and_error(answer) == (400, "invalid_request")
    assert waiting(server, user) == []


def test_a_lost_token_answer_is_repeated_for_a_minute_to_the_same_key(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The repeated answer is identical and issues no second token; after a minute it is refused."""
    handle = agent.request_approval(person.user)
    pending = person.only_request()
    person.approve(pending)
    first = agent.poll(handle, idempotency_key="one")
    server.clock.forward(50 * SECOND)
    again = agent.poll(handle, idempotency_key="one")
    server.clock.forward(10 * SECOND)
    late = agent.poll(handle, idempotency_key="one")

    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert _status_and_error(late) == (400, "invalid_grant")
    assert story(server, pending.id).count("token.issued") == 1


@pytest.mark.parametrize("key", [None, "another", ""])
def test_another_key_gets_no_stored_answer_and_raises_one_alarm(
    server: LiveServer, agent: Agent, person: Terminal, key: str | None
) -> None:
    """CB-137: repeated attempts raise one alarm in the log, and the right key still works."""
    handle = agent.request_approval(person.user)
    pending = person.only_request()
    person.approve(pending)
    first = agent.poll(handle, idempotency_key="mine")
    headers = {} if key is None else {"idempotency_key": key}
    wrong = {_status_and_error(agent.poll(handle, **headers)) for _ in range(3)}
    right = agent.poll(handle, idempotency_key="mine")

    assert wrong == {(400, "invalid_grant")}
    assert right.content == first.content
    assert story(server, pending.id).count("handle.reused") == 1


@dataclass(frozen=True, slots=True)
class _Pair:
    """One agent that asks an existing and an unknown user, at a server that hides users."""

    server: LiveServer
    agent: Agent
    somebody: str
    nobody: str

    def both(self, **parameters: str) -> tuple[httpx.Response, httpx.Response]:
        """Asks the existing and the unknown user with the same parameters."""
        somebody = self.agent.ask(self.somebody, **parameters)
        return somebody, self.agent.ask(self.nobody, **parameters)


@pytest.fixture
def pair(hiding: LiveServer) -> Iterator[_Pair]:
    """A user with a terminal, a name that does not exist, and an agent."""
    person, agent = new_person(hiding), new_agent(hiding)
    person.client.close()
    with agent.http:
        yield _Pair(hiding, agent, person.user, f"{person.user}-ghost")


def _differ_only_in(answers: tuple[httpx.Response, httpx.Response], *, but: frozenset[str]) -> bool:
    """Returns whether two answers differ only in the values of these members."""
    first, second = (answer.json() for answer in answers)
    same_members = sorted(first) == sorted(second)
    same = all(first[name] == second[name] for name in first if name not in but)
    return same_members and same and answers[0].status_code == answers[1].status_code


OWN = frozenset({"auth_req_id", "fingerprint"})


def test_a_hiding_server_acknowledges_a_request_to_an_unknown_user(pair: _Pair) -> None:
    """NG-015, CB-115: the answer has the status, members and values of a real request."""
    answers = pair.both(requested_expiry="90")

    assert answers[0].status_code == 200
    assert _differ_only_in(answers, but=OWN)
    assert all(len(a.json()["auth_req_id"]) == 52 for a in answers)


def test_a_request_to_an_unknown_user_is_paced_and_expires_like_a_real_one(pair: _Pair) -> None:
    """Polls get the same answers as for a real request, from pending to expired_token."""
    handles = [answer.json()["auth_req_id"] for answer in pair.both(requested_expiry="60")]

    def polls() -> tuple[httpx.Response, httpx.Response]:
        return pair.agent.poll(handles[0]), pair.agent.poll(handles[1])

    steps = [polls()]
    for seconds in (10, 3, 60, 60):
        pair.server.clock.forward(seconds * SECOND)
        steps.append(polls())

    assert all(_differ_only_in(step, but=frozenset({"expires_at"})) for step in steps)
    assert [step[0].json()["error"] for step in steps[1:]] == [
        "authorization_pending",
        "slow_down",
        "expired_token",
        "expired_token",
    ]


def test_a_held_poll_for_an_unknown_user_ends_like_a_real_one(pair: _Pair) -> None:
    """Both polls end when the request expires, long before the wait is over."""
    for name in (pair.somebody, pair.nobody):
        handle = pair.agent.request_approval(name, requested_expiry="1")
        poll = pair.agent.poll(handle, prefer="wait=20")
        assert poll.json()["error"] == "expired_token"
        assert poll.elapsed.total_seconds() < 15


def test_requests_to_unknown_users_are_limited_like_real_ones(pair: _Pair) -> None:
    """Both limits are reached together; the name in upper case is treated as the same user."""
    for _ in range(PER_AGENT):
        assert _differ_only_in(pair.both(requested_expiry="60"), but=OWN)
    refused = pair.both()
    upper_case = pair.agent.ask(pair.nobody.upper())
    pair.server.clock.forward(60 * SECOND)
    after = pair.both()

    assert (
        _status_and_error(refused[0])
        == _status_and_error(refused[1])
        == _status_and_error(upper_case)
        == REFUSED
    )
    assert refused[0].content == refused[1].content
    assert after[0].status_code == after[1].status_code == 200


def test_a_hiding_server_does_not_reveal_a_user_without_a_device(hiding: LiveServer) -> None:
    """The reason of an expiry is the same for an unknown user and one without a device."""
    name, _ = hiding.user()
    agent = new_agent(hiding)
    with agent.http:
        pair = _Pair(hiding, agent, name, f"{name}-ghost")
        handles = [answer.json()["auth_req_id"] for answer in pair.both(requested_expiry="60")]
        hiding.clock.forward(60 * SECOND)
        polls = agent.poll(handles[0]), agent.poll(handles[1])

    assert polls[0].json()["error"] == "expired_token"
    assert _differ_only_in(polls, but=frozenset())


def test_a_hiding_server_keeps_idempotency_keys_for_unknown_users(pair: _Pair) -> None:
    """A repeated key joins or refuses a request to an unknown user as it does for a real one."""
    for name in (pair.somebody, pair.nobody):
        key = {"Idempotency-Key": f"key-{name}"}
        first, second = (pair.agent.ask(name, key, requested_expiry="60") for _ in range(2))
        other = pair.agent.ask(name, key, requested_expiry="61")
        assert first.json()["auth_req_id"] == second.json()["auth_req_id"]
        assert _status_and_error(other) == (400, "invalid_request")
