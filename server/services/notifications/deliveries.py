"""Which devices received a request.

A device receives a request with the feed or a list, and has seen it once it is opened there. This
is recorded once per device and request, after the response was sent.
"""

from collections.abc import Iterable
from contextlib import suppress

from server.model.approvals import Approval, Delivery
from server.model.store import Busy, Store, View
from server.protocol.approvals.states import State


def record(store: Store, device_id: str, approvals: Iterable[Approval]) -> None:
    """Record that a device received these approvals, if they are pending and new to it.

    Ignores a busy database, because the next list delivers them again.
    """
    pending = [approval for approval in approvals if approval.state is State.PENDING]
    if not pending:
        return
    with suppress(Busy):
        with store.read() as view:
            open_ids = [approval.id for approval in pending if approval.is_pending(view.now)]
            missing = view.deliveries.missing(device_id, open_ids)
        if not missing:
            return
        with store.write() as tx:
            for approval_id in sorted(missing):  # lists differ in order, which could deadlock
                tx.deliveries.add(approval_id, device_id)


def of_person(view: View, approval_id: str, user_id: str) -> tuple[Delivery, ...]:
    """Return the deliveries of a request to one person's devices."""
    deliveries = view.deliveries.of_approval(approval_id)
    return tuple(delivery for delivery in deliveries if delivery.user_id == user_id)
