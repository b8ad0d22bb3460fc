"""The Agents page: agents that act for the user, asked them, or belong to them.

Owns: revoking an agent's access, muting it, suspending one's own agents. Never: enabling one again,
which needs an administrator.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, LiteralString

from textual.binding import Binding, BindingType

from approver_tui.screens.confirm import ConfirmAction
from approver_tui.screens.keys import Rows, help_rows, hint
from approver_tui.screens.page import Page
from approver_tui.screens.request_actions import RequestActions
from approver_tui.state.clients.access import ActingAgent, acting_agents
from approver_tui.state.clients.agents import ASKED_WITHIN, Agent, merge_agents
from approver_tui.state.text import SafeText
from approver_tui.widgets.clients.agents import agent_entry, agent_lines
from approver_tui.widgets.consents.rights import count_text, holdings_text, tokens_count
from approver_tui.widgets.entry_list import Section
from approver_tui.widgets.entry_sheet import LineMaker
from approver_tui.widgets.key_bar import Hint
from approver_tui.widgets.lines import Line, fmt

Found = tuple[Agent, ...]


class AgentsPage(Page[Found]):
    """Agents that act for the user, those that only asked, and the user's own."""

    NAME = "Agents"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "revoke_access", id="revoke", show=False),
        Binding("M", "mute", id="mute", show=False),
        Binding("K", "suspend", id="suspend", show=False),
    ]

    def fetch(self) -> Found:
        """Fetch consents, tokens, requests, and the user's own agents."""
        server, since = self.context.server, self.context.now() - ASKED_WITHIN
        acting_now = acting_agents(
            server.consents(), server.delegations(), self.context.grants_client.grants()
        )
        asked = (*server.waiting().items, *server.ended_since(since))
        return merge_agents(acting_now, asked, server.owned_agents(), since)

    def sections(self, found: Found) -> Sequence[Section]:
        """Return the agents that act, those that only asked, and the rest."""
        acting_now = [one for one in found if one.acting]
        asked = [one for one in found if not one.acting and one.asked]
        idle = [one for one in found if not one.acting and not one.asked]
        nobody = fmt("No agent acts for you.")
        return (
            self._section("ACTING FOR YOU ({})", acting_now, nobody),
            self._section("ASKED RECENTLY ({})", asked, fmt("No other agents in 7 days.")),
            *([self._section("YOURS ({})", idle, SafeText(""))] if idle else []),
        )

    def entry_detail(self, found: Found, entry_id: str) -> tuple[LineMaker, object] | None:
        """Return an agent in full."""
        one = next((each for each in found if each.id == entry_id), None)
        if one is None:
            return None
        return partial(self._lines, one), (entry_id, one, self.state.attention)

    def keys(self) -> tuple[Hint, ...]:
        """Return the keys of the page."""
        return (
            hint("z", "Revoke..", is_off=bool(self._blocker())),
            hint("M", self._mute_label, is_off=bool(self._mute_blocker())),
            hint("K", "Suspend..", is_off=bool(self._suspend_blocker())),
        )

    def help(self) -> Rows:
        """Return the help of the page."""
        return help_rows(
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
        if reason := self._mute_blocker():
            self.show_message(fmt("Mute unavailable: {}", reason))
        elif one is not None:
            request_actions = RequestActions(self.context, self.page_context.post)
            agent_id = SafeText(one.id)
            self.confirm_action(request_actions.mute(agent_id, one.name, self.state.attention))

    def action_suspend(self) -> None:
        """Confirm before suspending it for everybody."""
        one = self._current
        if reason := self._suspend_blocker():
            self.show_message(fmt("Suspend unavailable: {}", reason))
        elif one is not None:
            self.confirm_action(self._suspend_action(one))

    def _suspend_action(self, one: Agent) -> ConfirmAction:
        words = fmt("Its tokens and requests end now, for everybody, and it gets no new ones.")
        later = fmt("Only an administrator can enable it again (sayso agents enable).")
        title = fmt("Suspend {} for everybody?", one.name)
        return ConfirmAction(title, fmt("Suspend"), (words, later), partial(self._suspend, one))

    def _suspend(self, one: Agent, _typed: str) -> SafeText:
        """Runs in a thread."""
        ended = self.context.server.suspend_agent(one.id)
        requests = count_text(ended.requests, fmt("request"), fmt("requests"))
        tokens = tokens_count(ended.tokens)
        return fmt("{} is suspended: {} and {} ended.", one.name, tokens, requests)

    def _suspend_blocker(self) -> SafeText:
        one = self._current
        if one is None:
            return fmt("nothing is selected.")
        if one.owned is None:
            return fmt(
                "you don't own it; report one of its requests ({}).",
                self.context.keys.key("report"),
            )
        return self.action_blocker() if one.owned.is_enabled else fmt("it is already disabled.")

    def action_revoke_access(self) -> None:
        """Confirm before revoking its access."""
        one = self._current
        if reason := self._blocker():
            self.show_message(fmt("Revoke unavailable: {}", reason))
        elif one is not None and one.acting is not None:
            self.confirm_action(self._revoke_action(one.acting))

    def _revoke_action(self, one: ActingAgent) -> ConfirmAction:
        ends = fmt("This ends its access now: {}.", holdings_text(one))
        others = fmt(
            "It can still act for others and may ask you again. To quarantine it "
            "for everybody, report one of its requests ({}).",
            self.context.keys.key("report"),
        )
        title = fmt("Revoke access of {}?", one.name)
        return ConfirmAction(
            title, fmt("Revoke"), (ends, others), partial(self._revoke_access, one)
        )

    def _revoke_access(self, one: ActingAgent, _pin: str) -> SafeText:
        """Runs in a thread."""
        self.context.server.revoke_access(one.id)
        return fmt(
            "{} no longer acts for you: its grants, consents and tokens have ended.", one.name
        )

    def _blocker(self) -> SafeText:
        one = self._current
        if one is None:
            return fmt("nothing is selected.")
        return self.action_blocker() if one.acting else fmt("it does not act for you.")

    def _mute_blocker(self) -> SafeText:
        return self.action_blocker() if self._current else fmt("nothing is selected.")

    @property
    def _mute_label(self) -> str:
        is_muted = self.cursor is not None and self.state.attention.mute_of(self.cursor)
        return "Unmute.." if is_muted else "Mute.."

    def _section(self, heading: LiteralString, agents: Sequence[Agent], empty: SafeText) -> Section:
        attention, now = self.state.attention, self.context.now()
        entries = tuple(agent_entry(one, attention, now) for one in agents)
        return Section(fmt(heading, len(entries)), entries, empty=empty)

    @property
    def _current(self) -> Agent | None:
        return next((one for one in self.found or () if one.id == self.cursor), None)

    def _lines(self, one: Agent, width: int) -> list[Line]:
        view = self.context.view(width)
        return agent_lines(one, self.state.attention, view)
