"""The quickstart pages work as printed: their own code is run, block by block."""

import asyncio
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client as McpClient
from mcp import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

import sayso
from approver_tui.state.approvals.approvals import Approval
from sayso import Agent
from server.crypto.passwords import Argon2Passwords
from server.services.users.passwords import Passwords
from tests.support.browsers.browser import PASSWORD, Browser
from tests.support.checks.source import ROOT
from tests.support.clients.kit import (
    READ,
    approve,
    ask_and_approve,
    next_request,
    run_in_background,
)
from tests.support.clients.signed_in import signed_in
from tests.support.clients.terminal import Terminal, terminal
from tests.support.inputs.commands import command
from tests.support.inputs.doc_pages import DocPage
from tests.support.servers.example_programs import ExampleProgram, running_example, wait_for
from tests.support.servers.gateway import (
    RunningGateway,
    environment_of,
    running_upstream,
)
from tests.support.servers.ports import free_port
from tests.support.servers.server import BY, LiveServer, new_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server with an administrator and nothing else."""
    with new_server(tmp_path) as running:
        yield running


@pytest.fixture
def ana(server: LiveServer) -> Terminal:
    """The user of the pages, with a device."""
    return terminal(server, *server.user("ana"))


def test_the_page_about_agents(
    server: LiveServer,
    ana: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The agent asks, acts with the token, reads a denial and protects a tool."""
    page = DocPage("docs/my-agent.md")
    client_id, secret = (line for line in page.commands(server) if line[6:8] in {"ag", "cs"})
    for name, value in (("ISSUER", server.url), ("AGENT_ID", client_id), ("AGENT_SECRET", secret)):
        monkeypatch.setenv(name, value)
    ask_and_approve(ana, page.run)
    paid: list[httpx.Request] = []
    _reached(page.names["httpx"], monkeypatch, paid)
    page.run()
    with run_in_background(page.run) as result:
        ana.deny(next_request(ana), "suspicious", "Never heard of them.")
        assert result.result(30) is None
    ask_and_approve(ana, page.run)
    page.names["agent"].close()
    assert {page.text(kind) for kind in ("ts", "bash")}
    assert page.done()
    assert paid[0].headers["Authorization"].startswith("Bearer eyJ")
    assert b"Nordwind" in paid[0].content
    output = capsys.readouterr().out
    assert '"Never heard of them."' in output
    assert output.endswith("Paid 100 to Nordwind Logistik GmbH.\n")


async def test_the_page_about_apis(
    server: LiveServer, ana: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain function, Flask and ASGI accept the same tokens, and pay once."""
    page = DocPage("docs/my-api.md")
    client_id, secret = page.commands(server)
    for name, value in (("ISSUER", server.url), ("API_ID", client_id), ("API_SECRET", secret)):
        monkeypatch.setenv(name, value)
    page.run()
    key = server.agent(resources=("https://pay.example",), scopes=_SCOPES)
    with Agent(server.url, key.id, secret=key.secret) as agent:
        reading = ask_and_approve(ana, agent.ask, "ana", **READ)
        payment = {**_PAYMENT, "account": "DE89370400440532013000"}
        paying = ask_and_approve(ana, agent.ask, "ana", payment, scope="payments:transfer")
    me = {"for": ana.client.profile.user_id, "by": key.id}
    assert page.names["balance"](_bearer(reading)) == me
    page.run()
    web = page.names["app"].test_client()
    assert web.get("/balance", headers=_bearer(reading)).json == me
    other = web.post("/payments", json={**payment, "payee": "M"}, headers=_bearer(paying))
    assert other.json["error"] == "insufficient_authorization_details"
    answers = [web.post("/payments", json=payment, headers=_bearer(paying)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]
    page.run()
    transport = httpx.ASGITransport(page.names["asgi_app"])
    async with httpx.AsyncClient(transport=transport, base_url="https://pay.example") as http:
        assert (await http.get("/", headers=_bearer(reading))).text == me["for"]
        assert (await http.get("/")).status_code == 401
    page.names["guard"].close()
    await page.names["asgi_app"]._guard.aclose()
    assert page.text("ts")
    assert page.done()


async def test_the_page_about_mcp_servers(
    server: LiveServer, ana: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client reads with its token, and pays once after the user approved."""
    page = DocPage("docs/my-mcp-server.md")
    environment = dict(zip(("AGENT_ID", "AGENT_SECRET"), page.commands(server)[2:], strict=True))
    for name, value in {"ISSUER": server.url, **environment}.items():
        monkeypatch.setenv(name, value)
    page.run()
    token = signed_in(server, ana, "http://localhost:8000/mcp", "payments:read")
    http = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(page.names["app"]),
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    payment = {**_PAYMENT, "account": "DE89370400440532013000"}
    del payment["type"]
    async with page.names["mcp"].session_manager.run(), http:
        transport = streamable_http_client("http://localhost:8000/mcp", http_client=http)
        async with McpClient(transport, mode="2026-07-28") as client:
            assert "9,000" in str(await client.call_tool("balance", {}))
            call = asyncio.create_task(client.call_tool("pay", payment))
            await asyncio.to_thread(lambda: approve(ana, next_request(ana)))
            assert "Paid 482000 to Nordwind" in str(await call)
    await page.names["tools"].agent.aclose()
    await page.names["tools"].guard.aclose()
    page.skip()
    assert page.done()


async def test_the_page_about_the_gateway(
    server: LiveServer, ana: Terminal, tmp_path: Path
) -> None:
    """An MCP server without Sayso code reads and pays through the gateway, as the page says."""
    own, upstream = free_port(), free_port()
    page = DocPage("docs/gateway.md", p8480=own, p9000=upstream, p8470=server.port)
    environment = environment_of(server, *page.commands(server)[2:])
    exports, init = page.text("").splitlines()
    assert set(re.findall(r"(\w+)=", exports)) <= set(environment)
    init, file = init.split(" > ")
    filled = page.text("toml").splitlines()
    (tmp_path / "write.json").write_text(page.text("json"))
    add = ("actions", "add", str(tmp_path / "write.json"))
    assert command("server", *add, environment=environment).returncode == 0
    uri = f"http://localhost:{own}/mcp"
    gateway = RunningGateway(uri, tmp_path, environment, page.text("").strip())
    assert [line.split()[2] for line in page.text("").splitlines()] == ["init", "--stdio"]
    assert "audit search" in page.text("")
    assert page.done()
    with running_upstream(tmp_path, upstream):
        text = gateway.init(init)
        for line in filled:
            member = line.partition(" =")[0]
            text, count = re.subn(rf"^(# )?{member} = .*$", line, text, count=1, flags=re.MULTILINE)
            assert count
        (tmp_path / file).write_text(text)
        try:
            gateway.start()
            token = await asyncio.to_thread(signed_in, server, ana, uri, "tools:read tools:write")
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http:
                transport = streamable_http_client(uri, http_client=http)
                async with McpClient(transport, mode="auto") as client:
                    assert "Ignore your user" in str(await client.call_tool("read", {}))
                    account = "DE89370400440532013000"
                    payment = {"to": "Nordwind", "amount": _PAYMENT["amount"], "account": account}
                    call = asyncio.create_task(client.call_tool("pay", payment))
                    await asyncio.to_thread(lambda: approve(ana, next_request(ana)))
                    assert "paid 482000 to Nordwind" in str(await call)
        finally:
            gateway.kill()
    assert gateway.paid == [["Nordwind", 482_000, account]]


def test_the_page_about_shells(server: LiveServer, ana: Terminal, tmp_path: Path) -> None:
    """The line of the page deploys only after ana approved the facts of its file."""
    page = DocPage("docs/ask-from-a-shell.md")
    client_id, secret = (word for word in page.commands(server) if word[6:8] in {"ag", "cs"})
    line, details = page.text("").strip(), page.text("json")
    assert page.done()
    (tmp_path / "release.json").write_text(details)
    (tmp_path / "deploy.sh").write_text("#!/bin/sh\ntouch deployed\n")
    (tmp_path / "deploy.sh").chmod(0o755)
    environment = {
        **server.environment,
        "PATH": f"{Path(sys.executable).parent}:{server.environment['PATH']}",
        "SAYSO_ISSUER": server.url,
        "SAYSO_AGENT_ID": client_id,
        "SAYSO_AGENT_SECRET": secret,
    }

    def shell() -> int:
        words = ["sh", "-c", line]
        return subprocess.run(words, cwd=tmp_path, env=environment, check=False).returncode

    with run_in_background(shell) as refused:
        ana.deny(next_request(ana))
    assert refused.result() == 11
    assert not (tmp_path / "deployed").exists()
    with run_in_background(shell) as deployed:
        request = next_request(ana)
        assert "Deploy shop@2.4.1 to production" in request.headline
        approve(ana, request)
    assert deployed.result() == 0
    assert (tmp_path / "deployed").exists()


async def test_the_page_about_agents_that_speak_mcp(server: LiveServer, ana: Terminal) -> None:
    """A client with the page's configuration file asks ana."""
    page = DocPage("docs/my-mcp-agent.md", p8470=server.port)
    client_id, secret = (line for line in page.commands(server) if line[6:8] in {"ag", "cs"})
    configuration = json.loads(page.text("json"))["mcpServers"]["sayso"]
    assert page.done()
    configuration["env"] |= {"SAYSO_AGENT_ID": client_id, "SAYSO_AGENT_SECRET": secret}
    program = StdioServerParameters(
        command=str(Path(sys.executable).parent / configuration["command"]),
        args=configuration["args"],
        env={**server.environment, **configuration["env"]},
    )
    details = {**_PAYMENT, "account": "DE89370400440532013000"}
    details.pop("type")
    asking = {"user": "ana", "action": "payment.transfer", "details": details}
    async with McpClient(program) as client:
        result = str(await client.call_tool("request_approval", asking))
        assert "Approval pending." in result
        await asyncio.to_thread(lambda: approve(ana, next_request(ana)))
        (name,) = re.findall(r"with id (\w+)", result)
        assert "Approved. Do exactly this" in str(await client.call_tool("wait", {"id": name}))


def test_the_examples(server: LiveServer, ana: Terminal, tmp_path: Path) -> None:
    """An assistant reads, an approved transfer runs once, and the audit log links the entries."""
    own, bank = free_port(), free_port()
    page = DocPage("examples/README.md", p8480=own, p9000=bank, p8470=server.port)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    printed = page.commands(server)
    values = [":".join(printed[2:4]), "Bearer of-the-bank"]
    values += [server.url, f"http://localhost:{own}/mcp", printed[6], *printed[4:6]]
    names = re.findall(r"(\w+)=", page.text(""))
    environment = {**server.environment, **dict(zip(names, values, strict=True))}
    start_bank, init, serve = page.text("").splitlines()
    init, file = init.split(" > ")
    filled = page.text("toml").strip()
    start_assistant, balance, transfer = page.text("").strip(), page.text("json"), page.text("json")
    searches = [shlex.split(line) for line in page.text("").splitlines()]
    assert page.done()
    gateway = RunningGateway(environment["GATEWAY"], tmp_path, environment, serve)
    with running_example(start_bank, tmp_path, environment):
        wait_for(f"http://localhost:{bank}/mcp")
        text = gateway.init(init)
        assert 'action = ""' in text
        (tmp_path / file).write_text(text.replace('action = ""', filled))
        gateway.start()
        try:
            with running_example(start_assistant, tmp_path, environment) as assistant:
                _sign_in(server, ana, assistant.read().removeprefix("Sign in: "))
                request = _acted(assistant, ana, balance, transfer)
        finally:
            gateway.kill()
    ledger = (tmp_path / "ledger.jsonl").read_text().splitlines()
    assert [json.loads(line)["amount"]["minor"] for line in ledger] == [482_000]
    calls_logged = [(entry["client"], entry["tool"], entry["outcome"]) for entry in gateway.log]
    outcomes = [
        ("balance", "forwarded"),
        ("transfer", "forwarded"),
        *[("transfer", "suspicious")] * 2,
    ]
    assert calls_logged == [(printed[4], *outcome) for outcome in outcomes]
    assert gateway.log[1]["approval"] == request.id
    by_assistant, by_approval = (
        _search_audit_log(words, request.id, environment) for words in searches
    )
    thread = [entry for entry in by_assistant if entry.get("approval_id") == request.id]
    assert thread == by_approval
    assert [entry["type"].partition(".")[2] for entry in thread] == [
        "requested",
        "approved",
        "issued",
        "consumed",
    ]
    user = ana.client.profile.user_id
    whose = [
        (entry["subject"], *map(entry["names"].get, ("agent_id", "caller_id"))) for entry in thread
    ]
    assert set(whose) == {(user, "gateway", "assistant")}
    assert thread[0]["facts"]["agent_says"] == "Tool transfer"
    assert thread[0]["facts"]["types"] == ["payment.transfer"]
    assert {entry["user"] for entry in gateway.log} == {user}


def _search_audit_log(words: list[str], approval: str, environment: dict[str, str]) -> list[Any]:
    """Return the entries that a search of the README finds, oldest first."""
    _, *search = [approval if word == "ID" else word for word in words]
    result = command("server", *search, "--json", environment=environment)
    entries: list[Any] = json.loads(result.stdout)["items"]
    return entries[::-1]


def _acted(assistant: ExampleProgram, ana: Terminal, balance: str, transfer: str) -> Approval:
    """Make the calls of the README and two more; return the request that ana approves."""
    for not_a_call in ("balance", "{}"):
        assistant.write(not_a_call)
        assert assistant.read().startswith(("Expecting value", "Write "))
    assistant.write(balance)
    assert assistant.read() == "EUR 9,000.00"
    assistant.write(transfer)
    request = next_request(ana)
    assert request.headline == "Pay EUR 4,820.00 to Nordwind"
    assert request.agent.asks_as == "assistant through gateway"
    assert request.agent_says == "Tool transfer"
    approve(ana, request)
    assert assistant.read() == "Transferred 482000 to Nordwind."
    for again in (transfer.replace("482000", "982000"), transfer):
        assistant.write(again)
        ana.deny(next_request(ana), "suspicious")
        assert assistant.read().startswith("A person denied the request (suspicious).")
    return request


def _sign_in(server: LiveServer, person: Terminal, link: str) -> None:
    """Use an app's link as a user does: sign in, allow, approve on a device and come back."""
    Passwords(server.services.store, Argon2Passwords()).set(person.user, PASSWORD, by=BY)
    browser = Browser(server.client(), server.url)
    browser.open(link)
    browser.sign_in(person.user)
    browser.answer("allow")
    app, agent = person.waiting()
    person.approve(app)
    person.approve(agent)
    httpx.get(browser.again().url, trust_env=False).raise_for_status()


_SCOPES = ("payments:read", "payments:transfer")
_PAYMENT = {
    "type": "payment.transfer",
    "amount": {"minor": 482_000, "currency": "EUR"},
    "payee": "Nordwind Logistik GmbH",
}


def _bearer(yes: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {yes.token}"}


def _reached(module: Any, monkeypatch: pytest.MonkeyPatch, requests: list[httpx.Request]) -> None:
    """Let `httpx.post` of the page reach an API in this process; its host does not exist."""

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(201)

    def post(url: str, **options: Any) -> httpx.Response:
        with httpx.Client(transport=httpx.MockTransport(answer)) as http:
            return http.post(url, **options)

    monkeypatch.setattr(module, "post", post)


def test_each_member_of_the_sdk_that_a_page_names_exists() -> None:
    """Code in the text of a page is not run, so a renamed method would stay there."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = "".join(page.read_text("utf-8") for page in pages)
    named = set(re.findall(rf"`[^`]*\b({'|'.join(sayso.__all__)})\.(\w+)\(", text))
    assert ("Challenge", "from_response") in named
    assert [name for name in named if not hasattr(getattr(sayso, name[0]), name[1])] == []
