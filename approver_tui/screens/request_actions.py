"""Actions on a request besides answering it: extend, retry, snooze, mute.

Owns: the text of each action for the confirmation panel. Never: running one by a single key; each
goes through `confirm.py`, so that stray typing has no effect.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from textual.message import Message

from approver_tui.screens import thread_messages
from approver_tui.screens.confirm import ConfirmAction
from approver_tui.screens.context import ScreenContext
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.notifications.preferences import NotificationPrefs
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import retry_text
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.times import clock


@dataclass(frozen=True, slots=True)
class RequestActions:
    """The actions of one screen; `post` passes a message to it and may be called in any thread."""

    context: ScreenContext
    post: Callable[[Message], object]

    def extend(self, approval: Approval) -> ConfirmAction:
        """Extend a request."""
        words = (
            fmt("Its original waiting time starts again now. Its agent is informed."),
            fmt("This neither approves nor denies it."),
        )
        do = partial(self._extend, approval.id)
        return ConfirmAction(fmt("Give it more time?"), fmt("Extend"), words, do)

    def retry(self, approval: Approval) -> ConfirmAction:
        """Ask the agent of an expired request to retry."""
        agent = approval.agent.name
        words = (
            approval.headline,
            fmt("{} is told that you want it to retry. It may or may not.", agent),
        )
        do = partial(self._retry, approval.id)
        return ConfirmAction(fmt("Ask {} to retry?", agent), fmt("Ask"), words, do)

    def snooze(self, approval: Approval, attention: NotificationPrefs) -> ConfirmAction:
        """Snooze a request, or end its snooze."""
        if attention.is_snoozed(approval.id):
            return self.unsnooze(approval.id, approval.headline)
        words = (
            approval.headline,
            fmt("No notifications for it for 15 minutes. It stays listed."),
        )
        return ConfirmAction(
            fmt("Snooze it?"), fmt("Snooze"), words, partial(self._snooze, approval.id)
        )

    def mute(
        self, agent_id: SafeText, agent: SafeText, attention: NotificationPrefs
    ) -> ConfirmAction:
        """Mute an agent, or unmute it."""
        if attention.mute_of(agent_id):
            return self.unmute(agent_id, agent)
        words = (
            fmt("No notifications for requests from {} until you unmute it.", agent),
            fmt("They stay listed. High and critical risk still notifies."),
        )
        do = partial(self._mute, agent_id, agent)
        return ConfirmAction(fmt("Mute {}?", agent), fmt("Mute"), words, do)

    def unmute(self, agent_id: SafeText, agent: SafeText) -> ConfirmAction:
        """Unmute an agent."""
        words = fmt("You get notifications for requests from {} again.", agent)
        do = partial(self._unmute, agent_id, agent)
        return ConfirmAction(fmt("Unmute {}?", agent), fmt("Unmute"), (words,), do)

    def unsnooze(self, approval_id: str, what: SafeText) -> ConfirmAction:
        """End the snooze of a request."""
        words = fmt("You get notifications for it again.")
        do = partial(self._unsnooze, approval_id)
        return ConfirmAction(fmt("End the snooze?"), fmt("End snooze"), (what, words), do)

    def _extend(self, approval_id: str, _typed: str) -> SafeText:
        """Runs in a thread."""
        longer = self.context.server.extend(approval_id)
        self.post(thread_messages.ApprovalFetched(longer))
        return fmt("It now expires at {}.", self._clock(longer.expires_at))

    def _retry(self, approval_id: str, _typed: str) -> SafeText:
        """Runs in a thread."""
        asked = self.context.server.request_retry(approval_id)
        self.post(thread_messages.ApprovalFetched(asked))
        return retry_text(asked.agent.name)

    def _snooze(self, approval_id: str, _typed: str) -> SafeText:
        """Runs in a thread."""
        attention = self.context.prefs_client.snooze(approval_id)
        self.post(thread_messages.NotificationPrefsLoaded(attention))
        hold = attention.hold_of(approval_id)
        if hold is None:
            return fmt("It is not snoozed: it is no longer waiting.")
        until, key = self._clock(hold.until), self.context.keys.key("snooze")
        return fmt("Snoozed until {}. It stays listed; {} ends that.", until, key)

    def _unsnooze(self, approval_id: str, _typed: str) -> SafeText:
        """Runs in a thread."""
        self.post(
            thread_messages.NotificationPrefsLoaded(self.context.prefs_client.unsnooze(approval_id))
        )
        return fmt("No longer snoozed.")

    def _mute(self, agent_id: SafeText, agent: SafeText, _typed: str) -> SafeText:
        """Runs in a thread."""
        self.post(thread_messages.NotificationPrefsLoaded(self.context.prefs_client.mute(agent_id)))
        return fmt(
            "{} is muted. It stays listed; {} ends that.", agent, self.context.keys.key("mute")
        )

    def _unmute(self, agent_id: SafeText, agent: SafeText, _typed: str) -> SafeText:
        """Runs in a thread."""
        self.post(
            thread_messages.NotificationPrefsLoaded(self.context.prefs_client.unmute(agent_id))
        )
        return fmt("{} is no longer muted.", agent)

    def _clock(self, at: int) -> SafeText:
        return clock(at, self.context.now(), self.context.zone)
