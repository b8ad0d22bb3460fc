"""Deletes unregistered apps that nobody uses.

Owns: how long such an app is kept. Never: deleting other apps; administrators do that.
"""

from dataclasses import dataclass
from typing import Final

from server.model.clients import App
from server.model.store import Store, View
from server.services.audit import audit
from server.services.clients import apps

UNUSED_MS: Final = 24 * 60 * 60 * 1000
IDLE_MS: Final = 180 * UNUSED_MS
"""No consent is valid for longer, so an idle app cannot have a valid consent."""


@dataclass(frozen=True, slots=True)
class UnknownAppExpiry:
    """Deletes unused unregistered apps. Disabled apps are kept, so that they remain blocked."""

    store: Store

    def round(self) -> int:
        """Delete the apps that are due; return the number of deleted apps."""
        with self.store.read() as view:
            if not _due(view):
                return 0
        with self.store.administer() as tx:
            due = _due(tx)
            for app in due:
                apps.delete_app(tx, app, by=audit.SYSTEM)
            return len(due)


def _due(view: View) -> list[App]:
    unused_apps = map(view.apps.get, view.app_uses.unused(view.now - UNUSED_MS, view.now - IDLE_MS))
    return [app for app in unused_apps if app is not None and app.active(view.now)]
