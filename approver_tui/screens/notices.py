"""The warnings that stay above the inbox for as long as they are true.

Owns: which there are, their wording, and the one line that is left for them where rows are few.
Never: hides one because it was read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from approver_tui.screens.desk import Desk
from approver_tui.screens.table import Table
from approver_tui.state.connection import Phase
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import say
from approver_tui.widgets.times import age


@dataclass(frozen=True, slots=True)
class Notice:
    """One warning."""

    text: SafeText
    short: SafeText
    """The same in so few words that it fits one line of 40 columns, with a sign of what follows."""


def notices(desk: Desk, table: Table) -> tuple[Notice, ...]:
    """Return the warnings, the most pressing first."""
    found = (
        _signed_out(table),
        _stale(desk, table),
        _behind(desk, table),
        _unsent(table),
        _unverified(table),
        _wrong_pins(table),
        _open_folder(desk),
        _skewed(desk),
    )
    return tuple(notice for notice in found if notice)


def in_full(found: Sequence[Notice]) -> tuple[SafeText, ...]:
    """Return all of them as they are."""
    return tuple(notice.text for notice in found)


def in_one_line(found: Sequence[Notice], width: int, key: SafeText) -> tuple[SafeText, ...]:
    """Return the first in one line with how many more there are; `key` opens them all."""
    if not found:
        return ()
    first, *others = found
    if not others and cell_len(first.text) <= width:
        return (first.text,)
    more = say(" +{}", len(others)) if others else SafeText("")
    return (say("{}{}: {}", first.short, more, key),)


def _signed_out(table: Table) -> Notice | None:
    if table.connection.phase is not Phase.SIGNED_OUT:
        return None
    return Notice(
        say(
            "! SIGNED OUT: this device can answer nothing any more. Enter signs in again; so does "
            "sayso-approver login."
        ),
        say("! SIGNED OUT, Enter signs in"),
    )


def _stale(desk: Desk, table: Table) -> Notice | None:
    connection = table.connection
    is_first_dial = connection.phase is Phase.CONNECTING and table.fresh_at is None
    is_over = connection.is_live or connection.phase is Phase.SIGNED_OUT
    if is_over or is_first_dial or not connection.since:
        return None
    cause = SafeText(table.connection.reason.rstrip("."))
    reason = say(" ({})", cause) if cause else SafeText("")
    if table.fresh_at is None:
        text = say("OFFLINE{}: answers are off; trying again.", reason)
        return Notice(text, say("OFFLINE, answers are off"))
    old = age(table.fresh_at, desk.now())
    text = say("OFFLINE{}: this is {} old, answers are off; trying again.", reason, old)
    return Notice(text, say("OFFLINE, {} old", old))


def _behind(desk: Desk, table: Table) -> Notice | None:
    """The feed stands, but not all that was missed is there yet."""
    if not table.is_behind or not table.connection.is_live or table.fresh_at is None:
        return None
    old = age(table.fresh_at, desk.now())
    text = say("! Some requests may be missing: the list is {} old; asking again.", old)
    return Notice(text, say("! Some may be missing"))


def _unsent(table: Table) -> Notice | None:
    """A denial that was given and never left, so that nobody believes that it did."""
    left = [each for each in table.unsent if table.inbox.find(each.approval_id)]
    if not left:
        return None
    if len(left) > 1:
        words = say("! NOT SENT: the app ended before {} denials of yours left.", len(left))
        return Notice(say("{} The requests still wait.", words), say("! {} not sent", len(left)))
    headline = left[0].headline
    text = say("! NOT SENT: the app ended before your denial left. It still waits: {}", headline)
    return Notice(text, say("! Your denial was not sent"))


def _unverified(table: Table) -> Notice | None:
    if not table.unverified:
        return None
    count = len(table.unverified)
    which = say("1 request") if count == 1 else say("{} requests", count)
    they = say("it") if count == 1 else say("they")
    text = say("! {} cannot be verified, so {} cannot be read or answered here", which, they)
    return Notice(text, say("! {} not verified", which))


def _wrong_pins(table: Table) -> Notice | None:
    tries = table.device.pin.tries if table.device else 0
    if not tries:
        return None
    if table.device and table.device.pin.locked:
        text = say("! This device is locked: {} wrong PINs. Another device unlocks it.", tries)
        return Notice(text, say("! This device is locked"))
    which = say("1 wrong PIN") if tries == 1 else say("{} wrong PINs", tries)
    return Notice(say("! {} since you last approved", which), say("! {}", which))


def _open_folder(desk: Desk) -> Notice | None:
    if not desk.place.folder_is_open:
        return None
    return Notice(
        say("! The server's data folder is open to this account, and so to agents run by it."),
        say("! The server's folder is open"),
    )


def _skewed(desk: Desk) -> Notice | None:
    """Every time on the screen is the server's; a watch on the wall would say another."""
    skew = desk.server.skew
    if not skew:
        return None
    by, which = age(0, abs(skew)), say("behind") if skew > 0 else say("ahead of")
    text = say(
        "! This machine's clock is {} {} the server's. Times here are the server's.", by, which
    )
    return Notice(text, say("! This clock is {} off", by))
