"""The base of the pages next to the inbox: a list on the left, the current entry on the right.

Owns: fetching the list, the cursor, navigation, status messages. Never: answering a request;
confirming an action, which is in `confirm.py`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from textual import on
from textual.binding import Binding, BindingType

from approver_tui.client import errors
from approver_tui.messages import CursorMoved, Opened
from approver_tui.screens import refusals
from approver_tui.screens.approvals.blockers import connection_blocker
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.button_panel import TICK
from approver_tui.screens.confirm import ConfirmAction
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keyed_screen import READING_CLASS, KeyedScreen, top_view
from approver_tui.screens.keys import (
    PAGE_HELP,
    Rows,
    bindings,
    help_rows,
    hint,
    key_name,
    page_keys,
    with_keymap,
)
from approver_tui.screens.request_actions import QuickAction, RequestActions
from approver_tui.state.keymap import KEYS
from approver_tui.state.notifications.events import Event, EventName
from approver_tui.state.text import SafeText
from approver_tui.widgets.entry_list import EntryList, Section
from approver_tui.widgets.entry_sheet import EntrySheet, LineMaker
from approver_tui.widgets.key_bar import Hint
from approver_tui.widgets.lines import Line, fmt
from approver_tui.widgets.notice_lines import LOADING

if TYPE_CHECKING:
    from approver_tui.screens.approvals.answer_flow import AnswerFlow

PageData = TypeVar("PageData")
"""The data that a page fetches."""
Item = TypeVar("Item")
"""The object that an entry of the list shows."""


@dataclass(frozen=True, slots=True)
class PageAction:
    """An action that a key runs on the entry under the cursor, often after a confirmation.

    `partial(PageAction, NAME, HELP, BLOCKER)` is the decorator of the method that makes it.
    """

    name: str
    """The name of the action's key in KEYS."""
    help: str
    blocker: Callable[[Any, Any], SafeText]
    """A method of the page that returns why the action is unavailable for an item; empty if not."""
    make: Callable[[Any, Any], ConfirmAction | QuickAction]
    """A method of the page that returns the action for an item."""
    verb_text: SafeText = SafeText("")  # noqa: RUF009  # SafeText is immutable
    """The verb, if it differs from the name."""
    label: Callable[[Any], str] | None = None
    """A method of the page that returns the label in the key bar; None to use the verb."""

    @property
    def key(self) -> str:
        """The default key of the action."""
        return KEYS[self.name]

    @property
    def verb(self) -> SafeText:
        """The verb in the key bar and in messages."""
        return self.verb_text or SafeText(self.name.capitalize())


def action_bindings(*actions: PageAction) -> list[BindingType]:
    """Return the bindings of a page's actions."""
    return bindings(**{action.name: f"act('{action.name}')" for action in actions})


@dataclass(frozen=True, slots=True)
class PageContext:
    """The inputs of a page: the screen context, the inbox state and callbacks."""

    context: ScreenContext
    state: InboxState
    flow: "AnswerFlow"
    """Opens panels and runs actions that can be undone."""
    request_actions: RequestActions
    """Creates the actions on requests and agents that need no confirmation."""
    show_result: Callable[[SafeText], None]
    """Shows the result of an action in the inbox and on all open pages, for a while."""


class Page(KeyedScreen, Generic[PageData, Item]):
    """The base of every page. Subclasses define its data, sections, details and actions."""

    ACTIONS: ClassVar[tuple[PageAction, ...]] = ()
    EVENTS: ClassVar[frozenset[EventName]] = frozenset()
    """The events after which the page reloads."""
    AUTO_FOCUS = "#entries"
    rows: EntryList
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"app.go({number})", show=False) for number in range(1, 7)),
    ]

    def __init__(self, page_context: PageContext) -> None:
        super().__init__(EntryList(id="entries"), EntrySheet(id="entry"))
        self.page_context = page_context
        self.context = page_context.context
        self.state = page_context.state
        self.page_data: PageData | None = None
        """The data that was last fetched; None until the first fetch succeeds."""
        self.cursor: str | None = None
        self._status, self._message_at = SafeText(""), 0.0
        self._problem = SafeText("")

    def fetch(self) -> PageData:
        """Fetch the data of the page. Runs in a thread; raises ClientError."""
        raise NotImplementedError

    def sections(self, data: PageData) -> Sequence[Section]:
        """Return the sections of the list."""
        raise NotImplementedError

    def items(self, data: PageData) -> Iterable[Item]:
        """Return the items that the entries show."""
        raise NotImplementedError

    def id_of(self, item: Item) -> str:
        """Return the ID of an item's entry."""
        return str(item.id)  # type: ignore[attr-defined]  # only settings lack an ID

    def lines(self, item: Item, width: int) -> list[Line]:
        """Return the details of an item."""
        raise NotImplementedError

    def detail_key(self, item: Item) -> object:
        """Return a key that changes with everything `lines` depends on, except the time."""
        return item

    @property
    def current(self) -> Item | None:
        """The item under the cursor, if any."""
        items = () if self.page_data is None else self.items(self.page_data)
        return next((item for item in items if self.id_of(item) == self.cursor), None)

    def detail_of_cursor(self) -> tuple[LineMaker, object] | None:
        """Return how to draw the item under the cursor, and a cache key; None without an item."""
        if (current := self.current) is None:
            return None
        return partial(self.lines, current), (self.cursor, self.detail_key(current))

    def keys(self) -> tuple[Hint, ...]:
        """Return the hints for the keys that only this page has."""
        return tuple(
            hint(
                action.key,
                action.label(self) if action.label else f"{action.verb}..",
                key_name(SafeText(action.key)),
                is_off=bool(self.blocker_of(action)),
            )
            for action in self.ACTIONS
        )

    def help(self) -> Rows:
        """Return the help for the keys that only this page has."""
        return help_rows(*((action.key, action.help) for action in self.ACTIONS))

    def blocker_of(self, action: PageAction) -> SafeText:
        """Return why an action is unavailable for the item under the cursor; empty if it is not."""
        current = self.current
        return fmt("nothing is selected.") if current is None else action.blocker(self, current)

    def action_act(self, name: str) -> None:
        """Run or confirm an action on the item under the cursor, or say why it is unavailable."""
        action = next(page_action for page_action in self.ACTIONS if page_action.name == name)
        current = self.current
        if (reason := self.blocker_of(action)) or current is None:
            self.show_message(fmt("{} unavailable: {}", action.verb, reason))
        else:
            self.do_action(action.make(self, current))

    def on_mount(self) -> None:
        """Start loading the data, and start the timer."""
        self.set_interval(TICK, self.draw)
        self.load()
        self.draw()

    def load(self) -> None:
        """Fetch the data of the page, in a thread."""
        self.run_fetch(self.fetch)

    def run_fetch(self, fetch: Callable[[], PageData]) -> None:
        """Run `fetch` in a thread and show its result; cancels a fetch that is still running."""
        self.run_in_thread(
            fetch, self.show_fetched, self.fetch_failed, group="fetch", exclusive=True
        )

    def event_received(self, event: Event) -> None:
        """Reload if the event is one of `EVENTS`."""
        if event.name in self.EVENTS:
            self.load()

    def state_changed(self, state: InboxState) -> None:
        """Use the new state of the inbox; reload after a reconnect."""
        was_live, self.state = self.state.connection.is_live, state
        if state.connection.is_live and not was_live:
            self.load()
        self.draw()

    def show_message(self, text: SafeText) -> None:
        """Show a message in the status line."""
        self._status, self._message_at = text, self.context.ticks()
        self.draw()

    def show_result(self, text: SafeText) -> None:
        """Show the result of an action for a while, before news from the feed."""
        self.page_context.show_result(text)

    def do_action(self, action: ConfirmAction | QuickAction) -> None:
        """Run a quick action, or open the panel that confirms another action."""
        if isinstance(action, QuickAction):
            self.page_context.flow.act(action)
        else:
            self.confirm(action, self.change_blocker)

    def after_action(self) -> None:
        """Reload after a confirmed action."""
        self.load()

    def change_blocker(self) -> SafeText:
        """Return why nothing can be changed now; empty if changes are possible."""
        return connection_blocker(self.state)

    def show_fetched(self, data: PageData) -> None:
        """Show the result of a successful fetch."""
        self.set_data(data)

    def set_data(self, data: PageData) -> None:
        """Show fetched data; the cursor stays on its entry, or moves to the first one."""
        self.page_data, self._problem = data, SafeText("")
        if self._status == LOADING:
            self._status = SafeText("")
        ids = [entry.id for section in self.sections(data) for entry in section.entries]
        if self.cursor not in ids:
            self.cursor = ids[0] if ids else None
        self.draw()

    def fetch_failed(self, error: errors.ClientError) -> None:
        """Show why a fetch failed, and the key that tries again."""
        problem, key = refusals.problem(error), self.context.keys.key("refresh")
        self._problem = fmt("{} Press {} to try again.", problem, key)
        self.show_message(self._problem)

    @on(CursorMoved)
    def _cursor_moved(self, message: CursorMoved) -> None:
        self.cursor = message.approval_id
        self.cursor_moved()
        self.draw()

    def cursor_moved(self) -> None:
        """Hook that runs after the cursor moved, for pages that load more at the list's end."""

    @on(Opened)
    def _opened(self, message: Opened) -> None:
        self.cursor = message.approval_id
        self.add_class(READING_CLASS)
        self.details.focus()
        self.draw()

    def action_refresh(self) -> None:
        """Reload the page."""
        self.show_message(LOADING)
        self.load()

    def action_back(self) -> None:
        """Go back from the entry to the list, or from the list to the inbox."""
        if self.is_reading:
            self.remove_class(READING_CLASS)
            self.rows.focus()
            self.draw()
        else:
            self.app.pop_screen()

    def help_rows(self) -> Rows:
        """Return the page's own keys, then those of every page."""
        return (*self.help(), *PAGE_HELP)

    def draw_widgets(self) -> None:
        """Update all widgets."""
        name = SafeText(self.NAME)
        title = fmt("< {}", name) if self.is_narrow else name
        top = top_view(self.context, self.state, title, is_narrow=self.is_narrow)
        self.rows.show(self._sections(), self.cursor)
        self.details.show(*(self.detail_of_cursor() or (None, None)))
        self.top_bar.show(top)
        self.draw_notices()
        self.draw_status(self._status, shown_at=self._message_at)
        keys = page_keys(self.keys(), is_reading=self.is_reading)
        self.key_bar.show(with_keymap(keys, self.context.keys))
        self.draw_more(self.details.rows_below)

    def _sections(self) -> Sequence[Section]:
        if self.page_data is not None:
            return self.sections(self.page_data)
        not_loaded = connection_blocker(self.state) and fmt("Not loaded yet.")
        placeholder = self._problem or not_loaded or LOADING
        return (Section(SafeText(self.NAME.upper()), (), empty=placeholder),)
