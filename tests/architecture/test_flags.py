"""Every flag of both command lines is used in a test."""

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from tests.support.checks.source import ROOT

_TESTED_ELSEWHERE = {
    ("demo", "--plain"): "`scripts/demo --plain` is run by `tests/flows/test_demo.py`",
}


def _flags(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yields the words of each command, with each of its flags."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            subcommand = command.get_command(context, name)
            assert subcommand is not None
            yield from _flags(subcommand, (*path, name))
    for option in command.params:
        if isinstance(option, click.Option):
            yield from ((*path, flag) for flag in (*option.opts, *option.secondary_opts))


@cache
def _words(path: Path) -> set[str]:
    """Returns every word of every string in a module; `--flag=value` counts as the flag."""
    texts = [
        node.value
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return {word.partition("=")[0] for text in texts for word in text.split()}


@pytest.mark.parametrize("program", ["server.cli.main", "approver_tui.cli.main"])
def test_every_flag_is_used_in_a_test(program: str) -> None:
    """Some test module contains the words of the command and the flag.

    An untested flag may do nothing. Prose counts too; the rows of `tests/server/cli/test_flags.py`
    check the effect of each flag of an agent.
    """
    cli = importlib.import_module(program).cli
    tests = [_words(path) for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__)]
    flags = {words for words in _flags(cli) if words not in _TESTED_ELSEWHERE}
    assert len(flags) > 20
    assert {
        words
        for words in flags
        if not any(module_words.issuperset(words) for module_words in tests)
    } == set()
