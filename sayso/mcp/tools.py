"""Protects the tools of an MCP server that is built with the package `mcp`, 2.x or 1.x.

    tools = Tools("https://sayso.example", "https://pay.example/mcp", …)

    @mcp.tool()
    @tools.high("payment.transfer", "payments:transfer")
    def pay(payee: str, account: str, amount: dict) -> str: …

    app = tools.protect(mcp.streamable_http_app())

Owns: reading an MCP call, and MCP messages. Never: which calls are the same (`tool_calls`),
or waiting (`open_calls`).
"""

import asyncio
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, TypeVar, cast, get_type_hints

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from sayso import asgi
from sayso.agent import AsyncAgent
from sayso.approved import Approved
from sayso.caller import Caller
from sayso.errors import SaysoError
from sayso.guard import AsyncGuard
from sayso.mcp.package import Context, ToolError
from sayso.open_calls import Call, OpenCalls, Pending, UseApproval, UsedApproval, use_up
from sayso.rejection import Rejected
from sayso.tool_calls import ResumeMethod, called_tools, choose_resume_method, pending_text

ToolFunction = TypeVar("ToolFunction", bound=Callable[..., Any])
_MAX_BYTES: Final = 4 * 1024 * 1024
_CONTEXT: Final = "mcp_context"
"""The parameter that receives the server's context if the tool does not declare one."""


class Tools:
    """The tools of one MCP server, each marked low, medium or high.

    `audience` is the URI given to `sayso resources add`, at which clients reach the server. `agent`
    is the client ID and secret of the agent with which the server asks people. `credentials` are
    those of the resource, required without `agent` or if that agent does not serve the resource.
    `wait` is the number of seconds that a call waits for an answer before its client is told to
    come back; clients often allow 60. An unmarked tool needs a valid token and no scope.
    """

    context_class: ClassVar[type] = Context
    """The class of the context that the framework passes to a tool that requests it."""
    error_class: ClassVar[type[Exception]] = ToolError
    """The class of an error whose message the model reads."""
    passes_errors: ClassVar[bool] = True
    """Whether MCP errors that a tool raises reach the client unchanged."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        credentials: tuple[str, str] | None = None,
        agent: tuple[str, str] | None = None,
        wait: float = 50.0,
        introspect_every: float | None = None,
    ) -> None:
        self.wait = wait
        self.inbox = f"{issuer}/"
        """The page on which people answer, after they sign in."""
        self.audience = audience
        self.agent = AsyncAgent(issuer, agent[0], secret=agent[1]) if agent else None
        self._issuer, self._credentials = issuer, credentials or agent
        self._introspect_every = introspect_every
        self._scopes: dict[str, str] = {}
        self._sign_in_scopes: list[str] = []

    def low(self, scope: str, *, name: str | None = None) -> Callable[[ToolFunction], ToolFunction]:
        """Require a scope that clients get at sign-in. `name` defaults to the function's name."""
        self._sign_in_scopes.append(scope)
        return self.medium(scope, name=name)

    def medium(
        self, scope: str, *, name: str | None = None
    ) -> Callable[[ToolFunction], ToolFunction]:
        """Require a scope that clients ask their user for at the first call that needs it."""

        def decorate(tool: ToolFunction) -> ToolFunction:
            self._scopes[name or tool.__name__] = scope
            return tool

        return decorate

    def high(
        self, action_type: str, scope: str = "", *, name: str | None = None
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Ask the token's user to approve each call, with the arguments as the facts.

        Parameter names are member names of `action_type`; `scope` is one that `agent` may ask for.
        The tool runs once, with what was granted, which may be less than was requested.
        """

        def decorate(tool: Callable[..., Any]) -> Callable[..., Any]:
            return _HighTool(self, tool, name or tool.__name__, action_type, scope).wrapped()

        return decorate

    @functools.cached_property
    def guard(self) -> AsyncGuard:
        """The guard of this server's tokens. Use it only after all tools are marked."""
        return AsyncGuard(
            self._issuer,
            self.audience,
            credentials=self._credentials,
            introspect_every=self._introspect_every,
            scopes=tuple(dict.fromkeys(self._sign_in_scopes)),
        )

    def protect(self, app: asgi.App) -> asgi.App:
        """Return the app of `mcp.streamable_http_app()` behind the guard.

        A call without a required scope gets 403 `insufficient_scope` before the message reaches
        the server, because clients ask their user only in that case.
        """
        inner_app = AuthContextMiddleware(app)

        async def check_and_run(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
            if scope["type"] == "http":
                caller = asgi.caller(scope)
                scope["user"] = AuthenticatedUser(_access_token(caller))
                if scope["method"] == "POST":
                    body = await asgi.read_body(receive, _MAX_BYTES)
                    caller.require(*self._required_scopes(body))
                    receive = asgi.replay_body(body, receive)
            await inner_app(scope, receive, send)

        return asgi.Protected(check_and_run, self.guard)

    async def use(self, approved: Approved, caller: Caller) -> Mapping[str, Any]:
        """Use up an approval of this caller; return what was granted. Raises Rejected."""
        return (await use_up(self.guard, self.audience, approved, caller)).granted

    def _required_scopes(self, body: bytes) -> list[str]:
        try:
            tool_names = called_tools(body)
        except ValueError as error:
            raise Rejected(400, "invalid_request", "The body is not a JSON-RPC message.") from error
        return [self._scopes[name] for name in tool_names if name in self._scopes]


class _HighTool:
    """A tool for which a person must approve each call."""

    def __init__(
        self, tools: Tools, function: Callable[..., Any], name: str, action_type: str, scope: str
    ) -> None:
        if tools.agent is None:
            raise TypeError("A high-risk tool needs agent=, which asks the person.")
        self._tools = tools
        self._function, self._name = function, name
        self._type, self._scope = action_type, scope
        self._open = OpenCalls(tools.agent, tools.audience, tools.wait, self._use_up)
        hints = get_type_hints(function, include_extras=True)
        signature = inspect.signature(function)
        kind = tools.context_class
        context_names = [
            name for name in signature.parameters if _is_context(hints.get(name), kind)
        ]
        self._context = context_names[0] if context_names else None
        self._facts = {
            name: TypeAdapter[Any](hints.get(name, Any))
            for name in signature.parameters
            if name not in context_names
        }
        if "type" in self._facts:
            raise TypeError(
                f"{name}: a parameter cannot be named type, because type is the action type."
            )
        parameters = [
            parameter.replace(annotation=hints.get(parameter.name, parameter.annotation))
            for parameter in signature.parameters.values()
        ]
        if not context_names:
            parameters.append(
                inspect.Parameter(_CONTEXT, inspect.Parameter.KEYWORD_ONLY, annotation=kind)
            )
        returns = hints.get("return", signature.return_annotation)
        self._signature = signature.replace(parameters=parameters, return_annotation=returns)
        self._hints = {**hints, self._context or _CONTEXT: kind}

    def wrapped(self) -> Callable[..., Any]:
        """Return the function that asks, with the signature from which the schema is built."""

        @functools.wraps(self._function)
        async def wrapper(**arguments: object) -> object:
            context = cast("Context[Any, Any]", arguments.pop(self._context or _CONTEXT))
            try:
                return await self._answer(arguments, context)
            except (SaysoError, Rejected, _Refused) as error:
                raise self._tools.error_class(str(error)) from error

        wrapper.__signature__ = self._signature  # type: ignore[attr-defined]  # read by inspect
        wrapper.__annotations__ = self._hints
        return wrapper

    async def _answer(self, arguments: Mapping[str, Any], context: "Context[Any, Any]") -> object:
        """Join the open request of this call or send one, wait for the answer, and act on it."""
        caller = _caller(context)
        action = {"type": self._type, **_facts(arguments)}
        call = Call(caller, self._name, action, self._scope)
        if getattr(context, "request_state", None) not in {None, call.id}:
            raise _Refused("This state belongs to a different call.")

        async def run(use: UseApproval) -> object:
            granted = (await use()).granted
            granted_arguments = {
                name: adapter.validate_python(granted[name]) if name in granted else None
                for name, adapter in self._facts.items()
            }
            if self._context is not None:
                granted_arguments[self._context] = context
            if inspect.iscoroutinefunction(self._function):
                return await self._function(**granted_arguments)
            return await asyncio.to_thread(self._function, **granted_arguments)

        async def progress(elapsed: float, fingerprint: str) -> None:
            text = f"Waiting for approval {fingerprint}".strip()
            await context.report_progress(elapsed, self._tools.wait, text)

        try:
            return await self._open.result(call, run, progress)
        except Pending as pending:
            return self._resume_response(call.id, pending.fingerprint, context)

    async def _use_up(self, approved: Approved, caller: Caller) -> UsedApproval:
        return UsedApproval(await self._tools.use(approved, caller), "")

    def _resume_response(self, call: str, fingerprint: str, context: "Context[Any, Any]") -> object:
        """Return or raise what tells the client how to get the result later."""
        text = pending_text(self._name, fingerprint)
        request_context = context.request_context
        capabilities = getattr(request_context.session, "client_capabilities", None)  # 1.x has none
        shows_urls = getattr(getattr(capabilities, "elicitation", None), "url", None) is not None
        responses = getattr(context, "input_responses", None) or {}
        if any(getattr(value, "action", "accept") != "accept" for value in responses.values()):
            shows_urls = False
        method = choose_resume_method(
            getattr(request_context, "protocol_version", None) or "", shows_urls=shows_urls
        )
        if method is ResumeMethod.URL_REQUIRED and not self._tools.passes_errors:
            method = ResumeMethod.SAME_CALL
        if method is ResumeMethod.SAME_CALL:
            raise _Refused(text)
        from mcp.shared.exceptions import UrlElicitationRequiredError  # noqa: PLC0415  # not in 1.x
        from mcp_types import (  # noqa: PLC0415  # not in 1.x
            ElicitRequest,
            ElicitRequestURLParams,
            InputRequiredResult,
        )

        elicitation = ElicitRequestURLParams(
            message=f"Answer request {fingerprint} here or on another of your devices.",
            url=self._tools.inbox,
            elicitation_id=call if method is ResumeMethod.URL_REQUIRED else None,
        )
        if method is ResumeMethod.URL_REQUIRED:
            raise UrlElicitationRequiredError([elicitation], text)
        return InputRequiredResult(
            input_requests={"approval": ElicitRequest(params=elicitation)}, request_state=call
        )


class _Refused(Exception):
    """The tool does not run. The message is for the model."""


def _is_context(hint: object, kind: type) -> bool:
    return isinstance(hint, type) and issubclass(hint, kind)


def _caller(context: "Context[Any, Any]") -> Caller:
    """Return the caller from the token of this HTTP request, not of its session."""
    request = context.request_context.request
    try:
        caller = asgi.caller(request.scope)  # type: ignore[union-attr]  # None without HTTP
    except (AttributeError, KeyError) as error:
        text = "This tool needs HTTP with an access token. Serve it behind protect()."
        raise _Refused(text) from error
    if caller.user is None:
        raise _Refused("This tool asks the person who signed in, but no person has signed in.")
    return caller


def _facts(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments as JSON; an argument that is None is omitted."""
    facts: dict[str, Any] = to_jsonable_python(
        {name: value for name, value in arguments.items() if value is not None}
    )
    return facts


def _access_token(caller: Caller) -> AccessToken:
    """Return the caller as the MCP framework knows it: a session belongs to its first caller."""
    return AccessToken(
        token=caller.token,
        client_id=caller.client,
        scopes=sorted(caller.scope),
        subject=caller.user,
        claims=dict(caller.claims),
    )
