"""The SDK against a real server: an agent that asks in a thread, a person who answers."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from typing import Any

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.ceremony import Entries
from sayso import Agent
from tests.support.builders.ceremonies import typed_fact
from tests.support.builders.installation import PAY
from tests.support.checks.waiting import until
from tests.support.clients.terminal import PIN, Terminal
from tests.support.servers.server import LiveServer

PAYMENT: dict[str, Any] = {
    "type": "payment.transfer",
    "amount": {"minor": 482_000, "currency": "EUR"},
    "payee": "Nordwind Logistik GmbH",
}
TRANSFER = {"scope": "payments:transfer", "resource": PAY}
READ = {"scope": "payments:read", "resource": PAY}


def kit_agent(server: LiveServer, **members: object) -> Agent:
    """Return a new agent that authenticates with a secret and is closed with the server."""
    key = server.agent(**members)
    agent = Agent(server.url, key.id, secret=key.secret)
    server.closing.callback(agent.close)
    return agent


@contextmanager
def run_in_background(
    call: Callable[..., Any], *arguments: Any, **named: Any
) -> Iterator[Future[Any]]:
    """Run a call in a thread during the block; a block that fails does not wait for it."""
    result: Future[Any] = Future()

    def work() -> None:
        try:
            result.set_result(call(*arguments, **named))
        except BaseException as error:  # noqa: BLE001  # raised where the result is read
            result.set_exception(error)

    thread = Thread(target=work, daemon=True)
    thread.start()
    yield result
    thread.join()


def next_request(person: Terminal) -> Approval:
    """Wait for a request to this person, and return it."""
    until(lambda: person.waiting() != (), 30)
    return person.only_request()


def ask_and_approve(
    person: Terminal, call: Callable[..., Any], *arguments: Any, **named: Any
) -> Any:
    """Make a call that asks this person, approve the request, and return the call's result."""
    with run_in_background(call, *arguments, **named) as result:
        approve(person, next_request(person))
        return result.result(30)


def approve(person: Terminal, request: Approval) -> None:
    """Approve as this person, with the required entries."""
    fact = typed_fact(request.action_text, request.display_text)
    person.decider.approve(
        request, fingerprint=request.fingerprint, pin=PIN, entries=Entries(fact=fact)
    )
