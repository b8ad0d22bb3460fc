"""Unregistered apps, as rows.

Owns: adding one to a store. Never: its client metadata document.
"""

from dataclasses import replace

from server.model.clients import App
from server.model.store import Store
from server.services.clients import unknown_apps
from tests.support.browsers.browser import CALLBACK
from tests.support.fakes.document_host import URL


def new_unknown_app(store: Store, url: str = URL, claimed_name: str | None = "Chat") -> App:
    """Add the app whose metadata document is at this URL."""
    with store.administer() as tx:
        app = replace(
            unknown_apps.blank_record(url, "chat.example", "document", tx.now),
            redirect_uris=(CALLBACK,),
            id_token_alg="RS256",
            claimed_name=claimed_name,
        )
        return unknown_apps.add(tx, app)
