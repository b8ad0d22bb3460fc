"""The gateway and an upstream server that lies, is silent or fails."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.support.fakes.gateway import (
    ACCEPT,
    PAY,
    READ,
    FakeGateway,
    last,
    request,
    text,
)

PAYMENT = {"to": "Nordwind", "amount": 5}
STREAM = {"content-type": "text/event-stream"}


class _Silent(httpx.AsyncByteStream):
    """A body that begins and never ends."""

    closed = False

    def __init__(self, beginning: bytes = b": hi\n\n") -> None:
        self._beginning = beginning

    async def __aiter__(self) -> Any:
        yield self._beginning
        await asyncio.sleep(20)

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.parametrize("tool", ["read", "pay"])
async def test_a_tool_that_has_changed_is_refused(tool: str) -> None:
    """Nobody is asked about it."""
    gateway = FakeGateway()
    gateway.upstream.tools = [{**READ, "description": "x"}, {**PAY, "inputSchema": {}}]
    assert "has changed since it was mapped" in text(await gateway.call(tool, PAYMENT))
    gateway.upstream.tools = []
    gateway = FakeGateway()
    gateway.upstream.tools = []
    assert "no longer offered by its server" in text(await gateway.call(tool, PAYMENT))
    assert (gateway.upstream.calls(), gateway.person.asked) == ([], [])
    assert gateway.log[0]["outcome"] == "changed"


async def test_a_tool_that_is_not_in_the_file_is_refused() -> None:
    """Its name is cut and cleaned in the log."""
    gateway = FakeGateway()
    answer = await gateway.call("a\n\u202e" + "b" * 1000, {})
    assert "not offered here" in text(answer)
    assert gateway.upstream.got == []
    assert gateway.log[0]["tool"] == "a " + "b" * 497


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(200, content=b" " * 3000, headers=STREAM), "cut off after 2000 bytes"),
        (httpx.Response(200, content=b"x" * 3000), "cut off after 2000 bytes"),
        (httpx.Response(200, content=b"<html>evil"), "with status 200 and no valid JSON-RPC"),
        (httpx.Response(200, content=b"data: evil\n\n", headers=STREAM), "with status 200"),
        (httpx.Response(401, headers={"www-authenticate": "Bearer evil"}), "with status 401"),
        (httpx.Response(302, headers={"location": "http://evil.example"}), "with status 302"),
        (httpx.Response(500, content=b"<html>evil"), "with status 500"),
        (httpx.Response(404, content=b"<html>evil"), "with status 404"),
        (httpx.Response(405), "check its URL and credential"),
    ],
)
@pytest.mark.parametrize("tool", ["read", "pay"])
async def test_an_answer_that_is_none_is_an_error(
    answer: httpx.Response, error: str, tool: str
) -> None:
    """Nothing of it reaches the client; after an approval the text says that it may have run."""
    gateway = FakeGateway(max_bytes=2000)
    gateway.person.answered.set()
    gateway.upstream.answers["tools/call"] = answer
    response = await gateway.send(request("tools/call", name=tool, arguments=PAYMENT))
    said = response.text
    passed = tool == "read" and answer.status_code in {404, 405}
    assert response.status_code == (answer.status_code if passed else 200)
    assert error in said
    assert "evil" not in said + str(response.headers)
    assert ("It may have run" in said) is (tool == "pay")
    assert (len(gateway.upstream.calls()), gateway.log[0]["outcome"]) == (1, "failed")


@pytest.mark.parametrize("streams", [False, True])
async def test_an_upstream_server_that_is_silent_is_given_up(*, streams: bool) -> None:
    """In the time that the file says."""
    gateway = FakeGateway(timeout=0.1)

    kind = STREAM if streams else {}
    gateway.upstream.answers["tools/list"] = httpx.Response(200, stream=_Silent(), headers=kind)
    answer = await gateway.call("read", {})
    assert "silent for 0.1 s" in answer["error"]["message"]


async def test_a_stream_that_is_silent_ends_with_an_error() -> None:
    """What came before has passed."""
    gateway = FakeGateway(timeout=0.1)
    gateway.upstream.answers["tools/call"] = httpx.Response(200, stream=_Silent(), headers=STREAM)
    response = await gateway.send(request("tools/call", name="read", arguments={}))
    assert response.text.startswith(": hi\n\n")
    assert "silent for 0.1 s" in last(response)["error"]["message"]
    assert gateway.log[0]["outcome"] == "failed"


async def test_a_request_ends_when_its_client_is_gone() -> None:
    """Its connection to the upstream server is closed."""
    gateway = FakeGateway()
    silent = _Silent()
    gateway.upstream.answers["GET"] = httpx.Response(200, stream=silent, headers=STREAM)
    sent = await _send_and_leave(gateway, "GET")
    assert sent[0]["status"] == 200
    assert silent.closed


async def test_a_client_may_leave_before_the_end_of_the_stream() -> None:
    """It has its response, so the call was forwarded."""
    gateway = FakeGateway()
    response = b'data: {"jsonrpc": "2.0", "id": 1, "result": {"content": []}}\n\n'
    silent = _Silent(response)
    gateway.upstream.answers["tools/call"] = httpx.Response(200, stream=silent, headers=STREAM)
    call = request("tools/call", name="read", arguments={})
    sent = await _send_and_leave(gateway, "POST", json.dumps(call).encode())
    assert b"result" in sent[1]["body"]
    assert gateway.log[-1]["outcome"] == "forwarded"


async def _send_and_leave(gateway: FakeGateway, method: str, body: bytes = b"") -> list[Any]:
    """Send a request, and disconnect when the first part of its response comes."""
    headers = {"authorization": f"Bearer {gateway.token()}", **ACCEPT}
    scope = {
        "type": "http",
        "method": method,
        "path": "/mcp",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    requests = iter([{"type": "http.request", "body": body, "more_body": False}] if body else [])
    sent: list[Any] = []
    has_body = asyncio.Event()

    async def receive() -> Any:
        if (found := next(requests, None)) is not None:
            return found
        await has_body.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message.get("body"):
            has_body.set()

    async with asyncio.timeout(5):
        await gateway.app(scope, receive, send)
    return sent


@pytest.mark.parametrize("tool", ["read", "pay"])
async def test_a_client_learns_that_the_upstream_server_has_ended_its_session(tool: str) -> None:
    """It begins another, and nobody is asked before that."""
    gateway = FakeGateway()
    opened = await gateway.send(request("initialize"))
    session = {"mcp-session-id": opened.headers["mcp-session-id"]}
    gateway.upstream.answers["tools/list"] = httpx.Response(404, json={"id": None, "error": {}})
    call = request("tools/call", name=tool, arguments=PAYMENT)
    assert (await gateway.send(call, headers=session)).status_code == 404
    assert (gateway.person.asked, gateway.upstream.calls()) == ([], [])


async def test_an_error_of_http_passes_without_its_page() -> None:
    """A stream that is not offered, or a session that has ended."""
    gateway = FakeGateway()
    for status, body in ((404, b"<html>evil"), (405, b""), (202, b"")):
        gateway.upstream.answers["GET"] = httpx.Response(status, content=body)
        response = await gateway.send(b"", method="GET")
        assert (response.status_code, response.content) == (status, b"")
    gateway.upstream.answers["GET"] = httpx.Response(500)
    assert (await gateway.send(b"", method="GET")).status_code == 502
    assert (await gateway.send(b"", method="PUT")).status_code == 405
