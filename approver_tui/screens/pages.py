"""The pages, in the order of their digits.

Owns: the table of pages. Never: what a page does.
"""

from typing import Any

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
"""The pages next to the inbox; the first has the digit 2."""
