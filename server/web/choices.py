"""The options of form fields: the names in the lists that the page reads.

Owns: which list belongs to which value of `Field.suggestions`. Never: what the person may choose;
the API decides that.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from server.web.page import Read

_ALL: Final = (("limit", "200"),)
MAX_TICKED: Final = 30
"""Values from a longer list are suggested while the person types."""
_MAX_NAMED: Final = 3

RESOURCES: Final = Read("resources", "GET /api/resources", fixed_parameters=_ALL)
USERS: Final = Read("users", "GET /api/users", fixed_parameters=_ALL, optional=True)
GROUPS: Final = Read("groups", "GET /api/groups", fixed_parameters=_ALL, optional=True)
ACTIONS: Final = Read("actions", "GET /api/actions", fixed_parameters=_ALL, optional=True)
URI_SUGGESTIONS: Final = frozenset({"resources", "limits"})
"""The values of `Field.suggestions` for lists of values that begin with a URI."""
_CREATABLE: Final = frozenset({"resource", "action"})
"""The kinds of records that a new installation lacks."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The values of one list, each with its label."""

    values: tuple[tuple[str, str], ...]
    whole: bool
    """The list is complete, and short enough for checkboxes."""
    grows: bool = False
    """The form itself can add values to the list, so new ones can be typed too."""
    create: str = ""
    """The kind of record to create if there are no values and the person may create one."""


NONE: Final = Choices((), whole=False)


def choices(facts: Mapping[str, Any], may: Callable[[str], bool], suggestions: str) -> Choices:
    """The options for this value of `Field.suggestions`, from the page's API responses."""
    if suggestions not in _LISTS:
        return NONE
    needed, values = _LISTS[suggestions]
    lists = [facts.get(fact) for fact in needed]
    offered = tuple(dict.fromkeys(values(*(response for response in lists if response))))
    whole = all(response is not None and not response.get("next") for response in lists)
    kind = "" if offered else needed[0].removesuffix("s")
    create = kind if kind in _CREATABLE and may(f"POST /api/{kind}s") else ""
    return Choices(offered, whole and len(offered) <= MAX_TICKED, "resource" in needed, create)


def _values_of(member: str) -> Callable[..., Iterable[tuple[str, str]]]:
    return lambda *lists: (
        (item[member], item[member]) for list_ in lists for item in list_["items"]
    )


def _scopes(*lists: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Each scope once, with its risk at each resource that has it."""
    resources: dict[str, dict[str, list[str]]] = {}
    for uri, name, risk in _scopes_at(*lists):
        resources.setdefault(name, {}).setdefault(risk, []).append(uri)
    return ((name, f"{name}: {_risks(uris_by_risk)}") for name, uris_by_risk in resources.items())


def _risks(uris_by_risk: Mapping[str, list[str]]) -> str:
    """The resources by risk; more than three with the same risk are only counted."""
    names = {
        risk: uris if len(uris) <= _MAX_NAMED else [f"{len(uris)} resources"]
        for risk, uris in uris_by_risk.items()
    }
    return ", ".join(f"{risk} at {name}" for risk, each in names.items() for name in each)


def _limits(*lists: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Each pair of a resource and one of its scopes."""
    return ((f"{uri} {name}", f"{name} at {uri}") for uri, name, _ in _scopes_at(*lists))


def _scopes_at(*lists: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    scopes_by_uri = (
        (resource["uri"], resource["scopes"])
        for resources in lists
        for resource in resources["items"]
    )
    return ((uri, name, risk) for uri, scopes in scopes_by_uri for name, risk in scopes.items())


def _own_scopes(*lists: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    return (
        (name, f"{name}: {risk}") for resource in lists for name, risk in resource["scopes"].items()
    )


def _needs(*lists: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Each of the resource's scopes with each action type."""
    if len(lists) != 2:  # noqa: PLR2004  # a new resource, or action types that may not be read
        return ()
    types = [name for name, _ in _values_of("type")(lists[1])]
    pairs = ((name, kind) for name in lists[0]["scopes"] for kind in types)
    return ((f"{name} {kind}", f"{name} needs {kind}") for name, kind in pairs)


_LISTS: Final[Mapping[str, tuple[tuple[str, ...], Callable[..., Iterable[tuple[str, str]]]]]] = {
    "resources": (("resources",), _values_of("uri")),
    "scopes": (("resources",), _scopes),
    "users": (("users",), _values_of("name")),
    "people": (("users", "groups"), _values_of("name")),
    "actions": (("actions",), _values_of("type")),
    "limits": (("resources",), _limits),
    "own scopes": (("resource",), _own_scopes),
    "needs": (("resource", "actions"), _needs),
}
"""The responses to read and how to get their values, by the value of `Field.suggestions`."""
