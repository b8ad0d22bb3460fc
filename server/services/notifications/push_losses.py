"""Browsers that their push service forgot: their person learns of it by another way than a push.

It stands on their pages and in their feed until a browser of the same device is called again, or
until they have seen enough of it. One that is called again already is not lost.
"""

from dataclasses import dataclass

from server.model.notifications import PushLoss, PushSubscription
from server.model.store import Store, Unit, View
from server.services.audit import audit
from server.services.notifications import notices, push_subscriptions
from server.services.users.device_auth import Person

UNREACHED = "device.unreached"


@dataclass(frozen=True, slots=True)
class Lost:
    """A browser that is called no more, with the name of its device."""

    loss: PushLoss
    device_name: str


@dataclass(frozen=True, slots=True)
class PushLosses:
    """Tells a person which of their browsers are called no more."""

    store: Store

    def of(self, person: Person) -> list[Lost]:
        """Those of devices that are active, the latest first."""
        with self.store.read() as view:
            found = view.pushes.losses(person.user.id)
            named = [(one, view.devices.get(one.device_id)) for one in found]
            return [Lost(one, device.name) for one, device in named if device is not None]


def lose(tx: Unit, subscription: PushSubscription) -> None:
    """The push service knows this browser no more (RFC 8030 7.3): so do we, and say so.

    Not of one that subscribed anew meanwhile: it is called, by another address.
    """
    push_subscriptions.forget(tx, subscription, actor=audit.SYSTEM, cause="gone")
    if _is_called_anew(tx, subscription):
        return
    tx.pushes.lose(
        PushLoss(
            id=subscription.id,
            user_id=subscription.user_id,
            device_id=subscription.device_id,
            origin=subscription.origin,
            lost_at=tx.now,
        )
    )
    notices.device(tx, subscription.user_id, UNREACHED, subscription.device_id)


def _is_called_anew(view: View, former: PushSubscription) -> bool:
    """Reports whether its device has one that was made after this one was last heard of."""
    return any(
        one.device_id == former.device_id and one.created_at >= former.opened_at
        for one in view.pushes.of_user(former.user_id)
    )
