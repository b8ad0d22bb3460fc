"""Calls through the gateway that a person approves."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from sayso.errors import Denied, Unreachable
from tests.support.fakes.gateway import (
    ACCEPT,
    PAY,
    READ,
    FakeGateway,
    request,
    text,
)
from tests.support.fakes.issuer import AGENT, USER

PAYMENT = {"to": "Nordwind", "amount": 5}
MODERN = "2026-07-28"


def _started(gateway: FakeGateway, tool: str = "pay", **params: Any) -> asyncio.Future[Any]:
    return asyncio.ensure_future(gateway.call(tool, params.pop("arguments", PAYMENT), **params))


async def _asked(gateway: FakeGateway, number: int = 1) -> None:
    async with asyncio.timeout(5):
        while len(gateway.person.asked) < number:
            gateway.person.was_asked.clear()
            await gateway.person.was_asked.wait()


async def test_an_approved_call_runs_once_with_what_was_granted() -> None:
    """The arguments are the facts; two calls that are one get the same result."""
    gateway = FakeGateway()
    gateway.person.less = {"amount": 3}
    calls = [_started(gateway), _started(gateway)]
    await _asked(gateway)
    gateway.person.answered.set()
    for answer in await asyncio.gather(*calls):
        assert (answer["id"], text(answer)) == (7, "done")
    asked = {"type": "payment.transfer", "payee": "Nordwind", "amount": 5}
    assert gateway.person.asked == [(USER, asked)]
    assert gateway.upstream.calls() == [{"name": "pay", "arguments": {**PAYMENT, "amount": 3}}]
    assert gateway.issuer.asked.count("/api/approvals/consume") == 1
    assert {(record["outcome"], record["approval"]) for record in gateway.log} == {
        ("forwarded", "sayso_ap_1")
    }


async def test_a_call_shows_signs_of_life_while_it_waits() -> None:
    """Progress if the client wants it, else a comment."""
    gateway = FakeGateway()
    gateway.person.answered.set()
    signs = []
    for meta in ({"progressToken": 1}, {}):
        message = request("tools/call", name="pay", arguments=PAYMENT, _meta=meta)
        signs.append((await gateway.send(message)).text.splitlines()[0])
    assert "notifications/progress" in signs[0]
    assert signs[1] == ": waiting"
    assert gateway.upstream.calls()[0] == {"name": "pay", "arguments": PAYMENT}


async def test_other_arguments_or_another_user_after_the_yes_get_nothing() -> None:
    """Each is a request of its own."""
    gateway = FakeGateway(wait=0.1)
    assert "Approval pending (9f3a-71c0)" in text(await gateway.call("pay", PAYMENT))
    eve = gateway.token(sub="sayso_us_eve")
    other = gateway.token(client_id="other")
    for arguments, token in (({**PAYMENT, "amount": 6}, None), (PAYMENT, eve), (PAYMENT, other)):
        assert "pending" in text(await gateway.call("pay", arguments, token))
    assert len(set(gateway.person.keys)) == 4
    assert gateway.upstream.calls() == []
    gateway.person.answered.set()
    await asyncio.sleep(0.05)
    assert gateway.upstream.calls() == []
    assert text(await gateway.call("pay", PAYMENT)) == "done"
    assert (len(gateway.person.keys), len(gateway.upstream.calls())) == (4, 1)


async def test_an_answer_that_was_used_does_not_count_again() -> None:
    """As after a restart of the gateway: the next request has another key."""
    gateway = FakeGateway()
    used = httpx.Response(409, json={"code": "already_consumed", "detail": "used"})
    gateway.issuer.consumption = used
    gateway.person.answered.set()
    call = _started(gateway)
    await _asked(gateway, 2)
    gateway.issuer.consumption = None
    await call
    assert len(set(gateway.person.keys)) == len(gateway.person.keys) > 1
    assert len(gateway.upstream.calls()) == 1


async def test_an_answer_for_another_person_does_not_count() -> None:
    """The token of the answer says for whom it is."""
    gateway = FakeGateway()
    gateway.person.user = "sayso_us_eve"
    gateway.person.answered.set()
    assert "Another person" in text(await gateway.call("pay", PAYMENT))
    assert gateway.upstream.calls() == []


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Denied({"deny_code": "suspicious", "note": "No\n!"}), "suspicious"),
        (Unreachable("away"), "failed"),
    ],
)
async def test_without_a_yes_nothing_runs(error: Exception, outcome: str) -> None:
    """The model reads why."""
    gateway = FakeGateway()
    gateway.person.error = error
    gateway.person.answered.set()
    answer = await gateway.call("pay", PAYMENT)
    assert (text(answer), answer["result"]["isError"]) == (str(error), True)
    assert gateway.upstream.calls() == []
    assert gateway.log[0]["outcome"] == outcome


async def test_a_call_without_a_person_asks_nobody() -> None:
    """An agent that acts for itself."""
    gateway = FakeGateway()
    answer = await gateway.call("pay", PAYMENT, gateway.token(sub=AGENT, act=None))
    assert "nobody has" in text(answer)
    assert gateway.person.asked == []


async def test_arguments_that_hide_another_are_refused() -> None:
    """Before anyone is asked."""
    gateway = FakeGateway()
    assert "same member" in text(await gateway.call("pay", {**PAYMENT, "payee": "M"}))
    assert gateway.person.asked == []


async def test_a_client_that_shows_urls_is_told_to_come_back_as_its_version_says() -> None:
    """By the session's capabilities, or by those of the request; the state gives no right."""
    gateway = FakeGateway(wait=0.1)
    shows = {"elicitation": {"url": {}}}
    opened = await gateway.send(request("initialize", capabilities=shows))
    old = {
        "mcp-session-id": opened.headers["mcp-session-id"],
        "mcp-protocol-version": "2025-11-25",
    }
    assert (await gateway.call("pay", PAYMENT, headers=old))["error"]["code"] == -32042
    meta = {"io.modelcontextprotocol/clientCapabilities": shows}
    modern = {"headers": {"mcp-protocol-version": MODERN}, "_meta": meta}
    result = (await gateway.call("pay", PAYMENT, **modern))["result"]
    assert result["inputRequests"]["approval"]["params"]["url"] == "https://sayso.example/"
    back = {**modern, "requestState": result["requestState"]}
    declined = {"approval": {"action": "decline"}}
    told = await gateway.call("pay", PAYMENT, **back, inputResponses=declined)
    assert "exactly the same arguments" in text(told)
    assert told["result"]["resultType"] == "complete"
    for arguments, state in (
        ({**PAYMENT, "amount": 6}, result["requestState"]),
        (PAYMENT, "x"),
        (PAYMENT, ["x"]),
    ):
        wrong = await gateway.call("pay", arguments, **{**modern, "requestState": state})
        assert "another call" in text(wrong)
    gateway.person.answered.set()
    assert text(await gateway.call("pay", PAYMENT, **back)) == "done"
    assert len(gateway.person.asked) == 1


async def test_a_tool_that_changes_while_a_person_decides_does_not_run() -> None:
    """The approval stays unused."""
    gateway = FakeGateway()
    call = _started(gateway)
    await _asked(gateway)
    gateway.upstream.tools = [READ, {**PAY, "description": "Pay twice."}]
    await gateway.send(request("tools/list"))
    gateway.person.answered.set()
    assert "has changed" in text(await call)
    assert gateway.upstream.calls() == []
    assert "/api/approvals/consume" not in gateway.issuer.asked


async def test_a_call_whose_client_is_gone_does_not_run_until_it_comes_back() -> None:
    """The same call then joins the request, and gets the result."""
    gateway = FakeGateway()
    bearer = f"Bearer {gateway.token()}".encode()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/mcp",
        "query_string": b"",
        "headers": [(b"authorization", bearer), (b"accept", ACCEPT["accept"].encode())],
    }
    body = json.dumps(request("tools/call", name="pay", arguments=PAYMENT)).encode()
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        if (found := next(messages, None)) is not None:
            return found
        await gateway.person.was_asked.wait()
        return {"type": "http.disconnect"}

    async def send(_: object) -> None:
        pass

    async with asyncio.timeout(5):
        await gateway.app(scope, receive, send)
    assert gateway.log[-1]["outcome"] == "client_gone"
    gateway.person.answered.set()
    await asyncio.sleep(0.05)
    assert gateway.upstream.calls() == []
    assert text(await gateway.call("pay", PAYMENT)) == "done"
    assert (len(gateway.person.asked), len(gateway.upstream.calls())) == (1, 1)
