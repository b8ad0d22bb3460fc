"""Actions on a request other than answering: withdraw an approval, extend, retry, snooze, mute.

Owns: the actions and their messages. Actions that affect others can be undone for five seconds; a
snooze or a mute is ended with the same key. Never: asking for confirmation.
"""

from collections.abc import Callable
from dataclasses import dataclass

from approver_tui.screens.context import ScreenContext
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.votes import withdrawn_text
from approver_tui.state.notifications.preferences import NotificationPrefs
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import retry_text
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.times import clock


@dataclass(frozen=True, slots=True)
class QuickAction:
    """An action that needs no confirmation."""

    do: Callable[[], SafeText]
    """Performs the action, in a thread; returns the message."""
    pending_text: SafeText = SafeText("")  # noqa: RUF009  # SafeText is immutable
    """The pending action, shown while it can be undone; empty to act immediately."""


@dataclass(frozen=True, slots=True)
class RequestActions:
    """Creates the actions. The callbacks are called in the thread that performs the action."""

    context: ScreenContext
    show_approval: Callable[[Approval], object]
    """Shows the server's copy of a request after an action."""
    show_prefs: Callable[[NotificationPrefs], object]
    """Shows the notification settings after an action."""

    def extend(self, approval: Approval) -> QuickAction:
        """Extend a request."""

        def do() -> SafeText:
            extended = self.context.server.extend(approval.id)
            self.show_approval(extended)
            return fmt("It now expires at {}.", self._clock(extended.expires_at))

        return QuickAction(do, fmt("Extending {}", approval.headline))

    def withdraw(self, approval: Approval) -> QuickAction:
        """Withdraw the user's approval."""

        def do() -> SafeText:
            reopened = self.context.answers.withdraw(approval)
            self.show_approval(reopened)
            return withdrawn_text(reopened.vote_tally)

        return QuickAction(do, fmt("Withdrawing your approval of {}", approval.headline))

    def retry(self, approval: Approval) -> QuickAction:
        """Ask the agent of an expired request to retry."""

        def do() -> SafeText:
            self.show_approval(self.context.server.request_retry(approval.id))
            return retry_text(approval.agent.name)

        return QuickAction(do, fmt("Asking {} to retry", approval.agent.name))

    def snooze(self, approval: Approval, prefs: NotificationPrefs) -> QuickAction:
        """Snooze a request, or end its snooze."""
        if prefs.is_snoozed(approval.id):
            return self.unsnooze(approval.id)

        def do() -> SafeText:
            self.context.prefs_client.snooze(approval.id)
            hold = self.reload_prefs().hold_of(approval.id)
            if hold is None:
                return fmt("Not snoozed: the request is no longer waiting.")
            until, key = self._clock(hold.until), self.context.keys.key("snooze")
            return fmt("Snoozed until {}. It stays in the list. Press {} to undo.", until, key)

        return QuickAction(do)

    def unsnooze(self, approval_id: str) -> QuickAction:
        """End the snooze of a request."""

        def do() -> SafeText:
            self.context.prefs_client.unsnooze(approval_id)
            self.reload_prefs()
            return fmt("No longer snoozed.")

        return QuickAction(do)

    def mute(self, agent_id: SafeText, agent: SafeText, prefs: NotificationPrefs) -> QuickAction:
        """Mute an agent, or unmute it."""
        if prefs.mute_of(agent_id):
            return self.unmute(agent_id, agent)

        def do() -> SafeText:
            self.context.prefs_client.mute(agent_id)
            self.reload_prefs()
            return fmt(
                "{} is muted for low and medium risk. Its requests stay in the list. Press {} to "
                "undo.",
                agent,
                self.context.keys.key("mute"),
            )

        return QuickAction(do)

    def unmute(self, agent_id: SafeText, agent: SafeText) -> QuickAction:
        """Unmute an agent."""

        def do() -> SafeText:
            self.context.prefs_client.unmute(agent_id)
            self.reload_prefs()
            return fmt("{} is no longer muted.", agent)

        return QuickAction(do)

    def reload_prefs(self) -> NotificationPrefs:
        """Fetch the notification settings, show them, and return them. Runs in a thread."""
        prefs = self.context.prefs_client.settings()
        self.show_prefs(prefs)
        return prefs

    def _clock(self, at: int) -> SafeText:
        return clock(at, self.context.now(), self.context.zone)
