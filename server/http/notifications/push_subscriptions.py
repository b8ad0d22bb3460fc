"""The endpoints for web push subscriptions."""

from pydantic import BaseModel, Field

from server.http import cookies
from server.http.route import HttpRequest, own
from server.http.site import Site
from server.http.wire import RecordResponse, Reference, StrictBody, Time
from server.model.notifications import PushAddress
from server.services.notifications.push_subscriptions import LostBrowser, NamedSubscription
from server.services.notifications.pushes import DORMANT_MS
from server.services.users.device_auth import Person

_BASE64URL = r"^[A-Za-z0-9_-]+$"


class PushKeys(StrictBody):
    """The keys of a browser (`PushSubscription.toJSON().keys`, RFC 8291 2.1)."""

    p256dh: str = Field(pattern=_BASE64URL, max_length=128)
    auth: str = Field(pattern=_BASE64URL, max_length=64)


class NewPushSubscription(StrictBody):
    """The push subscription of this browser (`PushSubscription.toJSON()`)."""

    endpoint: str = Field(min_length=1, max_length=1_000)
    keys: PushKeys
    expirationTime: int | float | None = None  # noqa: N815  # as in the Push API

    def record(self) -> PushAddress:
        """The address as a record."""
        return PushAddress(self.endpoint, self.keys.p256dh, self.keys.auth)


class PushSubscription(RecordResponse):
    """A browser that receives a person's notifications. The address is not included."""

    id: str
    device: Reference
    this: bool
    """Whether it belongs to the calling device."""
    service: str
    created_at: Time
    opened_at: Time
    delivered_at: Time | None
    dormant: bool
    """Whether no page was opened there for two weeks. The push service may drop it."""
    problem: str | None


class LostPush(RecordResponse):
    """A subscription that the push service dropped. Opening a page in the browser restores it."""

    id: str
    device: Reference
    service: str
    lost_at: Time


class PushSubscriptions(BaseModel):
    """The browsers of a person, and what a page needs to add one."""

    public_key: str
    """`applicationServerKey`, as base64url of 65 bytes (RFC 8292 3.2)."""
    csrf: str | None
    """The CSRF token for the service worker. Null for a terminal."""
    items: list[PushSubscription]
    lost: list[LostPush]


def _lost_push(named_loss: LostBrowser) -> LostPush:
    """A lost subscription as JSON."""
    loss = named_loss.loss
    device = Reference(id=loss.device_id, name=named_loss.device_name)
    return LostPush.of(loss, device=device, service=loss.origin)


def push_subscription(named_subscription: NamedSubscription, now: int) -> PushSubscription:
    """A subscription as JSON."""
    subscription = named_subscription.subscription
    return PushSubscription.of(
        subscription,
        device=Reference(id=subscription.device_id, name=named_subscription.device_name),
        this=named_subscription.is_current,
        service=subscription.origin,
        dormant=subscription.opened_at < now - DORMANT_MS,
    )


@own("GET /api/push-subscriptions")
def list_subscriptions(site: Site, request: HttpRequest, person: Person) -> PushSubscriptions:
    """List the browsers that receive your notifications, and get the key to add one."""
    cookie = cookies.session_cookie(site.server_policy, request)
    return PushSubscriptions(
        public_key=site.notifications.push_subscriptions.public_key,
        csrf=site.devices.browsers.csrf(cookie) if cookie else None,
        items=[
            push_subscription(subscription, site.clock.now())
            for subscription in site.notifications.push_subscriptions.of_person(person)
        ],
        lost=[_lost_push(loss) for loss in site.notifications.push_subscriptions.lost_by(person)],
    )


@own("POST /api/push-subscriptions", errors=(409, 422))
def subscribe(site: Site, person: Person, body: NewPushSubscription) -> PushSubscription:
    """Add or refresh this browser for notifications."""
    subscription = site.notifications.push_subscriptions.subscribe(person, body.record())
    return push_subscription(subscription, site.clock.now())


@own("DELETE /api/push-subscriptions/<id>", errors=(404,))
def unsubscribe(site: Site, person: Person, record_id: str) -> None:
    """Stop notifications in a browser."""
    site.notifications.push_subscriptions.unsubscribe(person, record_id)


@own("POST /api/push-subscriptions/<id>/test", errors=(404, 409))
def test(site: Site, person: Person, record_id: str) -> None:
    """Send a test notification to a browser."""
    site.notifications.push_subscriptions.test(person, record_id)
