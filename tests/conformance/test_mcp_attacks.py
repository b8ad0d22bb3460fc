"""Attacks on a tool call that waits for a person, at the SDK and at the gateway.

The handle that the client gets grants nothing by itself: it is valid for the same person and the
same call, and an approved call runs once.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.clients.kit import approve, next_request
from tests.support.clients.signed_in import signed_in
from tests.support.clients.terminal import Terminal, new_person
from tests.support.clients.third_party import MCP_PYTHONS
from tests.support.servers.gateway import RunningGateway, running_gateway
from tests.support.servers.mcp_server import McpServer, mcp_server
from tests.support.servers.server import LiveServer

Target = McpServer | RunningGateway
AMOUNT = {"minor": 482_000, "currency": "EUR"}
SEEN = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "pay"}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "attacker", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"url": {}}},
}


@pytest.fixture(scope="module", params=["kit", "gateway"])
def target(
    request: pytest.FixtureRequest, server: LiveServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """A server whose tool `pay` is high risk."""
    if request.param == "kit":
        with mcp_server(server, MCP_PYTHONS["mcp-python-2"], wait=2.0) as kit:
            yield kit
    else:
        with running_gateway(server, tmp_path_factory.mktemp("gateway")) as gateway:
            gateway.reset()
            yield gateway


class Caller:
    """A client with a token that sends whatever it likes."""

    def __init__(self, server: LiveServer, target: Target, person: Terminal) -> None:
        scopes = "tools:read tools:write"
        self._scope, self._payee = ("notes:read", "payee")
        if isinstance(target, RunningGateway):
            self._scope, self._payee = scopes, "to"
        self._uri = target.uri
        self._token = signed_in(server, person, target.uri, self._scope)

    def pay(self, minor: int = 482_000, state: str | None = None) -> dict[str, Any]:
        """Calls the tool and returns the result, or the error as a result."""
        arguments = {self._payee: "Nordwind", "amount": {**AMOUNT, "minor": minor}}
        params: dict[str, Any] = {"name": "pay", "arguments": arguments, "_meta": META}
        if state is not None:
            accepted = {"approval": {"action": "accept"}}
            params |= {"requestState": state, "inputResponses": accepted}
        answer = httpx.post(
            self._uri,
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params},
            headers={
                **SEEN,
                "accept": "application/json, text/event-stream",
                "authorization": f"Bearer {self._token}",
            },
            timeout=60,
            trust_env=False,
        )
        _, _, event = answer.text.rpartition("data: ")
        message: dict[str, Any] = httpx.Response(200, text=event or answer.text).json()
        return message.get("result") or {"isError": True, "content": [{"text": str(message)}]}


def test_handles_and_approvals_are_valid_for_one_person_and_one_call(
    server: LiveServer, target: Target, person: Terminal
) -> None:
    """A stolen, altered or replayed handle is refused, and so are changed arguments."""
    eve_terminal = new_person(server)
    ana, eve = Caller(server, target, person), Caller(server, target, eve_terminal)
    first = ana.pay()
    request = next_request(person)
    state = first["requestState"]

    for attack in (
        lambda: eve.pay(state=state),
        lambda: ana.pay(state=f"{state[:-2]}AA"),
        lambda: ana.pay(minor=1, state=state),
    ):
        assert attack()["isError"]
    assert eve_terminal.waiting() == ()
    assert person.only_request().id == request.id
    approve(person, request)
    assert ana.pay(minor=1, state=state)["isError"]
    assert eve.pay(state=state)["isError"]
    assert "requestState" in eve.pay()
    eve_terminal.deny(eve_terminal.only_request())
    assert "requestState" in ana.pay(minor=483_000)
    person.deny(person.only_request())
    assert target.paid == []

    assert "paid 482000" in str(ana.pay(state=state))
    again = ana.pay(state=state)
    assert "paid" not in str(again.get("content"))
    assert person.only_request().id != request.id
    person.deny(person.only_request())
    assert len(target.paid) == 1
