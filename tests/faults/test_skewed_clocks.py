"""PostgreSQL with two machines, one of which has a clock that is wrong by ninety seconds.

All machines use the database's clock. Deadlines, poll pacing and the times in tokens use it,
so it does not matter which machine serves a request.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import jwt
import pytest

from approver_tui.client.errors import ApiError
from approver_tui.state.approvals.approvals import Approval
from server.protocol.approvals.states import State
from tests.support.builders.clock import MINUTE, SECOND
from tests.support.builders.databases import upgraded_database
from tests.support.checks.log_and_rows import state
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.terminal import Terminal, terminal
from tests.support.fakes.proxy import Proxy, proxy
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.server import LiveServer, live_server

_WRONG_BY = 90 * SECOND
_LEEWAY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two machines behind one address."""

    right: LiveServer
    wrong: LiveServer
    network: Proxy

    def lead_to(self, machine: LiveServer) -> None:
        """Sends new connections to this machine."""
        self.network.target = machine.port
        self.network.cut()


Starter = Callable[..., _Pair]


@pytest.fixture
def start(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Starter]:
    """Starts two machines on one database, the second with a wrong clock and a planted fault."""
    url = upgraded_database(postgres_server)
    with ExitStack() as running:

        def starter(skew: int, *seeds: str) -> _Pair:
            network = running.enter_context(proxy(0))
            settings = {"database_url": url, "issuer": network.url}
            right = running.enter_context(live_server(tmp_path, forked=True, **settings))
            planted = [word for seed in seeds for word in ("--seed", seed)]
            wrong = LiveServer(tmp_path, settings, ("--skew", str(skew), *planted), forked=True)
            wrong.start()
            running.callback(wrong.kill)
            running.callback(wrong.closing.close)
            network.target = right.port
            return _Pair(right, wrong, network)

        yield starter


def _ask_and_move(pair: _Pair) -> tuple[Agent, str, Terminal, Approval]:
    """Sends a request at the right machine, then moves its user to the wrong one."""
    user, code = pair.right.user()
    pair.lead_to(pair.right)
    person = terminal(pair.right, user, code, url=pair.network.url)
    first_agent = new_agent(pair.right)
    handle = first_agent.request_approval(user, requested_expiry="60")
    approval = person.only_request()
    pair.lead_to(pair.wrong)
    return Agent(first_agent.key, pair.wrong.client()), handle, person, approval


def _check_in_time(pair: _Pair) -> None:
    """Checks that a request with a minute left can still be decided at the other machine."""
    agent, handle, person, approval = _ask_and_move(pair)
    assert agent.poll(handle).json()["error"] in {"authorization_pending", "slow_down"}
    person.approve(approval)
    token = agent.poll(handle)
    assert token.status_code == 200, token.text
    claims = jwt.decode(token.json()["access_token"], options={"verify_signature": False})
    assert abs(claims["iat"] - pair.right.clock.now() / 1000) <= _LEEWAY_SECONDS


def _check_too_late(pair: _Pair) -> None:
    """Checks that an expired request can be neither decided nor redeemed there."""
    agent, handle, person, approval = _ask_and_move(pair)
    pair.right.kill()  # otherwise it could record the expiry
    pair.right.clock.forward(MINUTE + SECOND)
    with pytest.raises(ApiError) as refusal:
        person.approve(approval)
    assert refusal.value.status == 409
    assert agent.poll(handle).json()["error"] == "expired_token"
    assert state(pair.right, approval.id)[0] is State.EXPIRED


def _check_pace(pair: _Pair) -> None:
    """Checks that polls are counted together, whichever machine they reach."""
    first_agent, user = new_agent(pair.right), pair.right.user()[0]
    second_agent = Agent(first_agent.key, pair.wrong.client())
    handle = first_agent.request_approval(user)
    replies = []
    for after, agent in (
        (5, first_agent),
        (0, second_agent),
        (10, second_agent),
        (5, first_agent),
        (15, second_agent),
    ):
        pair.right.clock.forward(after * SECOND)
        replies.append(agent.poll(handle).json())
    pending, slow = "authorization_pending", "slow_down"
    assert [reply["error"] for reply in replies] == [pending, slow, pending, slow, pending]
    assert [reply["interval"] for reply in replies if reply["error"] == slow] == [10, 15]


@pytest.mark.parametrize("skew", [_WRONG_BY, -_WRONG_BY])
def test_a_wrong_clock_ends_nothing_early_and_accepts_nothing_late(
    start: Starter, skew: int
) -> None:
    """I15: no token is dated more than five seconds away from the database's time."""
    pair = start(skew)
    _check_in_time(pair)
    _check_too_late(pair)


def test_the_check_detects_a_fast_machine_that_uses_its_own_clock(start: Starter) -> None:
    """I15: such a machine expires requests that have time left."""
    pair = start(_WRONG_BY, "own_clock")
    with pytest.raises(AssertionError):
        _check_in_time(pair)


def test_the_check_detects_a_slow_machine_that_uses_its_own_clock(start: Starter) -> None:
    """I15: such a machine accepts a decision that is too late."""
    pair = start(-_WRONG_BY, "own_clock")
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        _check_too_late(pair)


def test_polls_are_paced_together_on_all_machines(start: Starter) -> None:
    """I13: an early poll is early at any machine, whatever its clock says."""
    _check_pace(start(_WRONG_BY))


def test_the_check_detects_a_pace_kept_by_each_machine(start: Starter) -> None:
    """I13: a pace that is kept in memory allows one poll per machine."""
    pair = start(0, "pace_in_memory")
    with pytest.raises(AssertionError):
        _check_pace(pair)
