"""The documents of `sayso-approver --json`, as `docs/reference/approver-json.md` describes them.

Owns: reading the page, and comparing a document with it. Never: importing the product's code.
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "approver-json.md"
_ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \|", re.MULTILINE)
_OPTIONAL = ", optional"
_ALL_OF = re.compile(r"all members of an? ([a-z ]+?)(?=[,.]| after)")


@cache
def types_by_name() -> dict[str, dict[str, str]]:
    """Return each document and each part by name: its members and the types of their values."""
    sections = re.split(r"^### ", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    by_name = {}
    for section in sections:
        name = section.splitlines()[0].strip("`")
        by_name[name] = dict(_ROW.findall(section))
    for section in sections:
        name = section.splitlines()[0].strip("`")
        if more := _ALL_OF.search(section):
            by_name[name] = {**by_name[more[1]], **by_name[name]}
    return by_name


def schemas() -> set[str]:
    """Return the names of the documents that the page describes."""
    return {name for name in types_by_name() if name.startswith("sayso.")}


def problems(document: dict[str, object]) -> list[str]:
    """Return how a document differs from its description; an empty list if it does not."""
    members = {name: value for name, value in document.items() if name != "schema"}
    return _differences(members, str(document["schema"]), str(document["schema"]))


def _differences(value: object, type_name: str, path: str) -> list[str]:
    if type_name.endswith(" or null"):
        inner = type_name.removesuffix(" or null")
        return [] if value is None else _differences(value, inner, path)
    if type_name.startswith("array of "):
        if not isinstance(value, list):
            return [f"{path} is not an array"]
        inner = re.sub(r"ies$", "y", type_name.removeprefix("array of ")).removesuffix("s")
        return [
            difference for item in value for difference in _differences(item, inner, f"{path}[]")
        ]
    if type_name in _PLAIN:
        return [] if _PLAIN[type_name](value) else [f"{path} is not of type {type_name}: {value!r}"]
    return _member_differences(value, types_by_name()[type_name], path)


def _member_differences(value: object, members: dict[str, str], path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path} is not an object"]
    required = {name for name, type_name in members.items() if not type_name.endswith(_OPTIONAL)}
    differences = [f"{path}.{name} is not described" for name in sorted(set(value) - set(members))]
    differences += [f"{path}.{name} is missing" for name in sorted(required - set(value))]
    for name in sorted(set(value) & set(members)):
        type_name = members[name].removesuffix(_OPTIONAL)
        differences += _differences(value[name], type_name, f"{path}.{name}")
    return differences


def _is_time(value: object) -> bool:
    if not isinstance(value, str) or not value.endswith("Z"):
        return False
    return datetime.fromisoformat(value).tzinfo is not None


_PLAIN: dict[str, Callable[[object], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "time": _is_time,
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}
