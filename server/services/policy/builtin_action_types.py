"""The action types that come with Sayso: files to register, or to copy and change.

None is registered by itself, so an installation knows only the types that somebody gave it.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from server.protocol.json_text import JsonValue
from server.protocol.policy.action_types import ActionType
from server.services.policy import action_types
from server.services.refusals import Invalid, NotFound

GENERIC: Final = "generic"
"""By which a type without a headline of its own is shown; it is not registered."""

_FOLDER = files("server.services.policy") / "action_type_files"
_ENDING = ".json"


@cache
def documents() -> Mapping[str, str]:
    """Every file that is shipped, by the name of its type, in order."""
    found = [file for file in _FOLDER.iterdir() if file.name.endswith(_ENDING)]
    texts = {action_types.read(text).type: text for text in (f.read_text("utf-8") for f in found)}
    return dict(sorted(texts.items()))


def document(name: str) -> str:
    """One file. Raises `NotFound`."""
    text = documents().get(name)
    if text is None:
        raise NotFound(
            f"No action type {name} comes with Sayso. See those that do: sayso actions shipped"
        )
    return text


def registrable(name: str) -> str:
    """One file to register. Raises `NotFound`, or `Invalid` for the one that is none."""
    text = document(name)
    if name == GENERIC:
        raise Invalid(
            f"{GENERIC} is used by itself, for every type whose file has no headline. "
            "Leave `headline` out of your own file."
        )
    return text


@cache
def generic() -> ActionType:
    """How a type without a headline of its own is shown."""
    return action_types.read(document(GENERIC))


def said(action: ActionType, resource: str) -> Mapping[str, JsonValue]:
    """The details by which the generic type shows an action of such a type."""
    return {"type": GENERIC, "verb": action.title, "resource": resource}
