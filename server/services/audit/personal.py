"""The facts of audit entries that are personal. They are stored beside their entry, not in it.

Two of them are keyed hashes of values that the log never has, by which their entry is found.
Owns: the table of these facts, and whose they are. Never: commitments and their salts.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from server.model.audit import Entry
from server.model.ports import Secrets


class Owner(Enum):
    """Whose a fact is."""

    TYPED_BY = "typed by"
    """The user who acted; without one, the subject."""
    ABOUT = "about"
    """The subject."""


PERSONAL: Final = (
    ("user", "name", Owner.ABOUT),
    ("device", "name", Owner.ABOUT),
    ("approval", "asked_from", Owner.ABOUT),
    ("approval", "agent_says", Owner.ABOUT),
    ("approval", "text", Owner.ABOUT),
    ("approval", "auth_req_id_hash", Owner.ABOUT),
    ("approval", "login_hint_hash", Owner.ABOUT),
    ("approval", "reason", Owner.TYPED_BY),
    ("approval", "note", Owner.TYPED_BY),
    ("incident", "note", Owner.TYPED_BY),
)
"""The first word of the types of entries, the name of the fact, and whose it is."""


def hashed(secrets: Secrets, value: str) -> str:
    """The keyed hash by which an entry is found that has this value."""
    return secrets.keyed_hash("audit", value)


def hashes(secrets: Secrets, **values: str | None) -> Mapping[str, object]:
    """The facts of an entry for values by which it is found."""
    present = {name: value for name, value in values.items() if value is not None}
    return {f"{name}_hash": hashed(secrets, value) for name, value in present.items()}


def owners(entry: Entry) -> dict[str, str | None]:
    """The personal facts of an entry, with the id of the user whose each is."""
    about = entry.type.partition(".")[0]
    return {
        name: _owner(entry, whose)
        for kind, name, whose in PERSONAL
        if kind == about and isinstance(entry.facts.get(name), str)
    }


def _owner(entry: Entry, whose: Owner) -> str | None:
    kind, _, actor = entry.actor.partition(":")
    return actor if whose is Owner.TYPED_BY and kind == "user" else entry.subject
