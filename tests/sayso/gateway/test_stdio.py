"""Upstream servers that speak stdio: one process for each session, of which nothing is believed."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sayso.gateway.answers import SessionEnded, UpstreamError
from sayso.gateway.config import BadFile, Config, Header
from sayso.gateway.stdio import StdioServer
from sayso.gateway.tools import ToolMap
from tests.support.checks.source import ROOT
from tests.support.checks.waiting import until

HOSTILE = (sys.executable, str(ROOT / "tests/support/servers/hostile_stdio.py"))
LIMIT = 1_000_000
HELLO: dict[str, Any] = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "c"},
}


class Gate:
    """What the gateway does with a server, for callers that the test names."""

    def __init__(self, *command: str, timeout: float = 5, idle: float = 60, most: int = 4) -> None:
        self.log: list[Mapping[str, object]] = []
        config = Config(
            *("", "", ("", ""), None, None, ToolMap({}), timeout, 1, LIMIT),
            max_processes=most,
            secrets=frozenset({"GATE_SECRET"}),
        )
        environment = {**os.environ, "GATE_SECRET": "s", "SAYSO_ANY": "s", "OF_THE_SERVER": "yes"}
        self.server = StdioServer(
            command or HOSTILE, config, environment, self.log.append, idle=idle
        )

    async def post(
        self, method: str, session: str | None = None, user: str = "ana", **params: Any
    ) -> tuple[Any, list[Any]]:
        """Send a request; its answer, and the messages that came."""
        message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        if method.startswith("notifications/"):
            del message["id"]
        headers = {} if session is None else {"mcp-session-id": session}
        caller: Any = SimpleNamespace(user=user, client="c")
        async with self.server.send(
            caller, "POST", headers, json.dumps(message).encode()
        ) as answer:
            events = [json.loads(event.data or b"") async for event in answer.events()]
        return answer, events

    async def opened(self, user: str = "ana") -> str:
        """Begin a session as MCP clients do."""
        answer, _ = await self.post("initialize", user=user, **HELLO)
        await self.post("notifications/initialized", answer.session, user)
        session: str = answer.session
        return session

    async def call(self, how: str, session: str | None = None, user: str = "ana") -> Any:
        """Call the tool that answers in this way."""
        _, events = await self.post("tools/call", session, user, name=how)
        return events[-1]["result"]


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    """A gateway in front of a hostile server; its processes are gone afterwards."""
    made = Gate()
    yield made
    await made.server.aclose()


def _runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def _gone(pid: int) -> None:
    await asyncio.to_thread(until, lambda: not _runs(pid), 10)


async def test_each_session_has_a_process_which_ends_with_it(gate: Gate) -> None:
    """Two sessions of one client too; a call of a session that is over is answered with 404."""
    first, second = await gate.opened(), await gate.opened()
    pids = [(await gate.call("usual", each))["pid"] for each in (first, second, first)]
    assert pids[0] == pids[2] != pids[1]
    async with gate.server.send(None, "DELETE", {"mcp-session-id": first}, None) as answer:
        assert answer.status == 200
    await _gone(pids[0])
    with pytest.raises(SessionEnded):
        await gate.post("tools/call", first, name="usual")
    assert (await gate.call("usual", second))["pid"] == pids[1]


async def test_calls_without_a_session_share_a_process_of_their_caller_alone(gate: Gate) -> None:
    """From 2026-07-28 there are no sessions."""
    pids = [(await gate.call("usual", user=user))["pid"] for user in ("ana", "ben", "ana")]
    assert pids[0] == pids[2] != pids[1]


async def test_a_process_does_not_get_the_secrets_of_the_gateway(gate: Gate) -> None:
    """It gets what its operator set for it."""
    environment = (await gate.call("usual"))["environment"]
    assert environment["OF_THE_SERVER"] == "yes"
    assert "PATH" in environment
    assert not {"GATE_SECRET", "SAYSO_ANY"} & set(environment)


async def test_a_process_that_dies_is_named_and_the_next_call_starts_another(gate: Gate) -> None:
    """In the same session, which begins anew without its client."""
    session = await gate.opened()
    before = (await gate.call("usual", session))["pid"]
    with pytest.raises(UpstreamError, match=r"ended before it answered \(exit code 3\)"):
        await gate.call("die", session)
    after = (await gate.call("usual", session))["pid"]
    assert before != after
    assert not _runs(before)


async def test_an_answer_that_is_too_large_ends_the_process(gate: Gate) -> None:
    """No more than the limit is kept."""
    session = await gate.opened()
    with pytest.raises(UpstreamError, match=f"cut off after {LIMIT} bytes"):
        await gate.call("huge", session)
    assert "pid" in await gate.call("usual", session)


@pytest.mark.parametrize("how", ["silent", "deaf"])
async def test_a_process_that_never_answers_is_waited_for_so_long(how: str) -> None:
    """Whether it reads on or not."""
    gate = Gate(timeout=0.5)
    session = await gate.opened()
    with pytest.raises(UpstreamError, match=r"silent for 0\.5 s"):
        await gate.call(how, session)
    await gate.server.aclose()


async def test_lines_that_are_no_messages_go_to_the_log_made_safe(gate: Gate) -> None:
    """The answer after them counts."""
    assert "pid" in await gate.call("not json")
    printed = [one["text"] for one in gate.log if one["event"] == "server_stdout"]
    assert printed == ["Hello from a library [2J", "[1]", "{"]
    errors = [one["text"] for one in gate.log if one["event"] == "server_stderr"]
    assert errors == ["starting [31mred"]


async def test_a_process_that_prints_without_end_does_not_fill_the_log(gate: Gate) -> None:
    """The last line says so."""
    assert "pid" in await gate.call("floods")
    assert len(gate.log) == 200
    assert str(gate.log[-1]["text"]).endswith("(no more lines of this process are logged)")


async def test_what_a_process_says_before_its_answer_comes_first(gate: Gate) -> None:
    """An answer to nothing is dropped."""
    _, events = await gate.post("tools/call", name="others first")
    assert [event.get("method", event.get("id")) for event in events] == [
        "notifications/message",
        7,
    ]


async def test_requests_with_the_same_id_get_their_own_answers(gate: Gate) -> None:
    """Two clients of one caller may count alike."""
    (_, listed), (_, called) = await asyncio.gather(
        gate.post("tools/list"), gate.post("tools/call", name="usual")
    )
    assert listed[-1]["result"] == {"opened": "tools/list"}
    assert "pid" in called[-1]["result"]


async def test_a_session_nobody_uses_ends() -> None:
    """Its client may be gone for good."""
    gate = Gate(idle=0.2)
    pid = (await gate.call("usual", await gate.opened()))["pid"]
    await _gone(pid)
    await gate.server.aclose()


async def test_the_oldest_unused_session_makes_room() -> None:
    """While all are in use, nobody begins another."""
    gate = Gate(most=2)
    pids = [(await gate.call("usual", user=user))["pid"] for user in ("ana", "ben", "cem")]
    await _gone(pids[0])
    waiting = [asyncio.ensure_future(gate.call("silent", user=user)) for user in ("ben", "cem")]
    await asyncio.sleep(0.2)
    with pytest.raises(UpstreamError, match="the gateway has 2, and all are in use"):
        await gate.call("usual", user="dora")
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert "pid" in await gate.call("usual", user="dora")
    await gate.server.aclose()


async def test_one_client_cannot_take_all_processes() -> None:
    """Its sixth session ends its first, however many there may be."""
    gate = Gate(most=20)
    sessions = [await gate.opened() for _ in range(6)]
    with pytest.raises(SessionEnded):
        await gate.post("tools/call", sessions[0], name="usual")
    assert "pid" in await gate.call("usual", sessions[1])
    await gate.server.aclose()


async def test_a_command_that_cannot_be_started_is_said_to_the_client() -> None:
    """The log has the reason."""
    gate = Gate("/nonexistent/server")
    with pytest.raises(UpstreamError, match="cannot be started"):
        await gate.call("usual")
    assert gate.log[0]["event"] == "server_not_started"


async def test_a_stream_without_a_session_is_not_offered(gate: Gate) -> None:
    """Nothing comes there."""
    async with gate.server.send(None, "GET", {}, None) as answer:
        assert (answer.status, answer.streams) == (405, False)


def test_a_header_has_no_use() -> None:
    """The error says where the credential goes."""
    config = Config("", "", ("", ""), None, Header("a", "b"), ToolMap({}), 1, 1, 1)
    with pytest.raises(BadFile, match=r"\[upstream\].*environment"):
        StdioServer(HOSTILE, config, {}, print)
