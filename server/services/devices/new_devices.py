"""When a new device may approve high-risk requests, and whether a person has a device in use.

Owns: the waiting time of new devices. Never: registering or vouching for a device.

Revoking every device does not remove the wait: a revoked device is included for a day, so that the
user has time to notice.
"""

from typing import Final

from server.model.store import View
from server.services.devices.sessions import IDLE_MS

WAIT_MS: Final = 24 * 60 * 60 * 1000
"""How long a new device cannot approve high-risk requests, unless an older one vouches for it."""


def high_from(view: View, user_id: str) -> int:
    """Return when a device that is enrolled now may approve high-risk requests.

    There is no wait if the person never had a device, or if their last one was revoked more than a
    day ago. A device that was not used for 30 days does not count.
    """
    idle, ended = view.now - IDLE_MS, view.now - WAIT_MS
    had_device = view.devices.had_recently(user_id, not_ended_before=ended, used_after=idle)
    return view.now + WAIT_MS if had_device else view.now


def has_one_in_use(view: View, user_id: str) -> bool:
    """Return whether the person has an active device that was used in the last 30 days.

    A waiting new device does not count, because someone else may have enrolled it.
    """
    return view.devices.in_use(user_id, now=view.now, used_after=view.now - IDLE_MS)
