"""Shell completion of commands, flags, names and IDs."""

import subprocess
import sys
from pathlib import Path

import pytest

from server.cli.main import COMPLETION_VARIABLE, GROUPS
from tests.support.builders.installation import open_admin

PATH = f"{Path(sys.executable).parent}:/usr/bin:/bin"
SHELLS = ("bash", "zsh", "fish")
NOTHING = (
    *("agents uninvite", "consents revoke", "deputies revoke", "grants revoke"),
    *("incidents show", "outbox retry"),
)


@pytest.fixture
def folder(admin_cli, data_folder):
    """The data folder of an installation with two agents and a user."""
    for name in ("invoice-bot", "Mail reader"):
        assert admin_cli("agents", "add", name, "--owner", "admin").code == 0
    return data_folder


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_its_script(admin_cli, shell):
    """It asks the program itself, by its completion variable."""
    out = admin_cli("completion", shell).out
    assert COMPLETION_VARIABLE in out
    assert f"{shell}_complete" in out


def test_a_missing_shell_is_refused_with_the_choices(admin_cli):
    """On one line."""
    refused = admin_cli("completion")
    assert refused.code == 2
    assert refused.err.endswith("Choose from: bash, zsh, fish. See: sayso completion --help\n")


def test_bash_completes_commands_flags_and_names(folder):
    """Through the printed script, as a person who presses Tab."""
    assert in_bash(folder, "sayso del") == ["delegations"]
    assert in_bash(folder, "sayso agents rotate-secret --over") == ["--overlap"]
    assert in_bash(folder, "sayso agents disable inv") == ["invoice-bot"]
    assert in_bash(folder, "sayso devices list --user ad") == ["admin"]


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_is_offered_the_same(folder, shell):
    """The protocol of the scripts; an agent is offered by its ID if its name needs quotes."""
    found = offered(folder, shell, "sayso agents show ")
    assert "invoice-bot" in found
    assert any(one.startswith("sayso_ag_") for one in found)
    assert not any("Mail" in one for one in found)
    assert set(offered(folder, shell, "sayso ")) == set(GROUPS)


def test_ids_of_each_noun_are_offered(admin_cli, folder):
    """They are those that its list prints; a noun without any offers nothing."""
    admin_cli("groups", "add", "payers", "--member", "admin")
    services = open_admin(folder)
    admin = services.users.show("admin")[0]
    asked = services.approval(services.agents.show("invoice-bot")[0].id, admin.id)
    device = services.device(admin)
    services.store.close()
    keys = {one["kid"] for one in admin_cli("keys", "list", "--json").document["items"]}
    assert offered(folder, "bash", "sayso approvals show ") == [asked.id]
    assert offered(folder, "bash", "sayso devices revoke ") == [device.id]
    assert offered(folder, "bash", "sayso groups show ") == ["payers"]
    assert offered(folder, "bash", "sayso resources show ") == ["https://pay.example"]
    assert set(offered(folder, "bash", "sayso keys revoke ")) == keys
    for verb in NOTHING:
        assert offered(folder, "bash", f"sayso {verb} ") == []


def test_completion_creates_no_database(tmp_path):
    """A folder without an installation stays empty."""
    assert offered(tmp_path / "other", "bash", "sayso agents show ") == []
    assert not (tmp_path / "other").exists()


def test_a_database_that_cannot_be_read_offers_nothing(folder):
    """The shell shows no error in the middle of a line."""
    (folder / "master.key").write_bytes(b"short")
    assert offered(folder, "bash", "sayso agents show ") == []


def in_bash(folder, line):
    """What bash offers for the end of the line."""
    words = line.split(" ")
    script = (
        'eval "$(sayso completion bash)"\n'
        f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}\n"
        'complete -p sayso >/dev/null && _sayso_completion sayso; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return run(folder, ["bash", "--norc", "-c", script], {})


def offered(folder, shell, line):
    """What the program answers to the script of a shell."""
    words = line.split(" ")
    asked = {
        COMPLETION_VARIABLE: f"{shell}_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": words[-1] if shell == "fish" else str(len(words) - 1),
    }
    rows = run(folder, ["sayso"], asked)
    if shell == "zsh":
        return rows[1::3]
    return [row.partition(",")[2].partition("\t")[0] for row in rows]


def run(folder, command, more):
    """The lines that a command prints; none of them is an error."""
    environment = {"PATH": PATH, "SAYSO_DATA_DIR": str(folder), **more}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]
