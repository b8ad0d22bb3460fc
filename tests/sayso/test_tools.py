"""The decorator `needs_approval` asks the user, and runs the function as granted."""

import inspect
from collections.abc import Mapping
from typing import Any

import pytest

from sayso import Agent, Approved, AsyncAgent, Denied, needs_approval
from sayso.errors import from_answer


class _Person(Agent):
    """An agent whose user grants or denies requests as the test says."""

    def __init__(self, **granted: Any) -> None:
        super().__init__("https://sayso.example", "id", secret="s")
        self.asked: list[Any] = []
        self._granted = granted

    def ask(self, user: str, action: Any = None, **options: Any) -> Approved:
        """Record the request and return the approval, as the decorator expects."""
        self.asked.append((user, action, options))
        if self._granted.get("deny"):
            raise from_answer(400, {"error": "access_denied", "reason": "denied"})
        return _approval({**action, **self._granted})


class _AsyncPerson(AsyncAgent):
    """The same agent for asyncio."""

    async def ask(self, user: str, action: Any = None, **options: Any) -> Approved:
        """Approve the request unchanged."""
        del user, options
        return _approval(action)


def _approval(granted: Mapping[str, Any]) -> Approved:
    return Approved("t", (granted,), frozenset(), narrowed=False, expires_in=300, receipt=None)


def test_the_arguments_become_the_facts_of_the_request() -> None:
    """Parameter names become members; defaults are filled in, and None is left out."""
    agent = _Person()

    @needs_approval(agent, "payment.transfer", user="ana", scope="payments:transfer")
    def pay(payee: str, amount: int = 1, reference: str | None = None) -> tuple[object, ...]:
        return payee, amount, reference

    assert pay("Nordwind") == ("Nordwind", 1, None)
    facts = {"type": "payment.transfer", "payee": "Nordwind", "amount": 1}
    assert agent.asked == [("ana", facts, {"scope": "payments:transfer"})]


def test_the_function_runs_with_what_was_granted() -> None:
    """The granted arguments may be less than those of the call."""

    @needs_approval(_Person(amount=5), "payment.transfer", user="ana")
    def pay(amount: int) -> int:
        return amount

    assert pay(10) == 5


def test_without_an_approval_the_function_does_not_run() -> None:
    """The call raises an error whose text a model can read."""

    @needs_approval(_Person(deny=True), "payment.transfer", user="ana")
    def pay(amount: int) -> None:
        raise AssertionError(amount)

    with pytest.raises(Denied, match="Do not try to reach the same result"):
        pay(1)


def test_the_approval_parameter_is_hidden_from_callers() -> None:
    """Frameworks create a schema from the signature and the annotations."""

    @needs_approval(_Person(), "payment.transfer", user="ana")
    def pay(amount: int, *, approved: Approved) -> str:
        """Pay."""
        assert amount == 1
        return approved.token

    assert pay(1) == "t"
    assert list(inspect.signature(pay).parameters) == ["amount"]
    assert pay.__annotations__ == {"amount": int, "return": str}
    assert (pay.__name__, pay.__doc__) == ("pay", "Pay.")


async def test_an_asynchronous_agent_makes_calls_that_are_awaited() -> None:
    """Both synchronous and asynchronous functions can be wrapped."""
    agent = _AsyncPerson("https://sayso.example", "id", secret="s")

    @needs_approval(agent, "deploy", user="ana")
    async def deploy(app: str) -> str:
        return app

    @needs_approval(agent, "deploy", user="ana")
    def deploy_at_once(app: str) -> str:
        return app

    assert await deploy("web") == await deploy_at_once("web") == "web"


def test_an_invalid_function_is_refused_by_the_decorator() -> None:
    """Examples are unnamed arguments, a mix of sync and async, and one key for all calls."""

    def nameless(*amounts: int) -> None:
        raise AssertionError(amounts)

    def open_ended(**amounts: int) -> None:
        raise AssertionError(amounts)

    def choosing(type: str) -> None:  # noqa: A002  # it would replace the type of the action
        raise AssertionError(type)

    async def later() -> None:
        raise AssertionError

    with pytest.raises(TypeError, match="positional-only"):
        needs_approval(_Person(), "t", user="ana")(nameless)
    with pytest.raises(TypeError, match="kwargs"):
        needs_approval(_Person(), "t", user="ana")(open_ended)
    with pytest.raises(TypeError, match="cannot be named type"):
        needs_approval(_Person(), "t", user="ana")(choosing)
    with pytest.raises(TypeError, match="no option scop"):
        needs_approval(_Person(), "t", user="ana", scop="read")  # type: ignore[call-arg]  # the error
    with pytest.raises(TypeError, match="AsyncAgent"):
        needs_approval(_Person(), "t", user="ana")(later)
    with pytest.raises(TypeError, match="idempotency_key"):
        needs_approval(_Person(), "t", user="ana", idempotency_key="k")
