"""A gateway in this process, with an issuer, a person and an upstream server set by the test.

Owns: the requests to these parts, and their answers. Never: listens on a socket.
"""

import asyncio
import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import httpx

from sayso import AsyncGuard, Caller
from sayso.approved import Approved, read_approved
from sayso.gateway import config, tools
from sayso.gateway.app import Gateway
from sayso.gateway.config import Exchange, Header
from sayso.gateway.upstream import Upstream
from sayso.rejection import Realm
from tests.support.fakes.issuer import ISSUER, FakeIssuer

RESOURCE = "https://gate.example/mcp"
_URL = "http://upstream.example/mcp"
READ: dict[str, Any] = {"name": "read", "description": "Read.", "inputSchema": {"type": "object"}}
PAY: dict[str, Any] = {"name": "pay", "description": "Pay.", "inputSchema": {"type": "object"}}
ACCEPT = {"accept": "application/json, text/event-stream"}
_FILE = f"""
issuer = "{ISSUER}"
resource = "{RESOURCE}"
credentials_env = "PAIR"
agent_env = "PAIR"
[upstream]
header = "Authorization"
value_env = "HEADER"
[tools.read]
scope = "notes:read"
risk = "low"
digest = "{tools.digest(READ)}"
[tools.pay]
scope = "notes:pay"
risk = "high"
digest = "{tools.digest(PAY)}"
action = "payment.transfer"
members = {{ to = "payee" }}
"""


class FakeUpstream:
    """An MCP server whose answers the test sets."""

    def __init__(self) -> None:
        self.tools: list[Any] = [READ, PAY]
        self.got: list[tuple[httpx.Headers, dict[str, Any]]] = []
        """The headers and the message of each request."""
        self.answers: dict[str, httpx.Response] = {}
        """Method → its answer in place of the usual one."""
        self.results: dict[str, dict[str, Any]] = {}
        """Method → its result in place of the usual one."""
        self.streams = False

    def calls(self) -> list[Any]:
        """Return the parameters of all tool calls."""
        return [message["params"] for _, message in self.got if message["method"] == "tools/call"]

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        message = json.loads(request.content) if request.content else {"method": request.method}
        self.got.append((request.headers, message))
        method = message["method"]
        if method in self.answers:
            return self.answers[method]
        results: dict[str, Any] = {
            "tools/list": {"tools": self.tools},
            "tools/call": {"content": [{"type": "text", "text": "done"}]},
            **self.results,
        }
        response = {"jsonrpc": "2.0", "id": message.get("id"), "result": results.get(method, {})}
        session = {"mcp-session-id": "s1"} if method == "initialize" else {}
        if self.streams:
            said = f": hi\n\nid: 1\ndata: {json.dumps(response)}\n\n"
            kind = {"content-type": "text/event-stream"}
            return httpx.Response(200, content=said, headers={**kind, **session})
        return httpx.Response(200, json=response, headers=session)


class FakePerson:
    """A person who is asked, in place of the gateway's agent."""

    def __init__(self, issuer: FakeIssuer) -> None:
        self._issuer = issuer
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.keys: list[str] = []
        self.was_asked, self.answered = asyncio.Event(), asyncio.Event()
        self.less: dict[str, Any] = {}
        self.error: Exception | None = None
        self.user: str | None = None
        """The user who answers, if it is not the user who is asked."""
        self.exchanged: list[str] = []

    async def ask(self, user: str, action: Mapping[str, Any], **options: Any) -> Approved:
        """Record the request, and wait for the test's answer."""
        self.asked.append((user, action))
        self.keys.append(options["idempotency_key"])
        self.was_asked.set()
        options["on_asked"](SimpleNamespace(fingerprint="9f3a-71c0", expires_in=600))
        await self.answered.wait()
        if self.error is not None:
            raise self.error
        granted = [{**action, **self.less}]
        claim = {"id": "sayso_ap_1", "action_digest": "a", "granted_digest": "b"}
        token = self._issuer.token(
            aud=RESOURCE,
            sub=self.user or user,
            approval={**claim, "single_use": True},
            authorization_details=granted,
        )
        return read_approved({"access_token": token, "authorization_details": granted}, None)

    async def exchange(self, token: str, **_: Any) -> Approved:
        """Return a token for the upstream server."""
        self.exchanged.append(token)
        answer = {"access_token": f"exchanged-{len(self.exchanged)}", "expires_in": 300}
        return read_approved(answer, None)


class FakeGateway:
    """The gateway between these parts, and its log."""

    def __init__(self, exchange: Exchange | None = None, **changes: Any) -> None:
        self.issuer = FakeIssuer()
        self.person, self.upstream = FakePerson(self.issuer), FakeUpstream()
        self.log: list[Mapping[str, object]] = []
        more = "".join(f"{name} = {value}\n" for name, value in {"wait": 5, **changes}.items())
        parsed_config = config.read(
            more + _FILE, {"PAIR": "a:b", "HEADER": "Bearer of-the-gateway"}
        )
        if exchange is not None:
            parsed_config = config.Config(**{**_members(parsed_config), "upstream": exchange})
        else:
            assert isinstance(parsed_config.upstream, Header)
        agent: Any = self.person
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.upstream.answer))
        guard = AsyncGuard(ISSUER, RESOURCE, credentials=("a", "b"), http=self.issuer.async_http)
        upstream = Upstream(_URL, parsed_config, agent, http)
        self.app = Gateway(parsed_config, upstream, guard, agent, self.log.append).app

    def token(self, scope: str = "notes:read notes:pay", **claims: Any) -> str:
        """Return an access token of a caller."""
        return self.issuer.token(aud=RESOURCE, scope=scope, **claims)

    async def send(
        self,
        body: object,
        token: str | None = None,
        *,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request as a client does."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        bearer = {"authorization": f"Bearer {token or self.token()}"}
        all_headers = {**ACCEPT, **bearer, **(headers or {})}
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=RESOURCE) as http:
            return await http.request(method, RESOURCE, content=content, headers=all_headers)

    async def call(
        self, tool: str, arguments: object, token: str | None = None, **params: Any
    ) -> Any:
        """Call a tool; return the last message of the answer."""
        headers = params.pop("headers", None)
        message = request("tools/call", name=tool, arguments=arguments, **params)
        return last(await self.send(message, token, headers=headers))


def request(method: str, **params: Any) -> dict[str, Any]:
    """Return a JSON-RPC request."""
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}


def last(response: httpx.Response) -> Any:
    """Return the message of a response, or the last message of a stream."""
    if not response.headers["content-type"].startswith("text/event-stream"):
        return response.json()
    data = [line[6:] for line in response.text.splitlines() if line.startswith("data: ")]
    return json.loads(data[-1])


def text(message: Any) -> str:
    """Return the text of a tool result that the model reads."""
    assert message["result"].get("isError", False) in {True, False}
    found: str = message["result"]["content"][0]["text"]
    return found


def caller(user: str | None, client: str) -> Caller:
    """Return a caller with this user and client, without a real token."""
    return Caller(
        token="t",
        user=user,
        client=client,
        chain=(),
        scope=frozenset(),
        details=(),
        approval=None,
        claims={},
        scheme="Bearer",
        _realm=Realm(RESOURCE, RESOURCE),
    )


def _members(parsed_config: config.Config) -> dict[str, Any]:
    return {name: getattr(parsed_config, name) for name in parsed_config.__dataclass_fields__}
