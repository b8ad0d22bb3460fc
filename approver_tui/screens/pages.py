"""Which pages there are, in the order of their digits.

Owns: the table. Never: what a page does.
"""

from typing import Any

from approver_tui.screens.agents import AgentsPage
from approver_tui.screens.devices import DevicesPage
from approver_tui.screens.history import HistoryPage
from approver_tui.screens.page import Page
from approver_tui.screens.rights import RightsPage
from approver_tui.screens.settings import SettingsPage

PAGE_CLASSES: tuple[type[Page[Any]], ...] = (
    HistoryPage,
    AgentsPage,
    RightsPage,
    DevicesPage,
    SettingsPage,
)
"""The pages beside the inbox; the first has the digit 2."""
