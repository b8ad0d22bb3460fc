"""`kill -9` of the client, the server or the gateway while a call waits for its user.

The test checks the tool's ledger: an approved call runs once, or it has not run and the user is
asked again.
"""

import contextlib
import random
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from approver_tui.client.errors import ClientError
from approver_tui.state.approvals.approvals import Approval
from tests.support.checks.waiting import until
from tests.support.clients import retrying_caller
from tests.support.clients.kit import approve, ask_and_approve, kit_agent
from tests.support.clients.terminal import Terminal, new_person
from tests.support.inputs.random_cases import cases
from tests.support.servers.gateway import SCOPES, RunningGateway, running_gateway
from tests.support.servers.load import WITHOUT_LIMITS
from tests.support.servers.server import LiveServer, live_server

_KILLS = cases(2)
_MAX_SECONDS = 0.15


class Bench:
    """The processes, the user, and the current call."""

    def __init__(self, server: LiveServer, gateway: RunningGateway) -> None:
        self.server, self.gateway = server, gateway
        self.person: Terminal = new_person(server)
        client = kit_agent(server, resources=(gateway.uri,), scopes=tuple(SCOPES))
        parameters = {"scope": " ".join(SCOPES), "resource": gateway.uri}
        self.token = ask_and_approve(self.person, client.ask, self.person.user, **parameters).token
        self.caller: subprocess.Popen[str] | None = None
        self.amount = 0

    def call(self) -> None:
        """Starts a client that makes the call of this round."""
        program = Path(retrying_caller.__file__)
        words = [sys.executable, program, self.gateway.uri, self.token, str(self.amount)]
        self.caller = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

    def kill(self, victim: str) -> None:
        """Kills one of the three and starts it again."""
        if victim == "server":
            self.server.kill()
            self.server.start()
        elif victim == "gateway":
            self.gateway.kill()
            self.gateway.start()
        else:
            self.end_caller()
            self.call()

    def end_caller(self) -> None:
        """Kills the client."""
        if self.caller is not None:
            self.caller.kill()
            self.caller.communicate()
            self.caller = None

    def waiting(self) -> tuple[Approval, ...]:
        """Returns the user's pending requests, or none if the server does not respond."""
        with contextlib.suppress(ClientError):
            return self.person.waiting()
        return ()

    def wait_for_request(self) -> Approval:
        """Waits for the request of this round and returns it."""
        until(lambda: self.waiting() != (), 60)
        return self.person.only_request()

    def wait_for_result(self, request: Approval) -> tuple[str, int]:
        """Returns the client's result, and how many times the user was asked again.

        The user approves the request of this round and denies any other.
        """
        again: set[str] = set()
        assert self.caller is not None
        ends = time.monotonic() + 90
        while self.caller.poll() is None:
            assert time.monotonic() < ends, self.server.log
            for approval in self.waiting():
                with contextlib.suppress(ClientError):
                    if approval.id == request.id:
                        approve(self.person, approval)
                    else:
                        again.add(approval.id)
                        self.person.deny(approval)
            time.sleep(0.02)
        text, _ = self.caller.communicate()
        self.caller = None
        return text, len(again)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A server and a gateway in front of a tool that writes a ledger."""
    folder = tmp_path_factory.mktemp("bench")
    with (
        live_server(
            folder, forked=True, options=(), access_token_seconds="3600", **WITHOUT_LIMITS
        ) as server,
        running_gateway(server, folder, stdio=True) as gateway,
    ):
        gateway.reset()
        running_bench = Bench(server, gateway)
        yield running_bench
        running_bench.end_caller()


def _ignore_client_error(action: Callable[[], object]) -> None:
    """Runs an action, whether the server answers or not."""
    with contextlib.suppress(ClientError):
        action()


def _round(bench: Bench, victim: str, rng: random.Random, *, early: bool) -> str:
    """Makes one call and one kill, before the user answers or while the answer takes effect."""
    bench.amount += 1
    bench.call()
    request = bench.wait_for_request()
    if early:
        time.sleep(rng.random() * _MAX_SECONDS)
        bench.kill(victim)
    else:
        answering = Thread(
            target=_ignore_client_error, args=[lambda: approve(bench.person, request)]
        )
        answering.start()
        time.sleep(rng.random() * _MAX_SECONDS)
        bench.kill(victim)
        answering.join()
    text, again = bench.wait_for_result(request)
    ran = sum(bench.amount in paid for paid in bench.gateway.paid)
    assert ran <= 1, f"{bench.amount} ran {ran} times: {text}"
    if early:
        assert (ran, again) == (1, 0), f"{bench.amount} was lost: {text}"
    if ran == 0:
        assert again == 1 or "may have run" in text, f"{bench.amount} was lost: {text}"
        return "not run, and said"
    return "run once" if again == 0 else "run once, and its repetition asked again"


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("victim", ["client", "server", "gateway"])
def test_nothing_is_lost_and_nothing_runs_twice(bench: Bench, victim: str) -> None:
    """A kill before the answer loses nothing, and a later kill never makes the call run twice."""
    seed = secrets.randbits(32)
    rng = random.Random(seed)  # noqa: S311  # moments, not secrets
    outcomes = Counter(
        _round(bench, victim, rng, early=number % 2 == 0) for number in range(_KILLS)
    )
    sys.stdout.write(f"{_KILLS} kills of the {victim} (seed {seed}): {dict(outcomes)}\n")
    assert sum(outcomes.values()) == _KILLS
