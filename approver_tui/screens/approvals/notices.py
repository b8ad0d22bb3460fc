"""The warnings that stay above the inbox for as long as they are true.

Owns: which there are, their wording, and the one line that is left for them where rows are few.
Never: hides one because it was read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.state.notifications.connection import Phase
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import say
from approver_tui.widgets.times import age


@dataclass(frozen=True, slots=True)
class Notice:
    """One warning."""

    text: SafeText
    short: SafeText
    """The same in so few words that it fits one line of 40 columns, with a sign of what follows."""


def notices(context: ScreenContext, state: InboxState) -> tuple[Notice, ...]:
    """Return the warnings, the most pressing first."""
    found = (
        _signed_out(state),
        _stale(context, state),
        _behind(context, state),
        _unsent(state),
        _unverified(state),
        _wrong_pins(state),
        _open_folder(context),
        _skewed(context),
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


def _signed_out(state: InboxState) -> Notice | None:
    if state.connection.phase is not Phase.SIGNED_OUT:
        return None
    return Notice(
        say(
            "! SIGNED OUT: this device can answer nothing any more. Enter signs in again; so does "
            "sayso-approver login."
        ),
        say("! SIGNED OUT, Enter signs in"),
    )


def _stale(context: ScreenContext, state: InboxState) -> Notice | None:
    connection = state.connection
    is_first_dial = connection.phase is Phase.CONNECTING and state.fresh_at is None
    is_over = connection.is_live or connection.phase is Phase.SIGNED_OUT
    if is_over or is_first_dial or not connection.since:
        return None
    cause = SafeText(state.connection.reason.rstrip("."))
    reason = say(" ({})", cause) if cause else SafeText("")
    if state.fresh_at is None:
        text = say("OFFLINE{}: answers are off; trying again.", reason)
        return Notice(text, say("OFFLINE, answers are off"))
    old = age(state.fresh_at, context.now())
    text = say("OFFLINE{}: this is {} old, answers are off; trying again.", reason, old)
    return Notice(text, say("OFFLINE, {} old", old))


def _behind(context: ScreenContext, state: InboxState) -> Notice | None:
    """The feed stands, but not all that was missed is there yet."""
    if not state.is_behind or not state.connection.is_live or state.fresh_at is None:
        return None
    old = age(state.fresh_at, context.now())
    text = say("! Some requests may be missing: the list is {} old; asking again.", old)
    return Notice(text, say("! Some may be missing"))


def _unsent(state: InboxState) -> Notice | None:
    """A denial that was given and never left, so that nobody believes that it did."""
    left = [each for each in state.unsent if state.inbox.find(each.approval_id)]
    if not left:
        return None
    if len(left) > 1:
        words = say("! NOT SENT: the app ended before {} denials of yours left.", len(left))
        return Notice(say("{} The requests still wait.", words), say("! {} not sent", len(left)))
    headline = left[0].headline
    text = say("! NOT SENT: the app ended before your denial left. It still waits: {}", headline)
    return Notice(text, say("! Your denial was not sent"))


def _unverified(state: InboxState) -> Notice | None:
    if not state.unverified:
        return None
    count = len(state.unverified)
    which = say("1 request") if count == 1 else say("{} requests", count)
    they = say("it") if count == 1 else say("they")
    text = say("! {} cannot be verified, so {} cannot be read or answered here", which, they)
    return Notice(text, say("! {} not verified", which))


def _wrong_pins(state: InboxState) -> Notice | None:
    tries = state.device.pin.tries if state.device else 0
    if not tries:
        return None
    if state.device and state.device.pin.locked:
        text = say("! This device is locked: {} wrong PINs. Another device unlocks it.", tries)
        return Notice(text, say("! This device is locked"))
    which = say("1 wrong PIN") if tries == 1 else say("{} wrong PINs", tries)
    return Notice(say("! {} since you last approved", which), say("! {}", which))


def _open_folder(context: ScreenContext) -> Notice | None:
    if not context.environment.folder_is_open:
        return None
    return Notice(
        say("! The server's data folder is open to this account, and so to agents run by it."),
        say("! The server's folder is open"),
    )


def _skewed(context: ScreenContext) -> Notice | None:
    """Every time on the screen is the server's; a watch on the wall would say another."""
    skew = context.server.skew
    if not skew:
        return None
    by, which = age(0, abs(skew)), say("behind") if skew > 0 else say("ahead of")
    text = say(
        "! This machine's clock is {} {} the server's. Times here are the server's.", by, which
    )
    return Notice(text, say("! This clock is {} off", by))
