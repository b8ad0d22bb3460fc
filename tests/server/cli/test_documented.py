"""The reference page of `sayso` lists every command with a sentence and its options."""

import re
from collections.abc import Iterator

import click

from sayso.ask import Exit as AskExit
from server.cli.errors import Exit
from server.cli.main import cli
from tests.support.checks.source import ROOT

_WITHOUT_DOCUMENT = {
    "sayso audit stream",
    "sayso serve",
    "sayso gateway",
    "sayso mcp",
    "sayso demo",
    "sayso completion",
}
_PAGE = (ROOT / "docs" / "reference" / "command-line.md").read_text("utf-8")


def _verbs(group: click.Group, words: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield f"{words} {name}"
            yield from _verbs(command, f"{words} {name}")
        else:
            yield f"{words} {name}"


def test_the_reference_page_lists_exactly_the_existing_verbs():
    """Every documented command exists, and every existing command is documented."""
    sayso_section, _ = _PAGE.split("\n## `sayso-approver`\n")
    assert set(re.findall(r"^### `(sayso [a-z -]+)`$", sayso_section, re.MULTILINE)) == set(
        _verbs(cli, "sayso")
    )


def test_the_reference_page_lists_every_exit_code():
    """`sayso ask` is a separate program with its own exit codes."""
    for name, codes in (("sayso", Exit), ("sayso ask", AskExit)):
        table = _PAGE.partition(f"| exit of `{name}` | means |")[2].partition("\n\n")[0]
        written = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
        assert written == {int(code) for code in codes}


def test_every_verb_has_help_and_a_json_flag():
    """Only commands that run until stopped or print a script have no JSON document."""
    for words in _verbs(cli, "sayso"):
        command = cli
        for word in words.split()[1:]:
            command = command.get_command(click.Context(command), word)
        assert command.help, words
        flags = {flag for param in command.params for flag in param.opts}
        assert "--json" in flags or words in _WITHOUT_DOCUMENT, words


def test_a_command_group_without_a_command_prints_its_help(sayso):
    """The help is the same as for -h and --help, but as an error on stderr."""
    for group in ([], ["agents"]):
        without_command, help_output = sayso(*group), sayso(*group, "-h")
        assert (without_command.code, without_command.out, help_output.code) == (2, "", 0)
        assert without_command.err == help_output.out == sayso(*group, "--help").out
        assert "\nCommands:\n  " in without_command.err
