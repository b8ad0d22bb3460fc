"""Warnings above the inbox, shown for as long as they apply.

Owns: the warnings, their wording, the single line for them on small screens. Never: hiding a
warning because it was read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from approver_tui.client.audit.log_witness import WARNING
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.state.notifications.connection import Phase
from approver_tui.state.text import SafeText, pluralize
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.times import age


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning in a long and a short form."""

    text: SafeText
    short: SafeText
    """A form that fits, with a counter, in one line of 40 columns."""


def notices(context: ScreenContext, state: InboxState) -> tuple[Notice, ...]:
    """Return the warnings, the most urgent first."""
    candidates = (
        _signed_out_notice(state),
        _changed_log_notice(state),
        _offline_notice(context, state),
        _incomplete_notice(context, state),
        _unsent_notice(state),
        _unverified_notice(state),
        _wrong_pins_notice(state),
        _readable_folder_notice(context),
        _clock_notice(context),
    )
    return tuple(notice for notice in candidates if notice)


def log_alarm(state: InboxState) -> SafeText:
    """Return the banner text for an alarm about the audit log; empty without one."""
    return WARNING if state.log_alarm else SafeText("")


def full_texts(warnings: Sequence[Notice]) -> tuple[SafeText, ...]:
    """Return the long form of all warnings."""
    return tuple(notice.text for notice in warnings)


def one_line_text(warnings: Sequence[Notice], width: int, key: SafeText) -> SafeText:
    """Return the first warning in one line, the number of others, and the key that opens all."""
    if not warnings:
        return SafeText("")
    first, *others = warnings
    if not others and cell_len(first.text) <= width:
        return first.text
    more = fmt(" +{}", len(others)) if others else SafeText("")
    return fmt("{}{}: {}", first.short, more, key)


def _signed_out_notice(state: InboxState) -> Notice | None:
    if state.connection.phase is not Phase.SIGNED_OUT:
        return None
    return Notice(
        fmt("! SIGNED OUT: this device can no longer answer. Press Enter to sign in again."),
        fmt("! SIGNED OUT, Enter signs in"),
    )


def _changed_log_notice(state: InboxState) -> Notice | None:
    """Say why the banner above the warnings is shown."""
    if not state.log_alarm:
        return None
    return Notice(fmt("! {}", state.log_alarm), fmt("! Audit log changed"))


def _offline_notice(context: ScreenContext, state: InboxState) -> Notice | None:
    connection = state.connection
    is_new = state.fresh_at is None or (state.is_loaded and not connection.reason)
    is_first_connect = connection.phase is Phase.CONNECTING and is_new
    is_live_or_signed_out = connection.is_live or connection.phase is Phase.SIGNED_OUT
    if is_live_or_signed_out or is_first_connect or not connection.since:
        return None
    cause = SafeText(state.connection.reason.rstrip("."))
    reason = fmt(" ({})", cause) if cause else SafeText("")
    if state.fresh_at is None:
        text = fmt("OFFLINE{}: you can't answer now; reconnecting.", reason)
        return Notice(text, fmt("OFFLINE, you can't answer"))
    data_age = age(state.fresh_at, context.now())
    text = fmt("OFFLINE{}: data is {} old, you can't answer now; reconnecting.", reason, data_age)
    return Notice(text, fmt("OFFLINE, {} old", data_age))


def _incomplete_notice(context: ScreenContext, state: InboxState) -> Notice | None:
    """Warn that the feed is connected but missed changes are not loaded yet."""
    if not state.is_incomplete or not state.connection.is_live or state.fresh_at is None:
        return None
    list_age = age(state.fresh_at, context.now())
    text = fmt("! Some requests may be missing: the list is {} old; reloading.", list_age)
    return Notice(text, fmt("! Some may be missing"))


def _unsent_notice(state: InboxState) -> Notice | None:
    """Warn that the program closed before it sent a denial."""
    unsent = [denial for denial in state.unsent if state.inbox.find(denial.approval_id)]
    if not unsent:
        return None
    if len(unsent) > 1:
        words = fmt("! NOT SENT: the app closed before {} denials were sent.", len(unsent))
        return Notice(
            fmt("{} The requests are still waiting.", words), fmt("! {} not sent", len(unsent))
        )
    headline = unsent[0].headline
    text = fmt(
        "! NOT SENT: the app closed before your denial was sent. Still waiting: {}", headline
    )
    return Notice(text, fmt("! Your denial was not sent"))


def _unverified_notice(state: InboxState) -> Notice | None:
    if not state.unverified:
        return None
    count = len(state.unverified)
    requests = pluralize(count, "request")
    pronoun = fmt("it") if count == 1 else fmt("they")
    text = fmt("! {} cannot be verified, so {} cannot be read or answered here", requests, pronoun)
    return Notice(text, fmt("! {} not verified", requests))


def _wrong_pins_notice(state: InboxState) -> Notice | None:
    wrong_count = state.device.pin.tries if state.device else 0
    if not wrong_count:
        return None
    wrong_pins = pluralize(wrong_count, "wrong PIN")
    if state.device and state.device.pin.locked:
        text = fmt("! This device is locked: {}. Unlock it from another device.", wrong_pins)
        return Notice(text, fmt("! This device is locked"))
    return Notice(fmt("! {} since you last approved", wrong_pins), fmt("! {}", wrong_pins))


def _readable_folder_notice(context: ScreenContext) -> Notice | None:
    if not context.environment.is_server_folder_readable:
        return None
    return Notice(
        fmt("! This account can read the server's data folder, and so can its agents."),
        fmt("! The server's folder is readable"),
    )


def _clock_notice(context: ScreenContext) -> Notice | None:
    """Warn that this machine's clock differs from the server's, which all times here follow."""
    skew = context.server.skew
    if not skew:
        return None
    difference, direction = age(0, abs(skew)), fmt("behind") if skew > 0 else fmt("ahead of")
    text = fmt(
        "! This machine's clock is {} {} the server's. Times here are the server's.",
        difference,
        direction,
    )
    return Notice(text, fmt("! This clock is {} off", difference))
