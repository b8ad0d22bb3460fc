"""The programs that the console shows for a new agent work as printed."""

import html
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from approver_tui.state.approvals.approvals import Approval
from server.protocol.names import GRANT_CIBA
from server.services.users.users import UserChanges, Users
from tests.support.browsers.web_person import new_web_person
from tests.support.builders.installation import PAY
from tests.support.checks.source import ROOT
from tests.support.checks.waiting import until
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import BY, LiveServer

_TYPES = re.compile(r": (?:string|Record<string, string>)(?=[,)])")


_FILES = {"python": "first.py", "typescript": "first.mjs", "curl": "first.sh"}
PERMISSIONS = {"resources": PAY, "scopes": "payments:read"}
_RUN = {"python": sys.executable, "typescript": "node", "curl": "bash"}


@pytest.mark.parametrize("language", ["curl", "python", "typescript"])
def test_each_program_gets_a_token_after_the_person_approved(
    server: LiveServer, person: Terminal, tmp_path: Path, language: str
) -> None:
    """The program reads the secret from its environment and does not contain it."""
    page = _register_agent(server, person.user, f"first-{language}", PERMISSIONS)
    _run_and_approve(person, page, tmp_path, language)


@pytest.mark.parametrize("language", ["curl", "python", "typescript"])
def test_each_program_of_an_agent_without_permissions_gets_a_token(
    server: LiveServer, person: Terminal, tmp_path: Path, language: str
) -> None:
    """Such a program asks only for the user's ID, so nothing in it has to be replaced."""
    page = _register_agent(server, person.user, f"bare-{language}", {})
    assert "so it asks only for the user's ID" in html.unescape(page)
    _run_and_approve(person, page, tmp_path, language)


@pytest.mark.parametrize("language", ["curl", "typescript"])
def test_a_program_polls_again_if_the_person_is_slow(
    server: LiveServer, person: Terminal, tmp_path: Path, language: str
) -> None:
    """The server holds a poll only for a while; here for a second."""
    page = _register_agent(server, person.user, f"slow-{language}", PERMISSIONS)
    page = page.replace("wait=25", "wait=1")

    def approve_after_two_polls(approval: Approval) -> None:
        until(lambda: _count_polls(server, person.client.profile.user_id) >= 2, 30)
        person.approve(approval)

    _run_and_approve(person, page, tmp_path, language, approve_after_two_polls)


def test_a_program_asks_somebody_whom_the_agent_can_ask(
    server: LiveServer, person: Terminal, tmp_path: Path
) -> None:
    """The owner may be someone else, whom the agent cannot ask."""
    owner, _ = server.user()
    page = _register_agent(server, person.user, "asks-other", {**PERMISSIONS, "owners": owner})
    _run_and_approve(person, page, tmp_path, "curl")


@pytest.mark.parametrize(
    "members",
    [
        {"auth_method": "client_secret_post"},
        {"delivery": "ping", "backchannel_client_notification_endpoint": "http://127.0.0.1/x"},
        {"backchannel_user_code_parameter": "1"},
    ],
    ids=lambda members: next(iter(members)),
)
def test_programs_that_the_server_would_refuse_are_not_shown(
    server: LiveServer, person: Terminal, members: Mapping[str, str]
) -> None:
    """The programs authenticate with HTTP Basic, poll, and send no user code."""
    name = f"special-{next(iter(members)).replace('_', '-')}"
    page = _register_agent(server, person.user, name, {**PERMISSIONS, **members})
    assert re.findall("<code>(sayso_cs_[^<]+)</code>", page)
    assert "First request" not in page


def test_an_agent_with_bound_tokens_gets_only_the_program_that_sends_proofs(
    server: LiveServer, person: Terminal, tmp_path: Path
) -> None:
    """The SDK creates DPoP proofs; curl does not."""
    members = {**PERMISSIONS, "dpop_bound_access_tokens": "1"}
    page = _register_agent(server, person.user, "bound", members)
    assert re.findall('id="in-([a-z]+)" tabindex', page) == ["python"]
    _run_and_approve(person, page, tmp_path, "python")


def _count_polls(server: LiveServer, user_id: str) -> int:
    with server.services.store.administer() as tx:
        (approval,) = tx.approvals.open_of_user(user_id)
    return approval.polls


def _run_and_approve(
    person: Terminal,
    page: str,
    tmp_path: Path,
    language: str,
    approve: Callable[[Approval], object] | None = None,
) -> None:
    """Runs the printed program, without TypeScript's types, until it gets a token."""
    secret = re.findall("<code>(sayso_cs_[^<]+)</code>", page)[0]
    (program,) = re.findall(rf'(?s)<pre id="in-{language}".*?<code>(.*?)</code>', page)
    (tmp_path / _FILES[language]).write_text(_TYPES.sub("", html.unescape(program)))
    assert secret not in program
    environment = {**os.environ, "AGENT_SECRET": secret, "PYTHONPATH": str(ROOT)}
    command = [_RUN[language], _FILES[language]]
    with ThreadPoolExecutor(1) as threads:
        output = threads.submit(_run, command, tmp_path, environment)
        (approval,) = until(person.waiting, 30)
        (approve or person.approve)(approval)
        assert "eyJ" in output.result(60)


def _register_agent(server: LiveServer, user: str, name: str, members: Mapping[str, str]) -> str:
    """Registers an agent in the console and returns the page that is then shown."""
    admin = new_web_person(server)
    users = Users(server.services.store, server.services.secrets)
    users.update(admin.name, UserChanges(roles=("admin",)), by=BY)
    form = {
        "name": name,
        "owners": user,
        "asks": user,
        "auth_method": "client_secret_basic",
        "delivery": "poll",
        "id_token_signed_response_alg": "ES256",
        f"grant_types-{GRANT_CIBA}": "1",
        **members,
    }
    answer = admin.sign("/admin/new/agent/add", form)
    assert answer.is_success, answer.text
    return answer.text


def _run(command: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout
