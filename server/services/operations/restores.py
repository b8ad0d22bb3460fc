"""Decides what to disable after a restore.

A backup does not contain what was revoked after it was created. If the replaced database can still
be read, a restore disables everything that changed since. Otherwise, it disables everything except
what the operator keeps. `storage.operations.restores` has the SQL.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

REASON: Final = "restored"
"""The reason that the audit log and people's history show."""


@dataclass(frozen=True, slots=True)
class AccessItem:
    """Anything that grants access, such as a device, agent or consent."""

    id: str
    label: str
    """The text that the operator sees."""
    access_hash: str
    """A hash of everything that affects its access."""


Items = Mapping[str, Mapping[str, AccessItem]]
"""Kind → ID → item that is active in one database."""

KINDS: Final[Mapping[str, str]] = {
    "users": "users are disabled until you enable them",
    "devices": "devices cannot approve or deny until you enable them",
    "agents": "agents are disabled until you enable them",
    "apps": "apps are disabled until you enable them",
    "consents": "consents are revoked; people are asked again",
    "grants": "standing grants are ended; people can create new ones",
    "passwords": "passwords are removed; people must set new ones",
    "deputies": "deputies are removed; people can name new ones",
}
"""Kind → what a restore does with its items."""

ONLY_IF_CHANGED: Final = frozenset({"users"})
"""Kinds to disable only if they changed. Users cannot act without a device or password."""


@dataclass(frozen=True, slots=True)
class RestoredItem:
    """An item that a restore disables."""

    item: AccessItem
    has_ended: bool = False
    """Whether it is known to be revoked or expired; `sayso doctor` then does not list it."""


def disabled_items(
    backup: Items, replaced: Items | None, keep: Collection[str]
) -> dict[str, list[RestoredItem]]:
    """Return the items that a restore disables, by kind.

    `replaced` contains the active items in the replaced database; None if it cannot be read.
    In that case, items of the kinds in `keep` stay active.
    """
    return {kind: _disabled_of_kind(kind, backup[kind], replaced, keep) for kind in KINDS}


def _disabled_of_kind(
    kind: str, items: Mapping[str, AccessItem], replaced: Items | None, keep: Collection[str]
) -> list[RestoredItem]:
    if replaced is not None:
        later = replaced[kind]
        removed = [
            RestoredItem(item, has_ended=True) for item in items.values() if item.id not in later
        ]
        remaining = [item for item in items.values() if item.id in later]
        return removed + [
            RestoredItem(item)
            for item in remaining
            if later[item.id].access_hash != item.access_hash
        ]
    is_kept = kind in keep or kind in ONLY_IF_CHANGED
    return [] if is_kept else [RestoredItem(item) for item in items.values()]
