"""Apps: register, change, rotate secrets, delete.

`app_forms.py` validates their fields.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from server.model.audit import Entry
from server.model.clients import App
from server.model.ports import Secrets
from server.model.reactions import AppDeactivated, ClientDeleted
from server.model.store import Store, Unit, View
from server.protocol import names
from server.protocol.names import AUTH_NONE, PREFIX_APP, PREFIX_CLIENT_SECRET
from server.services import client_secrets
from server.services.audit import audit
from server.services.client_secrets import DEFAULT_OVERLAP_MS
from server.services.clients import app_forms
from server.services.clients.app_forms import AppChanges, NewApp
from server.services.clients.client_names import refuse_taken_name
from server.services.refusals import Conflict, NotFound
from server.services.users import user_checks


@dataclass(frozen=True, slots=True)
class NewAppSecret:
    """An app and its new secret, which is shown once; "" if it has none."""

    app: App
    secret: str


@dataclass(frozen=True, slots=True)
class Apps:
    """Administers apps. A `name_or_id` is a name or a client_id."""

    store: Store
    secrets: Secrets

    def all(self) -> list[App]:
        """Return every app, ordered by name."""
        with self.store.read() as view:
            return view.apps.all()

    def show(self, name_or_id: str) -> App:
        """Return one app, with the use of its secrets. Raises `NotFound`."""
        with self.store.read() as view:
            app = find(view, name_or_id)
            return view.apps.get(app.id) or app

    def by_path(self, path_id: str) -> App:
        """Return the app with this `names.path_id`. Raises `NotFound`."""
        with self.store.read() as view:
            app = by_path(view, path_id)
        if app is None:
            raise NotFound("app", path_id)
        return app

    def add(self, new: NewApp, *, by: str) -> NewAppSecret:
        """Register an app, enabled. Raises `Exists`, `NotFound` or `Invalid`."""
        with self.store.administer() as tx:
            refuse_taken_name(tx, user_checks.check_account_name(new["name"]))
            app = app_forms.new_record(tx, new, self.secrets.new_id(PREFIX_APP))
            issued = NewAppSecret(app, "")
            if _has_secret(app):
                issued = self._with_secret(tx, app)
            tx.apps.add(issued.app)
            _record(tx, audit.Type.APP_ADDED, by, app_forms.facts(app))
            return issued

    def update(self, name_or_id: str, changes: AppChanges, *, by: str) -> App:
        """Change an app. Raises `NotFound`, `Exists`, `Invalid` or `Conflict`."""
        with self.store.administer() as tx:
            current = find(tx, name_or_id)
            before = tx.apps.get(current.id) or current
            app = app_forms.changed_record(tx, before, changes)
            if app.name != before.name:
                refuse_taken_name(tx, app.name, own_id=app.id)
            if app != before:
                tx.apps.replace(app)
                if app.active(tx.now):
                    tx.installation.release("apps", app.id)
                else:
                    _revoke_everything(tx, app, by)
                _record(tx, audit.Type.APP_UPDATED, by, app_forms.facts(app))
            return app

    def rotate_secret(
        self, name_or_id: str, *, by: str, overlap_ms: int = DEFAULT_OVERLAP_MS
    ) -> NewAppSecret:
        """Create a new secret; the old ones work during the overlap.

        Raises `NotFound`, `Conflict` if it has no secret, `Invalid` if the overlap is too long.
        """
        overlap = client_secrets.check_overlap(overlap_ms)
        with self.store.administer() as tx:
            app = find(tx, name_or_id)
            if not _has_secret(app):
                raise Conflict(f"{app.name} authenticates with {app.auth_method}, not a secret.")
            working_secrets = client_secrets.expire_by(app.secrets, tx.now + overlap, tx.now)
            issued = self._with_secret(tx, replace(app, secrets=working_secrets))
            tx.apps.replace(issued.app)
            facts = {"overlap_ms": overlap, "working": len(issued.app.secrets)}
            _record(tx, audit.Type.APP_SECRET_ROTATED, by, {"app": app.id, **facts})
            return issued

    def delete(self, name_or_id: str, *, by: str) -> App:
        """Delete an app; its audit entries are kept. Raises `NotFound`."""
        with self.store.administer() as tx:
            app = find(tx, name_or_id)
            delete_app(tx, app, by=by)
            return app

    def _with_secret(self, tx: Unit, app: App) -> NewAppSecret:
        secret, text = client_secrets.new(self.secrets, PREFIX_CLIENT_SECRET, tx.now)
        return NewAppSecret(replace(app, secrets=(*app.secrets, secret)), text)


def delete_app(tx: Unit, app: App, *, by: str) -> None:
    """Delete an app with its tokens and consents."""
    _revoke_everything(tx, app, by)
    tx.react(ClientDeleted(app.id, by))
    tx.apps.delete(app.id)
    _record(tx, audit.Type.APP_DELETED, by, {"app": app.id, "name": app.name})


def by_path(view: View, path_id: str) -> App | None:
    """Return the app with this `names.path_id`, as stored."""
    if path_id.startswith(PREFIX_APP):
        return view.apps.get(path_id)
    return next((app for app in view.apps.all() if names.path_id(app.id) == path_id), None)


def find(view: View, name_or_id: str) -> App:
    """Return the app with this name or client_id. Raises `NotFound`."""
    app = view.directory.find_app(name_or_id)
    if app is None:
        raise NotFound("app", name_or_id)
    return app


def _revoke_everything(tx: Unit, app: App, by: str) -> None:
    tx.react(AppDeactivated(app.id, by))
    tx.delegations.revoke_client(app.id, tx.now)


def _has_secret(app: App) -> bool:
    return app.auth_method not in {"private_key_jwt", AUTH_NONE}


def _record(tx: Unit, kind: audit.Type, by: str, facts: Mapping[str, object]) -> None:
    tx.audit.add(Entry(kind, by, facts=facts))
