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
    """With the secret in the environment; the programs do not contain it. Node gets no types."""
    page = _registered(server, person.user, f"first-{language}", PERMISSIONS)
    _get_a_token(person, page, tmp_path, language)


@pytest.mark.parametrize("language", ["curl", "python", "typescript"])
def test_each_program_of_an_agent_without_permissions_gets_a_token_too(
    server: LiveServer, person: Terminal, tmp_path: Path, language: str
) -> None:
    """It asks for the user's ID alone; nothing in it has to be replaced."""
    page = _registered(server, person.user, f"bare-{language}", {})
    assert "so it asks for the user's ID alone" in html.unescape(page)
    _get_a_token(person, page, tmp_path, language)


def _get_a_token(person: Terminal, page: str, tmp_path: Path, language: str) -> None:
    secret = re.findall("<code>(sayso_cs_[^<]+)</code>", page)[0]
    (program,) = re.findall(rf'(?s)<pre id="in-{language}".*?<code>(.*?)</code>', page)
    (tmp_path / _FILES[language]).write_text(_TYPES.sub("", html.unescape(program)))
    assert secret not in program
    environment = {**os.environ, "AGENT_SECRET": secret, "PYTHONPATH": str(ROOT)}
    command = [_RUN[language], _FILES[language]]
    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(_run, command, tmp_path, environment)
        (asked,) = until(person.waiting, 30)
        person.approve(asked)
        assert "eyJ" in done.result(60)


def _registered(server: LiveServer, user: str, name: str, permissions: Mapping[str, str]) -> str:
    """The page after an administrator has registered an agent in the console."""
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
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
