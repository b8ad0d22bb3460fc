"""A screen with a key bar, a help page and a command palette.

Owns: opening help and palette, the lines for warnings and news, leaving an ended login. Never: the
actions of other keys.
"""

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from approver_tui.client.errors import BadSetting
from approver_tui.messages import SignInChosen
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.approvals.notices import full_texts, log_alarm, notices, one_line_text
from approver_tui.screens.confirm import ConfirmAction, ConfirmPanel
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.help import HelpScreen
from approver_tui.screens.keys import PAGES, Rows, bindings, help_with_keymap, key_name
from approver_tui.screens.palette import Palette, commands
from approver_tui.screens.ready_screen import ReadyScreen
from approver_tui.state.notifications.connection import Phase
from approver_tui.state.queries import Query, read_query
from approver_tui.state.saved_filters import (
    NO_FILTERS,
    named_filter,
    saved_filters,
    with_filter,
)
from approver_tui.state.text import SafeText, display_safe, pluralize
from approver_tui.widgets.entry_sheet import EntrySheet
from approver_tui.widgets.filter_line import FilterLine
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.notice_lines import CachedLine, NoticeLines, StatusLine
from approver_tui.widgets.reading_pane import ReadingPane
from approver_tui.widgets.row_list import RowList
from approver_tui.widgets.sheet import Sheet
from approver_tui.widgets.top_bar import TopBar, TopView

NARROW_CLASS = "-narrow"
"""The class of a screen that shows either the list or the details."""
READING_CLASS = "-reading"
"""The class of a screen while the entry under the cursor is open."""
TIGHT_CLASS = "-tight"
"""The class of a screen with very few rows."""
STALE_SECONDS = 10.0
"""After this many seconds, a message on a small screen is hidden to free its row."""


class KeyedScreen(ReadyScreen[None]):
    """The base of the inbox and of every page."""

    VERTICAL_BREAKPOINTS = [(0, TIGHT_CLASS), (16, "-short"), (28, "-tall")]  # noqa: RUF012  # Textual's

    NAME: ClassVar[str]
    """What the help calls the screen; a page has one of `PAGES`."""
    context: ScreenContext
    state: InboxState
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "sign_in", show=False, priority=True),
        Binding("ctrl+p", "palette", show=False),
        Binding("f1", "help", show=False),
        Binding("escape", "back", show=False),
        *bindings("refresh palette help", quit="app.quit"),
    ]

    def __init__(self, rows: RowList, details: EntrySheet) -> None:
        super().__init__()
        self.top_bar = TopBar()
        self.rows = rows
        """The list on the left."""
        self.details = details
        """The details of the row under the cursor, on the right."""
        self.alarm_lines = NoticeLines(id="alarm")
        """The widget for the alarm about the audit log."""
        self.notice_lines = NoticeLines(id="notices")
        """The widget for the other warnings."""
        self.status_line = StatusLine()
        self.more_line = CachedLine(id="more")
        """The widget that says how many lines are below."""
        self.key_bar = KeyBar()

    def compose(self) -> ComposeResult:
        """Lay out the top bar, warnings, list, details, status and keys."""
        yield self.top_bar
        yield self.alarm_lines
        yield self.notice_lines
        with Horizontal(id="body"):
            yield self.rows
            with ReadingPane(id="reading"):
                yield self.details
                yield self.more_line
        yield from self.widgets_below()
        yield self.status_line
        yield self.key_bar

    def widgets_below(self) -> Iterable[Widget]:
        """Return the widgets between the list and the status."""
        return ()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let Enter sign in only if the device was signed out; otherwise the list handles it."""
        if action == "sign_in" and self.state.connection.phase is not Phase.SIGNED_OUT:
            return False
        return super().check_action(action, parameters)

    def action_sign_in(self) -> None:
        """Go to the sign-in screen, because this login has ended."""
        self.post_message(SignInChosen())

    def help_rows(self) -> Rows:
        """Return the help rows with the default keys."""
        raise NotImplementedError

    def approval_blocker(self) -> SafeText | None:
        """Return why Approve is unavailable; empty if available, None on screens without it."""
        return None

    def confirm(self, action: ConfirmAction, blocker: Callable[[], SafeText]) -> None:
        """Open the panel that confirms an action; the guard drops input not meant for it."""
        self.context.guard.arm()
        self.app.push_screen(ConfirmPanel(self.context, action, blocker), self._confirmed)

    def show_message(self, text: SafeText) -> None:
        """Show a message in the status line."""
        raise NotImplementedError

    def explain_quitting(self) -> None:
        """Say which key quits, because ctrl-C does not."""
        self.show_message(fmt("Press {} to quit.", self.context.keys.key("quit")))

    def after_action(self) -> None:
        """Hook that runs after a confirmed action, to reload what it changed."""

    def show_result(self, text: SafeText) -> None:
        """Show the result of an action; pages keep it for a while before other news."""
        self.show_message(text)

    def _confirmed(self, message: SafeText | None) -> None:
        if message is not None:
            self.show_result(message)
            self.after_action()

    def action_help(self) -> None:
        """Show the keys, and why Approve is unavailable."""
        warnings = full_texts(notices(self.context, self.state))
        title, reason = fmt("KEYS IN {}", SafeText(self.NAME.upper())), self.approval_blocker()
        self.app.push_screen(HelpScreen(title, self._help_rows, reason, warnings))

    def draw_notices(self) -> None:
        """Show the alarm in full, and all warnings or, on small screens, one line for them."""
        self.alarm_lines.show_all(log_alarm(self.state))
        warnings = notices(self.context, self.state)
        if self.has_class(TIGHT_CLASS):
            key = self.context.keys.key("help")
            self.notice_lines.show_all(one_line_text(warnings, self.size.width, key))
        else:
            self.notice_lines.show_all(*full_texts(warnings))

    @on(Sheet.Scrolled)
    def _scrolled(self) -> None:
        if self.is_ready:
            self.draw_more(self.details.rows_below)

    def draw_status(self, text: SafeText, *, shown_at: float) -> None:
        """Show a message; on small screens hide it a while after `shown_at` (monotonic clock)."""
        is_tight = self.has_class(TIGHT_CLASS)
        is_old = is_tight and self.context.ticks() - shown_at > STALE_SECONDS
        line = self.status_line
        line.show(SafeText("") if is_old else text)
        line.display = bool(line.text) or not is_tight

    def draw_more(self, below: int) -> None:
        """Show how many lines are below; on small screens only if there is no status."""
        text = fmt("more below: {}", pluralize(below, "line")) if below else SafeText("")
        line = self.more_line
        line.show(text)
        fits = bool(text) and not self.status_line.text
        line.display = fits or not self.has_class(TIGHT_CLASS)

    def action_palette(self) -> None:
        """Open the command palette."""
        filters = self.context.environment.filters if self.query(FilterLine) else NO_FILTERS
        self.app.push_screen(Palette(commands(self._help_rows, filters)), self._press)

    def read_filter(self, message: FilterLine.Applied, me: str | None = None) -> Query:
        """Return the filter; also save or delete it if it has a name. Raises ValueError."""
        named = named_filter(message.text) if message.is_done else None
        name, text = named or ("", message.text)
        query = read_query(text, self.context.now(), me, self.context.environment.filters)
        if named is not None:
            self._save_filter(name, text)
        return query

    def _save_filter(self, name: str, text: str) -> None:
        """Save a filter, or delete it if its text is empty. Raises ValueError."""
        environment = self.context.environment
        filters = with_filter(environment.filters, name, text)
        try:
            environment.settings_store.save("filters", filters)
        except (BadSetting, OSError) as error:
            raise ValueError(str(error).rstrip(".")) from error
        environment.filters.clear()
        environment.filters.update(saved_filters(filters))
        result = fmt("saved") if text else fmt("deleted")
        self.show_message(fmt("Filter @{} is {}.", display_safe(name), result))

    @property
    def _help_rows(self) -> Rows:
        return help_with_keymap(self.help_rows(), self.context.keys)

    def _press(self, key: SafeText | None) -> None:
        """Press the key of the chosen command, or apply the chosen saved filter."""
        if key is not None and key.startswith("@"):
            self.query_one(FilterLine).apply(key)
        elif key is not None:
            self.app.simulate_key(key_name(key))

    @property
    def is_narrow(self) -> bool:
        """Whether the screen has room only for the list or for the details."""
        return self.has_class(NARROW_CLASS)

    @property
    def is_reading(self) -> bool:
        """Whether the entry under the cursor is open."""
        return self.has_class(READING_CLASS)


def top_view(
    context: ScreenContext,
    state: InboxState,
    title: SafeText,
    *,
    is_narrow: bool,
    left: SafeText | None = None,
) -> TopView:
    """Return what the top bar shows; `left` is the remaining time of an open request."""
    now = context.now()
    return TopView(
        title=title,
        user=SafeText("") if state.me is None else context.user_label(state.me.user.name),
        connection=state.connection,
        fresh_at=state.fresh_at,
        now=now,
        zone=context.zone,
        is_unlocked=context.answers.is_unlocked,
        tabs=() if is_narrow else PAGES,
        waiting=state.waiting_count(now),
        left=left,
    )
