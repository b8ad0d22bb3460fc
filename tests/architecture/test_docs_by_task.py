"""The documentation is written by task: short pages for a named reader, with existing commands."""

import json
import re
import shlex
from pathlib import Path

import click
import pytest

from approver_tui.cli.main import cli as approver
from server.cli.main import cli as sayso
from tests.support.checks.source import ROOT

_DOCS = ROOT / "docs"
_MAX_WORDS = 1_500
_MAX_LIMITS = 60
_MAX_README_LINES = 100
_NOT_TASK_PAGES = {"architecture.md", "invariants.md", "gallery.md", "gallery-pages.md"}
"""Pages that are not about a task."""
_PAGES = [path for path in sorted(_DOCS.glob("*.md")) if path.name not in _NOT_TASK_PAGES]
_REFERENCE = sorted((_DOCS / "reference").glob("*.md"))
_WORD = re.compile(r"[^\W_][\w'.-]*")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_PROGRAMS = {"sayso": sayso, "sayso-approver": approver}
_READER_SENTENCE = re.compile(r"^For .+\.", re.MULTILINE)
_ANCHORED = re.compile(r"\]\((?!https?:)([^)#]*)#([^)]+)\)")
_NAMED_PAGE = re.compile(r"\bdocs/[\w/-]+\.md\b")


def _name(path: Path) -> str:
    return path.relative_to(_DOCS).as_posix()


@pytest.mark.parametrize("path", _PAGES, ids=_name)
def test_no_page_is_too_long(path):
    """A page over 1,500 words must be split by task, or be a reference page."""
    assert len(_WORD.findall(path.read_text("utf-8"))) <= _MAX_WORDS


@pytest.mark.parametrize("path", [*_PAGES, *_REFERENCE], ids=_name)
def test_each_page_states_its_reader_first(path):
    """The first paragraph below the title says for whom the page is."""
    title, _, rest = path.read_text("utf-8").partition("\n")
    assert title.startswith("# ")
    paragraphs = [
        part for part in rest.split("\n\n") if not part.strip().startswith(("<!--", "!["))
    ]
    assert _READER_SENTENCE.match(paragraphs[0].strip())


def test_the_index_names_every_page():
    """Readers cannot find a page that the index does not name."""
    index = (_DOCS / "README.md").read_text("utf-8")
    linked = set(re.findall(r"\]\(([\w/.-]+\.md)", index))
    every = {_name(path) for path in [*_DOCS.glob("*.md"), *_REFERENCE]} - {"README.md"}
    assert every - linked == set()


def test_the_limitations_are_few():
    """There are at most sixty bullets; details belong on the page of their task."""
    bullets = re.findall(r"^- ", (_DOCS / "limitations.md").read_text("utf-8"), re.MULTILINE)
    assert 0 < len(bullets) <= _MAX_LIMITS


def test_the_readme_is_short_and_begins_with_a_picture():
    """A visitor sees immediately what the product is."""
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert len(lines) <= _MAX_README_LINES
    assert next(line for line in lines[1:] if line).startswith("![")


def test_each_page_named_in_the_code_exists():
    """Messages, templates, docstrings and scripts are searched for names of pages."""
    folders = ("server", "approver_tui", "sayso", "scripts", "tests")
    kinds = {".py", ".html", ".md", ""}
    files = [
        path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in kinds
    ]
    texts = [
        path.read_text("utf-8")
        for path in files
        if path.is_file() and "node_modules" not in path.parts
    ]
    named = {name for text in texts for name in _NAMED_PAGE.findall(text)}
    assert len(named) > 5
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_each_link_to_a_heading_exists():
    """Each anchor belongs to a heading of the page that the link names."""
    pages = [*_DOCS.rglob("*.md"), *ROOT.glob("*.md")]
    broken = {
        f"{path.name}: {link}#{anchor}"
        for path in pages
        for link, anchor in _ANCHORED.findall(path.read_text("utf-8"))
        if anchor not in _anchors((path.parent / link) if link else path)
    }
    assert broken == set()


def _anchors(path: Path) -> set[str]:
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    return set(plain)


def _commands():
    for path in [*_PAGES, *_REFERENCE, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        for kind, block in _BLOCK.findall(path.read_text("utf-8")):
            if kind in {"", "sh"}:
                lines = re.sub(r"\\\n\s*", " ", block).splitlines()
                yield from ((path.name, line) for line in lines if _program(line))


def _program(line: str) -> str:
    first = line.split(" ", 1)[0]
    return first if first in _PROGRAMS else ""


_COMMANDS = sorted(set(_commands()))


def test_pages_show_commands():
    """If no commands were found, the next test would check nothing."""
    assert len(_COMMANDS) > 100


@pytest.mark.parametrize(("page", "line"), _COMMANDS)
def test_each_command_on_a_page_is_valid(page, line):
    """The command and its options exist; `|`, `>`, `&&` and `#` end a command."""
    words = shlex.split(re.split(r"\s[|>]\s|\s&&\s", line)[0], comments=True)
    if "[OPTIONS]" not in words:  # a usage line generated from the command itself
        command, rest = _resolve_command(_PROGRAMS[words[0]], words[1:])
        existing_flags = {
            flag for option in command.params for flag in option.opts + option.secondary_opts
        }
        unknown = {word for word in rest if word.startswith("-") and word not in existing_flags}
        assert unknown == set(), page
        assert not isinstance(command, click.Group) or command.invoke_without_command, page


def _resolve_command(command: click.Command, words: list[str]) -> tuple[click.Command, list[str]]:
    """Returns the command that these words run, and the remaining words."""
    rest = list(words)
    skipped: list[str] = []
    while isinstance(command, click.Group) and rest:
        word = rest.pop(0)
        if word.startswith("-"):
            skipped += [word]
            if _takes_value(command, word):
                rest = rest[1:]
            continue
        inner = command.get_command(click.Context(command), word)
        assert inner is not None, word
        existing_flags = {flag for param in command.params for flag in param.opts}
        assert set(skipped) <= existing_flags | {"--help"}
        command, skipped = inner, []
    return command, [*skipped, *rest]


def _takes_value(command: click.Command, flag: str) -> bool:
    options = (param for param in command.params if isinstance(param, click.Option))
    return any(flag in option.opts and not option.is_flag for option in options)


def _json_blocks():
    for path in [*_PAGES, *_REFERENCE]:
        blocks = [text for kind, text in _BLOCK.findall(path.read_text("utf-8")) if kind == "json"]
        yield from ((path.name, text) for text in blocks)


@pytest.mark.parametrize(("page", "text"), sorted(_json_blocks()))
def test_each_json_block_on_a_page_is_valid(page, text):
    """Readers can copy each JSON block as it is."""
    assert json.loads(text) is not None, page
