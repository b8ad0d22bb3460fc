"""The first line of the screen: the page, the user, the state of the connection.

Owns: the title or the pages, the user, the connection badge. Never: connecting.
"""

from dataclasses import dataclass, replace
from datetime import tzinfo

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.widgets import Static

from approver_tui.messages import KeyClicked
from approver_tui.state.notifications.connection import Connection, Phase
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import Line, Piece, Role, fmt, justify, length, text_of
from approver_tui.widgets.times import MINUTE, short_clock


@dataclass(frozen=True, slots=True)
class TopView:
    """Everything that the top bar draws."""

    title: SafeText
    user: SafeText
    connection: Connection
    fresh_at: int | None
    """When the screen last matched the server."""
    now: int
    zone: tzinfo | None
    is_unlocked: bool = False
    tabs: tuple[SafeText, ...] = ()
    """The names of all pages, if there is room; `title` is one of them."""
    waiting: int | None = None
    """The number of waiting requests; None while unknown."""
    left: SafeText | None = None
    """The remaining time of the request, if it fills the screen."""


def badge(view: TopView) -> SafeText:
    """Return the state of the connection: `LIVE 14:32`, `OFFLINE data 14:29`."""
    phase = SafeText(view.connection.phase.value.upper())
    if view.connection.phase is Phase.LIVE:
        return fmt("{} {}", phase, short_clock(view.now, view.zone))
    if view.fresh_at is None or view.connection.phase is Phase.SIGNED_OUT:
        return phase
    return fmt("{} data {}", phase, short_clock(view.fresh_at, view.zone))


def top_line(view: TopView, width: int) -> Line:
    """Return title left, user and badge right; time and `unlocked` if there is room."""
    left = _title_pieces(view)
    right = (
        Piece(fmt("{}  ", view.user), Role.DIM),
        Piece(badge(view), Role.STRONG if view.connection.is_live else Role.ALERT),
    )
    if view.left and length((*left, time := Piece(fmt("  {} left", view.left)), *right)) < width:
        left = (*left, time)
    unlocked = Piece(fmt("unlocked  "), Role.DIM)
    has_space = width >= 60 and length((*left, unlocked, *right)) < width  # noqa: PLR2004  # the middle breakpoint
    is_shown = view.is_unlocked and has_space
    return justify(left, (unlocked, *right) if is_shown else right, width)


def _title_pieces(view: TopView) -> Line:
    """The title, or every page with its digit, the current one in brackets."""
    if not view.tabs:
        return (Piece(view.title, Role.STRONG),)
    inbox = view.tabs[0] if view.waiting is None else fmt("{} {}", view.tabs[0], view.waiting)
    names = (inbox, *view.tabs[1:])
    digits = [fmt("{} {}", number, name) for number, name in enumerate(names, 1)]
    marked = [
        fmt("[{}]", words) if name == view.title else fmt(" {} ", words)
        for name, words in zip(view.tabs, digits, strict=True)
    ]
    return tuple(Piece(words) for words in marked)


class TopBar(Static):
    """A line that is always there."""

    def __init__(self, view: TopView | None = None) -> None:
        super().__init__(markup=False)
        self._view = view
        self._drawn = ""
        self._shown_for: object = None
        """Everything that the line depended on when it was last drawn."""

    def show(self, view: TopView) -> None:
        """Draw another view if it differs; the clock shows no seconds."""
        minutes = (view.now // MINUTE, None if view.fresh_at is None else view.fresh_at // MINUTE)
        basis = (replace(view, now=0, fresh_at=None), minutes)
        self._view = view
        if basis == self._shown_for:
            return
        self._shown_for = basis
        self.set_class(not view.connection.is_live, "-stale")
        if self._text != self._drawn:
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A click on a page's name counts as its digit."""
        end = 0
        for number, piece in enumerate(_title_pieces(self._view) if self._view else (), 1):
            end += cell_len(piece.text)
            if self._view and self._view.tabs and event.x - self.gutter.left < end:
                self.post_message(KeyClicked(str(number)))
                return

    def render(self) -> Content:
        """Draw the line at the current width."""
        self._drawn = self._text
        return Content(self._drawn)

    @property
    def _text(self) -> str:
        return "" if self._view is None else text_of(top_line(self._view, self.size.width))
