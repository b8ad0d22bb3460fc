"""Web push subscriptions of people's browsers: subscribe, refresh, unsubscribe, test.

A subscription grants no access. A page creates it for the browser in which it is open. Its address
and keys are stored sealed.

A subscription is lost if its push service no longer knows it. The person then sees a notice on
pages and in the feed until the device subscribes again or they dismiss it.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Final

from server.model.audit import Entry
from server.model.devices import BROWSER, Device
from server.model.notifications import PushAddress, PushLoss, PushSubscription
from server.model.operations import CountedLimit
from server.model.ports import Secrets
from server.model.store import Store, Unit, View
from server.protocol import errors
from server.protocol.names import PREFIX_PUSH
from server.protocol.notifications import web_push
from server.services.audit import audit
from server.services.notifications import attention, notices
from server.services.users import device_auth
from server.services.users.device_auth import Person

MAX_SUBSCRIPTIONS: Final = 10
"""The maximum number of subscriptions per person."""
TESTS: Final = CountedLimit(
    "push_tests", "person", "Test notifications", 10, 10 * 60_000, "push tests:"
)


@dataclass(frozen=True, slots=True)
class NamedSubscription:
    """A subscription with the name of its device."""

    subscription: PushSubscription
    device_name: str
    is_current: bool
    """Whether it belongs to the calling device."""


@dataclass(frozen=True, slots=True)
class LostBrowser:
    """A lost subscription with the name of its device."""

    loss: PushLoss
    device_name: str


@dataclass(frozen=True, slots=True)
class PushSubscriptions:
    """Manages people's web push subscriptions."""

    store: Store
    secrets: Secrets
    public_key: str
    """The server's VAPID key (RFC 8292 3.2)."""
    origins: Collection[str]
    """Additional push services from the settings."""

    def of_person(self, person: Person) -> list[NamedSubscription]:
        """Return the person's subscriptions, oldest first."""
        with self.store.read() as view:
            device = device_auth.current_device(view, person)
            return [
                _with_device_name(view, push, device)
                for push in view.pushes.of_user(person.user.id)
            ]

    def lost_by(self, person: Person) -> list[LostBrowser]:
        """Return the person's lost subscriptions of active devices, newest first."""
        with self.store.read() as view:
            losses = view.pushes.losses(person.user.id)
            devices = [(loss, view.devices.get(loss.device_id)) for loss in losses]
        return [LostBrowser(loss, device.name) for loss, device in devices if device is not None]

    def subscribe(self, person: Person, address: PushAddress) -> NamedSubscription:
        """Add or refresh the subscription of this browser. Raises errors.Problem.

        Rules, in order: 1. The device is a browser. 2. The address is at an allowed push service,
        and its keys are valid. 3. A known address keeps its ID and moves to this person. 4. A new
        address is within the limit.
        """
        self._check(address)
        with self.store.write() as tx:
            device = device_auth.current_device(tx, person)
            if device.kind != BROWSER:
                raise errors.forbidden("Only browsers support web push.")
            tx.lock(f"push {person.user.id}")
            push_subscription = tx.pushes.by_endpoint(_hash_endpoint(address.endpoint))
            if push_subscription is None or push_subscription.user_id != person.user.id:
                self._check_limit(tx, person)
            stored = self._store(tx, device, address, push_subscription)
            return _with_device_name(tx, stored, device)

    def unsubscribe(self, person: Person, subscription_id: str) -> None:
        """Remove a subscription, or dismiss the notice of a lost one. Raises errors.Problem 404."""
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            if tx.pushes.dismiss_loss(person.user.id, subscription_id):
                return
            push_subscription = _own_subscription(tx, person, subscription_id)
            remove(tx, push_subscription, actor=audit.by_user(person.user.id), cause="unsubscribed")

    def test(self, person: Person, subscription_id: str) -> None:
        """Send a test message to a browser. Raises errors.Problem 404 or 409."""
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            push_subscription = _own_subscription(tx, person, subscription_id)
            if tx.counters.count_subject(TESTS, person.user.id) > TESTS.value:
                raise errors.Problem(
                    409, "too_many_tests", "Too many test messages. Try again in ten minutes."
                )
            attention.push(tx, push_subscription.origin, push_subscription.id, attention.TEST)

    def _check(self, address: PushAddress) -> None:
        if problem := web_push.endpoint_problem(address.endpoint, self.origins):
            raise errors.invalid_body(f"/endpoint {problem}.")
        if problem := web_push.keys_problem(address.p256dh, address.auth):
            raise errors.invalid_body(f"/keys: {problem}.")

    def _check_limit(self, tx: Unit, person: Person) -> None:
        if len(tx.pushes.of_user(person.user.id)) >= MAX_SUBSCRIPTIONS:
            raise errors.Problem(
                409,
                "too_many_subscriptions",
                f"Notifications are on in {MAX_SUBSCRIPTIONS} browsers. Remove one of them first.",
            )

    def _store(
        self, tx: Unit, device: Device, address: PushAddress, existing: PushSubscription | None
    ) -> PushSubscription:
        before = existing or self._new(tx, device, address)
        push_subscription = replace(
            before,
            user_id=device.user_id,
            device_id=device.id,
            sealed=_seal_address(self.secrets, before.id, address),
            opened_at=tx.now,
        )
        if existing is None:
            tx.pushes.add(push_subscription)
            tx.pushes.remove_losses(push_subscription.device_id)
        else:
            tx.pushes.refresh(push_subscription)
        if existing is None or existing.user_id != push_subscription.user_id:
            by = audit.by_user(device.user_id)
            _record(tx, audit.Type.PUSH_SUBSCRIBED, push_subscription, by)
        return push_subscription

    def _new(self, tx: Unit, device: Device, address: PushAddress) -> PushSubscription:
        return PushSubscription(
            id=self.secrets.new_id(PREFIX_PUSH),
            user_id=device.user_id,
            device_id=device.id,
            endpoint_hash=_hash_endpoint(address.endpoint),
            origin=web_push.origin(address.endpoint),
            sealed=b"",
            created_at=tx.now,
            opened_at=tx.now,
        )


def remove(tx: Unit, subscription: PushSubscription, *, actor: str, cause: str) -> None:
    """Remove a subscription. Idempotent."""
    if tx.pushes.remove(subscription.id):
        _record(tx, audit.Type.PUSH_UNSUBSCRIBED, subscription, actor, cause)


def record_loss(tx: Unit, subscription: PushSubscription) -> None:
    """Remove a subscription that its push service no longer knows (RFC 8030 7.3); notify the user.

    The person is not notified if the device has subscribed again with a different address.
    """
    remove(tx, subscription, actor=audit.SYSTEM, cause="gone")
    if _has_subscribed_again(tx, subscription):
        return
    tx.pushes.add_loss(
        PushLoss(
            id=subscription.id,
            user_id=subscription.user_id,
            device_id=subscription.device_id,
            origin=subscription.origin,
            lost_at=tx.now,
        )
    )
    notices.device(tx, subscription.user_id, "device.unreached", subscription.device_id)


def _has_subscribed_again(view: View, former: PushSubscription) -> bool:
    """Return whether the device has a subscription that is newer than the last use of this one."""
    return any(
        push.device_id == former.device_id and push.created_at >= former.opened_at
        for push in view.pushes.of_user(former.user_id)
    )


def address_of(secrets: Secrets, subscription: PushSubscription) -> PushAddress:
    """Return the unsealed address and keys of a subscription."""
    members = json.loads(secrets.open(_purpose(subscription.id), subscription.sealed))
    return PushAddress(**members)


def _seal_address(secrets: Secrets, subscription_id: str, address: PushAddress) -> bytes:
    return secrets.seal(_purpose(subscription_id), json.dumps(asdict(address)).encode())


def _purpose(subscription_id: str) -> str:
    return f"push subscription:{subscription_id}"


def _hash_endpoint(endpoint: str) -> bytes:
    return hashlib.sha256(endpoint.encode()).digest()


def _own_subscription(view: View, person: Person, subscription_id: str) -> PushSubscription:
    push = view.pushes.get(subscription_id)
    if push is None or push.user_id != person.user.id:
        raise errors.not_found("Push subscription not found.")
    return push


def _with_device_name(
    view: View, subscription: PushSubscription, current: Device
) -> NamedSubscription:
    device = view.devices.get(subscription.device_id)
    name = subscription.device_id if device is None else device.name
    return NamedSubscription(subscription, name, subscription.device_id == current.id)


def _record(
    tx: Unit, kind: audit.Type, subscription: PushSubscription, actor: str, cause: str | None = None
) -> None:
    facts = {
        "push_subscription": subscription.id,
        "device": subscription.device_id,
        "service": subscription.origin,
    }
    tx.audit.add(Entry(kind, actor, subject=subscription.user_id, cause=cause, facts=facts))
