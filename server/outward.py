"""The outbound channels of this installation, configured from the settings.

Owns: the outbox channels and the limits on outbound requests. Never: the contents.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from server import key_files
from server.crypto.secrets import read_key
from server.crypto.vapid import new_key, private_key, public_key
from server.model.notifications import WEBHOOK
from server.model.ports import Fetched, Secrets
from server.model.store import Store
from server.services.ciba.callbacks import Callbacks
from server.services.notifications.attention import WEB_PUSH
from server.services.notifications.push_subscriptions import PushSubscriptions
from server.services.notifications.pushes import Pushes
from server.settings import Settings, is_loopback

if TYPE_CHECKING:
    from server.delivery.egress import EgressLimits
    from server.delivery.outbox import Channel, OutboxWorker

VAPID: Final = "vapid"
VAPID_KEY: Final = "vapid.key"
"""The key file of earlier versions. If it exists, its key is imported into the database."""


def outbox_worker(
    settings: Settings,
    store: Store,
    secrets: Secrets,
    callbacks: Callbacks,
    run: Callable[[Callable[[], None]], None],
    on_finished: Callable[[], None],
) -> "OutboxWorker":
    """Return the worker that delivers the outbox. `run` starts each delivery concurrently."""
    from server.delivery.ciba_callbacks import CibaCallbacks  # loads an HTTP client
    from server.delivery.egress import EgressLimits
    from server.delivery.outbox import OutboxWorker
    from server.delivery.web_push import WebPush
    from server.delivery.webhook import Webhook

    channels: dict[str, Channel] = {
        "ping": CibaCallbacks(callbacks.ping, callbacks, _endpoint_limits(settings)),
        "push": CibaCallbacks(callbacks.push, callbacks, _endpoint_limits(settings)),
        WEB_PUSH: WebPush(
            Pushes(store, secrets),
            private_key(vapid_key(settings, store, secrets)),
            settings.push_subject,
            settings.push_services,
            EgressLimits(),
        ),
    }
    if settings.webhook_url:
        channels[WEBHOOK] = Webhook(settings.webhook_url, key_files.open_webhook(settings, store))
    return OutboxWorker(store, secrets, channels, run, on_finished)


def push_subscriptions(settings: Settings, store: Store, secrets: Secrets) -> PushSubscriptions:
    """Return the web push subscriptions, with this server's VAPID key."""
    key = public_key(vapid_key(settings, store, secrets))
    return PushSubscriptions(store, secrets, key, settings.push_services)


def _endpoint_limits(settings: Settings) -> "EgressLimits":
    """Return the limits on calls to agents' endpoints."""
    from server.delivery.egress import EgressLimits  # loads an HTTP client

    return EgressLimits(
        ports=settings.open_ports,
        networks=settings.open_networks,
        development=is_loopback(settings.issuer_url),
        ca_file=settings.callback_ca_file,
    )


def endpoint_problem(settings: Settings, url: str) -> str:
    """Why this URL cannot be an agent's callback endpoint now; "" if it can."""
    from server.delivery.egress import problem  # loads an HTTP client

    return problem(url, _endpoint_limits(settings))


def fetch(settings: Settings, url: str, max_bytes: int) -> Fetched:
    """GET a client's document from a public https address. Raises `Unreachable`."""
    from server.delivery import egress  # loads an HTTP client

    limits = egress.EgressLimits(
        development=is_loopback(settings.issuer_url), ca_file=settings.callback_ca_file
    )
    accept = {"Accept": "application/json"}
    return egress.send("GET", url, body=b"", headers=accept, reach=limits, max_bytes=max_bytes)


def vapid_key(settings: Settings, store: Store, secrets: Secrets) -> bytes:
    """The key that identifies this server to push services. Created once, then kept sealed."""
    with store.read() as view:
        sealed = view.installation.sealed_key(VAPID)
    if sealed is None:
        return _new_vapid_key(settings, store, secrets)
    return secrets.open(VAPID, sealed)


def _new_vapid_key(settings: Settings, store: Store, secrets: Secrets) -> bytes:
    file = settings.data_dir / VAPID_KEY
    key = read_key(file) if file.exists() else new_key()
    with store.write() as tx:
        key_id = key_files.key_id(VAPID, key)
        if not tx.installation.add_key(VAPID, key_id, secrets.seal(VAPID, key)):
            key = secrets.open(VAPID, tx.installation.sealed_key(VAPID) or b"")
    return key
