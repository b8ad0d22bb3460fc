"""The guard of an MCP server's tools, with a fake agent and a fake guard."""

import asyncio
import inspect
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel

from sayso import Denied, Refused, Rejected, Unreachable, asgi, open_calls
from sayso.approved import read_approved
from sayso.mcp import Tools
from tests.support.fakes.issuer import AGENT, API, ISSUER, USER, FakeIssuer

PAY = {"payee": "Nordwind", "minor": 5}


class FakePerson:
    """Stands in for the user and the record of consumed approvals, as `Tools` sees them."""

    def __init__(self, wait: float = 5.0) -> None:
        self.tools = Tools(ISSUER, API, credentials=("a", "b"), agent=("c", "d"), wait=wait)
        self.tools.agent = self  # type: ignore[assignment]  # asks in its place
        self.tools.use = self.use  # type: ignore[method-assign]  # as above
        self.keys: list[str] = []
        self.options: list[dict[str, Any]] = []
        self.refusal: Refused | None = None
        """The error for a request that has the token of a call."""
        self.was_asked = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.answers: dict[str, asyncio.Future[Any]] = {}
        self.expired: set[str] = set()
        """The keys of requests that expired before they were sent again."""
        self.used: list[str] = []
        self.ran: list[Any] = []
        self.pay = self.tools.high("payment.transfer")(self._paying())

    def _paying(self) -> Callable[..., Any]:
        async def pay(payee: str, minor: int) -> str:
            self.ran.append((payee, minor))
            await self.may_end.wait()
            return f"paid {minor}"

        return pay

    async def ask(self, _user: str, action: dict[str, Any], **options: Any) -> Any:
        """Wait until the test decides the request with this key."""
        if self.refusal is not None and "caller_token" in options:
            raise self.refusal
        self.options.append(options)
        key = options["idempotency_key"]
        self.keys.append(key)
        self.was_asked.set()
        options["on_asked"](
            SimpleNamespace(fingerprint="9f3a-71c0", expires_in=1 if key in self.expired else 600)
        )
        answer = self.answers.setdefault(key, asyncio.get_running_loop().create_future())
        granted = await asyncio.shield(answer)
        return SimpleNamespace(key=key, granted={**action, **granted})

    async def use(self, approved: Any, _caller: Any) -> Any:
        """Consume an approval, which works once."""
        if approved.key in self.used:
            raise Rejected(409, "already_consumed", "used")
        self.used.append(approved.key)
        return approved.granted

    async def approve(self, number: int = 0, **limits: Any) -> None:
        """Approve the request with this index, once it was made."""
        async with asyncio.timeout(5):
            while len(self.keys) <= number:
                self.was_asked.clear()
                await self.was_asked.wait()
        self.answers[self.keys[number]].set_result(limits)

    def call(self, user: str | None = USER, arguments: Any = None, **context: Any) -> Any:
        """Call the tool as this user."""
        caller = SimpleNamespace(user=user, client="app", token="of-the-call")
        request = SimpleNamespace(scope={"sayso.caller": caller})
        session = SimpleNamespace(client_capabilities=context.pop("client_capabilities", None))
        request_context = SimpleNamespace(
            request=request, session=session, protocol_version=context.pop("protocol_version", None)
        )
        made = SimpleNamespace(request_context=request_context, report_progress=_nothing, **context)
        return asyncio.ensure_future(self.pay(**(arguments or PAY), mcp_context=made))


async def _nothing(*_: object) -> None:
    pass


async def test_identical_calls_ask_once_and_run_once() -> None:
    """Both calls get the result, and a later identical call asks again."""
    person = FakePerson()
    calls = [person.call(), person.call()]
    await person.approve()
    assert await asyncio.gather(*calls) == ["paid 5", "paid 5"]
    assert (len(person.keys), person.ran) == (1, [("Nordwind", 5)])
    later = person.call()
    await person.approve(1)
    assert await later == "paid 5"
    assert (len(set(person.keys)), len(person.ran)) == (2, 2)


async def test_the_tool_runs_with_what_was_granted() -> None:
    """The granted arguments may be less than those of the call."""
    person = FakePerson()
    call = person.call()
    await person.approve(minor=3)
    assert await call == "paid 3"


async def test_a_repeated_call_joins_its_request() -> None:
    """The decision is kept, and the tool runs only while a call waits for it."""
    person = FakePerson(wait=0.05)
    with pytest.raises(ToolError, match=r"Approval pending \(9f3a-71c0\).*same arguments"):
        await person.call()
    await person.approve()
    await asyncio.sleep(0.05)
    assert person.ran == []
    assert await person.call() == "paid 5"
    assert len(person.keys) == 1


async def test_a_disconnected_client_gets_the_result_when_it_calls_again() -> None:
    """The client may disconnect during the decision or while the tool runs; the tool runs once."""
    person = FakePerson()
    person.may_end.clear()
    for awaited in (person.was_asked.is_set, lambda: person.ran):
        cancelled = person.call()
        while not awaited():  # noqa: ASYNC110  # until it is inside
            await asyncio.sleep(0.01)
        cancelled.cancel()
        if not person.ran:
            await person.approve()
    repeated = person.call()
    await asyncio.sleep(0.05)
    person.may_end.set()
    assert await repeated == "paid 5"
    assert (len(person.keys), len(person.ran)) == (1, 1)


async def test_an_approval_is_only_for_its_arguments_and_its_user() -> None:
    """A call with different arguments or a different user creates a request of its own."""
    person = FakePerson(wait=0.05)
    for _ in range(2):
        with pytest.raises(ToolError, match="pending"):
            await person.call()
    await person.approve()
    for user, arguments in ((USER, {**PAY, "minor": 6}), ("eve", PAY)):
        with pytest.raises(ToolError, match="pending"):
            await person.call(user, arguments)
    assert person.ran == []
    assert len(set(person.keys)) == 3


async def test_the_state_of_a_different_call_is_refused() -> None:
    """The state must belong to exactly this call of this user."""
    person = FakePerson(wait=0.05)
    with pytest.raises(ToolError, match="a different call"):
        await person.call(request_state="of-eve")
    assert person.keys == []


async def test_a_user_who_declines_the_url_can_approve_elsewhere() -> None:
    """The repeated call is told to come back with the same arguments."""
    person = FakePerson(wait=0.05)
    shows = SimpleNamespace(elicitation=SimpleNamespace(url=object()))
    modern = {"client_capabilities": shows, "protocol_version": "2026-07-28"}
    first = await person.call(**modern)
    assert first.input_requests["approval"].params.url == f"{ISSUER}/"
    declined = {"approval": SimpleNamespace(action="decline")}
    retry = {"request_state": first.request_state, "input_responses": declined}
    with pytest.raises(ToolError, match="same arguments"):
        await person.call(**modern, **retry)
    await person.approve()
    assert await person.call() == "paid 5"
    assert len(person.keys) == 1


class OtherContext:
    """The context that a different framework passes to a tool."""


class OtherError(Exception):
    """The error that a tool of a different framework raises."""


class OtherTools(Tools):
    """Tools for a framework that does not pass MCP errors on."""

    context_class, error_class, passes_errors = OtherContext, OtherError, False


async def test_a_different_framework_gets_its_own_context_and_errors() -> None:
    """Its clients get a text, because the framework would drop the URL."""
    person = FakePerson(wait=0.05)
    person.tools.__class__ = OtherTools
    person.pay = person.tools.high("payment.transfer")(person._paying())
    signature = inspect.signature(person.pay)
    assert signature.parameters["mcp_context"].annotation is OtherContext
    shows = SimpleNamespace(elicitation=SimpleNamespace(url=object()))
    with pytest.raises(OtherError, match="same arguments"):
        await person.call(client_capabilities=shows, protocol_version="2025-11-25")
    with pytest.raises(OtherError, match="no person has signed in"):
        await person.call(user=None)


async def test_an_approval_consumed_before_a_restart_is_requested_again() -> None:
    """The tool never runs twice for one approval."""
    person = FakePerson()
    first = person.call()
    await person.approve()
    await first
    restarted = FakePerson()
    restarted.used, restarted.answers = person.used, person.answers
    repeated = restarted.call()
    await restarted.approve(1)
    assert await repeated == "paid 5"
    assert restarted.keys[0] == person.keys[0] != restarted.keys[1]


@pytest.mark.parametrize("is_expired", [True, False])
async def test_a_denial_before_a_restart_counts_until_its_request_expires(
    *, is_expired: bool
) -> None:
    """Otherwise a call that was denied last week would be denied now, and nobody would be asked."""
    person = FakePerson()
    first = person.call()
    await asyncio.sleep(0.05)
    person.answers[person.keys[0]].set_exception(Denied({"deny_code": "too_broad"}))
    with pytest.raises(ToolError, match="too_broad"):
        await first
    restarted = FakePerson()
    restarted.answers, restarted.expired = person.answers, set(person.keys if is_expired else ())
    repeated = restarted.call()
    if is_expired:
        await restarted.approve(1)
        assert await repeated == "paid 5"
    else:
        with pytest.raises(ToolError, match="too_broad"):
            await repeated


async def test_a_restarted_process_skips_all_approvals_that_were_used() -> None:
    """A call that is repeated every day must not fail after a restart."""
    person = FakePerson()
    for number in range(25):
        call = person.call()
        await person.approve(number)
        await call
    restarted = FakePerson()
    restarted.used, restarted.answers = person.used, person.answers
    repeated = restarted.call()
    await restarted.approve(25)
    assert await repeated == "paid 5"


async def test_a_request_is_kept_while_the_server_is_unreachable() -> None:
    """Any other error ends the request, and the next call has a new key."""
    person = FakePerson()
    for error in (Unreachable("away"), Refused("access_denied", "no", {})):
        call = person.call()
        await asyncio.sleep(0.05)
        person.answers.pop(person.keys[-1]).set_exception(error)
        with pytest.raises(ToolError, match=str(error).partition(" ")[0]):
            await call
    call = person.call()
    await person.approve(2)
    await call
    assert person.keys[0] == person.keys[1] != person.keys[2]


async def test_an_approval_that_could_not_be_consumed_is_kept_for_the_next_call() -> None:
    """The server was unreachable when the approval should have been consumed."""
    person = FakePerson()
    use, errors = person.tools.use, [Rejected(503, "temporarily_unavailable", "away")]

    async def fail_once(*arguments: Any) -> Any:
        if errors:
            raise errors.pop()
        return await use(*arguments)

    person.tools.use = fail_once  # type: ignore[method-assign]  # once
    call = person.call()
    await person.approve()
    with pytest.raises(ToolError, match="away"):
        await call
    assert await person.call() == "paid 5"
    assert len(set(person.keys)) == 1


async def test_a_forgotten_request_is_found_again_by_its_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The number of remembered requests is limited, but the key of a call is always the same."""
    monkeypatch.setattr(open_calls, "_MAX_OPEN", 1)
    person = FakePerson(wait=0.05)
    for arguments in (PAY, {**PAY, "minor": 6}, PAY):
        with pytest.raises(ToolError, match="pending"):
            await person.call(arguments=arguments)
    assert len(person.keys) == 3
    assert person.keys[0] == person.keys[2]


async def test_an_approval_that_came_too_late_is_requested_again_by_the_next_call() -> None:
    """The token has expired, and the error tells the model to call again."""
    person = FakePerson()

    async def refuse_as_expired(*_: object) -> Any:
        raise Rejected(401, "invalid_token", "The token has expired.")

    person.tools.use = refuse_as_expired  # type: ignore[method-assign]  # of this approval
    call = person.call()
    await person.approve()
    with pytest.raises(ToolError, match="Call again to send a new request"):
        await call
    assert person.ran == []


async def test_a_call_for_no_user_is_refused() -> None:
    """An agent that acts for itself has no user, and a call without HTTP has no token."""
    person = FakePerson()
    with pytest.raises(ToolError, match="no person has signed in"):
        await person.call(user=None)
    alone = SimpleNamespace(request_context=SimpleNamespace(request=None))
    with pytest.raises(ToolError, match="protect"):
        await person.pay(**PAY, mcp_context=alone)
    assert person.keys == []


class Amount(BaseModel):
    """An amount, as a tool receives it."""

    minor: int


async def test_a_tool_keeps_its_schema_its_context_and_its_types() -> None:
    """The server passes its context, and arguments arrive as Pydantic models."""
    person, mcp = FakePerson(), MCPServer("bank")
    received: list[Any] = []

    def refund(amount: Amount, ctx: Context[Any, Any], note: str | None = None) -> str:
        """Pay back."""
        received.extend([amount, ctx, note])
        return "done"

    tool = person.tools.high("payment.transfer")(refund)
    mcp.tool()(tool)
    (listed,) = await mcp.list_tools()
    assert set(listed.input_schema["properties"]) == {"amount", "note"}
    assert listed.description == "Pay back."
    caller = SimpleNamespace(user=USER, client="app", token="of-the-call")
    request = SimpleNamespace(scope={"sayso.caller": caller})
    session = SimpleNamespace(report_progress=_nothing)
    request_context: Any = SimpleNamespace(request=request, session=session)
    context = Context[Any, Any](request_context=request_context, mcp_server=mcp)
    call = asyncio.ensure_future(mcp.call_tool("refund", {"amount": {"minor": 7}}, context))
    await person.approve(amount={"minor": 4})
    await call
    assert received == [Amount(minor=4), context, None]


async def test_a_request_has_the_token_of_the_call() -> None:
    """The token names the caller, so the message names only the tool."""
    person = FakePerson()
    call = person.call()
    await person.approve()
    assert await call == "paid 5"
    assert [option["caller_token"] for option in person.options] == ["of-the-call"]
    assert [option["message"] for option in person.options] == ["Tool pay"]


async def test_an_agent_that_does_not_serve_the_api_names_the_client_in_its_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log tells the operator what is missing in the registration."""
    person = FakePerson()
    person.refusal = Refused("invalid_request", "no", {"reason": "not_served"})
    call = person.call()
    await person.approve()
    assert await call == "paid 5"
    (options,) = person.options
    assert options["message"] == "Tool pay, called by app"
    assert "caller_token" not in options
    assert f"--serves {API}" in caplog.text


async def test_any_other_refusal_of_the_token_fails_the_call() -> None:
    """If the caller's token was revoked, no request is made without the token."""
    person = FakePerson()
    person.refusal = Refused("expired_login_hint_token", "over", {})
    with pytest.raises(ToolError, match="over"):
        await person.call()
    assert person.options == []


def test_a_high_risk_tool_requires_an_agent() -> None:
    """The error is raised when the tool is decorated. A parameter named `type` is refused too."""
    with pytest.raises(TypeError, match="agent="):
        Tools(ISSUER, API, credentials=("a", "b")).high("payment.transfer")(FakePerson._paying)
    with pytest.raises(TypeError, match="named type"):
        FakePerson().tools.high("payment.transfer")(lambda type: type)  # noqa: A006  # the mistake


@pytest.fixture
def guarded() -> tuple[asgi.App, list[str], FakeIssuer]:
    """An app behind two marked tools, and the bodies that reach it."""
    issuer, reached = FakeIssuer(), list[str]()
    tools = Tools(ISSUER, API)
    tools.guard._http = issuer.async_http
    tools.medium("notes:write", name="write")(FakePerson._paying)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        token = get_access_token()
        assert token is not None
        assert (token.subject, token.client_id, token.claims["iss"]) == (USER, AGENT, ISSUER)
        message = await receive()
        reached.append(message["body"].decode())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return tools.protect(app), reached, issuer


@pytest.mark.parametrize("someone", [USER, "sayso_us_eve"])
async def test_an_approval_is_valid_only_for_the_user_of_the_call(someone: str) -> None:
    """The user of the approval's token must be the user of the call's token."""
    issuer, tools = FakeIssuer(), Tools(ISSUER, API, credentials=("a", "b"))
    tools.guard._http = issuer.async_http
    claim = {"id": "a", "action_digest": "b", "granted_digest": "c", "single_use": True}
    payment = {"type": "payment.transfer", **PAY}
    token = issuer.token(approval=claim, authorization_details=[payment])
    approved = read_approved({"access_token": token, "authorization_details": [payment]}, None)
    caller: Any = SimpleNamespace(user=someone)
    if someone == USER:
        assert await tools.use(approved, caller) == payment
    else:
        with pytest.raises(Rejected, match="A different person"):
            await tools.use(approved, caller)
    assert ("/api/approvals/consume" in issuer.asked) == (someone == USER)


async def test_a_missing_scope_is_refused_before_the_app(guarded: Any) -> None:
    """Bodies that cannot be read are refused too."""
    app, reached, issuer = guarded
    call = json.dumps({"method": "tools/call", "params": {"name": "write"}})
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=API) as http:

        async def post(body: str, scope: str) -> httpx.Response:
            token = issuer.token(scope=scope)
            return await http.post("/", content=body, headers={"Authorization": f"Bearer {token}"})

        refused = await post(call, "notes:read")
        assert refused.status_code == 403
        assert 'scope="notes:write"' in refused.headers["WWW-Authenticate"]
        assert (await post(f"[{call}]", "notes:read")).status_code == 403
        assert (await post("{", "notes:write")).status_code == 400
        assert (await post(" " * 5_000_000, "notes:write")).status_code == 413
        assert reached == []
        assert (await post(call, "notes:write")).status_code == 200
        unmarked = call.replace("write", "other")
        assert (await post(unmarked, "notes:read")).status_code == 200
        assert reached == [call, unmarked]
