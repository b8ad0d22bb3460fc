"""The stable contract for scripts: exit codes, and a single JSON document per command."""

import errno
import json
import os
import subprocess
import sys

import pytest

from server.http.approvers import groups
from server.http.clients import agent_wire, apps, invitations
from server.http.resources import resources
from server.http.tokens import keys
from server.http.users import user_wire
from tests.support.builders.installation import PAYMENT
from tests.support.servers.ports import free_port

AGENT = ("agents", "add", "invoice-bot", "--owner", "admin")
CEILING = ("--resource", "https://pay.example", "--scope", "payments:read")


@pytest.fixture
def action_file(tmp_path):
    """A file that describes an action type."""
    path = tmp_path / "payment.json"
    path.write_text(json.dumps(PAYMENT))
    return str(path)


def test_init_prints_exactly_four_members(sayso):
    """The code is in the fragment of the URL, so that no server receives it."""
    document = sayso("init", "--admin", "admin", "--json").document
    assert set(document) == {"user", "enrollment_code", "enrollment_url", "expires_at"}
    assert document["user"] == "admin"
    code = document["enrollment_code"]
    assert document["enrollment_url"] == f"http://localhost:8470/enroll#{code}"
    assert document["expires_at"].endswith("Z")


def test_a_second_init_is_a_conflict_without_if_missing(sayso):
    """With `--if-missing` it prints the existing user without a code."""
    sayso("init")
    again = sayso("init", "--admin", "eve", "--json")
    assert (again.code, again.error["code"]) == (6, "exists")
    assert sayso("init", "--if-missing", "--json").document == {"user": "admin"}


def test_adding_a_user_prints_name_id_and_code(admin_cli):
    """The enrollment code is printed only once."""
    document = admin_cli("users", "add", "approver", "--json").document
    assert document["user"] == "approver"
    assert document["id"].startswith("sayso_us_")
    assert len(document["enrollment_code"]) == 39
    assert "enrollment_code" not in admin_cli("users", "show", "approver", "--json").out


def test_adding_an_agent_prints_its_secret_once(admin_cli):
    """No other command ever prints the secret."""
    document = admin_cli(*AGENT, *CEILING, "--json").document
    assert document["client_id"].startswith("sayso_ag_")
    assert document["client_secret"].startswith("sayso_cs_")
    assert (document["owners"], document["state"]) == (["admin"], "enabled")
    everything = (
        admin_cli("agents", "show", "invoice-bot", "--json").out + admin_cli("audit", "tail").out
    )
    assert document["client_secret"] not in everything


def test_disabling_an_agent_prints_exactly_its_state_and_counts(admin_cli):
    """The agent is given by its name or client_id; repeating the command is harmless."""
    client_id = admin_cli(*AGENT, "--json").document["client_id"]
    for name_or_id in ("invoice-bot", client_id):
        assert admin_cli("agents", "disable", name_or_id, "--json").document == {
            "client_id": client_id,
            "state": "disabled",
            "tokens_revoked": 0,
            "descendants_revoked": 0,
            "requests_cancelled": 0,
            "approved_cancelled": 0,
        }


@pytest.mark.parametrize(
    "verb",
    [
        ("users", "add", "admin"),
        ("resources", "add", "https://pay.example"),
        AGENT,
        ("apps", "add", "chat", "--redirect-uri", "https://chat.example/back"),
        ("groups", "add", "finance", "--member", "admin"),
        ("actions", "add", "FILE"),
    ],
)
def test_adding_an_existing_object_is_exit_6_unless_if_missing(admin_cli, action_file, verb):
    """A script with `--if-missing` can run twice and never sees the secret again."""
    verb = tuple(action_file if word == "FILE" else word for word in verb)
    admin_cli(*verb)
    again = admin_cli(*verb, "--json")
    assert (again.code, again.error["code"]) == (6, "exists")
    document = admin_cli(*verb, "--if-missing", "--json").document
    assert not {"client_secret", "enrollment_code", "enrollment_url"} & set(document)


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("nonsense",), 2, "usage"),
        (("users", "password", "admin"), 2, "usage"),
        (("apps", "show", "nothing"), 3, "not_found"),
        (("apps", "add", "x"), 2, "invalid"),
        (("apps", "add", "x", "--redirect-uri", "ftp://x"), 2, "invalid"),
        (("issuers", "list"), 2, "usage"),
        (("db", "copy", "x"), 2, "usage"),
        (("users", "add"), 2, "usage"),
        (("users", "add", "a\x1b[2Jb"), 2, "invalid"),
        (("users", "add", "ben", "--role", "root"), 2, "usage"),
        (("users", "show", "nobody"), 3, "not_found"),
        (("agents", "disable", "nobody"), 3, "not_found"),
        (("agents", "add", "x"), 2, "usage"),
        (("agents", "add", "x", "--owner", "nobody"), 3, "not_found"),
        (("agents", "add", "x", "--owner", "admin", "--resource", "https://x"), 3, "not_found"),
        (("agents", "add", "x", "--owner", "admin", "--asks", "nobody"), 3, "not_found"),
        (("agents", "invite", "--owner", "admin", "--asks", "nobody"), 3, "not_found"),
        (("agents", "add", "x", "--owner", "admin", "--scope", "payments:read"), 2, "invalid"),
        (("resources", "add", "ftp://x"), 2, "invalid"),
        (("resources", "add", "https://x.example", "--scope", "a=huge"), 2, "usage"),
        (("resources", "show", "https://x.example"), 3, "not_found"),
        (("actions", "add", "no such file"), 2, "usage"),
        (("actions", "show", "x"), 3, "not_found"),
        (("approvals", "show", "x"), 3, "not_found"),
        (("approvals", "cancel", "x"), 2, "usage"),
        (("approvals", "escalate", "x"), 2, "usage"),
        (("approvals", "escalate", "x", "--to", "admin"), 3, "not_found"),
        (("approvals", "cancel", "x", "--reason", "\x1b"), 2, "invalid"),
        (("devices", "revoke", "x"), 3, "not_found"),
        (("keys", "rotate", "--alg", "HS256"), 2, "usage"),
        (("audit", "tail", "--follow"), 2, "usage"),
        (("serve", "--port", "0"), 2, "usage"),
    ],
)
def test_an_error_is_one_json_object_with_a_stable_code_and_exit_code(
    admin_cli, arguments, code, word
):
    """Stdout is empty, and stderr has a message without control characters."""
    result = admin_cli(*arguments, "--json")
    assert (result.code, result.error["code"], result.error["exit"]) == (code, word, code)
    assert result.error["message"]
    assert "\x1b" not in result.err


def test_an_unknown_user_or_group_in_asks_is_named_and_no_agent_is_registered(admin_cli):
    """An agent that was registered without the group could ask every user."""
    result = admin_cli(*AGENT, "--asks", "finance")
    assert result.code == 3
    assert "--asks: There is no user or group finance. See them all with:" in result.err
    assert admin_cli("agents", "list", "--json").document == {"items": []}
    admin_cli("groups", "add", "finance", "--member", "admin")
    assert admin_cli(*AGENT, "--asks", "finance", "--json").document["asks"] == ["finance"]


def test_a_record_has_all_members_that_the_api_gives_it(admin_cli):
    """In an agent, a group and an invitation, the users and groups are names."""
    admin_cli(*AGENT, *CEILING)
    admin_cli("apps", "add", "chat", "--redirect-uri", "https://chat.example/back")
    admin_cli("groups", "add", "finance", "--member", "admin")
    admin_cli("agents", "invite", "--owner", "admin")
    for verb, model in {
        "agents list": agent_wire.ManagedAgent,
        "agents invitations": invitations.ManagedInvitation,
        "apps list": apps.ManagedApp,
        "groups list": groups.ManagedGroup,
        "keys list": keys.ManagedKey,
        "resources list": resources.ManagedResource,
        "users list": user_wire.ManagedUser,
    }.items():
        items = admin_cli(*verb.split(), "--json").document["items"]
        assert items, verb
        assert {*model.model_fields} - {*items[0]} == set(), verb
    (agent,) = admin_cli("agents", "list", "--json").document["items"]
    rotated = admin_cli("agents", "rotate-secret", "invoice-bot", "--json").document
    assert len(rotated.pop("client_secret")) > len("sayso_cs_")
    assert {*rotated} == {*agent}


def test_every_empty_list_is_a_document_with_items(admin_cli):
    """A script that reads lists also works on a new installation."""
    for noun in ("users", "agents", "apps", "resources", "actions", "approvals", "devices", "keys"):
        assert isinstance(admin_cli(noun, "list", "--json").document["items"], list), noun


def test_a_full_disk_is_named_without_an_error_number(admin_cli, monkeypatch):
    """The error of a file descriptor has no path."""

    def refuse(_descriptor, _mode):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fchmod", refuse)
    refused = admin_cli("serve", "--port", str(free_port()))
    assert (refused.code, refused.err) == (1, "Error: No space left on device.\n")


def test_a_broken_key_file_is_an_error_and_not_a_traceback(admin_cli, data_folder):
    """The message has the command that repairs the file."""
    (data_folder / "master.key").chmod(0o644)
    assert admin_cli("users", "list", "--json").error["code"] == "bad_key_file"
    assert "chmod 600" in admin_cli("users", "list").err


def test_the_installed_command_returns_the_same_exit_codes(tmp_path):
    """A real process prints a document with exit 0, or an error object with exit 3."""
    environment = {**os.environ, "SAYSO_DATA_DIR": str(tmp_path / "data")}
    program = [sys.executable, "-c", "from server.cli.main import main; main()"]

    def run(*arguments):
        return subprocess.run(
            [*program, *arguments], capture_output=True, text=True, env=environment, check=False
        )

    admin_cli = run("init", "--json")
    assert (admin_cli.returncode, admin_cli.stderr) == (0, "")
    assert json.loads(admin_cli.stdout)["user"] == "admin"
    missing = run("users", "show", "nobody", "--json")
    assert (missing.returncode, missing.stdout) == (3, "")
    assert json.loads(missing.stderr)["code"] == "not_found"
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def test_closed_output_is_not_a_success():
    """A reader that has ended is quiet, as in other programs. A closed stdout is an error."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "server", "--help"]
    piped = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (piped.returncode, piped.stderr) == (141, b"")
    shell = ["sh", "-c", f"exec {' '.join(command)} >&-"]
    closed = subprocess.run(shell, capture_output=True, text=True, check=False)
    message = "Error: The standard output is closed.\n"
    assert (closed.returncode, closed.stdout, closed.stderr) == (1, "", message)
