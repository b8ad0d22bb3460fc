"""Which ways lead out of this installation, and how far each goes.

Owns: the channels of the outbox as the settings want them. Never: what is sent.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from server.crypto.sealing import read_or_make_key
from server.crypto.vapid import private_key
from server.services.callbacks import Callbacks
from server.services.notices import WEBHOOK
from server.services.ports import Secrets, Store
from server.services.push_targets import WEB_PUSH
from server.services.pushes import Pushes
from server.settings import Settings, is_loopback

if TYPE_CHECKING:
    from server.delivery.egress import Reach
    from server.delivery.outbox import Channel, OutboxWorker

WEBHOOK_KEY: Final = "webhook.key"
VAPID_KEY: Final = "vapid.key"


def outbox_worker(
    settings: Settings,
    store: Store,
    secrets: Secrets,
    callbacks: Callbacks,
    run: Callable[[Callable[[], None]], None],
    room: Callable[[], None],
) -> "OutboxWorker":
    """What delivers the outbox; `run` begins one delivery beside the others."""
    from server.delivery.ciba_ping import CibaPing  # loads an HTTP client
    from server.delivery.ciba_push import CibaPush
    from server.delivery.egress import Reach
    from server.delivery.outbox import OutboxWorker
    from server.delivery.web_push import WebPush
    from server.delivery.webhook import Webhook

    channels: dict[str, Channel] = {
        "ping": CibaPing(callbacks, reach(settings)),
        "push": CibaPush(callbacks, reach(settings)),
        WEB_PUSH: WebPush(
            Pushes(store, secrets),
            private_key(vapid_key(settings)),
            settings.push_subject,
            settings.push_services,
            Reach(),
        ),
    }
    if settings.webhook_url:
        channels[WEBHOOK] = Webhook(settings.webhook_url, _webhook_key(settings))
    return OutboxWorker(store, secrets, channels, run, room)


def reach(settings: Settings) -> "Reach":
    """How far a call to an agent's endpoint may go."""
    from server.delivery.egress import Reach  # loads an HTTP client

    return Reach(
        ports=settings.open_ports,
        networks=settings.open_networks,
        development=is_loopback(settings.issuer_url),
        ca_file=settings.callback_ca_file,
    )


def endpoint_problem(settings: Settings, url: str) -> str:
    """Why an agent may not be called back at this URL, as things are now; "" when it may."""
    from server.delivery.egress import problem  # loads an HTTP client

    return problem(url, reach(settings))


def vapid_key(settings: Settings) -> bytes:
    """By which browsers' push services know us; made once. Raises `BadKeyFile`."""
    return read_or_make_key(settings.data_dir / VAPID_KEY)


def _webhook_key(settings: Settings) -> Path:
    if settings.webhook_secret_file:
        return Path(settings.webhook_secret_file)
    key_file = settings.data_dir / WEBHOOK_KEY
    if not key_file.exists():
        read_or_make_key(key_file)
    return key_file
