"""Makes every adapter: the only file that knows them all, and the real clock.

`build` makes what commands and the server share and loads no Flask; `create_site` adds what answers
requests, and `create_app` what carries them.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from server import key_files, outward
from server.crypto.jose import JwtSigner, JwtVerifier
from server.crypto.passwords import Argon2Passwords, BackgroundRunner, run_inline
from server.crypto.secrets import EntryIds, KeyedSecrets
from server.last_seen import LastSeen
from server.model.ports import Clock
from server.services.adapters import Adapters
from server.services.approvals.expiry import Sweeper
from server.services.approvers.escalations import Escalations
from server.services.approvers.substitutes import Substitutes
from server.services.ciba.wiring import create_callbacks
from server.services.incidents.orphan_quarantine import OrphanQuarantine
from server.services.notifications.feed import ANY_CHANGE, Hub
from server.services.policy.judging import Judge
from server.services.reactions import react
from server.services.tokens.keys import ensure_keys
from server.settings import Settings, described, server_policy
from server.storage.open import open_store
from server.storage.store import SqlStore

if TYPE_CHECKING:
    from flask import Flask

    from server.delivery.outbox import OutboxWorker
    from server.http.site import Site


class SystemClock:
    """The machine's time."""

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def adjust(self, moment: int) -> int:
        """The database's time is the time."""
        return moment


@dataclass(frozen=True, slots=True)
class Services(Adapters):
    """What commands and the server share."""

    store: SqlStore
    secrets: KeyedSecrets
    passwords: Argon2Passwords
    settings: Settings
    hub: Hub
    sweeper: Sweeper
    escalations: Escalations
    successions: OrphanQuarantine


def build(
    settings: Settings,
    clock: Clock | None = None,
    *,
    serving: bool = False,
    elsewhere: BackgroundRunner = run_inline,
) -> Services:
    """Open the database and the keys, in the process that uses them.

    Raises what `storage.open` and `crypto.sealing` say.
    `elsewhere` runs what is slow on purpose where it holds up nobody.
    """
    clock = clock or SystemClock()
    store = open_store(settings.sqlalchemy_url, clock, EntryIds().new, react, serving=serving)
    store.start()
    try:
        LastSeen(settings, store).check()
        master, pin = key_files.open_required(settings, store)
        with store.read() as view:
            installation = view.installation.row()
    except BaseException:
        store.close()
        raise
    secrets = KeyedSecrets(master, pin, installation.epoch)
    rules = server_policy(settings, restored_at=installation.restored_at)
    return Services(
        settings=settings,
        clock=clock,
        store=store,
        secrets=secrets,
        signer=JwtSigner(secrets),
        verifier=JwtVerifier(),
        passwords=Argon2Passwords(elsewhere),
        rules=rules,
        endpoint_problem=partial(outward.endpoint_problem, settings),
        hub=Hub(store, store.wake),
        sweeper=Sweeper(store),
        escalations=Escalations(store, Substitutes(Judge(secrets), rules)),
        successions=OrphanQuarantine(store, secrets, rules),
    )


def key_problems(settings: Settings) -> list[str]:
    """What is wrong with any key file of the database. Raises what `storage.open` says."""
    store = open_store(settings.sqlalchemy_url, SystemClock(), EntryIds().new, react, serving=False)
    try:
        return key_files.problems(settings, store)
    finally:
        store.close()


def create_site(services: Services, *, most_feeds: int = sys.maxsize) -> "Site":
    """What answers requests, before anything carries them. Makes signing keys if there are none.

    `most_feeds` is how many live feeds this process may hold.
    """
    from server.crypto.passkeys import WebAuthn  # loads CBOR and X.509
    from server.http.routes import ROUTES
    from server.http.site import Site

    store, settings = services.store, services.settings
    with store.administer() as tx:
        ensure_keys(tx, services.signer)
    subscriptions = outward.push_subscriptions(settings, store, services.secrets)
    return Site.over(
        services,
        WebAuthn(services.rules.issuer),
        services.hub,
        subscriptions,
        routes=ROUTES,
        settings=described(settings),
        most_feeds=most_feeds,
    )


def create_app(site: "Site") -> "Flask":
    """The WSGI application: the site's API, its feed and its pages."""
    from server.web.application import application  # commands never load Flask

    return application(site)


def outbox_worker(services: Services, run: Callable[[Callable[[], None]], None]) -> "OutboxWorker":
    """What delivers the outbox; `run` begins one delivery beside the others."""
    settings, store, secrets = services.settings, services.store, services.secrets
    room = partial(services.hub.nudge, ANY_CHANGE)
    return outward.outbox_worker(settings, store, secrets, create_callbacks(services), run, room)
