"""Calls through the gateway that a user approves."""

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


def _start_call(gateway: FakeGateway, tool: str = "pay", **params: Any) -> asyncio.Future[Any]:
    return asyncio.ensure_future(gateway.call(tool, params.pop("arguments", PAYMENT), **params))


async def _wait_until_asked(gateway: FakeGateway, number: int = 1) -> None:
    async with asyncio.timeout(5):
        while len(gateway.person.asked) < number:
            gateway.person.was_asked.clear()
            await gateway.person.was_asked.wait()


async def test_an_approved_call_runs_once_with_what_was_granted() -> None:
    """The arguments become the facts, and two identical calls get the same result."""
    gateway = FakeGateway()
    gateway.person.less = {"amount": 3}
    calls = [_start_call(gateway), _start_call(gateway)]
    await _wait_until_asked(gateway)
    gateway.person.answered.set()
    for answer in await asyncio.gather(*calls):
        assert (answer["id"], text(answer)) == (7, "done")
    action = {"type": "payment.transfer", "payee": "Nordwind", "amount": 5}
    assert gateway.person.asked == [(USER, action)]
    assert gateway.upstream.calls() == [{"name": "pay", "arguments": {**PAYMENT, "amount": 3}}]
    assert gateway.issuer.asked.count("/api/approvals/consume") == 1
    assert {(record["outcome"], record["approval"]) for record in gateway.log} == {
        ("forwarded", "sayso_ap_1")
    }


async def test_a_waiting_call_sends_progress_or_comments() -> None:
    """A client that sent a progress token gets progress messages; others get comments."""
    gateway = FakeGateway()
    gateway.person.answered.set()
    first_lines = []
    for meta in ({"progressToken": 1}, {}):
        message = request("tools/call", name="pay", arguments=PAYMENT, _meta=meta)
        first_lines.append((await gateway.send(message)).text.splitlines()[0])
    assert "notifications/progress" in first_lines[0]
    assert first_lines[1] == ": waiting"
    assert gateway.upstream.calls()[0] == {"name": "pay", "arguments": PAYMENT}


async def test_an_approval_is_only_for_its_arguments_user_and_client() -> None:
    """A call with different arguments, user or client creates a request of its own."""
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


async def test_an_approval_that_was_consumed_is_not_used_again() -> None:
    """If the approval was consumed before a restart, the next request has a new key."""
    gateway = FakeGateway()
    conflict = httpx.Response(409, json={"code": "already_consumed", "detail": "used"})
    gateway.issuer.consumption = conflict
    gateway.person.answered.set()
    call = _start_call(gateway)
    await _wait_until_asked(gateway, 2)
    gateway.issuer.consumption = None
    await call
    assert len(set(gateway.person.keys)) == len(gateway.person.keys) > 1
    assert len(gateway.upstream.calls()) == 1


async def test_an_approval_of_a_different_user_does_not_count() -> None:
    """The token of the approval names the user who approved."""
    gateway = FakeGateway()
    gateway.person.user = "sayso_us_eve"
    gateway.person.answered.set()
    assert "A different person" in text(await gateway.call("pay", PAYMENT))
    assert gateway.upstream.calls() == []


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Denied({"deny_code": "suspicious", "note": "No\n!"}), "suspicious"),
        (Unreachable("away"), "failed"),
    ],
)
async def test_a_call_does_not_run_without_an_approval(error: Exception, outcome: str) -> None:
    """The result is an error whose text tells the model the reason."""
    gateway = FakeGateway()
    gateway.person.error = error
    gateway.person.answered.set()
    answer = await gateway.call("pay", PAYMENT)
    assert (text(answer), answer["result"]["isError"]) == (str(error), True)
    assert gateway.upstream.calls() == []
    assert gateway.log[0]["outcome"] == outcome


async def test_a_call_for_no_user_is_refused() -> None:
    """An agent that acts for itself has no user whom the gateway could ask."""
    gateway = FakeGateway()
    answer = await gateway.call("pay", PAYMENT, gateway.token(sub=AGENT, act=None))
    assert "no person has signed in" in text(answer)
    assert gateway.person.asked == []


async def test_arguments_with_the_same_fact_are_refused() -> None:
    """Two arguments that map to one member are refused before anyone is asked."""
    gateway = FakeGateway()
    assert "same member" in text(await gateway.call("pay", {**PAYMENT, "payee": "M"}))
    assert gateway.person.asked == []


async def test_a_client_that_shows_urls_gets_the_url_in_the_way_of_its_version() -> None:
    """The capability may come with the session or with the request. The state grants nothing."""
    gateway = FakeGateway(wait=0.1)
    shows = {"elicitation": {"url": {}}}
    initialized = await gateway.send(request("initialize", capabilities=shows))
    legacy_headers = {
        "mcp-session-id": initialized.headers["mcp-session-id"],
        "mcp-protocol-version": "2025-11-25",
    }
    assert (await gateway.call("pay", PAYMENT, headers=legacy_headers))["error"]["code"] == -32042
    meta = {"io.modelcontextprotocol/clientCapabilities": shows}
    modern = {"headers": {"mcp-protocol-version": MODERN}, "_meta": meta}
    result = (await gateway.call("pay", PAYMENT, **modern))["result"]
    assert result["inputRequests"]["approval"]["params"]["url"] == "https://sayso.example/"
    retry = {**modern, "requestState": result["requestState"]}
    declined = {"approval": {"action": "decline"}}
    after_decline = await gateway.call("pay", PAYMENT, **retry, inputResponses=declined)
    assert "exactly the same arguments" in text(after_decline)
    assert after_decline["result"]["resultType"] == "complete"
    for arguments, state in (
        ({**PAYMENT, "amount": 6}, result["requestState"]),
        (PAYMENT, "x"),
        (PAYMENT, ["x"]),
    ):
        mismatch = await gateway.call("pay", arguments, **{**modern, "requestState": state})
        assert "a different call" in text(mismatch)
    gateway.person.answered.set()
    assert text(await gateway.call("pay", PAYMENT, **retry)) == "done"
    assert len(gateway.person.asked) == 1


async def test_a_tool_that_changes_during_the_decision_does_not_run() -> None:
    """The call is refused although it was approved, and the approval is not consumed."""
    gateway = FakeGateway()
    call = _start_call(gateway)
    await _wait_until_asked(gateway)
    gateway.upstream.tools = [READ, {**PAY, "description": "Pay twice."}]
    await gateway.send(request("tools/list"))
    gateway.person.answered.set()
    assert "has changed" in text(await call)
    assert gateway.upstream.calls() == []
    assert "/api/approvals/consume" not in gateway.issuer.asked


async def test_a_call_whose_client_disconnected_runs_when_it_is_repeated() -> None:
    """The repeated call joins the same request and gets its result."""
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
        if (message := next(messages, None)) is not None:
            return message
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


@pytest.mark.parametrize("number", [7, 8])
async def test_a_canceled_call_stops_waiting_although_its_client_stays_connected(
    number: int,
) -> None:
    """The person may approve later, but nothing runs until the call is repeated."""
    gateway = FakeGateway()
    call = asyncio.ensure_future(gateway.send(request("tools/call", name="pay", arguments=PAYMENT)))
    await _wait_until_asked(gateway)
    cancellation = request("notifications/cancelled", requestId=number)
    del cancellation["id"]
    await gateway.send(cancellation)
    gateway.person.answered.set()
    response = await call
    is_canceled = number == 7
    assert len(gateway.upstream.calls()) == (0 if is_canceled else 1)
    if is_canceled:
        assert "result" not in response.text
        assert text(await gateway.call("pay", PAYMENT)) == "done"
    assert [record["outcome"] for record in gateway.log][-1] == "forwarded"
    assert len(gateway.person.asked) == 1
