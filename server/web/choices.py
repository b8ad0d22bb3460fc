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
_CREATED: Final = frozenset({"resource", "action"})
"""The kinds of records of which a new installation has none."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The values of one list, each with its label."""

    values: tuple[tuple[str, str], ...]
    whole: bool
    """Nothing is left out, and the list is short enough to tick."""
    grows: bool = False
    """The same form may add values to it, so others can be typed too."""
    create: str = ""
    """The kind of record to create if there are no values, and the person may do that."""


NONE: Final = Choices((), whole=False)


def choices(facts: Mapping[str, Any], may: Callable[[str], bool], suggestions: str) -> Choices:
    """What is offered for this word, from the page's responses."""
    if suggestions not in _LISTS:
        return NONE
    needed, values = _LISTS[suggestions]
    lists = [facts.get(fact) for fact in needed]
    found = tuple(dict.fromkeys(values(*(listed for listed in lists if listed))))
    whole = all(listed is not None and not listed.get("next") for listed in lists)
    kind = "" if found else needed[0].removesuffix("s")
    create = kind if kind in _CREATED and may(f"POST /api/{kind}s") else ""
    return Choices(found, whole and len(found) <= MAX_TICKED, "resource" in needed, create)


def _named(member: str) -> Callable[..., Iterable[tuple[str, str]]]:
    return lambda *lists: (
        (item[member], item[member]) for list_ in lists for item in list_["items"]
    )


def _scopes(*lists: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Each scope once, with its risk at each resource that has it."""
    found: dict[str, list[str]] = {}
    for uri, name, risk in _scopes_at(*lists):
        found.setdefault(name, []).append(f"{risk} at {uri}")
    return ((name, f"{name}: {', '.join(where)}") for name, where in found.items())


def _limits(*lists: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Each scope at each resource."""
    return ((f"{uri} {name}", f"{name} at {uri}") for uri, name, _ in _scopes_at(*lists))


def _scopes_at(*lists: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    of = (
        (resource["uri"], resource["scopes"])
        for resources in lists
        for resource in resources["items"]
    )
    return ((uri, name, risk) for uri, scopes in of for name, risk in scopes.items())


def _own_scopes(*lists: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    return (
        (name, f"{name}: {risk}") for resource in lists for name, risk in resource["scopes"].items()
    )


def _needs(*lists: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Each of the resource's scopes with each action type."""
    if len(lists) != 2:  # noqa: PLR2004  # a new resource, or action types that may not be read
        return ()
    types = [name for name, _ in _named("type")(lists[1])]
    pairs = ((name, kind) for name in lists[0]["scopes"] for kind in types)
    return ((f"{name} {kind}", f"{name} needs {kind}") for name, kind in pairs)


_LISTS: Final[Mapping[str, tuple[tuple[str, ...], Callable[..., Iterable[tuple[str, str]]]]]] = {
    "resources": (("resources",), _named("uri")),
    "scopes": (("resources",), _scopes),
    "users": (("users",), _named("name")),
    "people": (("users", "groups"), _named("name")),
    "actions": (("actions",), _named("type")),
    "limits": (("resources",), _limits),
    "own scopes": (("resource",), _own_scopes),
    "needs": (("resource", "actions"), _needs),
}
"""The facts with the lists, and how their values are read, by the word of `Field.suggestions`."""
