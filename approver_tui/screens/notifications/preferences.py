"""Notification settings as entries of the Settings page: quiet hours, mutes, snoozes.

Owns: their text, the actions that change them. Never: deciding whether an event alerts the user.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from approver_tui.screens.confirm import ConfirmAction, ConfirmField
from approver_tui.screens.request_actions import QuickAction, RequestActions
from approver_tui.state.approvals.inbox import Inbox
from approver_tui.state.notifications.preferences import (
    HeldRequest,
    Mute,
    NotificationPrefs,
    QuietHours,
)
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.entry_list import Entry, Section
from approver_tui.widgets.lines import BLANK, Line, Role, fmt, wrap_text
from approver_tui.widgets.notifications.quiet import mute_text

HOURS_ID = "quiet:hours"
_MUTE_PREFIX, _HOLD_PREFIX = "quiet:mute:", "quiet:hold:"
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_HOURS_PATTERN = re.compile(rf"({_CLOCK}) *(?:-|to) *({_CLOCK}|24:00)((?:[ ,]+[a-z]+)*)")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_STILL_NOTIFIES = SafeText("Requests stay listed, and high and critical risk still notifies.")


@dataclass(frozen=True, slots=True)
class TypedQuietHours:
    """Quiet hours as the user typed them."""

    begins: str
    ends: str
    days: tuple[str, ...] = ()
    """The days on which they start; empty means every day."""


def read_hours(text: str) -> TypedQuietHours | None:
    """Parse `22:00 to 07:00 mon fri`; return None for an empty string. Raises ValueError."""
    if not (normalized := text.strip().lower()):
        return None
    match = _HOURS_PATTERN.fullmatch(normalized)
    days = () if match is None else tuple(match[3].replace(",", " ").split())
    if match is None or not set(days) <= set(_DAYS):
        raise ValueError("use the form 22:00 to 07:00 or 22:00 to 07:00 mon tue")
    return TypedQuietHours(match[1], match[2], days)


@dataclass(frozen=True, slots=True)
class NotificationSection:
    """The notification settings, which the server stores."""

    request_actions: RequestActions
    prefs: NotificationPrefs
    inbox: Inbox

    def section(self, view: RenderContext) -> Section:
        """Return the section with an entry for each setting."""
        return Section(fmt("NOTIFICATIONS"), tuple(self._entries(view)))

    def lines(self, entry_id: str, view: RenderContext) -> list[Line] | None:
        """Return the details of an entry; None if it is not in this section."""
        title = next((entry.first for entry in self._entries(view) if entry.id == entry_id), None)
        if title is None:
            return None
        paragraphs = [
            line
            for sentence in self._texts(entry_id, view)
            for line in wrap_text(sentence, view.width)
        ]
        space_hint = fmt("Space sets them.") if entry_id == HOURS_ID else fmt("Space ends it.")
        return [
            *wrap_text(title, view.width, Role.STRONG),
            BLANK,
            *paragraphs,
            BLANK,
            *wrap_text(_STILL_NOTIFIES, view.width, Role.DIM),
            *wrap_text(space_hint, view.width, Role.DIM),
        ]

    def action(self, entry_id: str) -> ConfirmAction | QuickAction | None:
        """Return the action of Space on an entry; None if it is not in this section."""
        if entry_id == HOURS_ID:
            return self._hours_action()
        mute, hold = self._mute(entry_id), self._held_request(entry_id)
        if mute is not None:
            return self.request_actions.unmute(mute.agent_id, mute.agent_name)
        return None if hold is None else self.request_actions.unsnooze(hold.approval)

    def _entries(self, view: RenderContext) -> Iterator[Entry]:
        hours, until = self.prefs.quiet_hours, self.prefs.quiet_until
        hours_line = fmt("none: notifications at any time") if hours is None else hours.text
        quiet_state = SafeText("") if until is None else fmt("quiet until {}", view.clock(until))
        yield Entry(HOURS_ID, fmt("quiet hours"), hours_line, quiet_state)
        for mute in self.prefs.mutes:
            mute_end = fmt("no notifications for it")
            if mute.until is not None:
                mute_end = fmt("until {}", view.clock(mute.until))
            yield Entry(_MUTE_PREFIX + mute.agent_id, mute.agent_name, mute_end, fmt("muted"))
        for hold in self.prefs.holds:
            if self.prefs.is_snoozed(hold.approval):
                snooze_end = fmt("until {}", view.clock(hold.until))
                yield Entry(
                    _HOLD_PREFIX + hold.approval,
                    self._request_text(hold),
                    snooze_end,
                    fmt("snoozed"),
                )

    def _texts(self, entry_id: str, view: RenderContext) -> tuple[SafeText, ...]:
        mute, hold = self._mute(entry_id), self._held_request(entry_id)
        if mute is not None:
            return (mute_text(mute, view),)
        if hold is not None:
            return (fmt("No notifications for it until {}.", view.clock(hold.until)),)
        hours = self.prefs.quiet_hours
        if hours is None:
            return (fmt("Notifications at any time."),)
        return (fmt("No notifications for low and medium risk:"), hours.text)

    def _hours_action(self) -> ConfirmAction:
        words = (
            fmt("From, to, and the days they start on: 22:00 to 07:00 mon tue wed."),
            fmt("Without days: every day. Empty: no quiet hours."),
            _STILL_NOTIFIES,
        )
        field = ConfirmField(
            fmt("Hours"), _hours_input(self.prefs.quiet_hours), self._hours_blocker
        )
        return ConfirmAction(fmt("Quiet hours"), fmt("Set"), words, self._save_hours, field)

    def _hours_blocker(self, text: str) -> SafeText:
        try:
            quiet_hours = read_hours(text)
        except ValueError as error:
            return display_safe(f"{error}.")
        if quiet_hours is not None and self._zone is None:
            program = self.request_actions.context.environment.program
            return fmt("this machine's time zone is unknown: {} quiet set --zone.", program)
        return SafeText("")

    def _save_hours(self, text: str) -> SafeText:
        """Save or clear the quiet hours. Runs in a thread."""
        quiet_hours, zone = read_hours(text), self._zone
        prefs_client = self.request_actions.context.prefs_client
        if quiet_hours is None or zone is None:
            prefs_client.clear_quiet_hours()
            self.request_actions.reload_prefs()
            return fmt("No quiet hours: notifications at any time.")
        prefs = prefs_client.set_quiet_hours(
            quiet_hours.begins, quiet_hours.ends, zone, quiet_hours.days
        )
        self.request_actions.show_prefs(prefs)
        hours = prefs.quiet_hours
        return fmt("Quiet hours: {}.", SafeText("none") if hours is None else hours.text)

    def _mute(self, entry_id: str) -> Mute | None:
        return self.prefs.mute_of(entry_id.removeprefix(_MUTE_PREFIX))

    def _held_request(self, entry_id: str) -> HeldRequest | None:
        return self.prefs.hold_of(entry_id.removeprefix(_HOLD_PREFIX))

    def _request_text(self, hold: HeldRequest) -> SafeText:
        approval = self.inbox.find(hold.approval)
        return hold.approval if approval is None else approval.headline

    @property
    def _zone(self) -> str | None:
        hours = self.prefs.quiet_hours
        return self.request_actions.context.environment.zone_name if hours is None else hours.zone


def _hours_input(hours: QuietHours | None) -> str:
    if hours is None:
        return ""
    days = () if len(hours.days) == len(_DAYS) else hours.days
    return " ".join((f"{hours.begins} to {hours.ends}", *days))
