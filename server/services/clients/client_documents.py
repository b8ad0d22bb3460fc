"""Apps whose client_id is the URL of a metadata document.

Owns: when a document is fetched, and the app that is made from it. Never: what a document may say
(`protocol/clients/client_documents.py`), or the connection (`delivery/egress.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from server.model.clients import App, AppUse
from server.model.ports import Fetch, Fetched, Unreachable
from server.model.store import Store, Unit
from server.protocol import errors, names
from server.protocol.clients import client_documents as documents
from server.protocol.clients.client_documents import ClientDocument, InvalidDocument
from server.services.clients import unknown_apps
from server.services.server_policy import ServerPolicy

MAX_PER_HOST: Final = 20
MAX_TOTAL: Final = 120
"""Maximum numbers of fetches in a minute."""
_WINDOW_MS: Final = 60_000
_OK, _FAULT = 200, 500
_BUSY: Final = "Too many client documents were fetched. Wait a minute."
_AWAY: Final = "The metadata document of this client cannot be fetched now. Try again later."


@dataclass(frozen=True, slots=True)
class ClientDocuments:
    """Keeps the apps that have documents up to date."""

    store: Store
    server_policy: ServerPolicy
    fetch: Fetch

    def check(self, client_id: str, *, register_unknown: bool) -> None:
        """Fetch the document of this client, unless the copy is fresh; other IDs are left alone.

        1. The URL can be a client_id. 2. The settings allow its host. 3. It is known, or new ones
        are accepted (`register_unknown`). 4. The limits on fetches are kept. 5. The document is
        valid.
        If its host does not answer, an earlier copy counts for a day. Raises errors.InvalidClient,
        errors.InvalidClientMetadata or errors.TemporarilyUnavailable.
        """
        if not client_id.startswith(names.DOCUMENT_URL):
            return
        self._check_allowed(client_id)
        with self.store.read() as view:
            app, use, now = view.directory.app(client_id), view.app_uses.get(client_id), view.now
        if app is None and not register_unknown:
            raise errors.InvalidClient("Unknown client. Start at the authorization endpoint.")
        if app is not None and not app.active(now):
            return  # whoever asked refuses it
        if app is None or use is None or now >= use.fresh_until:
            self._refresh(client_id, use, now)

    def _check_allowed(self, url: str) -> None:
        policy = self.server_policy
        if problem := documents.url_problem(url, development=policy.on_loopback):
            raise errors.InvalidClient(f"A client_id that is a URL {problem}.")
        host = documents.host_of(url)
        if problem := documents.policy_problem(
            host, policy.unknown_clients, policy.allowed_hosts, policy.blocked_hosts
        ):
            raise errors.InvalidClient(problem)

    def _refresh(self, url: str, use: AppUse | None, now: int) -> None:
        self._count(documents.host_of(url))
        try:
            document, headers = self._fetched(url)
        except InvalidDocument as error:
            raise errors.InvalidClientMetadata(
                f"The metadata document of this client is not valid: {error}."
            ) from error
        except Unreachable as error:
            if use is not None and now < use.checked_at + documents.MAX_STALE_MS:
                return
            raise errors.TemporarilyUnavailable(_AWAY, retry_after=60, detail=str(error)) from error
        with self.store.read() as view:
            known = view.apps.get(url)
        if known is not None and _with_document(known, document) == known:
            with self.store.write() as tx:
                tx.app_uses.check(url, tx.now, documents.fresh_until(headers, tx.now))
            return
        with self.store.administer() as tx:
            self._store(tx, document, headers)

    def _store(self, tx: Unit, document: ClientDocument, headers: Mapping[str, str]) -> None:
        tx.lock(f"client {document.url}")
        fresh, before = documents.fresh_until(headers, tx.now), tx.apps.get(document.url)
        if before is None:
            new = _with_document(_new_app(document.url, tx.now), document)
            unknown_apps.add(tx, new, fresh_until=fresh)
            return
        unknown_apps.change(tx, before, _with_document(before, document))
        tx.app_uses.check(document.url, tx.now, fresh)

    def _fetched(self, url: str) -> tuple[ClientDocument, Mapping[str, str]]:
        """Return the document, with its keys and its usable redirect URIs, and its headers."""
        answer = self._get(url, documents.MAX_BYTES)
        document = documents.read(url, answer.body, answer.headers.get("content-type", ""))
        usable = documents.usable_redirects(document, self.server_policy.allowed_hosts)
        if not usable:
            raise InvalidDocument("none of its redirect_uris is on its own host")
        keys = document.keys
        if document.keys_url is not None:
            where = documents.host_of(document.keys_url)
            if where != documents.host_of(url):
                raise InvalidDocument("its jwks_uri must be on its own host")
            keys = documents.read_keys(self._get(document.keys_url, documents.MAX_KEY_BYTES).body)
        return replace(document, keys=keys, redirect_uris=usable), answer.headers

    def _get(self, url: str, most: int) -> Fetched:
        """Return a response with status 200 of at most this size; redirects are not followed."""
        answer = self.fetch(url, most + 1)
        if answer.status >= _FAULT:
            raise Unreachable(f"status {answer.status}", retry=True)
        if answer.status != _OK:
            raise InvalidDocument("its URL must answer with status 200, without a redirect")
        if len(answer.body) > most:
            raise InvalidDocument(f"it has more than {most} bytes")
        return answer

    def _count(self, host: str) -> None:
        """Count a fetch, so that others cannot be flooded through this server."""
        with self.store.write() as tx:
            counts = (
                tx.counters.count(f"documents of:{host}", _WINDOW_MS) > MAX_PER_HOST,
                tx.counters.count("documents", _WINDOW_MS) > MAX_TOTAL,
            )
        if any(counts):
            raise errors.TemporarilyUnavailable(_BUSY, retry_after=60)


def _new_app(url: str, now: int) -> App:
    return App(
        id=url,
        name=documents.host_of(url),
        auth_method=names.AUTH_NONE,
        jwks=(),
        redirect_uris=(),
        post_logout_redirect_uris=(),
        grant_types=names.USUAL_APP_GRANTS,
        resources=(),
        scopes=(),
        secrets=(),
        id_token_alg="",
        dpop_bound=False,
        state="enabled",
        created_at=now,
        action_types=(),
        origin="document",
    )


def _with_document(app: App, document: ClientDocument) -> App:
    """Return the app as its document describes it."""
    return replace(
        app,
        claimed_name=document.claimed_name,
        auth_method=document.auth_method,
        jwks=document.keys,
        redirect_uris=document.redirect_uris,
        id_token_alg=document.id_token_alg,
        grant_types=document.grant_types,
    )
