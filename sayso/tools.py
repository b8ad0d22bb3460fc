"""A tool of a language model that a person must approve, call by call.

Owns: turning the arguments of a call into an action, and back into what was granted.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Unpack

from sayso.agent import Agent, AsyncAgent
from sayso.approved import Approved
from sayso.asking import Options

Tool = Callable[..., Any]
_PARAMETER = "approved"


def needs_approval(
    agent: Agent | AsyncAgent, action_type: str, *, user: str, **options: Unpack[Options]
) -> Callable[[Tool], Tool]:
    """Ask `user` before each call of the decorated function.

    The arguments of the call are the facts of the action: parameter names are member names of
    `action_type`. The function runs with what was granted, which may be less than was asked, and
    gets the `Approved` if it has a parameter `approved`, which callers do not see. Without a yes it
    does not run: the call raises `NotApproved`, whose text says what to do. With an `AsyncAgent`,
    calls are awaited.
    """
    if "idempotency_key" in options:
        raise TypeError("idempotency_key names one request: pass it to ask(), not to all calls.")

    def decorate(tool: Tool) -> Tool:
        call = _Call(tool, action_type)
        if isinstance(agent, AsyncAgent):

            @functools.wraps(tool)
            async def asking(*args: object, **kwargs: object) -> object:
                approved = await agent.ask(user, call.action(args, kwargs), **options)
                result = call.run(args, kwargs, approved)
                return await result if inspect.isawaitable(result) else result

            return call.dressed(asking)
        if inspect.iscoroutinefunction(tool):
            raise TypeError(f"{tool.__name__} is asynchronous: give needs_approval an AsyncAgent.")

        @functools.wraps(tool)
        def ask(*args: object, **kwargs: object) -> object:
            return call.run(args, kwargs, agent.ask(user, call.action(args, kwargs), **options))

        return call.dressed(ask)

    return decorate


class _Call:
    """The arguments of a tool, as an action and back."""

    def __init__(self, tool: Tool, action_type: str) -> None:
        self._tool = tool
        self._type = action_type
        whole = inspect.signature(tool)
        self._wants_approved = _PARAMETER in whole.parameters
        seen = [each for each in whole.parameters.values() if each.name != _PARAMETER]
        if any(each.kind in {each.VAR_POSITIONAL, each.POSITIONAL_ONLY} for each in seen):
            raise TypeError(f"{tool.__name__}: every parameter needs a name, as a person reads it.")
        self._signature = whole.replace(parameters=seen)

    def action(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, Any]:
        """The request to the person; None means that the member is omitted."""
        facts = {
            name: value for name, value in self._facts(args, kwargs).items() if value is not None
        }
        return {"type": self._type, **facts}

    def run(
        self, args: tuple[object, ...], kwargs: Mapping[str, object], approved: Approved
    ) -> object:
        """Call the tool with what was granted."""
        (granted,) = approved.granted
        facts = {name: granted.get(name) for name in self._facts(args, kwargs)}
        if self._wants_approved:
            facts[_PARAMETER] = approved
        return self._tool(**facts)

    def dressed(self, asking: Tool) -> Tool:
        """The function that asks, with the signature that frameworks make a schema from."""
        asking.__signature__ = self._signature  # type: ignore[attr-defined]  # read by inspect
        notes = getattr(self._tool, "__annotations__", {})
        asking.__annotations__ = {name: note for name, note in notes.items() if name != _PARAMETER}
        return asking

    def _facts(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, Any]:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)
