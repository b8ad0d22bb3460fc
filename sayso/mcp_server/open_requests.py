"""The requests that a model sends, and what it reads about them.

1. A repeated request joins the open one. Different details are a new request.
2. An approval is for one action: only the first status tells the model to act; later ones say that
   it was already told.
3. If Sayso did not answer, repeating the request reuses its idempotency key, so that nobody is
   asked twice.
4. A text never contains a token. Facts and notes are quoted, each on one line.

Owns: the requests of one process. Never: the messages of a protocol.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sayso.agent import AsyncAgent
from sayso.approved import Approved
from sayso.errors import NotApproved, SaysoError, Unreachable
from sayso.open_calls import Progress, start_asking, wait_in_steps
from sayso.request_form import Asked
from sayso.text import one_line, quote, safe_json
from sayso.tool_calls import call_id

MAX_WAIT: Final = 600
_MAX_REQUESTS: Final = 1_000
_WITHDRAW_SECONDS: Final = 1.5
"""Clients kill a server that does not exit by itself within about two seconds."""


class BadCall(Exception):
    """The model called a tool wrongly; the message says how to call it."""


@dataclass(slots=True)
class _Request:
    """One request to a person."""

    id: str
    call: str
    user: str
    action: Mapping[str, Any]
    key: str
    """Its idempotency key."""
    answer: asyncio.Task[Approved]
    asked: Asked | None = None
    is_asked: asyncio.Event = field(default_factory=asyncio.Event)
    was_read: bool = False
    """Whether the model has read the answer."""

    @property
    def is_lost(self) -> bool:
        """Whether Sayso stopped answering. A person may have been asked."""
        return self.answer.done() and isinstance(self.answer.exception(), Unreachable)

    @property
    def state(self) -> str:
        """The state, in one or two words for a list."""
        if not self.answer.done():
            return "pending"
        error = self.answer.exception()
        if error is None:
            return "approved with limits" if self.answer.result().narrowed else "approved"
        return type(error).__name__.lower()


class OpenRequests:
    """The requests of one model, answered or not."""

    def __init__(self, agent: AsyncAgent) -> None:
        self._agent = agent
        self._by_id: dict[str, _Request] = {}

    async def request(
        self, user: str, action: str, details: Mapping[str, Any], message: str = ""
    ) -> str:
        """Ask, and return once the person can see it. Raises BadCall or what the agent raises."""
        facts = {"type": _check_arguments(user, action, details), **details}
        call = call_id(user, "", action, facts)
        same = (request for request in reversed(self._by_id.values()) if request.call == call)
        latest = next(same, None)
        if latest is None or latest.was_read:
            key = latest.key if latest and latest.is_lost else secrets.token_urlsafe(24)
            latest = self._start_request(call, key, user, facts, message)
        return await self._first_text(latest)

    async def wait(self, name: str, seconds: float, progress: Progress) -> str:
        """Wait at most this long for the answer to a request, and return its status."""
        request = self._by_id.get(name)
        if request is None:
            raise BadCall(
                f"There is no request {quote(name)}. `list` shows them. Requests are forgotten "
                "when this server is restarted: then ask again with request_approval."
            )
        if not 0 <= seconds <= MAX_WAIT:
            raise BadCall(f"seconds must be from 0 to {MAX_WAIT}.")
        async for elapsed in wait_in_steps(request.answer, seconds):
            await progress(elapsed, f"Waiting for approval {_fingerprint(request)}")
        return _text(request)

    def list_requests(self) -> str:
        """Return a list of all requests, the newest last."""
        lines = map(_line, self._by_id.values())
        return "\n".join(lines) or "There are no requests. Create one with request_approval."

    async def withdraw(self) -> None:
        """Withdraw unanswered requests: the model that would read the answers has gone."""
        unanswered = [
            request.asked for request in self._by_id.values() if not request.answer.done()
        ]
        async with asyncio.timeout(_WITHDRAW_SECONDS):
            for open_request in filter(None, unanswered):
                await self._agent.withdraw(open_request)

    def _start_request(
        self, call: str, key: str, user: str, facts: Mapping[str, Any], message: str
    ) -> _Request:
        self._make_room()

        def on_asked(asked: Asked) -> None:
            request.asked = asked
            request.is_asked.set()

        answer = self._agent.ask(
            user, facts, message=message, idempotency_key=key, on_asked=on_asked
        )
        request = _Request(secrets.token_hex(4), call, user, facts, key, start_asking(answer))
        self._by_id[request.id] = request
        return request

    def _make_room(self) -> None:
        if len(self._by_id) < _MAX_REQUESTS:
            return
        finished_id = next(
            (request.id for request in self._by_id.values() if request.answer.done()), None
        )
        if finished_id is None:
            raise BadCall("Too many requests are open. Wait until some are answered.")
        del self._by_id[finished_id]

    async def _first_text(self, request: _Request) -> str:
        """Return the status once the person can see the request. Raises if nobody was asked."""
        delivered = asyncio.create_task(request.is_asked.wait())
        try:
            await asyncio.wait([delivered, request.answer], return_when=asyncio.FIRST_COMPLETED)
        finally:
            delivered.cancel()
        if request.asked is None and request.answer.done() and not request.is_lost:
            del self._by_id[request.id]
            request.answer.result()
        return _text(request)


def _check_arguments(user: str, action: str, details: Mapping[str, Any]) -> str:
    """Return the action type. Raises BadCall for invalid arguments."""
    if not user:
        raise BadCall("user is missing: a user name, email address or ID.")
    if not action:
        raise BadCall("action is missing: the name of an action type, such as payment.transfer.")
    if "type" in details:
        raise BadCall("Leave type out of details. action specifies it.")
    return action


def _line(request: _Request) -> str:
    read = " (you have read the answer)" if request.was_read else ""
    return (
        f"{request.id}: {request.state}{read}, fingerprint {_fingerprint(request)}, "
        f"for {quote(request.user)}: {safe_json(request.action)}"
    )


def _text(request: _Request) -> str:
    """Return the status of the request, for a model."""
    if not request.answer.done():
        return _pending_text(request)
    try:
        approved = request.answer.result()
    except NotApproved as error:
        text = f"Not approved. {error} Do not do it."
    except Unreachable as error:
        text = (
            f"Not approved yet. {error} To do that, call request_approval with exactly the same "
            "arguments."
        )
    except SaysoError as error:
        text = f"Not approved. {error}"
    else:
        text = _approved_text(approved, was_read=request.was_read)
    request.was_read = True
    return text


def _pending_text(request: _Request) -> str:
    asked = request.asked
    number = f", number {asked.match_code}" if asked and asked.match_code else ""
    return (
        f"Approval pending. {quote(request.user)} was asked and has not answered. Do not do it "
        f"yet. Tell your user: request {_fingerprint(request)}{number}. Then call wait with id "
        f"{request.id}."
    )


def _approved_text(approved: Approved, *, was_read: bool) -> str:
    granted = safe_json([dict(detail) for detail in approved.granted])
    if was_read:
        return (
            "Approved. You have already read this. The approval is for one action. If you have "
            f"acted, do not act again. It was for: {granted}"
        )
    if approved.narrowed:
        return (
            "Approved with limits: the person granted less than you asked for. Do exactly this, "
            f"once, and nothing else: {granted}"
        )
    return f"Approved. Do exactly this, once, and nothing else: {granted}"


def _fingerprint(request: _Request) -> str:
    return one_line(request.asked.fingerprint) if request.asked else "(not delivered yet)"
