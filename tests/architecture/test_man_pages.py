"""The man pages name every command, and roff reads no word as a request."""

import re

import click
import pytest

from tests.support.reference import man_pages
from tests.support.reference.command_line import commands

_REQUESTS = {".TH", ".SH", ".SS", ".PP", ".TP", ".B"}


@pytest.mark.parametrize("program", man_pages.PROGRAMS)
def test_each_command_and_option_has_its_lines(program, tmp_path):
    """A line that starts with a dot is a request of this page."""
    man_pages.write(tmp_path)
    text = (tmp_path / f"{program}.1").read_text("utf-8")
    requests = {line.split()[0] for line in text.splitlines() if line.startswith((".", "'"))}
    assert requests == _REQUESTS
    plain = text.replace("\\-", "-")
    for called, command in commands(man_pages.PROGRAMS[program][0], program):
        assert re.search(rf'^\.SS "{called}\b', plain, re.MULTILINE)
        shown = [
            param
            for param in command.params
            if isinstance(param, click.Option) and not param.hidden
        ]
        assert all(one.opts[0] in plain for one in shown)


@pytest.mark.parametrize(
    ("text", "escaped"), [(".x", "\\&.x"), ("'x", "\\&'x"), ("a\\b", "a\\eb"), ("--x", "\\-\\-x")]
)
def test_text_is_escaped(text, escaped):
    """It is shown as it is written."""
    assert man_pages._text(text) == escaped
