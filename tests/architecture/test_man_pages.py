"""The man pages name every command, and roff reads no word of them as a request."""

import re

import click
import pytest

from tests.support.reference import man_pages
from tests.support.reference.command_line import commands

_REQUESTS = {".TH", ".SH", ".SS", ".PP", ".TP", ".B"}


@pytest.mark.parametrize("program", man_pages.PROGRAMS)
def test_each_command_and_option_has_its_lines(program, tmp_path):
    """Every command and option is named, and only the page's own requests begin with a dot."""
    man_pages.write(tmp_path)
    text = (tmp_path / f"{program}.1").read_text("utf-8")
    requests = {line.split()[0] for line in text.splitlines() if line.startswith((".", "'"))}
    assert requests == _REQUESTS
    plain = text.replace("\\-", "-")
    for name, command in commands(man_pages.PROGRAMS[program][0], program):
        assert re.search(rf'^\.SS "{name}\b', plain, re.MULTILINE)
        shown = [
            param
            for param in command.params
            if isinstance(param, click.Option) and not param.hidden
        ]
        assert all(option.opts[0] in plain for option in shown)


@pytest.mark.parametrize(
    ("text", "escaped"), [(".x", "\\&.x"), ("'x", "\\&'x"), ("a\\b", "a\\eb"), ("--x", "\\-\\-x")]
)
def test_text_is_escaped(text, escaped):
    """A reader sees the text as it was written."""
    assert man_pages._text(text) == escaped
