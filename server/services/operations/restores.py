"""Which items of a backup a restore turns off.

A backup does not know what was revoked after it was made. If the replaced database can still be
read, a restore turns off everything that changed since; otherwise everything, unless the operator
keeps it.
Owns: which items a restore holds. Never: SQL; `storage.operations.restores` reads and ends them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

REASON: Final = "restored"
"""The reason in the audit log and in people's history."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that gives power: a device, an agent, a consent and the like."""

    id: str
    label: str
    """The text that the operator sees."""
    mark: str
    """A hash of everything that affects its power."""


Items = Mapping[str, Mapping[str, Item]]
"""Kind → id → item that is active in one database."""

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "users": "users are disabled until you enable them",
        "devices": "devices decide nothing until you enable them",
        "agents": "agents are disabled until you enable them",
        "apps": "apps are disabled until you enable them",
        "consents": "consents are revoked; people are asked again",
        "grants": "standing grants are ended; people can give new ones",
        "passwords": "passwords are removed; people set new ones",
        "deputies": "deputies are removed; people can name new ones",
    }
)
"""Every kind, and what happens to its items that a restore holds."""

ONLY_KNOWN: Final = frozenset({"users"})
"""Kinds that are held only if they changed; a user without device and password has no power."""


@dataclass(frozen=True, slots=True)
class RestoredItem:
    """An item that a restore turns off or ends."""

    item: Item
    over: bool = False
    """It is known to have ended, so `sayso doctor` does not list it."""


def held(
    backup: Items, since: Items | None, keep: Collection[str]
) -> dict[str, list[RestoredItem]]:
    """The items that a restore holds, by kind.

    `since` are the items that were active later; None if unknown. Then `keep` are the kinds that
    the operator keeps.
    """
    return {kind: _held(kind, backup[kind], since, keep) for kind in KINDS}


def _held(
    kind: str, items: Mapping[str, Item], since: Items | None, keep: Collection[str]
) -> list[RestoredItem]:
    if since is not None:
        later = since[kind]
        gone = [RestoredItem(item, over=True) for item in items.values() if item.id not in later]
        both = [item for item in items.values() if item.id in later]
        return gone + [RestoredItem(item) for item in both if later[item.id].mark != item.mark]
    kept = kind in keep or kind in ONLY_KNOWN
    return [] if kept else [RestoredItem(item) for item in items.values()]
