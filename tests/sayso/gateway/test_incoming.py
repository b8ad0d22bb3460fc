"""Requests that the gateway refuses, and the error that the client gets."""

import json
from typing import Any

import httpx
import pytest

from sayso.gateway.incoming import check_origin
from sayso.rejection import Rejected
from tests.support.fakes.gateway import FakeGateway, request

STREAM = {"content-type": "text/event-stream"}


@pytest.mark.parametrize(
    ("headers", "params", "code"),
    [
        ({"mcp-method": "tools/list"}, {}, -32020),
        ({"mcp-name": "pay"}, {}, -32020),
        ({}, {"requestState": "x"}, -32602),
    ],
)
async def test_a_refused_message_gets_a_json_rpc_error_with_its_id(
    headers: dict[str, str], params: dict[str, Any], code: int
) -> None:
    """The response is 400 with a JSON-RPC error (SEP-2243)."""
    gateway = FakeGateway()
    call = request("tools/call", name="read", arguments={}, **params)
    refused = await gateway.send(call, headers=headers)
    body = refused.json()
    assert (refused.status_code, body["jsonrpc"], body["id"]) == (400, "2.0", 7)
    assert body["error"]["code"] == code


@pytest.mark.parametrize(
    ("resource", "origin", "passes"),
    [
        ("https://mcp.example/mcp", None, True),
        ("https://mcp.example/mcp", "https://mcp.example", True),
        ("https://mcp.example/mcp", "http://mcp.example", False),
        ("https://mcp.example/mcp", "https://mcp.example:8443", False),
        ("https://mcp.example/mcp", "https://evil.example", False),
        ("https://mcp.example/mcp", "http://localhost:6274", False),
        ("https://mcp.example/mcp", "null", False),
        ("http://localhost:8480/mcp", "http://127.0.0.1:6274", True),
        ("http://localhost:8480/mcp", "http://evil.example:8480", False),
        ("http://localhost:8480/mcp", "http://[", False),
        ("http://localhost:8480/mcp", "http://localhost.evil.example", False),
    ],
)
def test_only_a_page_of_the_same_origin_may_call(
    resource: str, origin: str | None, *, passes: bool
) -> None:
    """A program sends no Origin header, and a page can send only its own."""
    headers = [] if origin is None else [(b"origin", origin.encode())]
    if passes:
        check_origin({"headers": headers}, resource)
    else:
        with pytest.raises(Rejected) as refused:
            check_origin({"headers": headers}, resource)
        assert refused.value.status == 403


async def test_a_page_of_a_different_site_is_refused_despite_its_token() -> None:
    """The request is refused with 403, and nothing reaches the upstream server."""
    gateway = FakeGateway()
    headers = {"origin": "http://evil.example"}
    assert (await gateway.send(request("tools/list"), headers=headers)).status_code == 403
    assert gateway.upstream.got == []


async def test_an_event_without_data_keeps_its_id() -> None:
    """A client resumes from this ID, and it reads only events that have a data line."""
    gateway = FakeGateway()
    message = {"jsonrpc": "2.0", "id": 7, "result": {}}
    stream = f"id: 1\ndata: \n\nid: 2\ndata: {json.dumps(message)}\n\n"
    gateway.upstream.answers["ping"] = httpx.Response(200, content=stream, headers=STREAM)
    answer = await gateway.send(request("ping"))
    assert answer.text.startswith("id: 1\ndata: \n\n")
