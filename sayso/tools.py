"""Wraps a tool of a language model so that a person approves each call.

Converts the arguments of a call to an action, and the granted action back to arguments.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Unpack

from sayso.agent import Agent, AsyncAgent
from sayso.approved import Approved
from sayso.request_form import Options, check_options

Tool = Callable[..., Any]
_PARAMETER = "approved"
_REFUSED_KINDS = {
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.VAR_KEYWORD,
    inspect.Parameter.POSITIONAL_ONLY,
}


def needs_approval(
    agent: Agent | AsyncAgent, action_type: str, *, user: str, **options: Unpack[Options]
) -> Callable[[Tool], Tool]:
    """Ask `user` for approval before each call of the decorated function.

    Each argument becomes the member of the same name in the action. The function runs with the
    granted values, which may be narrower than requested. If it has a parameter `approved`, it gets
    the `Approved` object; callers do not see this parameter. If the request is not approved, the
    function does not run: the call raises `NotApproved`, whose text says what to do. With an
    `AsyncAgent`, calls are awaited.
    """
    if "idempotency_key" in options:
        raise TypeError("idempotency_key identifies one request. Pass it to ask() instead.")
    check_options(options)

    def decorate(tool: Tool) -> Tool:
        call = _Call(tool, action_type)
        if isinstance(agent, AsyncAgent):

            @functools.wraps(tool)
            async def async_wrapper(*args: object, **kwargs: object) -> object:
                approved = await agent.ask(user, call.action(args, kwargs), **options)
                result = call.run(args, kwargs, approved)
                return await result if inspect.isawaitable(result) else result

            return call.with_signature(async_wrapper)
        if inspect.iscoroutinefunction(tool):
            raise TypeError(f"{tool.__name__} is async: pass an AsyncAgent to needs_approval.")

        @functools.wraps(tool)
        def wrapper(*args: object, **kwargs: object) -> object:
            return call.run(args, kwargs, agent.ask(user, call.action(args, kwargs), **options))

        return call.with_signature(wrapper)

    return decorate


class _Call:
    """Maps the arguments of a tool to an action, and back."""

    def __init__(self, tool: Tool, action_type: str) -> None:
        self._tool = tool
        self._type = action_type
        signature = inspect.signature(tool)
        self._wants_approved = _PARAMETER in signature.parameters
        visible = [
            parameter for name, parameter in signature.parameters.items() if name != _PARAMETER
        ]
        if {parameter.kind for parameter in visible} & _REFUSED_KINDS:
            raise TypeError(
                f"{tool.__name__}: positional-only, *args and **kwargs parameters are not allowed, "
                "because the approver sees each argument with its name."
            )
        if "type" in signature.parameters:
            raise TypeError(
                f"{tool.__name__}: a parameter cannot be named type, because type is the action "
                "type."
            )
        self._signature = signature.replace(parameters=visible)

    def action(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, Any]:
        """Return the action to approve. Arguments that are None are omitted."""
        facts = {
            name: value for name, value in self._facts(args, kwargs).items() if value is not None
        }
        return {"type": self._type, **facts}

    def run(
        self, args: tuple[object, ...], kwargs: Mapping[str, object], approved: Approved
    ) -> object:
        """Call the tool with the granted values."""
        (granted,) = approved.granted
        facts = {name: granted.get(name) for name in self._facts(args, kwargs)}
        if self._wants_approved:
            facts[_PARAMETER] = approved
        return self._tool(**facts)

    def with_signature(self, wrapper: Tool) -> Tool:
        """Give the wrapper the tool's signature, from which frameworks build a schema."""
        wrapper.__signature__ = self._signature  # type: ignore[attr-defined]  # read by inspect
        hints = getattr(self._tool, "__annotations__", {})
        wrapper.__annotations__ = {name: hint for name, hint in hints.items() if name != _PARAMETER}
        return wrapper

    def _facts(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, Any]:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)
