"""Errors are data: only the command line has texts about commands and flags."""

import ast
import re
from collections.abc import Iterator

from server.cli.remedies import COMMANDS
from tests.support.checks.source import Module, calls, modules

_COMMAND = re.compile(r"\bsayso [a-z]|(?<!\w)--[a-z]")
_NOUNS = ("agent", "app", "client", "group", "resource", "user")
_TABLES = {f"{noun}_members" for noun in _NOUNS}
"""Modules whose rows contain the flag of a member as data."""
_LAYERS = ("server/services", "server/protocol", "server/model", "server/http", "server/web")


def _texts(module: Module) -> Iterator[str]:
    """Yields every string of a module that is not a docstring."""
    docs = {
        node.value
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docs:
            yield node.value


def _remedies(module: Module) -> Iterator[tuple[str, int]]:
    """Yields the code of every remedy that a module raises, as a pattern, and its value count."""
    for call, name in calls(module.tree):
        remedies = [keyword.value for keyword in call.keywords if keyword.arg == "remedy"]
        codes = [
            (node.elts[0], len(node.elts) - 1) for node in remedies if isinstance(node, ast.Tuple)
        ]
        codes += [(call.args[0], 1)] if name == "NotFound" else []
        for code, values in codes:
            if isinstance(code, ast.Constant):
                yield re.escape(code.value), values
            elif isinstance(code, ast.JoinedStr):
                literals = [getattr(part, "value", None) for part in code.values]
                yield (
                    "".join(re.escape(k) if isinstance(k, str) else ".+" for k in literals),
                    values,
                )


def test_no_error_names_a_command_or_a_flag() -> None:
    """The API, the pages and other programs show these texts too."""
    texts_with_commands = [
        f"{module.path}: {text}"
        for module in modules(*_LAYERS)
        if module.name not in _TABLES
        for text in _texts(module)
        if _COMMAND.search(text)
    ]
    assert texts_with_commands == []


def test_the_command_line_has_a_command_for_every_remedy() -> None:
    """The text has no more values than the remedy, and no text is left without a remedy."""
    raised = {
        found for module in modules("server/services", "server/cli") for found in _remedies(module)
    }
    assert len(raised) > 30
    for pattern, values in raised:
        rows = [text for code, text in COMMANDS.items() if re.fullmatch(pattern, code)]
        assert rows, pattern
        assert all(text.count("{}") <= values for text in rows), pattern
    service_texts = {text for module in modules("server/services") for text in _texts(module)}
    assert [
        code
        for code in COMMANDS
        if code not in service_texts
        and not any(re.fullmatch(pattern, code) for pattern, _ in raised)
    ] == []
