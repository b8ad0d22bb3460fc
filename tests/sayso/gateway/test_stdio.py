"""Upstream servers that use stdio: one untrusted process for each session."""

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


class Harness:
    """A stdio server behind the gateway, with calls by users that the test names."""

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
        """Send a request, and return its response and the messages in it."""
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
        """Begin a session as MCP clients do, and return its ID."""
        answer, _ = await self.post("initialize", user=user, **HELLO)
        await self.post("notifications/initialized", answer.session, user)
        session: str = answer.session
        return session

    async def call(self, how: str, session: str | None = None, user: str = "ana") -> Any:
        """Call the tool of this name, which selects how the server behaves."""
        _, events = await self.post("tools/call", session, user, name=how)
        return events[-1]["result"]


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    """A hostile server behind the gateway, whose processes are stopped afterwards."""
    created = Harness()
    yield created
    await created.server.aclose()


def _is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def _wait_until_gone(pid: int) -> None:
    await asyncio.to_thread(until, lambda: not _is_running(pid), 10)


async def test_each_session_has_a_process_which_ends_with_it(harness: Harness) -> None:
    """Two sessions of one client have two processes, and a call in an ended session is refused."""
    first, second = await harness.opened(), await harness.opened()
    pids = [(await harness.call("usual", session))["pid"] for session in (first, second, first)]
    assert pids[0] == pids[2] != pids[1]
    async with harness.server.send(None, "DELETE", {"mcp-session-id": first}, None) as answer:
        assert answer.status == 200
    await _wait_until_gone(pids[0])
    with pytest.raises(SessionEnded):
        await harness.post("tools/call", first, name="usual")
    assert (await harness.call("usual", second))["pid"] == pids[1]


async def test_calls_without_a_session_share_the_process_of_their_caller(harness: Harness) -> None:
    """Since protocol version 2026-07-28 there are no sessions.

    Two callers never share a process.
    """
    pids = [(await harness.call("usual", user=user))["pid"] for user in ("ana", "ben", "ana")]
    assert pids[0] == pids[2] != pids[1]


async def test_a_process_does_not_get_the_secrets_of_the_gateway(harness: Harness) -> None:
    """It gets only the variables that the operator set for it."""
    environment = (await harness.call("usual"))["environment"]
    assert environment["OF_THE_SERVER"] == "yes"
    assert "PATH" in environment
    assert not {"GATE_SECRET", "SAYSO_ANY"} & set(environment)


async def test_after_a_crash_the_next_call_starts_a_new_process(harness: Harness) -> None:
    """The crash is reported, and the same session continues with the new process."""
    session = await harness.opened()
    before = (await harness.call("usual", session))["pid"]
    with pytest.raises(UpstreamError, match=r"ended before it answered \(exit code 3\)"):
        await harness.call("die", session)
    after = (await harness.call("usual", session))["pid"]
    assert before != after
    assert not _is_running(before)


async def test_a_call_that_is_canceled_while_its_process_starts_again_breaks_no_session(
    harness: Harness,
) -> None:
    """Servers refuse calls until they have received the whole opening."""
    session = await harness.opened()
    with pytest.raises(UpstreamError):
        await harness.call("die", session)
    ended = harness.server._sessions[session].child
    call = asyncio.create_task(harness.call("usual", session))
    while harness.server._sessions[session].child is ended:  # noqa: ASYNC110  # no event
        await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    received = (await harness.call("usual", session))["received"]
    assert received == ["initialize", "notifications/initialized", "tools/call"]


async def test_a_response_that_is_too_large_is_cut_off(harness: Harness) -> None:
    """The call fails at the limit, and the session can still be used."""
    session = await harness.opened()
    with pytest.raises(UpstreamError, match=f"cut off after {LIMIT} bytes"):
        await harness.call("huge", session)
    assert "pid" in await harness.call("usual", session)


@pytest.mark.parametrize("how", ["silent", "deaf"])
async def test_a_call_of_a_silent_process_times_out(how: str) -> None:
    """The call times out whether or not the process still reads its input."""
    harness = Harness(timeout=0.5)
    session = await harness.opened()
    with pytest.raises(UpstreamError, match=r"did not respond within 0\.5 s"):
        await harness.call(how, session)
    await harness.server.aclose()


async def test_lines_that_are_not_messages_are_logged_safely(harness: Harness) -> None:
    """The response after such lines is still accepted."""
    assert "pid" in await harness.call("not json")
    printed = [line["text"] for line in harness.log if line["event"] == "server_stdout"]
    assert printed == ["Hello from a library [2J", "[1]", "{"]
    errors = [line["text"] for line in harness.log if line["event"] == "server_stderr"]
    assert errors == ["starting [31mred"]


async def test_the_number_of_logged_lines_is_limited(harness: Harness) -> None:
    """The last line says that no more lines of this process are logged."""
    assert "pid" in await harness.call("floods")
    assert len(harness.log) == 200
    assert str(harness.log[-1]["text"]).endswith("(no more lines of this process are logged)")


async def test_messages_before_the_response_are_passed_on_first(harness: Harness) -> None:
    """A response to a request that was never sent is dropped."""
    _, events = await harness.post("tools/call", name="others first")
    assert [event.get("method", event.get("id")) for event in events] == [
        "notifications/message",
        7,
    ]


async def test_requests_with_the_same_id_get_their_own_answers(harness: Harness) -> None:
    """Two clients of one caller may use the same IDs."""
    (_, listed), (_, called) = await asyncio.gather(
        harness.post("tools/list"), harness.post("tools/call", name="usual")
    )
    assert listed[-1]["result"] == {"opened": "tools/list"}
    assert "pid" in called[-1]["result"]


async def test_requests_with_the_same_progress_token_get_their_own_progress(
    harness: Harness,
) -> None:
    """Two clients of one caller may use the same tokens. Progress of no request is dropped."""
    call = {"name": "progress", "_meta": {"progressToken": 1}}
    results = await asyncio.gather(
        *(harness.post("tools/call", **call, arguments={"text": text}) for text in ("a", "b"))
    )
    progress = [[event["params"] for event in events[:-1]] for _, events in results]
    assert progress == [
        [{"progressToken": 1, "progress": 1, "message": text}] for text in ("a", "b")
    ]


async def test_an_idle_session_ends() -> None:
    """Its client may never return, so its process is stopped."""
    harness = Harness(idle=0.2)
    pid = (await harness.call("usual", await harness.opened()))["pid"]
    await _wait_until_gone(pid)
    await harness.server.aclose()


async def test_at_the_limit_the_oldest_idle_session_ends() -> None:
    """If all sessions are in use, a new session is refused."""
    harness = Harness(most=2)
    pids = [(await harness.call("usual", user=user))["pid"] for user in ("ana", "ben", "cem")]
    await _wait_until_gone(pids[0])
    waiting = [asyncio.ensure_future(harness.call("silent", user=user)) for user in ("ben", "cem")]
    await asyncio.sleep(0.2)
    with pytest.raises(UpstreamError, match="the gateway has 2, and all are in use"):
        await harness.call("usual", user="dora")
    for call in waiting:
        call.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert "pid" in await harness.call("usual", user="dora")
    await harness.server.aclose()


async def test_one_client_cannot_use_all_processes() -> None:
    """A client's sixth session closes its first one, even below the total limit."""
    harness = Harness(most=20)
    sessions = [await harness.opened() for _ in range(6)]
    with pytest.raises(SessionEnded):
        await harness.post("tools/call", sessions[0], name="usual")
    assert "pid" in await harness.call("usual", sessions[1])
    await harness.server.aclose()


async def test_a_command_that_cannot_be_started_is_an_error() -> None:
    """The client gets an error, and the gateway logs that the server was not started."""
    harness = Harness("/nonexistent/server")
    with pytest.raises(UpstreamError, match="cannot be started"):
        await harness.call("usual")
    assert harness.log[0]["event"] == "server_not_started"


async def test_a_get_stream_without_a_session_is_refused(harness: Harness) -> None:
    """The response is 405, because no messages would arrive in such a stream."""
    async with harness.server.send(None, "GET", {}, None) as answer:
        assert (answer.status, answer.streams) == (405, False)


def test_a_header_for_a_stdio_server_is_refused() -> None:
    """The error says that credentials belong in the environment of the server."""
    config = Config("", "", ("", ""), None, Header("a", "b"), ToolMap({}), 1, 1, 1)
    with pytest.raises(BadFile, match=r"\[upstream\].*environment"):
        StdioServer(HOSTILE, config, {}, print)
