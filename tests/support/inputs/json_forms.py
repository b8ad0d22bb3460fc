"""The documents of `sayso-approver --json`, as `docs/reference/approver-json.md` describes them.

Owns: reading the page, and comparing a document with it. Never: the product's own code.
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "approver-json.md"
_ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \|", re.MULTILINE)
_IF_SET = ", if set"
_ALL_OF = re.compile(r"all members of an? (\w+)")


@cache
def forms() -> dict[str, dict[str, str]]:
    """Return each document and each part by name: its members and the forms of their values."""
    sections = re.split(r"^### ", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    differences = {}
    for section in sections:
        name = section.splitlines()[0].strip("`")
        differences[name] = dict(_ROW.findall(section))
    for section in sections:
        name = section.splitlines()[0].strip("`")
        if more := _ALL_OF.search(section):
            differences[name] = {**differences[more[1]], **differences[name]}
    return differences


def schemas() -> set[str]:
    """Return the names of the documents that the page describes."""
    return {name for name in forms() if name.startswith("sayso.")}


def problems(document: dict[str, object]) -> list[str]:
    """Return how a document differs from its description; an empty list if it does not."""
    members = {name: value for name, value in document.items() if name != "schema"}
    return _differences(members, str(document["schema"]), str(document["schema"]))


def _differences(value: object, form: str, path: str) -> list[str]:
    if form.endswith(" or null"):
        return [] if value is None else _differences(value, form.removesuffix(" or null"), path)
    if form.startswith("list of "):
        if not isinstance(value, list):
            return [f"{path} is not a list"]
        inner = form.removeprefix("list of ")
        return [
            difference for item in value for difference in _differences(item, inner, f"{path}[]")
        ]
    if form in _PLAIN:
        return [] if _PLAIN[form](value) else [f"{path} is not of the form {form}: {value!r}"]
    return _member_differences(value, forms()[form], path)


def _member_differences(value: object, expected: dict[str, str], path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path} is not an object"]
    needed = {name for name, form in expected.items() if not form.endswith(_IF_SET)}
    differences = [f"{path}.{name} is not described" for name in sorted(set(value) - set(expected))]
    differences += [f"{path}.{name} is missing" for name in sorted(needed - set(value))]
    for name in sorted(set(value) & set(expected)):
        form = expected[name].removesuffix(_IF_SET)
        differences += _differences(value[name], form, f"{path}.{name}")
    return differences


def _is_time(value: object) -> bool:
    if not isinstance(value, str) or not value.endswith("Z"):
        return False
    return datetime.fromisoformat(value).tzinfo is not None


_PLAIN: dict[str, Callable[[object], bool]] = {
    "text": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "yes or no": lambda value: isinstance(value, bool),
    "time": _is_time,
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}
