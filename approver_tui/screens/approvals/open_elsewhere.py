"""The panel with the link to a request's page, to continue on a phone or in a browser.

Owns: the link as text and as a QR code. The panel closes by itself once the request is answered.
Never: answering; opening a browser; linking to a different server.
"""

from typing import ClassVar
from urllib.parse import quote, urlsplit

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from approver_tui.client.transport import LOOPBACK
from approver_tui.screens.keys import ELSEWHERE_KEYS
from approver_tui.screens.panel import Panel
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.qr_code import QrCode
from approver_tui.widgets.title_line import TitleLine

_MAX_LINK_LENGTH = 400


class OpenElsewherePanel(Panel):
    """The panel with the title, the headline, the link and its QR code."""

    TITLE = SafeText("Open elsewhere")
    CHANGED_TEXT = SafeText("This request changed. Nothing was decided.")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "back", show=False)]

    def compose(self) -> ComposeResult:
        """Lay out the text, the QR code and the keys."""
        page = self._page
        with VerticalScroll(classes="panel", id="elsewhere"):
            yield from self.heading()
            yield Static("Answer with a passkey on this page:", markup=False)
            yield Static(display_safe(page, max_len=_MAX_LINK_LENGTH), id="page", markup=False)
            if urlsplit(page).hostname in LOOPBACK:
                yield Static(
                    "This address is on this machine; a phone cannot open it.", markup=False
                )
            else:
                yield QrCode(page)
            yield KeyBar(ELSEWHERE_KEYS)

    def draw_widgets(self) -> None:
        """Update the time."""
        self.query_one(TitleLine).refresh()

    @property
    def _page(self) -> str:
        return f"{self.context.environment.issuer}/r/{quote(self.approval.id, safe='')}"
