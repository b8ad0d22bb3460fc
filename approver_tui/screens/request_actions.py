"""Actions on a request other than answering: withdraw an approval, extend, retry, snooze, mute.

Owns: the actions and their messages. Actions that affect others can be undone for five seconds; a
snooze or a mute is ended with the same key. Never: asking for confirmation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from textual.message import Message

from approver_tui.screens import thread_messages
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
    doing: SafeText = SafeText("")  # noqa: RUF009  # a SafeText never changes
    """The pending action, shown while it can be undone; empty to act immediately."""


@dataclass(frozen=True, slots=True)
class RequestActions:
    """Creates the actions. `post` posts a message to the inbox, from any thread."""

    context: ScreenContext
    post: Callable[[Message], object]

    def extend(self, approval: Approval) -> QuickAction:
        """Extend a request."""
        doing = fmt("Extending {}", approval.headline)
        return QuickAction(partial(self._extend, approval.id), doing)

    def withdraw(self, approval: Approval) -> QuickAction:
        """Withdraw the user's approval."""
        doing = fmt("Withdrawing your approval of {}", approval.headline)
        return QuickAction(partial(self._withdraw, approval), doing)

    def retry(self, approval: Approval) -> QuickAction:
        """Ask the agent of an expired request to retry."""
        doing = fmt("Asking {} to retry", approval.agent.name)
        return QuickAction(partial(self._retry, approval.id), doing)

    def snooze(self, approval: Approval, attention: NotificationPrefs) -> QuickAction:
        """Snooze a request, or end its snooze."""
        if attention.is_snoozed(approval.id):
            return self.unsnooze(approval.id)
        return QuickAction(partial(self._snooze, approval.id))

    def mute(
        self, agent_id: SafeText, agent: SafeText, attention: NotificationPrefs
    ) -> QuickAction:
        """Mute an agent, or unmute it."""
        if attention.mute_of(agent_id):
            return self.unmute(agent_id, agent)
        return QuickAction(partial(self._mute, agent_id, agent))

    def unmute(self, agent_id: SafeText, agent: SafeText) -> QuickAction:
        """Unmute an agent."""
        return QuickAction(partial(self._unmute, agent_id, agent))

    def unsnooze(self, approval_id: str) -> QuickAction:
        """End the snooze of a request."""
        return QuickAction(partial(self._unsnooze, approval_id))

    def _extend(self, approval_id: str) -> SafeText:
        """Extend a request. Runs in a thread."""
        extended = self.context.server.extend(approval_id)
        self.post(thread_messages.ApprovalFetched(extended))
        return fmt("It now expires at {}.", self._clock(extended.expires_at))

    def _withdraw(self, approval: Approval) -> SafeText:
        """Withdraw the user's approval. Runs in a thread."""
        reopened = self.context.answers.withdraw(approval)
        self.post(thread_messages.ApprovalFetched(reopened))
        return withdrawn_text(reopened.vote_tally)

    def _retry(self, approval_id: str) -> SafeText:
        """Ask the agent to retry. Runs in a thread."""
        approval = self.context.server.request_retry(approval_id)
        self.post(thread_messages.ApprovalFetched(approval))
        return retry_text(approval.agent.name)

    def _snooze(self, approval_id: str) -> SafeText:
        """Snooze a request. Runs in a thread."""
        self.context.prefs_client.snooze(approval_id)
        hold = self.post_settings().hold_of(approval_id)
        if hold is None:
            return fmt("Not snoozed: the request is no longer waiting.")
        until, key = self._clock(hold.until), self.context.keys.key("snooze")
        return fmt("Snoozed until {}. It stays listed; {} undoes that.", until, key)

    def _unsnooze(self, approval_id: str) -> SafeText:
        """End the snooze of a request. Runs in a thread."""
        self.context.prefs_client.unsnooze(approval_id)
        self.post_settings()
        return fmt("No longer snoozed.")

    def _mute(self, agent_id: SafeText, agent: SafeText) -> SafeText:
        """Mute an agent. Runs in a thread."""
        self.context.prefs_client.mute(agent_id)
        self.post_settings()
        return fmt(
            "{} is muted for low and medium risk. Its requests stay listed; {} undoes that.",
            agent,
            self.context.keys.key("mute"),
        )

    def _unmute(self, agent_id: SafeText, agent: SafeText) -> SafeText:
        """Unmute an agent. Runs in a thread."""
        self.context.prefs_client.unmute(agent_id)
        self.post_settings()
        return fmt("{} is no longer muted.", agent)

    def post_settings(self) -> NotificationPrefs:
        """Fetch the notification settings, post them, and return them. Runs in a thread."""
        prefs = self.context.prefs_client.settings()
        self.post(thread_messages.NotificationPrefsLoaded(prefs))
        return prefs

    def _clock(self, at: int) -> SafeText:
        return clock(at, self.context.now(), self.context.zone)
