"""Lost push subscriptions: a push service no longer knows them.

The person sees a notice on pages and in the feed until the device subscribes again or they dismiss
it. If the device has already subscribed again, no notice appears.
"""

from dataclasses import dataclass

from server.model.notifications import PushLoss, PushSubscription
from server.model.store import Store, Unit, View
from server.services.audit import audit
from server.services.notifications import notices, push_subscriptions
from server.services.users.device_auth import Person

UNREACHED = "device.unreached"


@dataclass(frozen=True, slots=True)
class LostBrowser:
    """A lost subscription with the name of its device."""

    loss: PushLoss
    device_name: str


@dataclass(frozen=True, slots=True)
class PushLosses:
    """Lists a person's lost subscriptions."""

    store: Store

    def of_person(self, person: Person) -> list[LostBrowser]:
        """Return the lost subscriptions of active devices, newest first."""
        with self.store.read() as view:
            push_losses = view.pushes.losses(person.user.id)
            losses_with_devices = [(loss, view.devices.get(loss.device_id)) for loss in push_losses]
            return [
                LostBrowser(loss, device.name)
                for loss, device in losses_with_devices
                if device is not None
            ]


def record(tx: Unit, subscription: PushSubscription) -> None:
    """Remove a subscription that its push service does not know (RFC 8030 7.3); notify its person.

    The person is not notified if the device has subscribed again with a different address.
    """
    push_subscriptions.remove(tx, subscription, actor=audit.SYSTEM, cause="gone")
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
    notices.device(tx, subscription.user_id, UNREACHED, subscription.device_id)


def _has_subscribed_again(view: View, former: PushSubscription) -> bool:
    """Return whether the device has a subscription that is newer than the last use of this one."""
    return any(
        push.device_id == former.device_id and push.created_at >= former.opened_at
        for push in view.pushes.of_user(former.user_id)
    )
