"""Authenticates agents, apps and resources; loads apps that have metadata documents."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias, TypeVar

from server.model.clients import Agent, App, AppUse, SecretRows
from server.model.ports import BadToken, Fetch, Fetched, Unreachable, Verifier
from server.model.resources import Resource, ResourceServer
from server.model.store import Directory, Store, Unit, View
from server.protocol import errors, names
from server.protocol.clients import client_auth
from server.protocol.clients import client_documents as documents
from server.protocol.clients.client_auth import Credentials
from server.protocol.clients.client_documents import ClientDocument, InvalidDocument
from server.protocol.forms import Form
from server.services.clients import unknown_apps
from server.services.server_policy import ServerPolicy

_USE_INTERVAL_MS = 60_000
_REPLAY_KIND = "client assertion"

TokenClient: TypeAlias = Agent | App
"""A client that tokens are issued to."""
_TokenClientT = TypeVar("_TokenClientT", Agent, App)
Client: TypeAlias = TokenClient | Resource
"""A client that can authenticate. The client_id prefix indicates the kind."""

_RESOURCE_METHODS = frozenset({"client_secret_basic", "client_secret_post"})


@dataclass(frozen=True, slots=True)
class ClientDocuments:
    """Keeps the apps that have metadata documents up to date."""

    store: Store
    server_policy: ServerPolicy
    fetch: Fetch

    def check(self, client_id: str, *, register_unknown: bool) -> None:
        """Fetch the metadata document of this client unless the stored copy is fresh.

        Does nothing for a client_id that is not a URL. Checks, in order, that: 1. the URL is a
        valid client_id; 2. the settings allow its host; 3. the client is registered, or
        `register_unknown` is set; 4. the fetch is within the limits; 5. the document is valid.
        If its host does not respond, the stored copy is used for up to a day.

        Raises errors.InvalidClient, errors.InvalidClientMetadata or errors.TemporarilyUnavailable.
        """
        if not client_id.startswith(names.DOCUMENT_URL):
            return
        self._check_allowed(client_id)
        with self.store.read() as view:
            app, use, now = view.directory.app(client_id), view.app_uses.get(client_id), view.now
        if app is None and not register_unknown:
            raise errors.InvalidClient("Unknown client. Start at the authorization endpoint.")
        if app is not None and not app.active(now):
            return  # the caller refuses this client
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
            document, headers = self._fetch_document(url)
        except InvalidDocument as error:
            raise errors.InvalidClientMetadata(
                f"The metadata document of this client is not valid: {error}."
            ) from error
        except Unreachable as error:
            if use is not None and now < use.checked_at + documents.MAX_STALE_MS:
                return
            raise errors.TemporarilyUnavailable(
                _UNAVAILABLE, retry_after=60, detail=str(error)
            ) from error
        with self.store.read() as view:
            app = view.apps.get(url)
        if app is not None and _with_document(app, document) == app:
            with self.store.write() as tx:
                tx.app_uses.check(url, tx.now, documents.fresh_until(headers, tx.now))
            return
        with self.store.administer() as tx:
            self._store(tx, document, headers)

    def _store(self, tx: Unit, document: ClientDocument, headers: Mapping[str, str]) -> None:
        tx.lock(f"client {document.url}")
        fresh, before = documents.fresh_until(headers, tx.now), tx.apps.get(document.url)
        if before is None:
            name = documents.host_of(document.url)
            new = unknown_apps.blank_record(document.url, name, "document", tx.now)
            unknown_apps.add(tx, _with_document(new, document), fresh_until=fresh)
            return
        unknown_apps.change(tx, before, _with_document(before, document))
        tx.app_uses.check(document.url, tx.now, fresh)

    def _fetch_document(self, url: str) -> tuple[ClientDocument, Mapping[str, str]]:
        """Return the document with its keys and usable redirect URIs, and the response headers."""
        answer = self._get(url, documents.MAX_BYTES)
        document = documents.read(url, answer.body, answer.headers.get("content-type", ""))
        usable_uris = documents.usable_redirects(document, self.server_policy.allowed_hosts)
        if not usable_uris:
            raise InvalidDocument("none of its redirect_uris is allowed; use URLs on its own host")
        keys = document.keys
        if document.keys_url is not None:
            keys_host = documents.host_of(document.keys_url)
            if keys_host != documents.host_of(url):
                raise InvalidDocument("its jwks_uri must be on its own host")
            keys = documents.read_keys(self._get(document.keys_url, documents.MAX_KEY_BYTES).body)
        return replace(document, keys=keys, redirect_uris=usable_uris), answer.headers

    def _get(self, url: str, max_bytes: int) -> Fetched:
        """Return a response with status 200 and at most this size; redirects are not followed."""
        answer = self.fetch(url, max_bytes + 1)
        if answer.status >= _SERVER_ERROR:
            raise Unreachable(f"status {answer.status}", retry=True)
        if answer.status != _OK:
            raise InvalidDocument("its URL must return status 200 without redirecting")
        if len(answer.body) > max_bytes:
            raise InvalidDocument(f"it is larger than {max_bytes} bytes")
        return answer

    def _count(self, host: str) -> None:
        """Count a fetch, so that no one can flood other hosts through this server."""
        with self.store.write() as tx:
            of_host = tx.counters.count(f"documents of:{host}", _WINDOW_MS)
            total = tx.counters.count("documents", _WINDOW_MS)
        if of_host > MAX_PER_HOST or total > MAX_TOTAL:
            raise errors.TemporarilyUnavailable(_BUSY, retry_after=60)


@dataclass(frozen=True, slots=True)
class ClientAuthentication:
    """Checks credentials of registered clients."""

    store: Store
    verifier: Verifier
    server_policy: ServerPolicy
    documents: ClientDocuments
    recorded: dict[str, int] = field(default_factory=dict)
    """Secret or key → when its use was last stored, so that most requests do not need a write."""

    def authenticate(self, credentials: Credentials, *, register_unknown: bool = False) -> Client:
        """Authenticate a client and return it. Callers check that the kind of client is allowed.

        Checks, in order, that: 1. the client exists; 2. it registered this method; 3. the proof is
        valid; 4. an assertion was not used before; 5. the client is enabled; this is revealed only
        to the authenticated client. With `register_unknown`, a new client with a metadata document
        is registered. Raises errors.ProtocolError.
        """
        claimed = self._claimed_id(credentials)
        self.documents.check(claimed, register_unknown=register_unknown)
        with self.store.read() as view:
            client = find(view.directory, claimed) or view.directory.resource_client(claimed)
            now = view.now
            if client is None or not _may_use_method(client, credentials.method, now):
                raise client_auth.invalid_client("unknown client or wrong authentication method")
        if credentials.method == "private_key_jwt" and not isinstance(client, Resource):
            self._use_once(client, *self._check_assertion(client, credentials.assertion, now))
        elif credentials.method != names.AUTH_NONE:
            self._check_secret(client, credentials.secret, now)
        if not isinstance(client, Resource):
            check_enabled(client, now)
        return client

    def resource_server(self, authorization: str | None) -> ResourceServer:
        """Authenticate a resource, or an agent that serves one, for the JSON API, using HTTP Basic.

        Raises errors.Problem 401.
        """
        try:
            client = self.authenticate(client_auth.read_credentials(authorization, Form({})))
        except (errors.InvalidClient, errors.UnauthorizedClient) as error:
            raise _resource_refused(error.detail) from error
        if isinstance(client, Resource):
            return ResourceServer(client.client_id, (client.uri,))
        if not isinstance(client, Agent) or not client.serves:
            raise _resource_refused("neither a resource nor an agent that serves one")
        return ResourceServer(client.id, client.serves)

    def _claimed_id(self, credentials: Credentials) -> str:
        if credentials.method != "private_key_jwt":
            return credentials.client_id or ""
        try:
            subject = self.verifier.unverified_subject(credentials.assertion)
        except BadToken as error:
            raise client_auth.invalid_client(str(error)) from error
        if not client_auth.is_credential(subject):
            raise client_auth.invalid_client("sub is not a client ID")
        if credentials.client_id not in {None, subject}:
            raise client_auth.invalid_client("client_id and the assertion's sub differ")
        return subject

    def _check_assertion(
        self, client: TokenClient, assertion: str, now: int
    ) -> tuple[str, tuple[str, int]]:
        """Return the ID of the signing key, and the `jti` with its expiry."""
        try:
            kid, claims = self.verifier.client_assertion(assertion, client.jwks)
        except BadToken as error:
            raise client_auth.invalid_client(str(error)) from error
        used = client_auth.check_assertion(
            claims, client_id=client.id, audiences=self.server_policy.assertion_audiences, now=now
        )
        if client_auth.issued_at(claims) < self.server_policy.not_before:
            raise client_auth.invalid_client("the assertion was issued before a restore")
        return kid, used

    def _use_once(self, client: TokenClient, kid: str, used: tuple[str, int]) -> None:
        """Store the `jti` and, at most once a minute, the use of the key in the same write."""
        token_id, until = used
        key = hashlib.sha256(f"{client.id}\n{token_id}".encode()).digest()
        with self.store.write() as tx:
            is_first_use = tx.replays.first_use(_REPLAY_KIND, key, until)
            if (
                is_first_use
                and isinstance(client, Agent)
                and self._is_due(f"{client.id} {kid}", tx.now)
            ):
                tx.agents.mark_key_used(client.id, kid, tx.now)
        if not is_first_use:
            raise client_auth.invalid_client("the assertion was used before")

    def _check_secret(self, client: Client, text: str, now: int) -> None:
        """Check the secret and, at most once a minute, store its use."""
        secret = next((row for row in client.secrets if row.matches(text, now)), None)
        if secret is None:
            raise client_auth.invalid_client("wrong secret")
        if self._is_due(secret.id, now):
            with self.store.write() as tx:
                _secret_rows(tx, client).mark_secret_used(secret.id, now)

    def _is_due(self, credential_id: str, now: int) -> bool:
        if now - self.recorded.get(credential_id, 0) < _USE_INTERVAL_MS:
            return False
        self.recorded[credential_id] = now
        return True


def find(directory: Directory, client_id: str) -> TokenClient | None:
    """Return the agent or app with this ID."""
    return directory.agent(client_id) or directory.app(client_id)


def require_agent(client: Client) -> Agent:
    """Return the client if it is an agent. Raises errors.UnauthorizedClient."""
    if not isinstance(client, Agent):
        raise errors.UnauthorizedClient("Only agents can use this endpoint.")
    return client


def require_app(client: Client) -> App:
    """Return the client if it is an app. Raises errors.UnauthorizedClient."""
    if not isinstance(client, App):
        raise errors.UnauthorizedClient("Only apps can use this endpoint.")
    return client


def require_token_client(client: Client) -> TokenClient:
    """Return the client if it is an agent or app. Raises errors.UnauthorizedClient."""
    if isinstance(client, Resource):
        raise errors.UnauthorizedClient("Only agents and apps can use this endpoint.")
    return client


def require_confidential(client: Client) -> Client:
    """Return the client. Raises errors.InvalidClient if it is public."""
    if not isinstance(client, Resource) and client.auth_method == names.AUTH_NONE:
        raise client_auth.invalid_client("a public client cannot authenticate")
    return client


def current_agent(view: View, agent: Agent) -> Agent:
    """Return the agent as this unit of work sees it.

    Raises errors.InvalidClient or errors.UnauthorizedClient.
    """
    return _check_current(view, view.directory.agent(agent.id), "agent")


def current_app(view: View, app: App) -> App:
    """Return the app as this unit of work sees it.

    Raises errors.InvalidClient or errors.UnauthorizedClient.
    """
    return _check_current(view, view.directory.app(app.id), "app")


def _check_current(view: View, client: _TokenClientT | None, kind: str) -> _TokenClientT:
    if client is None:
        raise client_auth.invalid_client(f"the {kind} was deleted in the meantime")
    check_enabled(client, view.now)
    return client


def check_enabled(client: TokenClient, now: int) -> None:
    """Raise errors.UnauthorizedClient if the client is disabled or expired."""
    if client.active(now):
        return
    if isinstance(client, App):
        raise errors.UnauthorizedClient(
            "This app is not enabled. An administrator can enable it.",
            members={"reason": f"app_{client.state}"},
        )
    reason = "agent_expired" if client.state == "enabled" else f"agent_{client.state}"
    raise errors.UnauthorizedClient(
        "This agent is not enabled. Ask its owner or an administrator.", members={"reason": reason}
    )


def _may_use_method(client: Client, method: str, now: int) -> bool:
    """Return whether the client may use this method; a resource may use both secret methods."""
    if isinstance(client, Resource):
        return method in _RESOURCE_METHODS
    if isinstance(client, Agent):
        return client.may_authenticate_with(method, now)
    return client.auth_method == method


def _secret_rows(tx: Unit, client: Client) -> SecretRows:
    if isinstance(client, Agent):
        return tx.agents
    return tx.apps if isinstance(client, App) else tx.resources


def _resource_refused(log: str) -> errors.Problem:
    return errors.Problem(
        401,
        "invalid_client",
        "Send the client_id and secret of the resource, or of an agent that serves it, using "
        "HTTP Basic.",
        headers=errors.BASIC_CHALLENGE,
        log=log,
    )


MAX_PER_HOST: Final = 20
MAX_TOTAL: Final = 120
"""Maximum fetches per minute."""
_WINDOW_MS: Final = 60_000
_OK, _SERVER_ERROR = 200, 500
_BUSY: Final = "Too many client documents were fetched. Wait a minute."
_UNAVAILABLE: Final = "The metadata document of this client cannot be fetched now. Try again later."


def _with_document(app: App, document: ClientDocument) -> App:
    """Return the app as described by its document."""
    described = unknown_apps.with_metadata(app, document)
    return replace(described, auth_method=document.auth_method, jwks=document.keys)
