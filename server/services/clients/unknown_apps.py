"""Unregistered apps: their permissions and their names.

Owns: their records, and the limit on their number. Never: reading their documents or
registrations; `client_auth.py` and `app_registration.py` do that.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from server.model.audit import Entry
from server.model.clients import App, AppOrigin, AppUse
from server.model.resources import Resource
from server.model.store import Unit, View
from server.protocol import errors, names
from server.protocol.clients.app_registration import AppMetadata
from server.protocol.clients.client_documents import ClientDocument
from server.protocol.confusables import name_keys
from server.protocol.policy.risks import Risk
from server.services.audit import audit
from server.services.clients.client_names import looks_taken, refuse_taken_name
from server.services.refusals import Exists

MAX_UNUSED: Final = 500
"""Maximum number of unregistered apps that never received a token."""
_DIGITS: Final = 6
_TOO_MANY_CLIENTS: Final = "Too many new clients. Try again later."


def blank_record(app_id: str, name: str, origin: AppOrigin, now: int) -> App:
    """Return the record of an unregistered app, without permissions and metadata."""
    return App(
        id=app_id,
        name=name,
        auth_method=names.AUTH_NONE,
        grant_types=names.USUAL_APP_GRANTS,
        id_token_alg="",
        state="enabled",
        created_at=now,
        action_types=(),
        origin=origin,
    )


def with_metadata(app: App, metadata: AppMetadata | ClientDocument) -> App:
    """Return the app as described by its registration or its metadata document."""
    return replace(
        app,
        claimed_name=metadata.claimed_name,
        redirect_uris=metadata.redirect_uris,
        id_token_alg=metadata.id_token_alg,
        grant_types=metadata.grant_types,
        dpop_bound=metadata.dpop_bound,
        requires_par=metadata.requires_par,
    )


def within_open_resources(app: App, resources: Iterable[Resource]) -> App:
    """Return an unregistered app with the permissions that are open to it.

    It may have every scope of the resources that accept unregistered apps, except critical scopes.
    """
    open_resources = [resource for resource in resources if resource.unknown_clients]
    scopes = {
        name: None
        for resource in open_resources
        for name, risk in resource.scopes.items()
        if risk is not Risk.CRITICAL
    }
    return replace(
        app, resources=tuple(resource.uri for resource in open_resources), scopes=tuple(scopes)
    )


def add(tx: Unit, app: App, *, by: str = audit.SYSTEM, fresh_until: int = 0) -> App:
    """Store a new app, under a free name that starts with the given name.

    Raises errors.TemporarilyUnavailable if there are too many unused apps, and
    errors.InvalidClientMetadata if its name looks like the name of another client.
    """
    if tx.app_uses.count_unused() >= MAX_UNUSED:
        raise errors.TemporarilyUnavailable(_TOO_MANY_CLIENTS, retry_after=600)
    app = replace(app, name=_free_name(tx, app))
    tx.apps.add(app)
    tx.app_uses.add(AppUse(app.id, tx.now, fresh_until, tx.now))
    _record(tx, audit.Type.APP_ADDED, app, by)
    return app


def change(tx: Unit, before: App, after: App) -> None:
    """Store an app as described by its current document, if anything changed."""
    if before != after:
        tx.apps.replace(after)
        _record(tx, audit.Type.APP_UPDATED, after, audit.SYSTEM)


def shown_claim(view: View, app: App) -> tuple[str | None, bool]:
    """Return the name that an app claims, and whether it is withheld.

    The name is withheld if it looks like the name of another client or of a user.
    """
    if not app.claimed_name:
        return None, False
    if looks_taken(view, app.claimed_name, app.id):
        return None, True
    return app.claimed_name, False


def _free_name(tx: Unit, app: App) -> str:
    """Return its name, followed by a hash of its ID if another unregistered app has that name."""
    digits = hashlib.sha256(app.id.encode()).hexdigest()[:_DIGITS]
    holders = map(tx.apps.get, tx.names.ids_with_name_like("client", name_keys(app.name)))
    is_used = any(
        holder is not None and not holder.verified and holder.name == app.name for holder in holders
    )
    name = f"{app.name} {digits}" if is_used else app.name
    try:
        refuse_taken_name(tx, name, among=())
    except Exists as error:
        raise errors.InvalidClientMetadata(
            "The host of this client can be confused with the name of another client."
        ) from error
    return name


def _record(tx: Unit, kind: audit.Type, app: App, by: str) -> None:
    facts = {
        "app": app.id,
        "name": app.name,
        "origin": app.origin,
        "claimed_name": app.claimed_name,
        "redirect_uris": list(app.redirect_uris),
        "auth_method": app.auth_method,
        "keys": [key["kid"] for key in app.jwks],
        "dpop_bound": app.dpop_bound,
        "requires_par": app.requires_par,
        "state": app.state,
    }
    tx.audit.add(Entry(kind, by, facts=facts))
