"""Constructs the adapters and wires them to the services. The only file that knows them all.

`build` creates the services, without loading Flask. `create_site` adds the
endpoints, and `create_app` the Flask application.
"""

import functools
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from server import key_files
from server.crypto.secrets import EntryIdGenerator, KeyedSecrets
from server.lazy_imports import lazily
from server.model import ports
from server.policy_settings import server_policy
from server.rollback_guard import RollbackGuard
from server.settings import Settings, describe
from server.storage.open import open_store
from server.storage.store import SqlStore

with lazily():
    from server import outward
    from server.crypto.jose import JwtSigner, JwtVerifier
    from server.crypto.passwords import Argon2Passwords, BackgroundRunner, run_inline
    from server.services.approvals.expiry import Sweeper
    from server.services.approvers.escalations import Escalations
    from server.services.approvers.substitutes import Substitutes
    from server.services.audit.log import AuditLog
    from server.services.ciba.wiring import create_callbacks
    from server.services.incidents.orphan_quarantine import OrphanQuarantine
    from server.services.notifications.feed import Hub
    from server.services.policy.evaluation import Evaluator
    from server.services.reactions import react
    from server.services.tokens.keys import ensure_keys

if TYPE_CHECKING:
    from flask import Flask

    from server.delivery.outbox import OutboxWorker
    from server.http.site import Site


class SystemClock:
    """The clock of this machine."""

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def adjust(self, moment: int) -> int:
        """Return the database's time unchanged."""
        return moment


class Services:
    """The `Adapters` that commands and the server share, and the services only the server needs.

    Each is created when it is first used, because a command uses only a few.
    """

    def __init__(
        self,
        settings: Settings,
        clock: ports.Clock,
        store: SqlStore,
        secrets: KeyedSecrets,
        restored_at: int | None,
        background: BackgroundRunner,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.store = store
        self.secrets = secrets
        self.server_policy = server_policy(settings, restored_at)
        self._background = background

    def endpoint_problem(self, url: str) -> str:
        """Why this URL cannot be an agent's callback endpoint now; "" if it can."""
        return outward.endpoint_problem(self.settings, url)

    def fetch(self, url: str, max_bytes: int) -> ports.Fetched:
        """GET a client's document from a public https address. Raises `Unreachable`."""
        return outward.fetch(self.settings, url, max_bytes)

    @functools.cached_property
    def signer(self) -> JwtSigner:
        """Signs tokens."""
        return JwtSigner(self.secrets)

    @functools.cached_property
    def verifier(self) -> JwtVerifier:
        """Verifies tokens and proofs."""
        return JwtVerifier()

    @functools.cached_property
    def passwords(self) -> Argon2Passwords:
        """Hashes passwords."""
        return Argon2Passwords(self._background)

    @functools.cached_property
    def hub(self) -> Hub:
        """Wakes the readers of feeds."""
        return Hub(self.store, self.store.wake)

    @functools.cached_property
    def sweeper(self) -> Sweeper:
        """Expires requests."""
        return Sweeper(self.store)

    @functools.cached_property
    def audit_log(self) -> AuditLog:
        """Signs checkpoints of the audit log. Using the log key can raise `BadKeyFile`."""
        key = functools.partial(key_files.open_log, self.settings, self.store)
        return AuditLog(self.store, self.server_policy.issuer, key)

    @functools.cached_property
    def escalations(self) -> Escalations:
        """Escalates unanswered requests to backup approvers."""
        return Escalations(self.store, Substitutes(Evaluator(self.secrets), self.server_policy))

    @functools.cached_property
    def orphan_quarantine(self) -> OrphanQuarantine:
        """Quarantines agents without an owner."""
        return OrphanQuarantine(self.store, self.secrets, self.server_policy)


def build(
    settings: Settings,
    clock: ports.Clock | None = None,
    *,
    serving: bool = False,
    background: BackgroundRunner = run_inline,
) -> Services:
    """Open the database and the keys. Call it in the process that uses them.

    `background` runs password hashing without blocking other requests.
    Raises the errors of `storage.open` and `crypto.sealing`.
    """
    clock = clock or SystemClock()
    store = open_store(
        settings.sqlalchemy_url, clock, EntryIdGenerator().new, react, serving=serving
    )
    store.start()
    try:
        RollbackGuard(settings, store).check()
        master, pin = key_files.open_required(settings, store)
        with store.read() as view:
            installation = view.installation.row()
    except BaseException:
        store.close()
        raise
    secrets = KeyedSecrets(master, pin, installation.epoch)
    return Services(settings, clock, store, secrets, installation.restored_at, background)


def key_problems(settings: Settings) -> key_files.Problems:
    """Return the problem of each bad key file. Raises the errors of `storage.open`."""
    store = open_store(
        settings.sqlalchemy_url, SystemClock(), EntryIdGenerator().new, react, serving=False
    )
    try:
        return key_files.problems(settings, store)
    finally:
        store.close()


def create_site(services: Services, *, max_feeds: int = sys.maxsize) -> "Site":
    """Create the services behind the endpoints. Creates signing keys if there are none.

    `max_feeds` limits the live feeds of this process.
    """
    from server.crypto.passkeys import WebAuthn  # loads CBOR and X.509
    from server.http.routes import ROUTES
    from server.http.site import Site

    store, settings = services.store, services.settings
    with store.administer() as tx:
        ensure_keys(tx, services.signer)
    subscriptions = outward.push_subscriptions(settings, store, services.secrets)
    return Site.create(
        services,
        WebAuthn(services.server_policy.issuer),
        services.hub,
        subscriptions,
        services.audit_log,
        routes=ROUTES,
        settings=describe(settings),
        max_feeds=max_feeds,
    )


def create_app(site: "Site") -> "Flask":
    """Return the WSGI application: the API, the feed and the pages."""
    from server.web.application import application  # commands never load Flask

    return application(site)


def outbox_worker(services: Services, run: Callable[[Callable[[], None]], None]) -> "OutboxWorker":
    """Return the worker that delivers the outbox. `run` starts each delivery concurrently."""
    from server.services.notifications.feed import ANY_CHANGE

    settings, store, secrets = services.settings, services.store, services.secrets
    on_finished = functools.partial(services.hub.wake, ANY_CHANGE)
    callbacks = create_callbacks(services)
    return outward.outbox_worker(settings, store, secrets, callbacks, run, on_finished)
