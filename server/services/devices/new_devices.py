"""When a new device may decide at high risk, and whether a person has a device in use.

Owns: how long a new device waits, and when it does not. Never: registers or vouches for a device.

Ending every device of a person does not remove the wait: an ended device still counts for a day,
so that its person has time to notice.
"""

from typing import Final

from server.model.store import View
from server.services.devices.sessions import IDLE_MS

WAIT_MS: Final = 24 * 60 * 60 * 1000
"""How long a new device decides nothing at high risk, unless an older one vouches for it."""


def high_from(view: View, user_id: str) -> int:
    """The moment from which a device that is enrolled now may decide at high risk.

    It is now for a person who never had a device, or whose last one ended more than a day ago.
    A device that was not used for 30 days counts as ended.
    """
    idle, ended = view.now - IDLE_MS, view.now - WAIT_MS
    had_one = view.devices.present(user_id, not_ended_before=ended, used_after=idle)
    return view.now + WAIT_MS if had_one else view.now


def has_one_in_use(view: View, user_id: str) -> bool:
    """Reports whether the person has a device that is in force and was used in the last 30 days.

    A new device that still waits does not count: somebody else may have enrolled it.
    """
    return view.devices.in_use(user_id, now=view.now, used_after=view.now - IDLE_MS)
