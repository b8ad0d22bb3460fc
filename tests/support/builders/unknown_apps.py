"""Unregistered apps, as rows.

Owns: adding one to a store. Never: its client metadata document.
"""

from server.model.clients import App
from server.model.store import Store
from server.protocol import names
from server.services.clients import unknown_apps
from tests.support.browsers.browser import CALLBACK
from tests.support.fakes.document_host import URL


def new_unknown_app(store: Store, url: str = URL, claimed_name: str | None = "Chat") -> App:
    """Add the app whose metadata document is at this URL."""
    with store.administer() as tx:
        app = App(
            id=url,
            name="chat.example",
            auth_method=names.AUTH_NONE,
            jwks=(),
            redirect_uris=(CALLBACK,),
            post_logout_redirect_uris=(),
            grant_types=names.USUAL_APP_GRANTS,
            resources=(),
            scopes=(),
            secrets=(),
            id_token_alg="RS256",
            dpop_bound=False,
            state="enabled",
            created_at=tx.now,
            action_types=(),
            origin="document",
            claimed_name=claimed_name,
        )
        return unknown_apps.add(tx, app)
