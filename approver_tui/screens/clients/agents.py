"""The Agents page: agents that act for the user, recently sent requests, or belong to the user.

Owns: revoking an agent's access, muting an agent, suspending an agent that the user owns. Never:
enabling an agent again, which requires an administrator.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, LiteralString

from textual.binding import BindingType

from approver_tui.screens.confirm import ConfirmAction
from approver_tui.screens.page import Page, PageAction, action_bindings
from approver_tui.screens.request_actions import QuickAction
from approver_tui.state.clients.access import acting_agents
from approver_tui.state.clients.agents import ASKED_WITHIN, Agent, merge_agents
from approver_tui.state.text import SafeText, pluralize
from approver_tui.widgets.clients.agents import agent_entry, agent_lines
from approver_tui.widgets.consents.rights import holdings_text
from approver_tui.widgets.entry_list import Section
from approver_tui.widgets.lines import Line, fmt

Agents = tuple[Agent, ...]


class AgentsPage(Page[Agents, Agent]):
    """Lists agents that act for the user, that only sent requests, or that the user owns."""

    NAME = "Agents"

    def fetch(self) -> Agents:
        """Fetch what agents may do now, recent requests, and the user's own agents."""
        server, since = self.context.server, self.context.now() - ASKED_WITHIN
        acting_now = acting_agents(
            server.consents(), server.delegations(), self.context.grants_client.grants()
        )
        approvals = (*server.waiting().items, *server.ended_since(since))
        return merge_agents(acting_now, approvals, server.owned_agents(), since)

    def sections(self, data: Agents) -> Sequence[Section]:
        """Return sections: agents that act for the user, that only sent requests, and others."""
        acting_now = [agent for agent in data if agent.current_access]
        only_asked = [agent for agent in data if not agent.current_access and agent.recent_requests]
        idle = [agent for agent in data if not agent.current_access and not agent.recent_requests]
        none_acting = fmt("No agent acts for you.")
        no_others = fmt("No other agents in 7 days.")
        how_to_register = fmt(
            "None in 7 days. An administrator registers agents with: sayso agents add"
        )
        return (
            self._section("ACTING FOR YOU ({})", acting_now, none_acting),
            self._section(
                "ASKED RECENTLY ({})", only_asked, no_others if data else how_to_register
            ),
            *([self._section("YOURS ({})", idle, SafeText(""))] if idle else []),
        )

    def items(self, agents: Agents) -> Agents:
        """Return the agents."""
        return agents

    def lines(self, item: Agent, width: int) -> list[Line]:
        """Return the details of an agent."""
        return agent_lines(item, self.state.prefs, self.context.view(width))

    def detail_key(self, item: Agent) -> object:
        """Return a key that changes with the agent and with the notification settings."""
        return item, self.state.prefs

    def _revoke_blocker(self, agent: Agent) -> SafeText:
        return self.change_blocker() if agent.current_access else fmt("it does not act for you.")

    @partial(
        PageAction,
        "revoke",
        "revoke its access: its grants, consents and tokens end, but it can ask again",
        _revoke_blocker,
    )
    def _revoke_action(self, agent: Agent) -> ConfirmAction:
        def do(_typed: str) -> SafeText:
            self.context.server.revoke_access(agent.id)
            return fmt(
                "{} no longer acts for you: its grants, consents and tokens have ended.", agent.name
            )

        access = agent.current_access
        holdings = SafeText("") if access is None else holdings_text(access)
        limits = fmt(
            "It can still act for others and may ask you again. To quarantine it "
            "for all users, report one of its requests ({}).",
            self.context.keys.key("report"),
        )
        words = (fmt("This ends its access now: {}.", holdings), limits)
        return ConfirmAction(fmt("Revoke access of {}?", agent.name), fmt("Revoke"), words, do)

    def _mute_blocker(self, _agent: Agent) -> SafeText:
        return self.change_blocker()

    def _mute_label(self) -> str:
        is_muted = self.cursor is not None and self.state.prefs.mute_of(self.cursor)
        return "Unmute" if is_muted else "Mute"

    @partial(
        PageAction,
        "mute",
        "mute it or unmute it: no notifications for low and medium risk",
        _mute_blocker,
        label=_mute_label,
    )
    def _mute_action(self, agent: Agent) -> QuickAction:
        request_actions = self.page_context.request_actions
        return request_actions.mute(SafeText(agent.id), agent.name, self.state.prefs)

    def _suspend_blocker(self, agent: Agent) -> SafeText:
        if agent.owned is None:
            return fmt(
                "you don't own it. Report one of its requests instead ({}).",
                self.context.keys.key("report"),
            )
        return self.change_blocker() if agent.owned.is_enabled else fmt("it is already disabled.")

    @partial(
        PageAction,
        "suspend",
        "suspend an agent you own, for all users, until an administrator enables it",
        _suspend_blocker,
    )
    def _suspend_action(self, agent: Agent) -> ConfirmAction:
        def do(_typed: str) -> SafeText:
            ended = self.context.server.suspend_agent(agent.id)
            requests, tokens = (
                pluralize(ended.requests, "request"),
                pluralize(ended.tokens, "token"),
            )
            return fmt("{} is suspended: {} and {} ended.", agent.name, tokens, requests)

        words = (
            fmt("All its tokens and requests end now, for all users, and it cannot get new ones."),
            fmt("Only an administrator can enable it again (sayso agents enable)."),
        )
        return ConfirmAction(
            fmt("Suspend {} for all users?", agent.name), fmt("Suspend"), words, do
        )

    def _section(self, heading: LiteralString, agents: Sequence[Agent], empty: SafeText) -> Section:
        prefs, now = self.state.prefs, self.context.now()
        entries = tuple(agent_entry(agent, prefs, now) for agent in agents)
        return Section(fmt(heading, len(entries)), entries, empty=empty)

    ACTIONS = (_revoke_action, _mute_action, _suspend_action)
    BINDINGS: ClassVar[list[BindingType]] = action_bindings(*ACTIONS)
