"""The built-in action types: files to register, or to copy and change.

None is registered automatically.
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
"""The built-in type that renders types without a headline; it cannot be registered."""

_FOLDER = files("server.services.policy") / "action_type_files"
_EXTENSION = ".json"


@cache
def documents() -> Mapping[str, str]:
    """Return all built-in files, sorted by type."""
    json_files = [file for file in _FOLDER.iterdir() if file.name.endswith(_EXTENSION)]
    texts = {
        action_types.read(text).type: text for text in (f.read_text("utf-8") for f in json_files)
    }
    return dict(sorted(texts.items()))


def document(name: str) -> str:
    """Return the built-in file of an action type. Raises `NotFound`."""
    text = documents().get(name)
    if text is None:
        raise NotFound("built-in action type", name)
    return text


def registrable(name: str) -> str:
    """Return a built-in file that can be registered. Raises `NotFound`; `Invalid` for `generic`."""
    text = document(name)
    if name == GENERIC:
        raise Invalid(
            f"Sayso uses {GENERIC} automatically for types without a headline. "
            "Leave `headline` out of your own file."
        )
    return text


@cache
def generic() -> ActionType:
    """Return the action type that renders types without a headline."""
    return action_types.read(document(GENERIC))


def generic_details(action: ActionType, resource: str) -> Mapping[str, JsonValue]:
    """Return the details with which the generic type renders an action without a headline."""
    return {"type": GENERIC, "verb": action.title, "resource": resource}
