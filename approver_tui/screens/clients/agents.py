"""The Agents page: agents that act for the user, asked them, or belong to them.

Owns: revoking an agent's access, muting it, suspending one's own agents. Never: enables one again,
which needs an administrator.
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
    """Agents that act for the user, those that only asked, and the user's own."""

    NAME = "Agents"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "stop", id="revoke", show=False),
        Binding("M", "mute", id="mute", show=False),
        Binding("K", "suspend", id="suspend", show=False),
    ]

    def fetch(self) -> Found:
        """Fetch consents, tokens, requests, and the user's own agents."""
        server, since = self.context.server, self.context.now() - ASKED_WITHIN
        acts = acting_agents(
            server.consents(), server.delegations(), self.context.grants_client.grants()
        )
        asked = (*server.waiting().items, *server.decided_since(since))
        return merge_agents(acts, asked, server.owned_agents(), since)

    def sections(self, found: Found) -> Sequence[Section]:
        """Return the agents that act, those that only asked, and the rest."""
        acts = [one for one in found if one.acting]
        asked = [one for one in found if not one.acting and one.asked]
        idle = [one for one in found if not one.acting and not one.asked]
        nobody = say("No agent acts for you.")
        return (
            self._section("ACTING FOR YOU ({})", acts, nobody),
            self._section("ASKED RECENTLY ({})", asked, say("No other agents in 7 days.")),
            *([self._section("YOURS ({})", idle, SafeText(""))] if idle else []),
        )

    def in_full(self, found: Found, entry_id: str) -> tuple[Make, object] | None:
        """Return an agent in full."""
        one = next((each for each in found if each.id == entry_id), None)
        if one is None:
            return None
        return partial(self._lines, one), (entry_id, one, self.state.attention)

    def keys(self) -> tuple[Hint, ...]:
        """Return the keys of the page."""
        return (
            hint("z", "Revoke..", is_off=bool(self._why_off())),
            hint("M", self._mute_word, is_off=bool(self._why_no_mute())),
            hint("K", "Suspend..", is_off=bool(self._why_no_suspend())),
        )

    def help(self) -> Rows:
        """Return the help of the page."""
        return texts(
            (
                "z",
                (
                    "revoke its access to act for you: grants, consents and tokens "
                    "end; it may ask again"
                ),
            ),
            ("M", "mute it or unmute it: no notifications for low and medium risk"),
            ("K", "suspend an agent you own, for everybody, until an administrator enables it"),
        )

    def action_mute(self) -> None:
        """Confirm before muting or unmuting it."""
        one = self._current
        if reason := self._why_no_mute():
            self.say(say("Mute unavailable: {}", reason))
        elif one is not None:
            arranging = RequestActions(self.context, self.page_context.tell)
            agent_id = SafeText(one.id)
            self.ask(arranging.mute(agent_id, one.name, self.state.attention))

    def action_suspend(self) -> None:
        """Confirm before suspending it for everybody."""
        one = self._current
        if reason := self._why_no_suspend():
            self.say(say("Suspend unavailable: {}", reason))
        elif one is not None:
            self.ask(self._suspending(one))

    def _suspending(self, one: Agent) -> ConfirmAction:
        words = say("Its tokens and requests end now, for everybody, and it gets no new ones.")
        later = say("Only an administrator can enable it again (sayso agents enable).")
        title = say("Suspend {} for everybody?", one.name)
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
            return say("nothing is selected.")
        if one.owned is None:
            return say(
                "you don't own it; report one of its requests ({}).",
                self.context.keys.key("report"),
            )
        return self.why_nothing_ends() if one.owned.is_enabled else say("it is already disabled.")

    def action_stop(self) -> None:
        """Confirm before revoking its access."""
        one = self._current
        if reason := self._why_off():
            self.say(say("Revoke unavailable: {}", reason))
        elif one is not None and one.acting is not None:
            self.ask(self._deed(one.acting))

    def _deed(self, one: ActingAgent) -> ConfirmAction:
        ends = say("This ends its access now: {}.", holdings_text(one))
        others = say(
            "It can still act for others and may ask you again. To quarantine it "
            "for everybody, report one of its requests ({}).",
            self.context.keys.key("report"),
        )
        title = say("Revoke access of {}?", one.name)
        return ConfirmAction(title, say("Revoke"), (ends, others), partial(self._stop, one))

    def _stop(self, one: ActingAgent, _pin: str) -> SafeText:
        """Runs in a thread."""
        self.context.server.stop_acting(one.id)
        return say(
            "{} no longer acts for you: its grants, consents and tokens have ended.", one.name
        )

    def _why_off(self) -> SafeText:
        one = self._current
        if one is None:
            return say("nothing is selected.")
        return self.why_nothing_ends() if one.acting else say("it does not act for you.")

    def _why_no_mute(self) -> SafeText:
        return self.why_nothing_ends() if self._current else say("nothing is selected.")

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
