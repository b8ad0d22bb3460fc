"""The pages, in the order of the digits that open them.

Owns: the table of pages, passing messages, states and events to the open pages. Never: the behavior
of a page.
"""

from typing import Any

from textual.screen import Screen

from approver_tui.screens.approvals.history import HistoryPage
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.clients.agents import AgentsPage
from approver_tui.screens.consents.rights import RightsPage
from approver_tui.screens.devices.devices import DevicesPage
from approver_tui.screens.operations.settings import SettingsPage
from approver_tui.screens.page import Page
from approver_tui.state.notifications.events import Event
from approver_tui.state.text import SafeText

PAGE_CLASSES: tuple[type[Page[Any, Any]], ...] = (
    HistoryPage,
    AgentsPage,
    RightsPage,
    DevicesPage,
    SettingsPage,
)
"""The pages next to the inbox; digit 2 opens the first."""


class OpenPages:
    """The pages that are open above the inbox, to which it passes messages, states and events."""

    def __init__(self, inbox: Screen[None]) -> None:
        self._inbox = inbox

    def show_message(self, text: SafeText) -> None:
        """Show a message in the status line of each open page."""
        for page in self._pages():
            page.show_message(text)

    def state_changed(self, state: InboxState) -> None:
        """Pass the state of the inbox to each open page."""
        for page in self._pages():
            page.state_changed(state)

    def event_received(self, event: Event) -> None:
        """Pass an event of the feed to each open page."""
        for page in self._pages():
            page.event_received(event)

    def _pages(self) -> list[Page[Any, Any]]:
        return [screen for screen in self._inbox.app.screen_stack if isinstance(screen, Page)]
