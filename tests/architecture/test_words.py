"""Documents and pages use the words of the glossary, and none that it retired."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checks.source import ROOT

_RETIRED = {
    r"\b(?:approv\w*|given|granted) (?:\w+ )?(?:ahead|beforehand)\b": "in advance",
    r"\bleeway\b": "limit",
    r"\bcap(?:s|ped)?\b": "limit",
    r"\bstop(?:s|ped|ping)? acting for\b": "revoke access",
    r"\bdisown(?:s|ed|ing)?\b": "report",
    r"\blaps(?:e|es|ed|ing)\b": "expire",
    r"\bstand-ins?\b": "deputy",
    r"\breinforcements?\b": "backup",
    r"\b(?:answerers?|deciders?)\b": "eligible approvers",
    r"\bsuccessions?\b": "orphan quarantine",
    r"\bfor the log alone\b": "audit log only",
    r"\b(?:whoever|whomever)\b": "anyone who; the person who",
    r"\bwherewith\b": "with which",
    r"\bwhat waits\b": "pending requests",
    r"\bheld against\b": "compared with; checked against",
    r"\benrol(?!l)": "enroll",
}
"""Retired words and their replacements. A word with several meanings is not listed."""
_GLOSSARY = ROOT / "docs" / "glossary.md"
_THIRD_COLUMN = re.compile(r"^(\|[^|]*\|[^|]*\|)[^|]*\|$", re.MULTILINE)


def _pages() -> Iterator[Path]:
    for folder in ("docs", "examples"):
        yield from (ROOT / folder).rglob("*.md")


def _texts() -> Iterator[tuple[str, str]]:
    """Every document and template, without the glossary's column of retired words."""
    templates = (ROOT / "server" / "web" / "templates").rglob("*.*")
    for path in sorted([*ROOT.glob("*.md"), *_pages(), *templates]):
        text = path.read_text("utf-8")
        text = _THIRD_COLUMN.sub(r"\1", text) if path == _GLOSSARY else text
        yield path.relative_to(ROOT).as_posix(), text


@pytest.mark.parametrize("pattern", _RETIRED)
def test_no_document_or_template_has_a_retired_word(pattern):
    """The error names the file, the line, the word, and what to write instead."""
    word = re.compile(pattern, re.IGNORECASE)
    retired_words = [
        f"{path}:{number}: {match[0]!r}, write {_RETIRED[pattern]!r}"
        for path, text in _texts()
        for number, line in enumerate(text.splitlines(), 1)
        for match in word.finditer(line)
    ]
    assert retired_words == []


def test_the_documents_and_templates_are_found():
    """If no documents were found, the test above would check nothing."""
    paths = [path for path, _ in _texts()]
    assert {"README.md", "CHANGELOG.md", "docs/glossary.md", "docs/policy.md"} <= set(paths)
    assert sum(path.endswith((".html", ".js", ".css")) for path in paths) > 100
