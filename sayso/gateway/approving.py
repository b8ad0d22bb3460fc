"""A call that a person must approve, from the request to its single execution.

Owns: waiting in the call, its outcome, and sending what was granted. Never: which calls are the
same (`tool_calls`), or when an approval is used up (`open_calls`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sayso.errors import NotApproved, SaysoError
from sayso.gateway import messages, tools
from sayso.gateway.answers import NotSent, UpstreamError, UpstreamServer
from sayso.gateway.incoming import STREAM, Incoming
from sayso.gateway.messages import Json, members
from sayso.gateway.tool_list import ToolList
from sayso.gateway.tools import MappedTool
from sayso.guarding import Misconfigured
from sayso.open_calls import Call, OpenCalls, Pending, UseApproval
from sayso.rejection import Rejected
from sayso.text import one_line
from sayso.tool_calls import choose_resume_method, pending_text


@dataclass(frozen=True, slots=True)
class CallResult:
    """The outcome of a call."""

    message: Json
    outcome: str
    approval: str | None = None


class _CallRefused(Exception):
    """The call is refused, and nobody is asked."""

    def __init__(self, text: str, outcome: str) -> None:
        super().__init__(text)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Approving:
    """Handles calls of high-risk tools."""

    open: OpenCalls
    tool_list: ToolList
    upstream: UpstreamServer
    inbox: str
    """The page on which people answer, after they sign in."""
    wait: float

    async def answer(self, incoming: Incoming, message: Json, tool: MappedTool) -> CallResult:
        """Ask, send progress in a stream while waiting, and respond in that stream."""
        await incoming.start(200, STREAM)
        result = await self._run_call(incoming, message, tool)
        await incoming.body(messages.event(result.message))
        return result

    async def _run_call(self, incoming: Incoming, message: Json, tool: MappedTool) -> CallResult:
        try:
            result = await self._result(incoming, message, tool)
        except _CallRefused as error:
            text, outcome = str(error), error.outcome
        except NotApproved as error:
            text, outcome = str(error), one_line(error.code)
        except (SaysoError, Rejected, Misconfigured, UpstreamError, ValueError) as error:
            text, outcome = str(error), "failed"
        else:
            return result
        return CallResult(messages.tool_error(message, text, incoming.version), outcome)

    async def _result(self, incoming: Incoming, message: Json, tool: MappedTool) -> CallResult:
        async def run(use: UseApproval) -> CallResult:
            if (text := await self.tool_list.mapping_problem(incoming, message, tool)) is not None:
                raise _CallRefused(text, "changed")
            used = await use()
            answer = await self._forward(incoming, message, tool, used.granted)
            return CallResult(answer, "forwarded", used.approval)

        async def progress(elapsed: float, fingerprint: str) -> None:
            text = f"Waiting for approval {fingerprint}".strip()
            notification = messages.progress(message, elapsed, self.wait, text)
            await incoming.body(
                messages.event(notification) if notification else b": waiting\n\n", more=True
            )

        if incoming.caller.user is None:
            raise _CallRefused(
                "This tool asks the person who signed in, but no person has signed in.", "no_user"
            )
        params = members(message, "params")
        call = Call(incoming.caller, tool.name, tools.action(tool, members(params, "arguments")))
        if params.get("requestState") not in (None, call.id):
            raise _CallRefused(
                "This `requestState` belongs to a different call. Nothing has run.", "bad_state"
            )
        try:
            result: CallResult = await self.open.result(call, run, progress)
        except Pending as pending:
            return CallResult(
                self._create_resume_message(incoming, message, call, pending), "pending"
            )
        return replace(result, message={**result.message, "id": message["id"]})

    async def _forward(
        self, incoming: Incoming, message: Json, tool: MappedTool, granted: Mapping[str, Any]
    ) -> Json:
        """Send an approved call, after its approval was used up."""
        arguments = tools.granted_arguments(tool, granted)
        params = {**messages.quiet_meta(message), "name": tool.name, "arguments": arguments}
        approved_call = {**message, "params": params}
        body = messages.write(approved_call)
        try:
            async with self.upstream.send(
                incoming.caller, "POST", incoming.headers, body
            ) as answer:
                return await answer.result(approved_call)
        except NotSent:
            raise
        except UpstreamError as error:
            text = (
                f"{error} The call was approved and sent. It may have run. Check before you call "
                "again, because a new call asks again."
            )
            raise UpstreamError(text) from error

    def _create_resume_message(
        self, incoming: Incoming, message: Json, call: Call, pending: Pending
    ) -> Json:
        """Return the message that tells the client how to get the result later."""
        responses = members(members(message, "params"), "inputResponses").values()
        is_refused = any(
            isinstance(response, dict) and response.get("action", "accept") != "accept"
            for response in responses
        )
        return messages.resume_message(
            message,
            choose_resume_method(
                incoming.version, shows_urls=incoming.shows_urls and not is_refused
            ),
            text=pending_text(call.tool, pending.fingerprint),
            url=self.inbox,
            state=call.id,
            version=incoming.version,
        )
