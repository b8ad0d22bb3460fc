"""MCP's own conformance suite judges Sayso as authorization server, the SDK and the gateway.

An MCP server behind Sayso must pass everything that it passes alone. The suite's scenarios for
clients do not apply, because the SDK has no client that signs people in.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from server.crypto.passwords import Argon2Passwords
from server.protocol.policy.risks import Risk
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from server.services.users.passwords import Passwords
from tests.support.browsers.browser import PASSWORD, Browser
from tests.support.clients.mcp_suite import (
    CheckResults,
    read_results,
    run_server_suite,
    running_authorization_suite,
)
from tests.support.clients.terminal import Terminal
from tests.support.servers.ports import free_port
from tests.support.servers.server import BY, LiveServer
from tests.support.servers.suite_servers import alone, behind_gateway, guarded

pytestmark = pytest.mark.clients

FAIL_ALONE = {
    "tasks-lifecycle",
    "tasks-capability-negotiation",
    "tasks-wire-fields",
    "tasks-request-state-removal",
    "tasks-mrtr-input",
    "tasks-request-headers",
    "tasks-dispatch-and-envelope",
    "tasks-required-task-error",
    "tasks-mrtr-composition",
}
"""Scenarios that fail without Sayso, because the server's SDK does not support tasks."""
VERSIONS = {"each": (), "2026-07-28": ("--spec-version", "2026-07-28")}
"""First, each scenario at the version that introduced it, which is mostly 2025-11-25."""


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Settings that allow clients with a metadata document."""
    return {"clients_unknown": "ask"}


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    """The MCP server without Sayso."""
    with alone() as url:
        yield url


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The options of a run of the suite."""
    return VERSIONS[request.param]


@pytest.fixture(scope="module")
def passed_alone(
    upstream: str, version: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> CheckResults:
    """The suite's findings without Sayso: only what the server does not support fails."""
    findings = run_server_suite(upstream, tmp_path_factory.mktemp("alone"), *version)
    assert len({scenario for scenario, _ in findings}) > 35
    failed = {scenario for (scenario, _), status in findings.items() if status == "FAILURE"}
    assert failed == (set() if version else FAIL_ALONE)
    assert "WARNING" not in findings.values()
    return findings


def test_the_suite_finds_no_difference_with_the_sdk(
    server: LiveServer,
    person: Terminal,
    passed_alone: CheckResults,
    version: tuple[str, ...],
    tmp_path: Path,
) -> None:
    """With `sayso.mcp` in the server, the suite finds the same as without Sayso."""
    with guarded(server, person) as url:
        assert run_server_suite(url, tmp_path, *version) == passed_alone


def test_the_suite_finds_no_difference_with_the_gateway(
    server: LiveServer,
    person: Terminal,
    upstream: str,
    passed_alone: CheckResults,
    version: tuple[str, ...],
    tmp_path: Path,
) -> None:
    """With `sayso gateway` in front of the server, the suite finds the same as without Sayso."""
    with behind_gateway(server, person, upstream, tmp_path) as url:
        assert run_server_suite(url, tmp_path / "found", *version) == passed_alone


def test_the_suite_accepts_the_authorization_server(
    server: LiveServer, person: Terminal, tmp_path: Path
) -> None:
    """The metadata and the code grant pass without a warning."""
    Passwords(server.services.store, Argon2Passwords()).set(person.user, PASSWORD, by=BY)
    uri, port = "https://suite.example/mcp", free_port()
    server.resources.add(uri, {"tools:use": Risk.LOW}, default_scopes=("tools:use",), by=BY)
    back = f"http://127.0.0.1:{port}/callback"
    more = {"resources": (uri,), "scopes": ("tools:use",), "auth_method": "none"}
    form = NewApp("suite", (back,), **more)
    app = Apps(server.services.store, server.services.secrets).add(form, by=BY).app
    options = ("--url", server.url, "--client-id", app.id, "--resource", uri, "-p", str(port))
    browser = Browser(server.client(), server.url)
    with running_authorization_suite(tmp_path, *options) as link:
        browser.open(link.removeprefix(server.url))
        browser.sign_in(person.user)
        browser.answer("allow")
        person.approve(person.only_request())
        httpx.get(browser.again().url, trust_env=False).raise_for_status()
    assert read_results(tmp_path) == {
        ("authorization-server-metadata-endpoint", "authorization-server-metadata"): "SUCCESS",
        ("authorization-server-metadata-endpoint", "authorization-server-metadata-cimd"): "SUCCESS",
        ("authorization-code-grant", "authorization-code-grant"): "SUCCESS",
    }
