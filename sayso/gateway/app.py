"""The gateway as an ASGI app, in front of one upstream server.

1. A message is parsed once and serialized again, so that both sides parse the same message.
2. A refused message never reaches the upstream server. A missing scope is an HTTP error (403),
   because clients ask the user for more scopes only after a 403.
3. Handles from the upstream server are sealed for the user and client that received them.

Owns: the path of each message. Never: which tools are shown (`tools`), or asking (`approving`).
"""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from sayso import asgi
from sayso.agent import AsyncAgent
from sayso.gateway import incoming as requests
from sayso.gateway import messages, tools
from sayso.gateway.answers import (
    REFUSALS,
    Answer,
    Log,
    NoResponse,
    UpstreamError,
    UpstreamServer,
)
from sayso.gateway.approving import Approving
from sayso.gateway.config import Config
from sayso.gateway.handles import Handles
from sayso.gateway.incoming import JSON, SESSION, STREAM, BadMessage, CallKey, Incoming
from sayso.gateway.messages import Json, members
from sayso.gateway.tool_list import ToolList
from sayso.gateway.tools import MappedTool, Risk
from sayso.guard import AsyncGuard
from sayso.open_calls import OpenCalls, use_up
from sayso.rejection import Rejected
from sayso.text import one_line

_MAX_BYTES: Final = 4 * 1024 * 1024
_CAPABILITIES: Final = "io.modelcontextprotocol/clientCapabilities"


class Gateway:
    """The app. `log` receives one record for each tool call."""

    def __init__(
        self,
        config: Config,
        upstream: UpstreamServer,
        guard: AsyncGuard,
        agent: AsyncAgent | None,
        log: Log,
    ) -> None:
        self.upstream, self._log = upstream, log
        self._map, self._handles = config.tools, Handles(config.credentials[1])
        self._resource = config.resource
        self._tool_list = ToolList(config.tools, upstream)
        self._waiting: list[tuple[CallKey, asyncio.Event]] = []
        """The calls that wait for a person, each with the event that cancels it."""
        self._approving: Approving | None = None
        if agent is not None:
            used_up = partial(use_up, guard, config.resource)
            calls = OpenCalls(agent, config.resource, config.wait, used_up)
            inbox = f"{config.issuer}/"
            self._approving = Approving(calls, self._tool_list, upstream, inbox, config.wait)
        self.stopping = asyncio.Event()
        """Set this to end the message streams that clients listen to."""
        self.app = asgi.Protected(self._serve, guard)

    async def _serve(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        if scope["type"] != "http" or scope["path"] != (urlsplit(self._resource).path or "/"):
            raise Rejected(404, "not_found", f"This gateway serves {self._resource}.")
        requests.check_origin(scope, self._resource)
        incoming = requests.read(scope, receive, send, self._handles)
        if incoming.method == "POST":
            body = await asgi.read_body(receive, _MAX_BYTES)
            await self._handle_message(incoming, requests.read_message(body, incoming.headers))
        elif incoming.method in {"GET", "DELETE"}:
            await self._forward(incoming, None)
        else:
            raise Rejected(405, "invalid_request", "Use POST, GET or DELETE.")

    async def _handle_message(self, incoming: Incoming, message: Json) -> None:
        params, method = members(message, "params"), message.get("method", "")
        capabilities = members(members(params, "_meta"), _CAPABILITIES)
        if method == "initialize":
            capabilities = members(params, "capabilities")
        if tools.shows_urls(capabilities):
            incoming = replace(incoming, shows_urls=True)
        if method == "tools/call":
            await self._call_and_log(incoming, message)
            return
        if method == "notifications/cancelled":
            self._cancel(incoming.call_key(params.get("requestId")))
        try:
            incoming.caller.require(*self._map.required_scopes(method))
        except ValueError as error:
            await incoming.respond(messages.error(message, messages.NOT_FOUND, str(error)))
            return
        await self._forward(incoming, self._with_state(incoming, message))

    async def _call_and_log(self, incoming: Incoming, message: Json) -> None:
        outcome, approval = "failed", None
        try:
            outcome, approval = await self._call(incoming, message)
        except Rejected as rejected:
            outcome = rejected.error
            raise
        finally:
            self._log(
                {
                    "event": "tool_call",
                    "user": incoming.caller.user,
                    "client": incoming.caller.client,
                    "tool": one_line(str(members(message, "params").get("name"))),
                    "outcome": outcome,
                    "approval": approval,
                }
            )

    async def _call(self, incoming: Incoming, message: Json) -> tuple[str, str | None]:
        """Check a tool call and respond to it; return the outcome and the approval."""
        params = dict(members(message, "params"))
        params.pop("task", None)
        message = {**message, "params": params}
        name = params.get("name")
        tool = self._map.tools.get(name) if isinstance(name, str) else None
        if tool is None:
            text = tools.unknown_tool_text(name)
            await incoming.respond(messages.tool_error(message, text, incoming.version))
            return "not_mapped", None
        incoming.caller.require(*tool.scope.split())
        if tool.risk is not Risk.HIGH:
            message = self._with_state(incoming, message)
        try:
            refusal = await self._tool_list.mapping_problem(incoming, message, tool)
        except UpstreamError as error:
            await incoming.respond(messages.error(message, messages.INTERNAL, str(error)))
            return "failed", None
        if refusal is not None:
            await incoming.respond(messages.tool_error(message, refusal, incoming.version))
            return "changed", None
        if tool.risk is Risk.HIGH:
            return await self._ask(incoming, message, tool)
        return "forwarded" if await self._forward(incoming, message) else "failed", None

    async def _ask(
        self, incoming: Incoming, message: Json, tool: MappedTool
    ) -> tuple[str, str | None]:
        """Ask the person. If the client disconnects or cancels the call, it does not run."""
        if self._approving is None:
            raise AssertionError("checked when the file is read")
        outcome: tuple[str, str | None] = "client_gone", None

        async def answer_call(approving: Approving) -> None:
            nonlocal outcome
            result = await approving.answer(incoming, message, tool)
            outcome = result.outcome, result.approval

        canceled = asyncio.Event()
        waiting_call = incoming.call_key(message["id"]), canceled
        self._waiting.append(waiting_call)
        try:
            is_done = await incoming.while_connected(answer_call(self._approving), canceled)
        finally:
            self._waiting.remove(waiting_call)
        if canceled.is_set() and not is_done:
            await incoming.body(b"")
        return outcome

    def _cancel(self, canceled_key: CallKey) -> None:
        for key, canceled in self._waiting:
            if key == canceled_key:
                canceled.set()

    async def _forward(self, incoming: Incoming, message: Json | None) -> bool:
        """Forward a request and its response; return whether the whole response arrived."""
        started = has_response = False

        async def forward() -> None:
            nonlocal started, has_response
            body = None if message is None else messages.write(message)
            async with self.upstream.send(
                incoming.caller, incoming.method, incoming.headers, body
            ) as answer:
                body_bytes = b"" if answer.streams else await self._read_body(incoming, answer)
                started, has_response = True, not answer.streams
                await incoming.start(answer.status, self._headers(incoming, answer))
                if answer.streams:
                    async for event in answer.events():
                        data = event.data and self._filter_message(incoming, answer, event.data)
                        has_response = has_response or messages.is_response(data)
                        encoded_event = messages.Event(data, event.others).encode()
                        await incoming.body(encoded_event, more=True)
                await incoming.body(body_bytes)

        try:
            is_done = await incoming.while_connected(forward(), None if message else self.stopping)
        except UpstreamError as error:
            expects_response = message is not None and "id" in message
            error_reply = messages.error(message or {}, messages.INTERNAL, str(error))
            if started:
                await incoming.body(messages.event(error_reply) if expects_response else b"")
            elif expects_response:
                await incoming.respond(error_reply, error.status)
            else:
                raise Rejected(502, "bad_upstream", str(error)) from error
            return False
        if started and not is_done:
            await incoming.body(b"")
        return is_done or has_response

    async def _read_body(self, incoming: Incoming, answer: Answer) -> bytes:
        """Return the body of a response that is not a stream; empty for a refused GET or DELETE."""
        is_refused = answer.status in REFUSALS
        if is_refused and incoming.method != "POST":
            return b""
        body = await answer.body()
        return self._filter_message(incoming, answer, body) if is_refused or body.strip() else b""

    def _filter_message(self, incoming: Incoming, answer: Answer, body: bytes) -> bytes:
        """Return a message as this caller may see it. Raises NoResponse."""
        try:
            message = messages.read(body)
            result = members(message, "result")
            self._tool_list.note(result)
            if "requestState" in result:
                sealed = self._handles.seal("state", incoming.caller, result["requestState"])
                message["result"] = {**result, "requestState": sealed}
            return messages.write(self._map.filter_message(message, incoming.caller.scope))
        except ValueError as error:
            raise NoResponse(answer.status) from error

    def _with_state(self, incoming: Incoming, message: Json) -> Json:
        """Return the message with the upstream server's own state, which must be this caller's."""
        params = members(message, "params")
        if "requestState" not in params:
            return message
        state = self._handles.open("state", incoming.caller, str(params["requestState"]))
        if state is None:
            text = "The `requestState` is invalid for this user and client. Start again without it."
            raise BadMessage(message, messages.INVALID_PARAMS, text)
        return {**message, "params": {**params, "requestState": state}}

    def _headers(self, incoming: Incoming, answer: Answer) -> list[tuple[bytes, bytes]]:
        headers = list(STREAM if answer.streams else JSON)
        if answer.session is not None:
            session_and_urls = [answer.session, incoming.shows_urls]
            sealed_session = self._handles.seal("session", incoming.caller, session_and_urls)
            headers.append((SESSION.encode(), sealed_session.encode()))
        return headers
