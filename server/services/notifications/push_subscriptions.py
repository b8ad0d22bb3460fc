"""Browsers that want to be called: how they come, are kept up to date, and go.

A subscription takes or gives no power; a page of the person's own says it for the browser in which
it is open. What is kept of its address is sealed.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from server.model.audit import Entry
from server.model.devices import BROWSER, Device
from server.model.notifications import Address, PushSubscription
from server.model.ports import Secrets
from server.model.store import Store, Unit, View
from server.protocol import errors
from server.protocol.names import PREFIX_PUSH
from server.protocol.notifications import web_push
from server.services.audit import audit
from server.services.notifications import push_targets
from server.services.users import device_auth
from server.services.users.device_auth import Person

MOST_SUBSCRIPTIONS: Final = 10
"""So many browsers of one person are called."""
TESTS: Final = 10
TESTS_MS: Final = 10 * 60_000


@dataclass(frozen=True, slots=True)
class Known:
    """A subscription with the name of its device."""

    subscription: PushSubscription
    device_name: str
    this: bool
    """It is of the device that asks."""


@dataclass(frozen=True, slots=True)
class PushSubscriptions:
    """Keeps people's browsers."""

    store: Store
    secrets: Secrets
    public_key: str
    """Ours, with which a push service tells our messages from others' (RFC 8292 3.2)."""
    origins: Collection[str]
    """Push services that the operator named."""

    def of(self, person: Person) -> list[Known]:
        """The person's browsers, the oldest first."""
        with self.store.read() as view:
            device = device_auth.current_device(view, person)
            return [_known(view, one, device) for one in view.pushes.of_user(person.user.id)]

    def subscribe(self, person: Person, address: Address) -> Known:
        """Call this browser from now on; doing it again keeps it up to date.

        1. It is a browser.  2. Its address is at a push service that we may call, its keys are
        keys.  3. One that is known keeps its id, and is this person's from now on.  4. A new one
        has room. Raises errors.Problem.
        """
        self._check(address)
        with self.store.write() as tx:
            device = device_auth.current_device(tx, person)
            if device.kind != BROWSER:
                raise errors.Problem(403, "forbidden", "Only a browser can be called by push.")
            tx.queue(f"push {person.user.id}")
            found = tx.pushes.by_endpoint(_hashed(address.endpoint))
            if found is None or found.user_id != person.user.id:
                self._check_room(tx, person)
            kept = self._kept(tx, device, address, found)
            return _known(tx, kept, device)

    def unsubscribe(self, person: Person, subscription_id: str) -> None:
        """Call a browser of mine no more, or say no more that it is lost. Raises Problem 404."""
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            if tx.pushes.seen(person.user.id, subscription_id):
                return
            found = _own(tx, person, subscription_id)
            forget(tx, found, actor=audit.by_user(person.user.id), cause="unsubscribed")

    def test(self, person: Person, subscription_id: str) -> None:
        """Send a browser of mine a message that says nothing. Raises errors.Problem 404 or 409."""
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            found = _own(tx, person, subscription_id)
            if tx.counters.count(f"push tests:{person.user.id}", TESTS_MS) > TESTS:
                raise errors.Problem(
                    409, "too_many_tests", "That were enough tests for now. Wait ten minutes."
                )
            push_targets.send(tx, found.origin, found.id, push_targets.TEST)

    def _check(self, address: Address) -> None:
        if problem := web_push.endpoint_problem(address.endpoint, self.origins):
            raise errors.Problem(422, "invalid_body", f"/endpoint {problem}.")
        if problem := web_push.keys_problem(address.p256dh, address.auth):
            raise errors.Problem(422, "invalid_body", f"/keys: {problem}.")

    def _check_room(self, tx: Unit, person: Person) -> None:
        if len(tx.pushes.of_user(person.user.id)) >= MOST_SUBSCRIPTIONS:
            raise errors.Problem(
                409,
                "too_many_subscriptions",
                f"You are called in {MOST_SUBSCRIPTIONS} browsers already. Remove one first.",
            )

    def _kept(
        self, tx: Unit, device: Device, address: Address, found: PushSubscription | None
    ) -> PushSubscription:
        known = found or self._new(tx, device, address)
        kept = replace(
            known,
            user_id=device.user_id,
            device_id=device.id,
            sealed=_sealed(self.secrets, known.id, address),
            opened_at=tx.now,
        )
        if found is None:
            tx.pushes.add(kept)
            tx.pushes.found(kept.device_id)
        else:
            tx.pushes.opened(kept)
        if found is None or found.user_id != kept.user_id:
            _record(tx, audit.Type.PUSH_SUBSCRIBED, kept, audit.by_user(kept.user_id))
        return kept

    def _new(self, tx: Unit, device: Device, address: Address) -> PushSubscription:
        return PushSubscription(
            id=self.secrets.new_id(PREFIX_PUSH),
            user_id=device.user_id,
            device_id=device.id,
            endpoint_hash=_hashed(address.endpoint),
            origin=web_push.origin(address.endpoint),
            sealed=b"",
            created_at=tx.now,
            opened_at=tx.now,
        )


def forget(tx: Unit, subscription: PushSubscription, *, actor: str, cause: str) -> None:
    """Call this browser no more; twice without harm."""
    if tx.pushes.remove(subscription.id):
        _record(tx, audit.Type.PUSH_UNSUBSCRIBED, subscription, actor, cause)


def opened(secrets: Secrets, subscription: PushSubscription) -> Address:
    """Its address and keys."""
    said = json.loads(secrets.open(_purpose(subscription.id), subscription.sealed))
    return Address(**said)


def _sealed(secrets: Secrets, subscription_id: str, address: Address) -> bytes:
    said = {"endpoint": address.endpoint, "p256dh": address.p256dh, "auth": address.auth}
    return secrets.seal(_purpose(subscription_id), json.dumps(said).encode())


def _purpose(subscription_id: str) -> str:
    return f"push subscription:{subscription_id}"


def _hashed(endpoint: str) -> bytes:
    return hashlib.sha256(endpoint.encode()).digest()


def _own(view: View, person: Person, subscription_id: str) -> PushSubscription:
    found = view.pushes.get(subscription_id)
    if found is None or found.user_id != person.user.id:
        raise errors.Problem(404, "not_found", "You have no push subscription of this id.")
    return found


def _known(view: View, subscription: PushSubscription, here: Device) -> Known:
    device = view.devices.get(subscription.device_id)
    name = subscription.device_id if device is None else device.name
    return Known(subscription, name, subscription.device_id == here.id)


def _record(
    tx: Unit, kind: audit.Type, subscription: PushSubscription, actor: str, cause: str | None = None
) -> None:
    audit.record(
        tx,
        Entry(
            type=kind,
            actor=actor,
            subject=subscription.user_id,
            cause=cause,
            facts={
                "push_subscription": subscription.id,
                "device": subscription.device_id,
                "service": subscription.origin,
            },
        ),
    )
