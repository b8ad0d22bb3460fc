"""A busy installation: an agent that asks, a person who answers, polls that fetch tokens.

Owns: what the server acknowledged to the agent and the person. A request without a
response is not recorded: its outcome is unknown, and the server promises only what it acknowledged.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import jwt

from approver_tui.client.errors import ApiError, ClientError, UnknownOutcome
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.decision import DenyCode
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.terminal import PIN, Terminal, new_person
from tests.support.servers.server import LiveServer

WITHOUT_LIMITS = {
    "open_per_agent": "100000",
    "open_per_user": "100000",
    "open_in_all": "100000",
    "denials_before_pause": "100000",
}
"""Settings with which no request is refused because of a limit."""
WITHOUT_NOTIFICATION_LIMITS = {
    "notify_per_minute": "100000",
    "notify_per_hour": "100000",
    "notify_per_agent": "100000",
    "notify_per_type": "100000",
    "notify_low_per_hour": "100000",
}
"""Settings with which every request sends its user a notification."""
_PAUSE_SECONDS = 0.002
_MAX_WAITING = 8
_UNAVAILABLE = 503
_FAULT = 500


@dataclass(slots=True)
class Load:
    """The agent, the person and the polls, and what the server acknowledged."""

    server: LiveServer
    agent: Agent
    person: Terminal
    answers: dict[str, str] = field(default_factory=dict)
    """Approval → the answer that was acknowledged to the person."""
    tokens: dict[str, str] = field(default_factory=dict)
    """Token ID → the `auth_req_id` that it was fetched with."""
    faults: list[str] = field(default_factory=list)
    """Server errors other than 503, which must never occur."""
    busy: int = 0
    """How many responses had status 503."""
    _handles: deque[str] = field(default_factory=deque)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Keep sending requests while the block runs."""
        self._over.clear()
        with ThreadPoolExecutor(3) as threads:
            work = [threads.submit(self._repeat, step) for step in self._steps()]
            try:
                yield
            finally:
                self._over.set()
                for future in work:
                    future.result(60)

    def close(self) -> None:
        """Close the connections."""
        self.agent.http.close()
        self.person.client.close()

    def _steps(self) -> tuple[Callable[[], None], ...]:
        return self._ask, self._answer, self._fetch

    def _repeat(self, step: Callable[[], None]) -> None:
        while not self._over.is_set():
            try:
                step()
            except ApiError as refusal:
                self._note(refusal.status, refusal.code)
            except (httpx.TransportError, ClientError):
                time.sleep(_PAUSE_SECONDS)
            time.sleep(_PAUSE_SECONDS)

    def _ask(self) -> None:
        if len(self._handles) > _MAX_WAITING:
            return
        answer = self.agent.ask(self.person.user)
        self._note(answer.status_code, answer.text)
        if answer.is_success:
            self._handles.append(answer.json()["auth_req_id"])

    def _answer(self) -> None:
        for index, approval in enumerate(self.person.waiting()[:6]):
            if self._over.is_set():
                return
            with contextlib.suppress(UnknownOutcome):
                self.answers[approval.id] = self._decide(approval, approve=index % 3 != 0)

    def _decide(self, approval: Approval, *, approve: bool) -> str:
        decider = self.person.decider
        if approve:
            decider.approve(approval, fingerprint=approval.fingerprint)
            return "approve"
        decider.deny(approval, DenyCode("not_needed"))
        return "deny"

    def _fetch(self) -> None:
        if not self._handles:
            return
        handle = self._handles[0]
        answer = self.agent.poll(handle)
        self._note(answer.status_code, answer.text)
        if answer.is_success:
            token = answer.json()["access_token"]
            self.tokens[jwt.decode(token, options={"verify_signature": False})["jti"]] = handle
        is_pending = not answer.is_success and "pending" in answer.text
        self._handles.rotate(-1)
        if not (is_pending or "slow_down" in answer.text or answer.status_code >= _FAULT):
            self._handles.remove(handle)

    def _note(self, status: int, text: str) -> None:
        if status == _UNAVAILABLE:
            self.busy += 1
        elif status >= _FAULT:
            self.faults.append(f"{status} {text}")


def new_load(server: LiveServer) -> Load:
    """Create a load with a new agent and a new person at an unlocked terminal."""
    load = Load(server, new_agent(server), new_person(server))
    load.person.decider.unlock(PIN)
    return load
