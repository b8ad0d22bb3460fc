"""The pages, in the order of the digits that open them.

Owns: the table of pages. Never: the behavior of a page.
"""

from typing import Any

from textual.app import App

from approver_tui.screens.approvals.history import HistoryPage
from approver_tui.screens.clients.agents import AgentsPage
from approver_tui.screens.consents.rights import RightsPage
from approver_tui.screens.devices.devices import DevicesPage
from approver_tui.screens.operations.settings import SettingsPage
from approver_tui.screens.page import Page

PAGE_CLASSES: tuple[type[Page[Any, Any]], ...] = (
    HistoryPage,
    AgentsPage,
    RightsPage,
    DevicesPage,
    SettingsPage,
)
"""The pages next to the inbox; digit 2 opens the first."""


def open_pages(app: App[Any]) -> list[Page[Any, Any]]:
    """Return the pages that are open above the inbox."""
    return [screen for screen in app.screen_stack if isinstance(screen, Page)]
