"""A new device can't approve high-risk requests for a day after any kind of revocation.

The attacker administers the installation. They revoke every device of a user, create a code, and
enroll a device of their own in that user's name.
"""

import contextlib
import io
import json
import os
import re
from collections.abc import Callable
from unittest import mock

import httpx
import pytest

from approver_tui.client.errors import ApiError
from server.cli.main import main
from server.services.users.users import UserChanges, Users
from tests.support.browsers.web_person import WebPerson, enrolled, new_web_person
from tests.support.checks.log_and_rows import entries, state
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal, terminal
from tests.support.servers.server import BY, LiveServer

_CODE = re.compile(r"\b(?:[0-9A-Z]{4}-){7}[0-9A-Z]{4}\b")


@pytest.fixture
def admin(server: LiveServer) -> WebPerson:
    """An administrator whose device is a passkey."""
    person = new_web_person(server)
    users = Users(server.services.store, server.services.secrets)
    users.update(person.name, UserChanges(roles=("admin",)), by=BY)
    return person


def _send_signed(admin: WebPerson, method: str, path: str) -> httpx.Response:
    """Sends an admin request, which is refused, and sends it again with a signature."""
    refused = admin.http.request(method, path)
    assert (refused.status_code, refused.json()["code"]) == (403, "statement_required")
    assertion = admin.statement(**refused.json()["wanted"])
    return admin.http.request(method, path, headers={"Sayso-Statement": assertion})


def _by_the_api(_server: LiveServer, admin: WebPerson, person: Terminal) -> str:
    own = person.client.profile
    assert _send_signed(admin, "DELETE", f"/api/admin/devices/{own.device_id}").status_code == 204
    code: str = _send_signed(admin, "POST", f"/api/users/{own.user_id}/codes").json()[
        "enrollment_code"
    ]
    return code


def _by_the_console(_server: LiveServer, admin: WebPerson, person: Terminal) -> str:
    own = person.client.profile
    assert admin.sign(f"/admin/devices/{own.device_id}/revoke").status_code == 303
    page = admin.sign(f"/admin/users/{own.user_id}/code")
    code = _CODE.search(page.text)
    assert code, page.text
    return code[0]


def _run_sayso(server: LiveServer, *arguments: str) -> dict[str, str]:
    """Runs the command line on the server's installation, while the server runs."""
    with (
        mock.patch.dict(os.environ, server.environment, clear=True),
        contextlib.redirect_stdout(io.StringIO()) as out,
        pytest.raises(SystemExit) as exit_info,
    ):
        main((*arguments, "--json"))
    assert exit_info.value.code == 0
    document: dict[str, str] = json.loads(out.getvalue())
    return document


def _by_the_command_line(server: LiveServer, _admin: WebPerson, person: Terminal) -> str:
    _run_sayso(server, "devices", "revoke", person.client.profile.device_id)
    return _run_sayso(server, "users", "enroll", person.user)["enrollment_code"]


def _by_the_persons_own_session(server: LiveServer, _admin: WebPerson, person: Terminal) -> str:
    person.client.revoke_device("self")
    return _run_sayso(server, "users", "enroll", person.user)["enrollment_code"]


def _with_the_account_disabled_between(
    server: LiveServer, admin: WebPerson, person: Terminal
) -> str:
    own = person.client.profile
    assert admin.http.post(f"/api/users/{own.user_id}/disable").is_success
    assert _send_signed(admin, "DELETE", f"/api/admin/devices/{own.device_id}").status_code == 204
    assert _send_signed(admin, "POST", f"/api/users/{own.user_id}/enable").is_success
    return _run_sayso(server, "users", "enroll", person.user)["enrollment_code"]


PATHS = (
    _by_the_api,
    _by_the_console,
    _by_the_command_line,
    _by_the_persons_own_session,
    _with_the_account_disabled_between,
)
Path = Callable[[LiveServer, WebPerson, Terminal], str]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
def test_a_terminal_enrolled_after_all_others_were_revoked_waits_a_day(
    server: LiveServer, admin: WebPerson, agent: Agent, person: Terminal, path: Path
) -> None:
    """The new terminal may deny immediately, but its approval of a payment is refused."""
    code = path(server, admin, person)
    stolen = terminal(server, person.user, code, name="stolen")
    agent.ask_payment(person.user)
    pending = stolen.only_request()
    with pytest.raises(ApiError) as refused:
        stolen.approve(pending)
    assert (refused.value.status, refused.value.code) == (403, "device_too_new")
    assert state(server, pending.id) == ("pending", None)
    assert stolen.deny(pending).state == "denied"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
def test_a_passkey_enrolled_after_all_others_were_revoked_waits_a_day(
    server: LiveServer, admin: WebPerson, agent: Agent, person: Terminal, path: Path
) -> None:
    """The new passkey can neither approve a payment nor create a code for another device."""
    stolen = enrolled(server, person.user, path(server, admin, person))
    agent.ask_payment(person.user)
    (pending,) = stolen.http.get("/api/approvals").json()["items"]
    refused = stolen.decide(pending["id"], stolen.assertion(pending["id"]))
    assert (refused.status_code, refused.json()["code"]) == (403, "device_too_new")
    refused = stolen.sign("/devices/code")
    assert refused.status_code == 403
    assert state(server, pending["id"]) == ("pending", None)


def test_revoking_a_users_last_device_is_logged(
    server: LiveServer, admin: WebPerson, person: Terminal
) -> None:
    """The entry names the administrator and says that it was the user's last device."""
    _by_the_api(server, admin, person)
    own = person.client.profile
    (entry,) = entries(server, "device.revoked", subject=own.user_id)
    assert entry["actor"] == f"user:{admin.me['user']['id']}"
    assert entry["facts"] == {"device": own.device_id, "last": True}
