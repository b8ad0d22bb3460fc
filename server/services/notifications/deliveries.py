"""What reached which device of a person.

A device has a request when the feed or a list brought it, and has seen it when it was opened there.
Written once for each device and request, after the answer has left; no poll writes here.
"""

from collections.abc import Iterable
from contextlib import suppress

from server.model.approvals import Approval, Delivery
from server.model.store import Busy, Store, View
from server.protocol.approvals.states import State, overdue


def received(store: Store, device_id: str, approvals: Iterable[Approval]) -> None:
    """Write down that a device has these, if they still wait and it never had them.

    A database that is busy is no reason to fail: the next list brings them again.
    """
    pending = [one for one in approvals if one.state is State.PENDING]
    if not pending:
        return
    with suppress(Busy):
        with store.read() as view:
            waiting = [
                one.id for one in pending if not overdue(one.state, one.expires_at, view.now)
            ]
            missing = view.deliveries.missing(device_id, waiting)
        if not missing:
            return
        with store.write() as tx:
            for approval_id in missing:
                tx.deliveries.add(approval_id, device_id)


def of_person(view: View, approval_id: str, user_id: str) -> tuple[Delivery, ...]:
    """What the devices of one person had of a request."""
    had = view.deliveries.of_approval(approval_id)
    return tuple(one for one in had if one.user_id == user_id)
