"""What a form offers to choose from: the names in the lists that its page reads.

Owns: which list belongs to which word of `Field.suggestions`. Never: what the person may choose;
the API decides that.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from server.web.page import Read

_ALL: Final = (("limit", "200"),)
MAX_TICKED: Final = 30
"""A longer list is offered while a name is typed."""

RESOURCES: Final = Read("resources", "GET /api/resources", fixed=_ALL)
USERS: Final = Read("users", "GET /api/users", fixed=_ALL, optional=True)
GROUPS: Final = Read("groups", "GET /api/groups", fixed=_ALL, optional=True)
ACTIONS: Final = Read("actions", "GET /api/actions", fixed=_ALL, optional=True)


@dataclass(frozen=True, slots=True)
class Choices:
    """The values of one list, each with its label."""

    values: tuple[tuple[str, str], ...]
    whole: bool
    """Nothing is left out, and the list is short enough to tick."""


NONE: Final = Choices((), whole=False)


def choices(facts: Mapping[str, Any], suggestions: str) -> Choices:
    """What is offered for this word, from the page's responses."""
    if suggestions not in _LISTS:
        return NONE
    needed, values = _LISTS[suggestions]
    lists = [facts.get(one) for one in needed]
    found = tuple(dict.fromkeys(pair for one in lists if one for pair in values(one)))
    whole = all(one is not None and not one.get("next") for one in lists)
    return Choices(found, whole=whole and len(found) <= MAX_TICKED)


def _named(member: str) -> Callable[[Mapping[str, Any]], Iterable[tuple[str, str]]]:
    return lambda listed: ((item[member], item[member]) for item in listed["items"])


def _scopes(resources: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Each scope once, with its risk at each resource that has it."""
    found: dict[str, list[str]] = {}
    for item in resources["items"]:
        for name, risk in item["scopes"].items():
            found.setdefault(name, []).append(f"{risk} at {item['uri']}")
    return ((name, f"{name}: {', '.join(where)}") for name, where in found.items())


_LISTS: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Any], Iterable[tuple[str, str]]]]]] = {
    "resources": (("resources",), _named("uri")),
    "scopes": (("resources",), _scopes),
    "users": (("users",), _named("name")),
    "people": (("users", "groups"), _named("name")),
    "actions": (("actions",), _named("type")),
}
"""The facts with the lists, and how their values are read, by the word of `Field.suggestions`."""
