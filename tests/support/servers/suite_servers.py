"""The MCP server of `suite_tools.py`: alone, protected by the SDK, and behind the gateway.

Owns: registering, starting and stopping them. Never: the calls.
"""

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from server.protocol.policy.risks import Risk
from tests.support.checks.waiting import until
from tests.support.clients.signed_in import signed_in
from tests.support.clients.terminal import Terminal
from tests.support.fakes.bearer_proxy import bearer_proxy
from tests.support.servers.gateway import RunningGateway, environment_of, status_of
from tests.support.servers.ports import free_port
from tests.support.servers.server import BY, ROOT, LiveServer

_SCOPE: Final = "tools:use"
_METHODS: Final = '\n[methods]\n"resources/" = ""\n"prompts/" = ""\n"completion/" = ""\n'
_EDITS: Final = {r'risk = "\w+"': 'risk = "low"', r'scope = ".*"': f'scope = "{_SCOPE}"'}
"""Pattern → text of an administrator who trusts every tool."""


def url_of(port: int) -> str:
    """Return the URL at which clients reach a server on this port."""
    return f"http://localhost:{port}/mcp"


@contextlib.contextmanager
def alone() -> Iterator[str]:
    """Run the server without Sayso; yield its URL."""
    port = free_port()
    with _running(port, None):
        yield url_of(port)


@contextlib.contextmanager
def guarded(server: LiveServer, person: Terminal) -> Iterator[str]:
    """Run the server with `sayso.mcp`, behind a proxy that adds this person's token."""
    port, public = free_port(), free_port()
    credentials = _register(server, url_of(public))
    settings = {"issuer": server.url, "audience": url_of(public), "credentials": credentials}
    with _running(port, settings), bearer_proxy(public, f"http://localhost:{port}") as proxy:
        proxy.token = signed_in(server, person, url_of(public), _SCOPE)
        yield url_of(public)


@contextlib.contextmanager
def behind_gateway(
    server: LiveServer, person: Terminal, upstream: str, folder: Path
) -> Iterator[str]:
    """Run the gateway before a running server, behind a proxy that adds this person's token."""
    port, public = free_port(), free_port()
    uri = url_of(public)
    _register(server, uri)
    agent = server.agent(resources=(uri,), serves=(uri,), scopes=())
    gateway = RunningGateway(
        uri,
        folder,
        environment_of(server, *agent.basic),
        f"sayso gateway --upstream {upstream} --config gateway.toml --port {port}",
    )
    text = gateway.init(
        f"sayso gateway init --upstream {upstream} --issuer {server.url} --resource {uri}"
    )
    for written, edited in _EDITS.items():
        text = re.sub(written, edited, text)
    (folder / "gateway.toml").write_text(re.sub(r"(?m)^action = .*\n", "", text) + _METHODS)
    with bearer_proxy(public, f"http://localhost:{port}") as proxy:
        try:
            gateway.start()
            proxy.token = signed_in(server, person, uri, _SCOPE)
            yield uri
        finally:
            gateway.kill()


def _register(server: LiveServer, uri: str) -> list[str]:
    """Register an MCP server; return its client ID and secret."""
    scopes = {_SCOPE: Risk.LOW}
    added = server.resources.add(uri, scopes, default_scopes=(_SCOPE,), by=BY)
    return [added.resource.client_id, added.secret]


@contextlib.contextmanager
def _running(port: int, settings: Mapping[str, object] | None) -> Iterator[None]:
    program = Path(__file__).with_name("suite_tools.py")
    process = subprocess.Popen(
        [sys.executable, program, str(port), json.dumps(settings)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,  # some tools fail on purpose
    )
    try:
        until(lambda: status_of(url_of(port)) != 0, 60)
        yield
    finally:
        process.kill()
        process.wait()
