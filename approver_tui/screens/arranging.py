"""What a person arranges beside an answer: more time, another asking, less ringing.

Owns: what each would do, in words, for the panel that asks. Never: does any of it on one key: each
is a deed that takes `confirm.py`, because typing that was meant for another window has no effect.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from textual.message import Message

from approver_tui.screens import reports
from approver_tui.screens.confirm import Deed
from approver_tui.screens.desk import Desk
from approver_tui.state.approvals import Approval
from approver_tui.state.attention import Attention
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import say
from approver_tui.widgets.records import told_to_ask_again
from approver_tui.widgets.times import clock


@dataclass(frozen=True, slots=True)
class Arranging:
    """The deeds of one screen; `tell` hands a message to it and may be called in any thread."""

    desk: Desk
    tell: Callable[[Message], object]

    def longer(self, approval: Approval) -> Deed:
        """Let a request wait longer."""
        words = (
            say("It waits as long again as it was given at first. Its agent is told."),
            say("Nothing is approved and nothing is denied."),
        )
        do = partial(self._extend, approval.id)
        return Deed(say("LET IT WAIT LONGER?"), say("Extend"), words, do)

    def again(self, approval: Approval) -> Deed:
        """Ask the agent of a request that expired to ask again."""
        agent = approval.agent.name
        words = (
            approval.headline,
            say("{} is told that you want to be asked again. It may, or may not.", agent),
        )
        do = partial(self._ask, approval.id)
        return Deed(say("ASK {} TO ASK AGAIN?", agent), say("Ask"), words, do)

    def snooze(self, approval: Approval, attention: Attention) -> Deed:
        """Let a request ring later, or as usual again."""
        if attention.is_snoozed(approval.id):
            return self.wake(approval.id, approval.headline)
        words = (
            approval.headline,
            say("You are not called for it for a quarter of an hour. It stays listed."),
        )
        return Deed(say("SNOOZE IT?"), say("Snooze"), words, partial(self._snooze, approval.id))

    def mute(self, agent_id: SafeText, agent: SafeText, attention: Attention) -> Deed:
        """Let nothing of an agent ring, or everything again."""
        if attention.mute_of(agent_id):
            return self.unmute(agent_id, agent)
        words = (
            say("You are not called for what {} asks, until you unmute it.", agent),
            say("It stays listed. High and critical risk rings all the same."),
        )
        do = partial(self._mute, agent_id, agent)
        return Deed(say("MUTE {}?", agent), say("Mute"), words, do)

    def unmute(self, agent_id: SafeText, agent: SafeText) -> Deed:
        """Let everything of an agent ring again."""
        words = say("You are called for what {} asks, as usual.", agent)
        do = partial(self._unmute, agent_id, agent)
        return Deed(say("LET {} RING AGAIN?", agent), say("Unmute"), (words,), do)

    def wake(self, approval_id: str, what: SafeText) -> Deed:
        """Let a request ring as usual."""
        words = say("You are called for it as for every other request.")
        do = partial(self._wake, approval_id)
        return Deed(say("LET IT RING AS USUAL?"), say("End snooze"), (what, words), do)

    def _extend(self, approval_id: str, _typed: str) -> SafeText:
        """Runs in a thread."""
        longer = self.desk.server.extend(approval_id)
        self.tell(reports.Seen(longer))
        return say("It waits until {}.", self._clock(longer.expires_at))

    def _ask(self, approval_id: str, _typed: str) -> SafeText:
        """Runs in a thread."""
        asked = self.desk.server.ask_again(approval_id)
        self.tell(reports.Seen(asked))
        return told_to_ask_again(asked.agent.name)

    def _snooze(self, approval_id: str, _typed: str) -> SafeText:
        """Runs in a thread."""
        attention = self.desk.bell.snooze(approval_id)
        self.tell(reports.Attended(attention))
        hold = attention.hold_of(approval_id)
        if hold is None:
            return say("It is not snoozed: it waits no more.")
        until, key = self._clock(hold.until), self.desk.keys.key("snooze")
        return say("Snoozed until {}. It stays listed; {} ends that.", until, key)

    def _wake(self, approval_id: str, _typed: str) -> SafeText:
        """Runs in a thread."""
        self.tell(reports.Attended(self.desk.bell.wake(approval_id)))
        return say("No longer snoozed: it rings as usual.")

    def _mute(self, agent_id: SafeText, agent: SafeText, _typed: str) -> SafeText:
        """Runs in a thread."""
        self.tell(reports.Attended(self.desk.bell.mute(agent_id)))
        return say("{} is muted. It stays listed; {} ends that.", agent, self.desk.keys.key("mute"))

    def _unmute(self, agent_id: SafeText, agent: SafeText, _typed: str) -> SafeText:
        """Runs in a thread."""
        self.tell(reports.Attended(self.desk.bell.unmute(agent_id)))
        return say("{} is no longer muted.", agent)

    def _clock(self, at: int) -> SafeText:
        return clock(at, self.desk.now(), self.desk.zone)
