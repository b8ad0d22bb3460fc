"""Deletes unregistered apps that nobody uses.

Owns: how long such an app stays. Never: other apps; an administrator deletes those.
"""

from dataclasses import dataclass
from typing import Final

from server.model.clients import App
from server.model.store import Store, View
from server.services.audit import audit
from server.services.clients import apps

UNUSED_MS: Final = 24 * 60 * 60 * 1000
IDLE_MS: Final = 180 * UNUSED_MS
"""A consent ends earlier."""


@dataclass(frozen=True, slots=True)
class UnknownAppExpiry:
    """Deletes them; disabled ones stay, so that they remain blocked."""

    store: Store

    def round(self) -> int:
        """Run one round; returns the number of deleted apps."""
        with self.store.read() as view:
            if not _due(view):
                return 0
        with self.store.administer() as tx:
            due = _due(tx)
            for app in due:
                apps.delete_app(tx, app, by=audit.SYSTEM)
            return len(due)


def _due(view: View) -> list[App]:
    found = map(view.apps.get, view.app_uses.unused(view.now - UNUSED_MS, view.now - IDLE_MS))
    return [app for app in found if app is not None and app.active(view.now)]
