"""The quickstart pages in TypeScript, with curl and with fastmcp: their own code is run."""

import asyncio
import contextlib
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client as McpClient
from mcp.client.streamable_http import streamable_http_client

from sayso import Agent
from tests.support.checks.waiting import until
from tests.support.clients.kit import (
    PAYMENT,
    READ,
    approve,
    ask_and_approve,
    next_request,
    run_in_background,
)
from tests.support.clients.signed_in import signed_in
from tests.support.clients.terminal import Terminal, terminal
from tests.support.clients.third_party import FASTMCPS, running_typescript
from tests.support.inputs.doc_pages import DocPage
from tests.support.servers.gateway import status_of
from tests.support.servers.ports import free_port
from tests.support.servers.server import ROOT, LiveServer, new_server

PAY_API = """
const real = globalThis.fetch;
globalThis.fetch = (url, sent) => {
  if (!String(url).startsWith('https://pay.example/')) return real(url, sent);
  console.log('paid', sent.headers.Authorization, sent.body);
  return new Response(null, { status: 201 });
};
"""
"""An API inside the program, because the host in the page does not exist."""


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with an administrator and nothing else."""
    with new_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def ana(server: LiveServer) -> Terminal:
    """The user of the pages, with a device."""
    return terminal(server, *server.user("ana"))


@pytest.fixture
def agents(server: LiveServer, ana: Terminal) -> tuple[DocPage, dict[str, str]]:
    """The page about agents, and the environment variables of its agent."""
    assert ana.waiting() == ()
    page = DocPage("docs/my-agent.md")
    client_id, secret = (
        command for command in page.commands(server) if command[6:8] in {"ag", "cs"}
    )
    return page, {"ISSUER": server.url, "AGENT_ID": client_id, "AGENT_SECRET": secret}


@pytest.mark.clients
def test_an_agent_in_typescript(
    agents: tuple[DocPage, dict[str, str]], ana: Terminal, tmp_path: Path
) -> None:
    """It pays what was granted after the approval, and prints the reason for a denial."""
    page, environment = agents

    def run() -> list[str]:
        with running_typescript(page.only_block("ts"), tmp_path, PAY_API, **environment) as program:
            output, _ = program.communicate(timeout=60)
            assert program.returncode == 0
            return output.splitlines()

    with run_in_background(run) as result:
        request = next_request(ana)
        assert request.headline == "Pay EUR 4,820.00 to Nordwind Logistik GmbH"
        approve(ana, request)
    waiting, paid, *_ = result.result()
    assert waiting.endswith(request.fingerprint)
    assert paid.startswith("paid Bearer eyJ")
    assert "Nordwind" in paid
    with run_in_background(run) as result:
        ana.deny(next_request(ana), "suspicious", "Never heard of them.")
    assert result.result()[1].startswith("Do not pay: denied")
    assert "Never heard of them." in "".join(result.result())
    assert "paid" not in "".join(result.result())


def test_an_agent_with_curl(agents: tuple[DocPage, dict[str, str]], ana: Terminal) -> None:
    """It gets a token for what was granted, the same one for each key, or the deny reason."""
    page, environment = agents
    page_text = page.only_block("bash")

    def run(key: str) -> dict[str, Any]:
        result = subprocess.run(
            ["bash", "-ec", page_text.replace("INV-2291", key)],
            env={**environment, "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            check=True,
        )
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer

    yes = ask_and_approve(ana, run, "INV-2291")
    assert yes["error"] is None
    assert yes["access_token"].startswith("eyJ")
    assert yes["authorization_details"][0]["payee"] == "Nordwind Logistik GmbH"
    assert run("INV-2291") == yes
    with run_in_background(run, "INV-2292") as no:
        ana.deny(next_request(ana), "suspicious")
    expected_error = {"error": "access_denied", "reason": "denied"}
    assert no.result() == {**expected_error, "authorization_details": None, "access_token": None}


@pytest.mark.clients
def test_an_api_in_typescript(server: LiveServer, ana: Terminal, tmp_path: Path) -> None:
    """It accepts only its own tokens with the right scope, and pays once what was approved."""
    page, port = DocPage("docs/my-api.md"), free_port()
    client_id, secret = page.commands(server)
    names = {
        "ISSUER": server.url,
        "API_ID": client_id,
        "API_SECRET": secret,
        "PORT": str(port),
    }
    members = {
        "resources": ("https://pay.example",),
        "scopes": ("payments:read", "payments:transfer"),
    }
    key, bound = server.agent(**members), server.agent(**members, dpop_bound=True)
    payment = {**PAYMENT, "account": "DE89370400440532013000"}
    with Agent(server.url, key.id, secret=key.secret) as agent:
        reading = ask_and_approve(ana, agent.ask, "ana", **READ)
        paying = ask_and_approve(ana, agent.ask, "ana", payment, scope="payments:transfer")
    with Agent(server.url, bound.id, secret=bound.secret) as agent:
        proving = ask_and_approve(ana, agent.ask, "ana", **READ)
    url = f"http://127.0.0.1:{port}/payments"
    with running_typescript(page.only_block("ts"), tmp_path, **names):
        until(lambda: status_of(url) != 0, 30)
        http = httpx.Client(trust_env=False)

        def called(method: str, token: str, body: object = None) -> httpx.Response:
            headers = {"Authorization": f"Bearer {token}"}
            return http.request(method, url, headers=headers, json=body)

        with http:
            user = ana.client.profile.user_id
            assert called("GET", reading.token).json() == {"for": user, "by": key.id}
            for token in ("-", "eyJ", proving.token):
                assert called("GET", token).status_code == 401
            short = called("POST", reading.token, payment)
            assert (short.status_code, short.json()) == (403, {"error": "insufficient_scope"})
            other = called("POST", paying.token, {**payment, "payee": "M"})
            assert other.status_code == 403
            paid = [called("POST", paying.token, payment) for _ in range(2)]
            assert [answer.status_code for answer in paid] == [200, 409]
            assert paid[0].json() == {"paid": payment["payee"]}


@pytest.mark.clients
@pytest.mark.parametrize("release", FASTMCPS)
async def test_the_page_about_mcp_servers_with_fastmcp(
    server: LiveServer, ana: Terminal, tmp_path: Path, release: str
) -> None:
    """With the lines of the table, reading needs no approval, and a payment needs one."""
    port = free_port()
    uri = f"http://localhost:{port}/mcp"
    page = DocPage("docs/my-mcp-server.md", p8000=port)
    names = ("API_ID", "API_SECRET", "AGENT_ID", "AGENT_SECRET")
    given = dict(zip(names, page.commands(server), strict=True))
    text, uvicorn = page.text("python"), shlex.split(page.text(""))
    for line in re.findall(r"`(from [^`]+ import [^`]+|mcp\.\w+\(\))`", _row("`fastmcp`")):
        ending = line.partition(" import ")[2] or "mcp.streamable_http_app()"
        old = next(each for each in text.splitlines() if ending.split(" as ")[-1] in each)
        text = text.replace(old, line if " import " in line else old.replace(ending, line), 1)
    (tmp_path / "pay.py").write_text(text)
    environment = {**server.environment, "ISSUER": server.url, **given, "PYTHONPATH": str(ROOT)}
    command = [str(FASTMCPS[release]), "-m", *uvicorn]
    with _serving(uri, command, tmp_path, environment):
        token = await asyncio.to_thread(signed_in, server, ana, uri, "payments:read")
        headers = {"Authorization": f"Bearer {token}"}
        payment = {**PAYMENT, "account": "DE89370400440532013000"}
        del payment["type"]
        async with httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http:
            transport = streamable_http_client(uri, http_client=http)
            async with McpClient(transport, mode="auto") as client:
                assert "9,000" in str(await client.call_tool("balance", {}))
                call = asyncio.create_task(client.call_tool("pay", payment))
                await asyncio.to_thread(lambda: approve(ana, next_request(ana)))
                assert "Paid 482000 to Nordwind" in str(await call)
                call = asyncio.create_task(client.call_tool("pay", payment))
                await asyncio.to_thread(lambda: ana.deny(next_request(ana), "suspicious"))
                assert "A person denied" in str(await call)


@contextlib.contextmanager
def _serving(
    uri: str, command: list[str], folder: Path, environment: dict[str, str]
) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=folder, env=environment)
    try:
        until(lambda: status_of(uri) == httpx.codes.UNAUTHORIZED, 60)
        yield
    finally:
        process.kill()
        process.wait()


def _row(package: str) -> str:
    """Return the table row that says what to write with this package."""
    lines = (ROOT / "docs/my-mcp-server.md").read_text("utf-8").splitlines()
    (line_found,) = [line for line in lines if line.startswith(f"| {package}")]
    return line_found
