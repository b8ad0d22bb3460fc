"""Warnings above the inbox, shown for as long as they are true.

Owns: the warnings, their wording, and the single line for them on small screens. Never: hiding one
because it was read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from approver_tui.client.audit.log_witness import WARNING
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.state.notifications.connection import Phase
from approver_tui.state.text import SafeText, counted
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.times import age


@dataclass(frozen=True, slots=True)
class Notice:
    """One warning."""

    text: SafeText
    short: SafeText
    """A short form that fits one line of 40 columns with a counter."""


def notices(context: ScreenContext, state: InboxState) -> tuple[Notice, ...]:
    """Return the warnings, the most urgent first."""
    found = (
        _signed_out(state),
        _changed_log(state),
        _stale(context, state),
        _behind(context, state),
        _unsent(state),
        _unverified(state),
        _wrong_pins(state),
        _open_folder(context),
        _skewed(context),
    )
    return tuple(notice for notice in found if notice)


def log_alarm(state: InboxState) -> tuple[SafeText, ...]:
    """Return the alarm about the audit log, for the banner, if there is one."""
    return (WARNING,) if state.log_alarm else ()


def full_texts(found: Sequence[Notice]) -> tuple[SafeText, ...]:
    """Return all of them in full."""
    return tuple(notice.text for notice in found)


def one_line_text(found: Sequence[Notice], width: int, key: SafeText) -> tuple[SafeText, ...]:
    """Return the first in one line with the number of others; `key` opens them all."""
    if not found:
        return ()
    first, *others = found
    if not others and cell_len(first.text) <= width:
        return (first.text,)
    more = fmt(" +{}", len(others)) if others else SafeText("")
    return (fmt("{}{}: {}", first.short, more, key),)


def _signed_out(state: InboxState) -> Notice | None:
    if state.connection.phase is not Phase.SIGNED_OUT:
        return None
    return Notice(
        fmt(
            "! SIGNED OUT: this device can no longer answer. Press Enter to sign in again, or run "
            "sayso-approver login."
        ),
        fmt("! SIGNED OUT, Enter signs in"),
    )


def _changed_log(state: InboxState) -> Notice | None:
    """The cause of the banner above the warnings."""
    if not state.log_alarm:
        return None
    return Notice(fmt("! {}", state.log_alarm), fmt("! Audit log changed"))


def _stale(context: ScreenContext, state: InboxState) -> Notice | None:
    connection = state.connection
    is_new = state.fresh_at is None or (state.is_loaded and not connection.reason)
    is_first_dial = connection.phase is Phase.CONNECTING and is_new
    is_over = connection.is_live or connection.phase is Phase.SIGNED_OUT
    if is_over or is_first_dial or not connection.since:
        return None
    cause = SafeText(state.connection.reason.rstrip("."))
    reason = fmt(" ({})", cause) if cause else SafeText("")
    if state.fresh_at is None:
        text = fmt("OFFLINE{}: you can't answer now; reconnecting.", reason)
        return Notice(text, fmt("OFFLINE, you can't answer"))
    old = age(state.fresh_at, context.now())
    text = fmt("OFFLINE{}: data is {} old, you can't answer now; reconnecting.", reason, old)
    return Notice(text, fmt("OFFLINE, {} old", old))


def _behind(context: ScreenContext, state: InboxState) -> Notice | None:
    """The feed is connected, but not everything that was missed has been loaded."""
    if not state.is_incomplete or not state.connection.is_live or state.fresh_at is None:
        return None
    old = age(state.fresh_at, context.now())
    text = fmt("! Some requests may be missing: the list is {} old; reloading.", old)
    return Notice(text, fmt("! Some may be missing"))


def _unsent(state: InboxState) -> Notice | None:
    """A denial was given but never sent."""
    left = [denial for denial in state.unsent if state.inbox.find(denial.approval_id)]
    if not left:
        return None
    if len(left) > 1:
        words = fmt("! NOT SENT: the app closed before {} denials were sent.", len(left))
        return Notice(
            fmt("{} The requests are still waiting.", words), fmt("! {} not sent", len(left))
        )
    headline = left[0].headline
    text = fmt(
        "! NOT SENT: the app closed before your denial was sent. Still waiting: {}", headline
    )
    return Notice(text, fmt("! Your denial was not sent"))


def _unverified(state: InboxState) -> Notice | None:
    if not state.unverified:
        return None
    count = len(state.unverified)
    which = counted(count, "request")
    they = fmt("it") if count == 1 else fmt("they")
    text = fmt("! {} cannot be verified, so {} cannot be read or answered here", which, they)
    return Notice(text, fmt("! {} not verified", which))


def _wrong_pins(state: InboxState) -> Notice | None:
    tries = state.device.pin.tries if state.device else 0
    if not tries:
        return None
    which = counted(tries, "wrong PIN")
    if state.device and state.device.pin.locked:
        text = fmt("! This device is locked: {}. Unlock it from another device.", which)
        return Notice(text, fmt("! This device is locked"))
    return Notice(fmt("! {} since you last approved", which), fmt("! {}", which))


def _open_folder(context: ScreenContext) -> Notice | None:
    if not context.environment.is_server_folder_readable:
        return None
    return Notice(
        fmt("! This account can read the server's data folder, and so can its agents."),
        fmt("! The server's folder is readable"),
    )


def _skewed(context: ScreenContext) -> Notice | None:
    """The clock of this machine differs from the server's, which the screen shows."""
    skew = context.server.skew
    if not skew:
        return None
    by, which = age(0, abs(skew)), fmt("behind") if skew > 0 else fmt("ahead of")
    text = fmt(
        "! This machine's clock is {} {} the server's. Times here are the server's.", by, which
    )
    return Notice(text, fmt("! This clock is {} off", by))
