"""`python -m tests.support.reference.man_pages DIR`: the man pages of both programs.

Owns: a page for each program, generated from its commands. Never: its own texts; they come from
`--help`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from approver_tui.cli.exits import Exit as ApproverExit
from approver_tui.cli.main import cli as approver
from server.cli.errors import Exit
from server.cli.main import cli as sayso
from tests.support.reference.command_line import commands
from tests.support.reference.markdown import member_docs

PROGRAMS = {
    "sayso": (sayso, Exit, "administer a Sayso server"),
    "sayso-approver": (approver, ApproverExit, "answer what AI agents want to do"),
}


def page(program: str) -> str:
    """Return the page of a program: its options, each command, the exit codes."""
    group, exits, purpose = PROGRAMS[program]
    docs = member_docs(exits)
    lines = [
        f'.TH "{program.upper()}" "1" "" "Sayso"',
        ".SH NAME",
        f"{_text(program)} \\- {_text(purpose)}",
        ".SH SYNOPSIS",
        f".B {_text(program)}",
        "[OPTIONS] COMMAND [ARGUMENTS]",
        ".SH DESCRIPTION",
        *_help(group),
        ".SH OPTIONS",
        *_options(group),
        ".SH COMMANDS",
        *(line for words, cmd in commands(group, program) for line in _command(words, cmd)),
        ".SH EXIT STATUS",
        *(line for code in exits for line in _row(str(int(code)), docs[code.name])),
    ]
    return "\n".join(lines) + "\n"


def write(folder: Path) -> None:
    """Write every page into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for program in PROGRAMS:
        (folder / f"{program}.1").write_text(page(program), encoding="utf-8")


def _command(called: str, command: click.Command) -> Iterator[str]:
    pieces = filter(None, command.collect_usage_pieces(click.Context(command)))
    yield f'.SS "{_text(" ".join([called, *pieces]), quoted=True)}"'
    yield from _help(command)
    yield from _options(command)


def _help(command: click.Command) -> Iterator[str]:
    for paragraph in (command.help or "").replace("\b", "").split("\n\n"):
        yield from (".PP", _text(" ".join(paragraph.split())))


def _options(command: click.Command) -> Iterator[str]:
    context = click.Context(command)
    for option in command.params:
        if (
            isinstance(option, click.Option)
            and not option.hidden
            and (record := option.get_help_record(context))
        ):
            yield from _row(*record)


def _row(term: str, text: str) -> Iterator[str]:
    yield from (".TP", f".B {_text(term)}", _text(text))


def _text(text: str, *, quoted: bool = False) -> str:
    """Escape roff requests; keep dashes as plain hyphens that can be copied."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    if quoted:
        escaped = escaped.replace('"', "\\(dq")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    write(Path(sys.argv[1]))
