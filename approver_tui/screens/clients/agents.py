"""The agents that a person has to do with: who acts for them, who asked them, whom they own.

Owns: stopping one from acting for them, which ends all by which it does; muting one; the kill
switch for those that are their own. Never: lets one go on; that takes an administrator.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, LiteralString

from textual.binding import Binding, BindingType

from approver_tui.screens.confirm import ConfirmAction
from approver_tui.screens.keys import Rows, hint, texts
from approver_tui.screens.page import Page
from approver_tui.screens.request_actions import RequestActions
from approver_tui.state.clients.access import ActingAgent, acting_agents
from approver_tui.state.clients.agents import ASKED_WITHIN, Agent, merge_agents
from approver_tui.state.text import SafeText
from approver_tui.widgets.clients.agents import agent_entry, agent_lines
from approver_tui.widgets.consents.rights import counted, holdings_text, tokens_count
from approver_tui.widgets.entry_list import Section
from approver_tui.widgets.entry_sheet import Make
from approver_tui.widgets.key_bar import Hint
from approver_tui.widgets.lines import Line, say

Found = tuple[Agent, ...]


class AgentsPage(Page[Found]):
    """Everybody who could do something in the person's name, who asked to, and their own."""

    NAME = "Agents"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "stop", id="revoke", show=False),
        Binding("M", "mute", id="mute", show=False),
        Binding("K", "suspend", id="suspend", show=False),
    ]

    def fetch(self) -> Found:
        """Ask for consents and tokens, for what was asked, and for one's own."""
        server, since = self.context.server, self.context.now() - ASKED_WITHIN
        acts = acting_agents(
            server.consents(), server.delegations(), self.context.grants_client.grants()
        )
        asked = (*server.waiting().items, *server.decided_since(since))
        return merge_agents(acts, asked, server.owned_agents(), since)

    def sections(self, found: Found) -> Sequence[Section]:
        """Return who acts, who only asked, and who did neither."""
        acts = [one for one in found if one.acting]
        asked = [one for one in found if not one.acting and one.asked]
        idle = [one for one in found if not one.acting and not one.asked]
        nobody = say("Nobody acts for you at the moment.")
        return (
            self._section("ACTING FOR YOU ({})", acts, nobody),
            self._section("ASKED YOU LATELY ({})", asked, say("Nobody else did in 7 days.")),
            *([self._section("YOURS ({})", idle, SafeText(""))] if idle else []),
        )

    def in_full(self, found: Found, entry_id: str) -> tuple[Make, object] | None:
        """Return one with all that is known of it."""
        one = next((each for each in found if each.id == entry_id), None)
        if one is None:
            return None
        return partial(self._lines, one), (entry_id, one, self.state.attention)

    def keys(self) -> tuple[Hint, ...]:
        """Return what can be done."""
        return (
            hint("z", "Stop..", is_off=bool(self._why_off())),
            hint("M", self._mute_word, is_off=bool(self._why_no_mute())),
            hint("K", "Suspend..", is_off=bool(self._why_no_suspend())),
        )

    def help(self) -> Rows:
        """Return what the help says."""
        return texts(
            ("z", "stop it acting for you: its grants, consents and tokens end; it may ask again"),
            ("M", "mute it: nothing of low or medium risk rings; again ends that"),
            ("K", "of one of your own: stop it for everybody, until an administrator enables it"),
        )

    def action_mute(self) -> None:
        """Ask before nothing of it rings, or everything again."""
        one = self._current
        if reason := self._why_no_mute():
            self.say(say("Mute is off: {}", reason))
        elif one is not None:
            arranging = RequestActions(self.context, self.page_context.tell)
            agent_id = SafeText(one.id)
            self.ask(arranging.mute(agent_id, one.name, self.state.attention))

    def action_suspend(self) -> None:
        """Ask before it is stopped for everybody."""
        one = self._current
        if reason := self._why_no_suspend():
            self.say(say("Suspend is off: {}", reason))
        elif one is not None:
            self.ask(self._suspending(one))

    def _suspending(self, one: Agent) -> ConfirmAction:
        words = say("Its tokens and requests end at once, for everybody, and it gets nothing more.")
        later = say("Only an administrator lets it go on (sayso agents enable).")
        title = say("SUSPEND {} FOR EVERYBODY?", one.name)
        return ConfirmAction(title, say("Suspend"), (words, later), partial(self._suspend, one))

    def _suspend(self, one: Agent, _typed: str) -> SafeText:
        """Runs in a thread."""
        ended = self.context.server.suspend_agent(one.id)
        requests = counted(ended.requests, say("request"), say("requests"))
        tokens = tokens_count(ended.tokens)
        return say("{} is suspended: {} and {} ended.", one.name, tokens, requests)

    def _why_no_suspend(self) -> SafeText:
        one = self._current
        if one is None:
            return say("nobody is selected.")
        if one.owned is None:
            return say(
                "it is not yours; report a request of it ({}).", self.context.keys.key("report")
            )
        return self.why_nothing_ends() if one.owned.is_enabled else say("it is stopped already.")

    def action_stop(self) -> None:
        """Ask before all of it ends."""
        one = self._current
        if reason := self._why_off():
            self.say(say("Stop is off: {}", reason))
        elif one is not None and one.acting is not None:
            self.ask(self._deed(one.acting))

    def _deed(self, one: ActingAgent) -> ConfirmAction:
        ends = say("Stopping ends at once what it has of you: {}.", holdings_text(one))
        others = say(
            "It goes on for others and may ask you again. To have it stopped for everybody, "
            "report a request of it ({}).",
            self.context.keys.key("report"),
        )
        title = say("STOP {} ACTING FOR YOU?", one.name)
        return ConfirmAction(title, say("Stop"), (ends, others), partial(self._stop, one))

    def _stop(self, one: ActingAgent, _pin: str) -> SafeText:
        """Runs in a thread."""
        self.context.server.stop_acting(one.id)
        return say("{} acts for you no more: its grants, consents and tokens have ended.", one.name)

    def _why_off(self) -> SafeText:
        one = self._current
        if one is None:
            return say("nobody is selected.")
        return self.why_nothing_ends() if one.acting else say("it does not act for you.")

    def _why_no_mute(self) -> SafeText:
        return self.why_nothing_ends() if self._current else say("nobody is selected.")

    @property
    def _mute_word(self) -> str:
        is_muted = self.cursor is not None and self.state.attention.mute_of(self.cursor)
        return "Unmute.." if is_muted else "Mute.."

    def _section(self, heading: LiteralString, agents: Sequence[Agent], empty: SafeText) -> Section:
        attention, now = self.state.attention, self.context.now()
        entries = tuple(agent_entry(one, attention, now) for one in agents)
        return Section(say(heading, len(entries)), entries, empty=empty)

    @property
    def _current(self) -> Agent | None:
        return next((one for one in self.found or () if one.id == self.cursor), None)

    def _lines(self, one: Agent, width: int) -> list[Line]:
        view = self.context.view(width)
        return agent_lines(one, self.state.attention, view)
