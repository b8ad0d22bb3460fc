"""Shell completion of commands, flags, names and IDs."""

import subprocess
import sys
from pathlib import Path

import pytest

from server.cli.main import COMPLETION_VARIABLE, GROUPS, main
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


@pytest.fixture
def offered(capfd, monkeypatch):
    """A function that returns the program's completions for a shell's completion script."""

    def ask(line, shell="bash"):
        words = line.split(" ")
        monkeypatch.setenv(COMPLETION_VARIABLE, f"{shell}_complete")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words) - 1))
        with pytest.raises(SystemExit) as exit_info:
            main(())
        assert not exit_info.value.code
        monkeypatch.delenv(COMPLETION_VARIABLE)
        out, err = capfd.readouterr()
        assert err == ""
        rows = [row for row in out.splitlines() if row]
        if shell == "zsh":
            return rows[1::3]
        return [row.partition(",")[2].partition("\t")[0] for row in rows]

    return ask


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_its_script(admin_cli, shell):
    """The script calls the program with its completion variable."""
    out = admin_cli("completion", shell).out
    assert COMPLETION_VARIABLE in out
    assert f"{shell}_complete" in out


def test_a_missing_shell_is_refused_with_the_choices(admin_cli):
    """The error lists the choices on a single line."""
    refused = admin_cli("completion")
    assert refused.code == 2
    assert refused.err.endswith("Choose from: bash, zsh, fish. See: sayso completion --help\n")


def test_bash_completes_commands_flags_and_names(folder):
    """The printed script completes as it does for a person who presses Tab."""
    assert _complete_in_bash(folder, "sayso del") == ["delegations"]
    assert _complete_in_bash(folder, "sayso agents rotate-secret --over") == ["--overlap"]
    assert _complete_in_bash(folder, "sayso agents disable inv") == ["invoice-bot"]
    assert _complete_in_bash(folder, "sayso devices list --user ad") == ["admin"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_the_same_completions(offered, shell):
    """An agent whose name needs quotes is offered by its ID."""
    candidates = offered("sayso agents show ", shell)
    assert "invoice-bot" in candidates
    assert any(candidate.startswith("sayso_ag_") for candidate in candidates)
    assert not any("Mail" in candidate for candidate in candidates)
    assert set(offered("sayso ", shell)) == set(GROUPS)


def test_ids_of_each_noun_are_offered(admin_cli, folder, offered):
    """The IDs are those that the list command prints; an empty list offers nothing."""
    admin_cli("groups", "add", "payers", "--member", "admin")
    services = open_admin(folder)
    admin = services.users.show("admin")[0]
    approval = services.approval(services.agents.show("invoice-bot")[0].id, admin.id)
    device = services.device(admin)
    services.store.close()
    keys = {item["kid"] for item in admin_cli("keys", "list", "--json").document["items"]}
    assert offered("sayso approvals show ") == [approval.id]
    assert offered("sayso devices revoke ") == [device.id]
    assert offered("sayso groups show ") == ["payers"]
    assert offered("sayso resources show ") == ["https://pay.example"]
    assert set(offered("sayso keys revoke ")) == keys
    for verb in NOTHING:
        assert offered(f"sayso {verb} ") == []


def test_completion_does_not_create_a_database(data_folder, offered):
    """A folder without an installation is not created."""
    assert offered("sayso agents show ") == []
    assert not data_folder.exists()


def test_a_database_that_cannot_be_read_offers_nothing(folder, offered):
    """An error message must not appear in the middle of the line being typed."""
    (folder / "master.key").write_bytes(b"short")
    assert offered("sayso agents show ") == []


def _complete_in_bash(folder, line):
    """Return what bash offers for the end of the line."""
    words = line.split(" ")
    script = (
        'eval "$(sayso completion bash)"\n'
        f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}\n"
        'complete -p sayso >/dev/null && _sayso_completion sayso; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    command = ["bash", "--norc", "-c", script]
    environment = {"PATH": PATH, "SAYSO_DATA_DIR": str(folder)}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert result.stderr == ""
    return [line for line in result.stdout.splitlines() if line]


def test_a_mistyped_command_gets_a_suggestion(admin_cli):
    """The question ends with a question mark, and the help is a separate sentence."""
    refused = admin_cli("agents", "lst")
    assert refused.err.endswith("Did you mean 'list'? See: sayso agents --help\n")
