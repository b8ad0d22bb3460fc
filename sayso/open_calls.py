"""Calls that wait for a person, and run once when the person has approved them.

1. The same call joins the open request. All callers that wait get the result of one execution.
2. The idempotency key of a request is derived from its call, so a restarted process joins the
   request that it sent before.
3. If an earlier call has used the approval, or the request expired before this process sent it
   again, a new request is sent.

Owns: the requests of one process. Never: what a tool does, or the messages of a protocol.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from sayso.agent import AsyncAgent
from sayso.approved import Approved
from sayso.caller import Caller
from sayso.errors import NotApproved, Refused, SaysoError, Unreachable
from sayso.guard import AsyncGuard
from sayso.rejection import Rejected
from sayso.request_form import Asked
from sayso.tool_calls import call_id

_MAX_OPEN: Final = 10_000
_MAX_USED: Final = 200
"""How many used requests of the same call a restarted process skips before it gives up."""
_EXPIRED: Final = 1
"""The server's `expires_in` for a request that expired before it was sent again."""
_PROGRESS_SECONDS: Final = 10.0
_MAX_MESSAGE: Final = 200
_USED_ERRORS: Final = frozenset({"already_consumed", "invalid_grant"})
_NOT_SERVED: Final = "not_served"
_CALLER_HIDDEN: Final = (
    "People and the audit log do not see which client calls, because the agent is not registered "
    "to serve this API. Run: sayso agents update AGENT --serves %s"
)
_LOG: Final = logging.getLogger("sayso")
_UNAUTHORIZED: Final = 401
_UNAVAILABLE: Final = 503


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool. `action` has a `type` and the arguments as its facts."""

    caller: Caller
    tool: str
    action: Mapping[str, Any]
    scope: str = ""
    """The scope that the agent requests in addition to the action."""

    @property
    def id(self) -> str:
        """The ID of the call, derived from its caller and its contents."""
        return call_id(self.caller.user or "", self.caller.client, self.tool, self.action)


@dataclass(frozen=True, slots=True)
class UsedApproval:
    """An approval that was used up: run the call with `granted`, now and once."""

    granted: Mapping[str, Any]
    approval: str


UseApproval = Callable[[], Awaitable[UsedApproval]]
Run = Callable[[UseApproval], Awaitable[Any]]
Progress = Callable[[float, str], Awaitable[None]]


class Pending(SaysoError):
    """No one has answered yet. `fingerprint` is empty until the request is delivered."""

    def __init__(self, fingerprint: str) -> None:
        super().__init__("A person has not answered yet.")
        self.fingerprint = fingerprint


class _AnswerUsed(Exception):
    """An earlier call used this answer, perhaps before this process started."""


@dataclass(slots=True)
class _Request:
    """One request to a person, and the calls that wait for it."""

    answer: asyncio.Task[Approved]
    fingerprint: str = ""
    is_old: bool = False
    """Whether it expired before this process sent it again."""
    run: asyncio.Task[Any] | None = None


class OpenCalls:
    """The calls of one server at one API.

    `use_up` uses up an approval for a caller. `wait` is the number of seconds that a call waits.
    """

    def __init__(
        self,
        agent: AsyncAgent,
        audience: str,
        wait: float,
        use_up: Callable[[Approved, Caller], Awaitable[UsedApproval]],
    ) -> None:
        self._agent, self._audience, self._wait, self._use_up = agent, audience, wait, use_up
        self._open: dict[str, _Request] = {}
        self._ended_requests: dict[str, int] = {}
        """How many requests of each call have ended."""

    async def result(self, call: Call, run: Run, progress: Progress) -> Any:  # noqa: ANN401  # run's
        """Ask the user of the call, wait, and return what `run` returns.

        `run` receives a function, which it calls to use up the approval immediately before it acts.
        `progress` is called every few seconds with the elapsed time and the fingerprint. Raises
        Pending if nobody answered in time; repeating the same call continues to wait. Also raises
        what the agent raises.
        """
        name = call.id
        for _ in range(_MAX_USED):
            request = self._join_or_start(name, call)
            async for elapsed in wait_in_steps(request.answer, self._wait):
                await progress(elapsed, request.fingerprint)
            if not request.answer.done():
                raise Pending(request.fingerprint)
            if request.run is None:
                request.run = asyncio.create_task(self._run(name, request, call.caller, run))
            try:
                return await asyncio.shield(request.run)
            except _AnswerUsed:
                continue
        raise Refused(
            "too_many_calls",
            "Too many identical calls have already been approved. Call again.",
            {},
        )

    def _join_or_start(self, name: str, call: Call) -> _Request:
        if (existing := self._open.get(name)) is not None:
            return existing
        for cache in (self._open, self._ended_requests):
            while len(cache) >= _MAX_OPEN:
                del cache[next(iter(cache))]

        def on_asked(asked: Asked) -> None:
            request.fingerprint = asked.fingerprint
            request.is_old = asked.expires_in <= _EXPIRED

        request = _Request(
            start_asking(self._ask_person(call, self._ended_requests.get(name, 0), on_asked))
        )
        self._open[name] = request
        return request

    async def _ask_person(
        self, call: Call, number: int, on_asked: Callable[[Asked], None]
    ) -> Approved:
        """Ask with the token of the call, so that the person and the audit log see who calls.

        An agent that is not registered to serve the API cannot do this; it names the client in its
        message instead.
        """
        ask = partial(
            self._agent.ask,
            call.caller.user or "",
            call.action,
            resource=self._audience,
            scope=call.scope,
            on_asked=on_asked,
        )
        tool = f"Tool {call.tool}"
        try:
            return await ask(
                message=tool[:_MAX_MESSAGE],
                idempotency_key=f"{call.id}.c{number}",
                caller_token=call.caller.token,
            )
        except Refused as error:
            if error.reason != _NOT_SERVED:
                raise
        _LOG.warning(_CALLER_HIDDEN, self._audience)
        return await ask(
            message=f"{tool}, called by {call.caller.client}"[:_MAX_MESSAGE],
            idempotency_key=f"{call.id}.{number}",
        )

    async def _run(self, name: str, request: _Request, caller: Caller, run: Run) -> Any:  # noqa: ANN401  # as above
        """Run the call once.

        This ends its request, unless Sayso could not be reached. Then the next call continues the
        request.
        """

        async def use() -> UsedApproval:
            return await self._use_once(request, caller)

        has_ended = True
        try:
            return await run(use)
        except (Unreachable, Rejected) as error:
            has_ended = isinstance(error, Rejected) and error.status != _UNAVAILABLE
            raise
        finally:
            self._ended_requests[name] = self._ended_requests.get(name, 0) + has_ended
            self._open.pop(name, None)

    async def _use_once(self, request: _Request, caller: Caller) -> UsedApproval:
        try:
            return await self._use_up(request.answer.result(), caller)
        except NotApproved as error:
            if request.is_old:
                raise _AnswerUsed from error
            raise
        except (Refused, Rejected) as error:
            if error.error in _USED_ERRORS:
                raise _AnswerUsed from error
            if isinstance(error, Rejected) and error.status == _UNAUTHORIZED:
                text = "The approval was not used in time. Call again to send a new request."
                raise Rejected(error.status, error.error, text) from error
            raise


async def use_up(
    guard: AsyncGuard, audience: str, approved: Approved, caller: Caller
) -> UsedApproval:
    """Use up an approval of this caller. Raises Rejected."""
    path = urlsplit(audience).path
    request = httpx.Request("POST", guard.public_url(path))
    headers = next(approved.auth.auth_flow(request)).headers
    actual_caller = await guard.check(
        headers["Authorization"], method="POST", path=path, proofs=headers.get_list("DPoP")
    )
    if actual_caller.user != caller.user:
        raise Rejected(403, "other_user", "A different person answered for this call.")
    (granted,) = approved.granted
    return UsedApproval(granted, (await guard.consume(actual_caller, granted)).approval)


def start_asking(asking: Coroutine[Any, Any, Approved]) -> asyncio.Task[Approved]:
    """Ask in a new task. If nobody awaits the answer, asyncio does not log its error."""
    answer = asyncio.create_task(asking)
    answer.add_done_callback(lambda task: task.cancelled() or task.exception())
    return answer


async def wait_in_steps(answer: asyncio.Task[Approved], seconds: float) -> AsyncIterator[float]:
    """Wait for an answer; yield the elapsed time, immediately and then every few seconds."""
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    while (remaining := started_at + seconds - loop.time()) > 0 and not answer.done():
        yield loop.time() - started_at
        await asyncio.wait([answer], timeout=min(remaining, _PROGRESS_SECONDS))
