"""Text from agents is never interpreted, neither by a terminal nor by a database."""

import ast
from collections.abc import Iterator

import pytest

from tests.support.checks.source import calls, keyword, last_name, modules

_PARSES_MARKUP = {"Static", "Label", "Link", "OptionList", "RichLog", "Tooltip", "notify"}
_PARSES_ITS_LABEL = {"Button", "Checkbox", "RadioButton", "Collapsible", "TabPane", "Tab"}
_ALWAYS_PARSES = {"from_markup", "Markdown", "MarkdownViewer", "Placeholder", "Pretty"}
_TITLES = {"border_title", "border_subtitle", "tooltip"}
_PLAIN = {"Text", "Content"}
_RUNS_SQL = {"text", "execute", "exec_driver_sql", "executescript", "executemany", "scalar"}


def test_no_widget_interprets_markup_in_its_text():
    """Markup is turned off at each widget, or in our own class of the widget."""
    reading = [
        f"{module.path}:{line} {name}"
        for module in modules("approver_tui")
        for line, name in _markup_readers(module.tree)
    ]
    assert reading == []


def test_no_sql_is_built_from_text():
    """Values are bound and statements are fixed: SQL has no f-string, `+`, `%` or `format`."""
    built = [
        f"{module.path}:{call.lineno} {name}"
        for module in modules("server/storage")
        for call, name in calls(module.tree)
        if name in _RUNS_SQL and call.args and _is_built(call.args[0])
    ]
    assert built == []


@pytest.mark.parametrize(
    "source",
    [
        "Static(text)",
        "widgets.Label(text, markup=True)",
        "self.notify(text)",
        "Button(text)",
        "Text.from_markup(text)",
        "panel.border_title = text",
        "class Fact(Static):\n    def on_mount(self):\n        super().on_mount()",
    ],
)
def test_interpreted_markup_is_detected(source):
    """A check that finds nothing anywhere proves nothing, so it must find each of these."""
    assert list(_markup_readers(ast.parse(source))) != []


@pytest.mark.parametrize(
    "source",
    [
        "Static(text, markup=False)",
        "Button('Approve')",
        "panel.border_title = Content(text)",
        "class Fact(Static):\n def __init__(self, text):\n  super().__init__(text, markup=False)",
    ],
)
def test_safe_code_is_accepted(source):
    """Markup that is turned off, our own words, and text that is already parsed are safe."""
    assert list(_markup_readers(ast.parse(source))) == []


def _markup_readers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _call_reads(node):
            yield node.lineno, last_name(node.func)
        elif isinstance(node, ast.ClassDef) and _class_reads(node):
            yield node.lineno, node.name
        elif isinstance(node, ast.Assign) and _title_reads(node):
            yield node.lineno, last_name(node.targets[0])


def _call_reads(call: ast.Call) -> bool:
    name = last_name(call.func)
    if name in _PARSES_MARKUP:
        return not _markup_is_off(call)
    if name in _PARSES_ITS_LABEL:
        label = call.args[0] if call.args else keyword(call, "label") or keyword(call, "title")
        return label is not None and not _is_plain(label)
    return name in _ALWAYS_PARSES


def _class_reads(definition: ast.ClassDef) -> bool:
    if not {last_name(base) for base in definition.bases} & _PARSES_MARKUP:
        return False
    starts = [call for call, name in calls(definition) if name == "__init__"]
    return not any(_markup_is_off(call) for call in starts)


def _title_reads(assignment: ast.Assign) -> bool:
    is_title = any(last_name(target) in _TITLES for target in assignment.targets)
    return is_title and not _is_plain(assignment.value)


def _markup_is_off(call: ast.Call) -> bool:
    value = keyword(call, "markup")
    return isinstance(value, ast.Constant) and value.value is False


def _is_plain(value: ast.expr) -> bool:
    if isinstance(value, ast.Constant):
        return "[" not in str(value.value)
    return isinstance(value, ast.Call) and last_name(value.func) in _PLAIN


def _is_built(value: ast.expr) -> bool:
    if isinstance(value, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in value.values)
    if isinstance(value, ast.BinOp):
        return any(_is_text(side) for side in (value.left, value.right))
    return isinstance(value, ast.Call) and last_name(value.func) == "format"


def _is_text(value: ast.expr) -> bool:
    is_literal = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return is_literal or _is_built(value)
