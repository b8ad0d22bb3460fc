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
from approver_tui.widgets.lines import Line, Piece, Role, crop, fmt, justify, length, text_of
from approver_tui.widgets.times import MINUTE, short_clock

_GAP = SafeText("  ")
_UNLOCKED = SafeText("unlocked  ")
_MIN_NAME_WIDTH = 2
"""If fewer cells are free, the user's name is left out."""


@dataclass(frozen=True, slots=True)
class TopView:
    """The data that the top bar draws."""

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
    """The number of waiting requests; None if unknown."""
    left: SafeText | None = None
    """The remaining time of the open request, on narrow screens."""


def badge(view: TopView) -> SafeText:
    """Return the state of the connection: `LIVE 14:32`, `OFFLINE data 14:29`."""
    phase = SafeText(view.connection.phase.value.upper())
    if view.connection.phase is Phase.LIVE:
        return fmt("{} {}", phase, short_clock(view.now, view.zone))
    if view.fresh_at is None or view.connection.phase is Phase.SIGNED_OUT:
        return phase
    return fmt("{} data {}", phase, short_clock(view.fresh_at, view.zone))


def top_line(view: TopView, width: int) -> Line:
    """Return the title on the left, and `unlocked`, user and badge on the right."""
    return justify(*_sides(view, width), width)


def _sides(view: TopView, width: int) -> tuple[Line, Line]:
    """Return both sides in the first form that fits; the last form cuts the user's name."""
    full_badge, unlocked = badge(view), (Piece(_UNLOCKED, Role.DIM),)
    is_live = view.connection.is_live
    badges = (
        (full_badge, SafeText(view.connection.phase.value.upper())) if is_live else (full_badge,)
    )
    time_left = () if view.left is None else (Piece(fmt("  {} left", view.left)),)
    pages, name_width = _title_pieces(view), cell_len(view.user)
    tight, short = _tight_pieces(pages), _short_pieces(view, pages)
    forms = (
        *((left, words, name_width) for left in ((*pages, *time_left), tight) for words in badges),
        (tight, badges[-1], 0),
        *((short, words, name_width) for words in badges),
    )
    fitting = (
        (left, words, spare)
        for left, words, needed in forms
        if (spare := _spare(view, left, words, width)) >= needed
    )
    left, words, spare = next(fitting, (short, badges[-1], 0))
    user = crop(view.user, spare) if spare >= _MIN_NAME_WIDTH else SafeText("")
    state = Piece(words, Role.STRONG if is_live else Role.ALERT)
    user_piece = Piece(fmt("{}{}", user, _GAP), Role.DIM)
    return left, (*(unlocked if view.is_unlocked else ()), user_piece, state)


def _spare(view: TopView, left: Line, words: SafeText, width: int) -> int:
    """Return how many cells are free for the user's name."""
    unlocked = len(_UNLOCKED) if view.is_unlocked else 0
    return width - 1 - length(left) - unlocked - len(_GAP) - cell_len(words)


def _tight_pieces(pages: Line) -> Line:
    """Return the title, or all page names with less space between them."""
    first, *others = [Piece(SafeText(text.strip()), role) for text, role in pages]
    return (first, *(Piece(SafeText(f" {text}"), role) for text, role in others))


def _short_pieces(view: TopView, pages: Line) -> Line:
    """Return the title, or all pages by digit, and only the current one by name."""
    if not view.tabs:
        return pages
    return tuple(
        piece if name == view.title else Piece(fmt(" {} ", number))
        for number, (name, piece) in enumerate(zip(view.tabs, pages, strict=True), 1)
    )


def _title_pieces(view: TopView) -> Line:
    """Return the title, or all pages with their digits, the current one in brackets."""
    if not view.tabs:
        return (Piece(view.title, Role.STRONG),)
    inbox = view.tabs[0] if view.waiting is None else fmt("{} {}", view.tabs[0], view.waiting)
    names = (inbox, *view.tabs[1:])
    digits = [fmt("{} {}", number, name) for number, name in enumerate(names, 1)]
    return tuple(
        Piece(fmt("[{}]", words) if name == view.title else fmt(" {} ", words))
        for name, words in zip(view.tabs, digits, strict=True)
    )


class TopBar(Static):
    """The top line of the inbox and of every page."""

    def __init__(self, view: TopView | None = None) -> None:
        super().__init__(markup=False)
        self._view = view
        self._drawn = ""
        self._shown_for: object = None
        """What the line last depended on."""

    def show(self, view: TopView) -> None:
        """Draw a new view if the line would differ; seconds are not shown."""
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
        """Post the digit of the page that was clicked."""
        end = 0
        left = _sides(self._view, self.size.width)[0] if self._view else ()
        for number, piece in enumerate(left, 1):
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
