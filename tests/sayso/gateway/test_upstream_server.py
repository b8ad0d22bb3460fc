"""The gateway with an upstream server that lies, is silent or fails."""

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
    """A body that starts and then stays silent."""

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
    """No user is asked about a tool that changed or is no longer offered."""
    gateway = FakeGateway()
    gateway.upstream.tools = [{**READ, "description": "x"}, {**PAY, "inputSchema": {}}]
    assert "has changed since it was mapped" in text(await gateway.call(tool, PAYMENT))
    gateway.upstream.tools = []
    gateway = FakeGateway()
    gateway.upstream.tools = []
    assert "no longer offered by its server" in text(await gateway.call(tool, PAYMENT))
    assert (gateway.upstream.calls(), gateway.person.asked) == ([], [])
    assert gateway.log[0]["outcome"] == "changed"


async def test_an_endless_tool_list_is_an_error() -> None:
    """The rest of the list could define the tool again, so the call is refused."""
    gateway = FakeGateway()
    gateway.upstream.results["tools/list"] = {"tools": [READ], "nextCursor": "again"}
    answer = await gateway.call("read", {})
    assert "tool list does not end after 100 pages" in answer["error"]["message"]
    assert gateway.upstream.calls() == []


async def test_requests_of_the_gateway_have_different_ids() -> None:
    """MCP forbids using an ID twice in a session."""
    gateway = FakeGateway()
    gateway.upstream.results["tools/list"] = {"tools": [], "nextCursor": "again"}
    await gateway.call("read", {})
    ids = [message["id"] for _, message in gateway.upstream.got]
    assert len(ids) == len(set(ids)) == 100


async def test_a_tool_that_is_not_in_the_file_is_refused() -> None:
    """In the log, its name is shortened and has no control characters."""
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
async def test_an_invalid_response_is_an_error(
    answer: httpx.Response, error: str, tool: str
) -> None:
    """None of it reaches the client.

    After an approval, the text says that the call may have run.
    """
    gateway = FakeGateway(max_bytes=2000)
    gateway.person.answered.set()
    gateway.upstream.answers["tools/call"] = answer
    response = await gateway.send(request("tools/call", name=tool, arguments=PAYMENT))
    body = response.text
    is_status_kept = tool == "read" and answer.status_code in {404, 405}
    assert response.status_code == (answer.status_code if is_status_kept else 200)
    assert error in body
    assert "evil" not in body + str(response.headers)
    assert ("It may have run" in body) is (tool == "pay")
    assert (len(gateway.upstream.calls()), gateway.log[0]["outcome"]) == (1, "failed")


@pytest.mark.parametrize("streams", [False, True])
async def test_a_silent_upstream_server_times_out(*, streams: bool) -> None:
    """The timeout is the one in the file."""
    gateway = FakeGateway(timeout=0.1)

    kind = STREAM if streams else {}
    gateway.upstream.answers["tools/list"] = httpx.Response(200, stream=_Silent(), headers=kind)
    answer = await gateway.call("read", {})
    assert "did not respond within 0.1 s" in answer["error"]["message"]


async def test_a_silent_stream_ends_with_an_error() -> None:
    """The events before the silence have already been passed on."""
    gateway = FakeGateway(timeout=0.1)
    gateway.upstream.answers["tools/call"] = httpx.Response(200, stream=_Silent(), headers=STREAM)
    response = await gateway.send(request("tools/call", name="read", arguments={}))
    assert response.text.startswith(": hi\n\n")
    assert "did not respond within 0.1 s" in last(response)["error"]["message"]
    assert gateway.log[0]["outcome"] == "failed"


class _Slow(httpx.AsyncByteStream):
    """A stream that keeps sending for longer than the timeout, and then responds."""

    async def __aiter__(self) -> Any:
        for _ in range(6):
            yield b": still running\n\n"
            await asyncio.sleep(0.05)
        response = {"jsonrpc": "2.0", "id": 7, "result": {"content": []}}
        yield f"data: {json.dumps(response)}\n\n".encode()


@pytest.mark.parametrize("tool", ["read", "pay"])
async def test_a_tool_that_keeps_sending_may_take_longer_than_the_timeout(tool: str) -> None:
    """The timeout limits silence, also after an approval; a list of tools is limited as a whole."""
    gateway = FakeGateway(timeout=0.2)
    gateway.person.answered.set()
    gateway.upstream.answers["tools/call"] = httpx.Response(200, stream=_Slow(), headers=STREAM)
    assert (await gateway.call(tool, PAYMENT))["result"] == {"content": []}
    gateway = FakeGateway(timeout=0.2)
    gateway.upstream.answers["tools/list"] = httpx.Response(200, stream=_Slow(), headers=STREAM)
    assert "did not respond within 0.2 s" in (await gateway.call(tool, PAYMENT))["error"]["message"]


async def test_a_request_ends_when_its_client_disconnects() -> None:
    """The gateway closes the connection to the upstream server."""
    gateway = FakeGateway()
    silent = _Silent()
    gateway.upstream.answers["GET"] = httpx.Response(200, stream=silent, headers=STREAM)
    messages = await _send_and_leave(gateway, "GET")
    assert messages[0]["status"] == 200
    assert silent.closed


async def test_a_client_may_disconnect_after_its_response() -> None:
    """The client has its response, so the call is logged as forwarded."""
    gateway = FakeGateway()
    response = b'data: {"jsonrpc": "2.0", "id": 1, "result": {"content": []}}\n\n'
    silent = _Silent(response)
    gateway.upstream.answers["tools/call"] = httpx.Response(200, stream=silent, headers=STREAM)
    call = request("tools/call", name="read", arguments={})
    messages = await _send_and_leave(gateway, "POST", json.dumps(call).encode())
    assert b"result" in messages[1]["body"]
    assert gateway.log[-1]["outcome"] == "forwarded"


async def _send_and_leave(gateway: FakeGateway, method: str, body: bytes = b"") -> list[Any]:
    """Send a request, and disconnect when the first part of its response arrives."""
    headers = {"authorization": f"Bearer {gateway.token()}", **ACCEPT}
    scope = {
        "type": "http",
        "method": method,
        "path": "/mcp",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    requests = iter([{"type": "http.request", "body": body, "more_body": False}] if body else [])
    sent_items: list[Any] = []
    has_body = asyncio.Event()

    async def receive() -> Any:
        if (incoming := next(requests, None)) is not None:
            return incoming
        await has_body.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent_items.append(message)
        if message.get("body"):
            has_body.set()

    async with asyncio.timeout(5):
        await gateway.app(scope, receive, send)
    return sent_items


@pytest.mark.parametrize("tool", ["read", "pay"])
async def test_a_closed_upstream_session_is_reported_as_404(tool: str) -> None:
    """The client then begins a new session, and no user is asked before that."""
    gateway = FakeGateway()
    initialized = await gateway.send(request("initialize"))
    session = {"mcp-session-id": initialized.headers["mcp-session-id"]}
    gateway.upstream.answers["tools/list"] = httpx.Response(404, json={"id": None, "error": {}})
    call = request("tools/call", name=tool, arguments=PAYMENT)
    assert (await gateway.send(call, headers=session)).status_code == 404
    assert (gateway.person.asked, gateway.upstream.calls()) == ([], [])


async def test_an_http_error_is_passed_on_without_its_body() -> None:
    """The status says that streams are not offered or that the session has ended."""
    gateway = FakeGateway()
    for status, body in ((404, b"<html>evil"), (405, b""), (202, b"")):
        gateway.upstream.answers["GET"] = httpx.Response(status, content=body)
        response = await gateway.send(b"", method="GET")
        assert (response.status_code, response.content) == (status, b"")
    gateway.upstream.answers["GET"] = httpx.Response(500)
    assert (await gateway.send(b"", method="GET")).status_code == 502
    assert (await gateway.send(b"", method="PUT")).status_code == 405
