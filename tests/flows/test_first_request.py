"""The programs that the console shows for a new agent work as printed."""

import html
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

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


def _run_and_approve(person: Terminal, page: str, tmp_path: Path, language: str) -> None:
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
        person.approve(approval)
        assert "eyJ" in output.result(60)


def _register_agent(
    server: LiveServer, user: str, name: str, permissions: Mapping[str, str]
) -> str:
    """Registers an agent in the console and returns the page that is then shown."""
    admin = new_web_person(server)
    users = Users(server.services.store, server.services.secrets)
    users.update(admin.name, UserChanges(roles=("admin",)), by=BY)
    form = {
        "name": name,
        "owners": user,
        "asks": user,
        **permissions,
        "auth_method": "client_secret_basic",
        "delivery": "poll",
        "id_token_signed_response_alg": "ES256",
        f"grant_types-{GRANT_CIBA}": "1",
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
