"""The first line of the screen: where one is, who one is, how fresh it all is.

Owns: the title, the user, the connection badge. Never: dials or retries.
"""

from dataclasses import dataclass
from datetime import tzinfo

from textual.content import Content
from textual.widgets import Static

from approver_tui.state.connection import Connection, Phase
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import Line, Piece, Role, say, spread, text_of
from approver_tui.widgets.times import short_clock


@dataclass(frozen=True, slots=True)
class TopView:
    """All that the top bar draws."""

    title: SafeText
    user: SafeText
    connection: Connection
    fresh_at: int | None
    """When the screen last was what the server knew."""
    now: int
    zone: tzinfo | None
    is_unlocked: bool = False


def badge(view: TopView) -> SafeText:
    """Return the connection as words: `LIVE 14:32`, `OFFLINE data 14:29`."""
    phase = SafeText(view.connection.phase.value.upper())
    if view.connection.phase is Phase.LIVE:
        return say("{} {}", phase, short_clock(view.now, view.zone))
    if view.fresh_at is None:
        return phase
    return say("{} data {}", phase, short_clock(view.fresh_at, view.zone))


def top_line(view: TopView, width: int) -> Line:
    """Return title left, user and badge right."""
    unlocked = say("unlocked  ") if view.is_unlocked and width >= 60 else say("")  # noqa: PLR2004  (the middle breakpoint)
    right = (
        Piece(unlocked, Role.DIM),
        Piece(say("{}  ", view.user), Role.DIM),
        Piece(badge(view), Role.STRONG if view.connection.is_live else Role.ALERT),
    )
    return spread((Piece(view.title, Role.STRONG),), right, width)


class TopBar(Static):
    """One line, always there."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._view: TopView | None = None

    def show(self, view: TopView) -> None:
        """Draw another view."""
        if view != self._view:
            self._view = view
            self.set_class(not view.connection.is_live, "-stale")
            self.refresh()

    def render(self) -> Content:
        """Draw the line at the present width."""
        if self._view is None:
            return Content("")
        return Content(text_of(top_line(self._view, self.size.width)))
