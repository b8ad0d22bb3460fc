"""The warnings that stay above the inbox for as long as they are true.

Owns: which there are and their wording. Never: hides one because it was read.
"""

from approver_tui.screens.desk import Desk
from approver_tui.screens.table import Table
from approver_tui.state.connection import Phase
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import say
from approver_tui.widgets.times import age


def notices(desk: Desk, table: Table) -> tuple[SafeText, ...]:
    """Return the warnings, the most pressing first."""
    found = (_stale(desk, table), _unverified(table), _wrong_pins(table), _open_folder(desk))
    return tuple(text for text in found if text)


def _stale(desk: Desk, table: Table) -> SafeText:
    if table.connection.phase is not Phase.OFFLINE or not table.connection.since:
        return SafeText("")
    cause = SafeText(table.connection.reason.rstrip("."))
    reason = say(" ({})", cause) if cause else SafeText("")
    if table.fresh_at is None:
        return say("OFFLINE{}: answers are off; trying again.", reason)
    old = age(table.fresh_at, desk.now())
    return say("OFFLINE{}: this is {} old, answers are off; trying again.", reason, old)


def _unverified(table: Table) -> SafeText:
    if not table.unverified:
        return SafeText("")
    if len(table.unverified) == 1:
        return say("! 1 request cannot be verified, so it cannot be read or answered here")
    count = len(table.unverified)
    return say("! {} requests cannot be verified, so they cannot be read or answered here", count)


def _wrong_pins(table: Table) -> SafeText:
    tries = table.device.pin.tries if table.device else 0
    if not tries:
        return SafeText("")
    if tries == 1:
        return say("! 1 wrong PIN since you last approved")
    return say("! {} wrong PINs since you last approved", tries)


def _open_folder(desk: Desk) -> SafeText:
    if not desk.place.folder_is_open:
        return SafeText("")
    return say("! The server's data folder is open to this account, and so to agents run by it.")
