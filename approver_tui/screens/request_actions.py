"""What a person arranges beside an answer: more time, another asking, less ringing.

Owns: what each would do, in words, for the panel that asks. Never: does any of it on one key: each
is a deed that takes `confirm.py`, because typing that was meant for another window has no effect.
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
from approver_tui.widgets.lines import say
from approver_tui.widgets.times import clock


@dataclass(frozen=True, slots=True)
class RequestActions:
    """The deeds of one screen; `tell` hands a message to it and may be called in any thread."""

    context: ScreenContext
    tell: Callable[[Message], object]

    def longer(self, approval: Approval) -> ConfirmAction:
        """Let a request wait longer."""
        words = (
            say("It waits as long again as it was given at first. Its agent is told."),
            say("Nothing is approved and nothing is denied."),
        )
        do = partial(self._extend, approval.id)
        return ConfirmAction(say("LET IT WAIT LONGER?"), say("Extend"), words, do)

    def again(self, approval: Approval) -> ConfirmAction:
        """Ask the agent of a request that expired to ask again."""
        agent = approval.agent.name
        words = (
            approval.headline,
            say("{} is told that you want to be asked again. It may, or may not.", agent),
        )
        do = partial(self._ask, approval.id)
        return ConfirmAction(say("ASK {} TO ASK AGAIN?", agent), say("Ask"), words, do)

    def snooze(self, approval: Approval, attention: NotificationPrefs) -> ConfirmAction:
        """Let a request ring later, or as usual again."""
        if attention.is_snoozed(approval.id):
            return self.unsnooze(approval.id, approval.headline)
        words = (
            approval.headline,
            say("You are not called for it for a quarter of an hour. It stays listed."),
        )
        return ConfirmAction(
            say("SNOOZE IT?"), say("Snooze"), words, partial(self._snooze, approval.id)
        )

    def mute(
        self, agent_id: SafeText, agent: SafeText, attention: NotificationPrefs
    ) -> ConfirmAction:
        """Let nothing of an agent ring, or everything again."""
        if attention.mute_of(agent_id):
            return self.unmute(agent_id, agent)
        words = (
            say("You are not called for what {} asks, until you unmute it.", agent),
            say("It stays listed. High and critical risk rings all the same."),
        )
        do = partial(self._mute, agent_id, agent)
        return ConfirmAction(say("MUTE {}?", agent), say("Mute"), words, do)

    def unmute(self, agent_id: SafeText, agent: SafeText) -> ConfirmAction:
        """Let everything of an agent ring again."""
        words = say("You are called for what {} asks, as usual.", agent)
        do = partial(self._unmute, agent_id, agent)
        return ConfirmAction(say("LET {} RING AGAIN?", agent), say("Unmute"), (words,), do)

    def unsnooze(self, approval_id: str, what: SafeText) -> ConfirmAction:
        """Let a request ring as usual."""
        words = say("You are called for it as for every other request.")
        do = partial(self._wake, approval_id)
        return ConfirmAction(say("LET IT RING AS USUAL?"), say("End snooze"), (what, words), do)

    def _extend(self, approval_id: str, _typed: str) -> SafeText:
        """Runs in a thread."""
        longer = self.context.server.extend(approval_id)
        self.tell(thread_messages.ApprovalFetched(longer))
        return say("It waits until {}.", self._clock(longer.expires_at))

    def _ask(self, approval_id: str, _typed: str) -> SafeText:
        """Runs in a thread."""
        asked = self.context.server.ask_again(approval_id)
        self.tell(thread_messages.ApprovalFetched(asked))
        return retry_text(asked.agent.name)

    def _snooze(self, approval_id: str, _typed: str) -> SafeText:
        """Runs in a thread."""
        attention = self.context.prefs_client.snooze(approval_id)
        self.tell(thread_messages.NotificationPrefsLoaded(attention))
        hold = attention.hold_of(approval_id)
        if hold is None:
            return say("It is not snoozed: it waits no more.")
        until, key = self._clock(hold.until), self.context.keys.key("snooze")
        return say("Snoozed until {}. It stays listed; {} ends that.", until, key)

    def _wake(self, approval_id: str, _typed: str) -> SafeText:
        """Runs in a thread."""
        self.tell(
            thread_messages.NotificationPrefsLoaded(self.context.prefs_client.unsnooze(approval_id))
        )
        return say("No longer snoozed: it rings as usual.")

    def _mute(self, agent_id: SafeText, agent: SafeText, _typed: str) -> SafeText:
        """Runs in a thread."""
        self.tell(thread_messages.NotificationPrefsLoaded(self.context.prefs_client.mute(agent_id)))
        return say(
            "{} is muted. It stays listed; {} ends that.", agent, self.context.keys.key("mute")
        )

    def _unmute(self, agent_id: SafeText, agent: SafeText, _typed: str) -> SafeText:
        """Runs in a thread."""
        self.tell(
            thread_messages.NotificationPrefsLoaded(self.context.prefs_client.unmute(agent_id))
        )
        return say("{} is no longer muted.", agent)

    def _clock(self, at: int) -> SafeText:
        return clock(at, self.context.now(), self.context.zone)
