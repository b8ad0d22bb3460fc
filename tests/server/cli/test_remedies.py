"""The CLI adds the flag of the member and the command that helps to a refusal."""

import re

import click
import pytest

from server.cli.main import cli
from server.cli.remedies import COMMANDS
from server.cli.tokens.token import REMEDIES

NEW = ("agents", "add", "x", "--owner", "admin")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("users", "show", "nobody"),
            "no user nobody. See them all with: sayso users list",
        ),
        (
            ("users", "add", "admin"),
            "another device for admin. Run: sayso users enroll admin",
        ),
        (("resources", "show", "a b"), "with: sayso resources add 'a b' --scope NAME=RISK"),
        (
            ("agents", "add", "x", "--owner", "eve"),
            "Error: --owner: There is no user eve.",
        ),
        ((*NEW, "--auth", "private_key_jwt"), "Error: --auth private_key_jwt needs --jwks."),
        (
            (*NEW, "--delivery", "push"),
            "Error: --notification-endpoint is required for --delivery ping or push",
        ),
        (
            (*NEW, "--delivery", "push", "--notification-endpoint", "ftp://x"),
            "Error: --notification-endpoint: ",
        ),
        ((*NEW, "--token-seconds", "5"), "Error: --token-seconds: A token lifetime must be 10 to"),
        (("agents", "invite", "--owner", "admin", "--expires", "100d"), "--expires: An invitation"),
        (("token", "explain"), "There is no refused exchange. Use the X-Correlation-Id"),
        (("policy", "explain", "--agent", "x"), "There is no agent x. See them all with: sayso a"),
    ],
)
def test_a_refusal_names_the_flag_and_the_command_that_helps(admin_cli, arguments, message):
    """The services know no flags or commands; `--json` has the same text."""
    assert message in admin_cli(*arguments).err
    assert message.removeprefix("Error: ") in admin_cli(*arguments, "--json").error["message"]


def test_an_existing_resource_is_refused_with_the_command_for_its_secret(admin_cli):
    """A reader who follows two guides registers the same resource twice."""
    refused = admin_cli("resources", "add", "https://pay.example", "--scope", "read=low")
    assert "run: sayso resources rotate-secret https://pay.example" in refused.err


def test_every_command_in_a_remedy_exists():
    """The flags in every remedy exist too."""
    filled = {"SERVES": "--serves URI", "RESOURCES": "--resource URI", "REVIVAL": "enable AGENT"}
    checked = 0
    for text in (*COMMANDS.values(), *REMEDIES.values()):
        for line in re.findall(r"sayso (.+?)(?:[.,] |\.?$)", text):
            command = cli
            words = " ".join(filled.get(word, word) for word in line.split()).split()
            while isinstance(command, click.Group):
                command = command.get_command(click.Context(command), words.pop(0))
            known = {
                flag for param in command.params for flag in (*param.opts, *param.secondary_opts)
            }
            assert {word for word in words if word.startswith("--")} <= known
            checked += 1
    assert checked > len(COMMANDS)
