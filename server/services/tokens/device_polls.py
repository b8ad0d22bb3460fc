"""The response to a polling device (RFC 8628 3.5).

The terminal app and apps poll alike; each grant issues its own tokens.
"""

from typing import Final

from server.model.approvals import Approval
from server.model.devices import DeviceCode
from server.model.store import Unit
from server.protocol import errors
from server.protocol.approvals.states import State, overdue
from server.protocol.ciba import requests
from server.services.approvals.expiry import expire

UNKNOWN: Final = "device_code is unknown, used, or not yours."


def poll_result(tx: Unit, code: DeviceCode, waited_ms: int) -> Approval | errors.ProtocolError:
    """Return the approval once it is approved; before that, the error for the device.

    1. An expired approval ends. 2. While it is pending, polls are paced.
    """
    approval = _approval(tx, code)
    if approval is None and tx.now >= code.expires_at:
        return _expired()
    if approval is None or approval.state is State.PENDING:
        return _pending(tx, code, waited_ms)
    return approval if approval.state is State.APPROVED else _final_error(tx, approval)


def _approval(tx: Unit, code: DeviceCode) -> Approval | None:
    found = None if code.approval_id is None else tx.approvals.get(code.approval_id)
    if found is not None and overdue(found.state, found.expires_at, tx.now):
        return expire(tx, found) or tx.approvals.get(found.id)
    return found


def _pending(tx: Unit, code: DeviceCode, waited_ms: int) -> errors.ProtocolError:
    arrived = tx.now - waited_ms
    pace = requests.pace(arrived=arrived, last=code.last_poll_at, interval_ms=code.interval_ms)
    tx.device_codes.record_poll(code.id, now=arrived, interval_ms=pace.interval_ms)
    if pace.early:
        return requests.slow_down(pace, waited_ms, {})
    return errors.AuthorizationPending("This sign-in is not approved yet.")


def _final_error(tx: Unit, approval: Approval) -> errors.ProtocolError:
    """Return the error for an approval that gives no tokens."""
    user = tx.directory.user(approval.user_id or "")
    if approval.state is State.EXPIRED:
        return _expired()
    if approval.state is State.DENIED:
        return errors.AccessDenied("The person denied this sign-in.", members={"reason": "denied"})
    if approval.state is State.CANCELLED and user is not None and user.enabled:
        return errors.AccessDenied("The sign-in was canceled.", members={"reason": "cancelled"})
    return errors.InvalidGrant(UNKNOWN)


def _expired() -> errors.ProtocolError:
    return errors.ExpiredToken("The sign-in was not approved in time. Start again.")
