"""The Settings page: settings, servers, and switching between servers.

Owns: the list, the next value on Space. Never: where settings are stored; a store is passed in.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType

from approver_tui.client.errors import BadSetting
from approver_tui.messages import LoginWanted
from approver_tui.screens.confirm import ConfirmAction
from approver_tui.screens.keys import Rows, hint, texts
from approver_tui.screens.notifications.preferences import HOURS, NotificationSection
from approver_tui.screens.operations.settings_store import Login, Setting
from approver_tui.screens.page import Page
from approver_tui.screens.request_actions import RequestActions
from approver_tui.state.notifications.other_logins import OtherLoginCount
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.consents.rights import row
from approver_tui.widgets.entry_list import Entry, Section
from approver_tui.widgets.entry_sheet import Make
from approver_tui.widgets.key_bar import Hint
from approver_tui.widgets.lines import BLANK, Line, Role, say, wrapped
from approver_tui.widgets.notifications.other_logins import in_words
from approver_tui.widgets.times import clock

Found = tuple[Setting | Login, ...]
THEME = "theme"
_KEYS = "key_"
_ANOTHER = Login("", "", "", "", is_here=False)
"""The entry for a server that this machine is not logged in to yet."""


class SettingsPage(Page[Found]):
    """Servers, notifications, settings, then keys."""

    NAME = "Settings"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("space,c", "change", show=False)]

    def fetch(self) -> Found:
        """Read the file again, because another program may have changed it."""
        settings_store = self.context.environment.settings_store
        settings = settings_store.settings()
        keys = [each for each in settings if each.name.startswith(_KEYS)]
        own = [each for each in settings if each not in keys]
        logins = settings_store.logins()
        return (*logins, *((_ANOTHER,) if logins else ()), *own, *keys)

    def sections(self, found: Found) -> Sequence[Section]:
        """Return servers, settings and keys."""
        servers = tuple(self._server(each) for each in found if isinstance(each, Login))
        settings = [each for each in found if isinstance(each, Setting)]
        own = tuple(_entry(each) for each in settings if not each.name.startswith(_KEYS))
        keys = tuple(_entry(each) for each in settings if each.name.startswith(_KEYS))
        return (
            *((Section(say("SERVERS ({})", len(servers) - 1), servers),) if servers else ()),
            Section(say("SETTINGS"), own),
            self._quieting.section(self._view(0)),
            Section(say("KEYS"), keys),
        )

    def in_full(self, found: Found, entry_id: str) -> tuple[Make, object] | None:
        """Return its purpose, its valid values, and the source of its value."""
        one = next((each for each in found if _id(each) == entry_id), None)
        if one is None:
            make = partial(self._quiet_lines, entry_id)
            return make, (entry_id, self.state.attention)
        if isinstance(one, Login):
            known = self.state.elsewhere.find(one.name)
            seen = (known, self._age(known), self.state.device, self.context.answers.is_unlocked)
            return partial(self._server_lines, one, known), (entry_id, one, seen)
        return partial(self._lines, one), (entry_id, one)

    def keys(self) -> tuple[Hint, ...]:
        """Return the keys of the page."""
        label = "Switch" if isinstance(self._current, Login) else "Change"
        if self._deed is not None:
            label = "Change.." if self.cursor == HOURS else "End.."
        return (hint("Space", label, "space", is_off=bool(self._why_off())),)

    def help(self) -> Rows:
        """Return the help of the page."""
        return texts(
            (
                "Space",
                (
                    "the next value (the theme now, the rest at the next start); or "
                    "switch to that server"
                ),
            ),
            ("Space", "under notifications: set quiet hours, end a mute or a snooze"),
        )

    def action_change(self) -> None:
        """Save the next value, or switch to the server."""
        one, action = self._current, self._deed
        if reason := self._why_off():
            self.say(say("Change unavailable: {}", reason))
        elif action is not None:
            self.ask(action)
        elif isinstance(one, Login):
            self.post_message(LoginWanted(one.name))
        elif one is not None:
            place = one.choices.index(one.value) if one.value in one.choices else -1
            self._keep(one, one.choices[(place + 1) % len(one.choices)])

    def _keep(self, one: Setting, value: str) -> None:
        """Save a value; the file is local and small, so no thread is needed."""
        try:
            self.context.environment.settings_store.keep(one.name, value)
        except (BadSetting, OSError) as error:
            self.say(say("Not saved: {}", display_safe(str(error), max_len=200)))
            return
        if one.name == THEME:
            self.app.theme = value
        self.took(self.fetch())
        later = SafeText("") if one.name == THEME else say(" (from the next start)")
        words = SafeText(one.name.replace("_", " ").capitalize())
        self.say(say("{}: {}{}", words, display_safe(value), later))

    @property
    def _quieting(self) -> NotificationSection:
        arranging = RequestActions(self.context, self.page_context.tell)
        return NotificationSection(arranging, self.state.attention, self.state.inbox)

    @property
    def _deed(self) -> ConfirmAction | None:
        """The action of Space on a setting that the server stores."""
        return None if self.cursor is None else self._quieting.action(self.cursor)

    def _quiet_lines(self, entry_id: str, width: int) -> list[Line]:
        return self._quieting.lines(entry_id, self._view(width)) or []

    def _view(self, width: int) -> RenderContext:
        return self.context.view(width)

    def _why_off(self) -> SafeText:
        one = self._current
        if self._deed is not None:
            return self.why_nothing_ends()
        if one is None:
            return say("nothing is selected.")
        if isinstance(one, Login):
            return say("you are there.") if one.is_here else SafeText("")
        if one.is_fixed:
            return say("it is set in the environment, which overrides the file.")
        if not one.choices:
            command = SafeText(f"sayso-approver config set {one.name} VALUE")
            return say("run: {}", command)
        return SafeText("")

    @property
    def _current(self) -> Setting | Login | None:
        return next((each for each in self.found or () if _id(each) == self.cursor), None)

    def _server(self, one: Login) -> Entry:
        """Return a server with its number of waiting requests."""
        if one is _ANOTHER:
            return Entry(
                _id(one), say("another .."), say("sign in to another server"), SafeText("")
            )
        known = self.state.elsewhere.find(one.name)
        words = say("here") if one.is_here else SafeText("")
        if known is not None:
            words = say("{} waiting", known.count)
        issuer = display_safe(one.issuer, max_len=200)
        return Entry(_id(one), SafeText(one.name), issuer, words)

    def _age(self, known: OtherLoginCount | None) -> SafeText:
        return SafeText("") if known is None else in_words(known, self.context.now())

    def _server_lines(self, one: Login, known: OtherLoginCount | None, width: int) -> list[Line]:
        view = self._view(width)
        if one is _ANOTHER:
            words = say("Sign in to another server. You stay logged in to this one.")
            return [*wrapped(say("Another server"), width, Role.STRONG), *wrapped(words, width)]
        command = say("sayso-approver --profile {}", SafeText(one.name))
        return [
            *wrapped(SafeText(one.name), width, Role.STRONG),
            BLANK,
            *row("Server", display_safe(one.issuer, max_len=400), view),
            *row("User", display_safe(one.user), view),
            *row("Device", display_safe(one.device), view),
            *(self._session(view) if one.is_here else []),
            *([] if one.is_here else row("Waiting", self._age(known) or say("not known"), view)),
            BLANK,
            *wrapped(command, width, Role.DIM),
        ]

    def _session(self, view: RenderContext) -> list[Line]:
        """How long this machine has been signed in, and whether the next approval needs the PIN."""
        device = self.state.device
        if device is None:
            return []
        since = clock(device.created_at, view.now, view.zone)
        lock = say("unlocked; {} in the inbox locks it", view.keys.key("lock"))
        if not self.context.answers.is_unlocked:
            lock = say("locked: the next approval requires the PIN")
        return [*row("Signed in", say("since {}", since), view), *row("Answers", lock, view)]

    def _lines(self, one: Setting, width: int) -> list[Line]:
        view = self._view(width)
        name = SafeText(one.name)
        return [
            *wrapped(name, width, Role.STRONG),
            *wrapped(SafeText(one.means[:1].upper() + one.means[1:] + "."), width),
            BLANK,
            *row("Value", display_safe(one.value), view),
            *row("Source", display_safe(one.source, max_len=400), view),
            *row("Values", SafeText(one.form), view),
            BLANK,
            *wrapped(say("sayso-approver config set {} VALUE", name), width, Role.DIM),
        ]


def _id(one: Setting | Login) -> str:
    """Return a unique ID; a login may have the name of a setting."""
    return f"login:{one.name}" if isinstance(one, Login) else one.name


def _entry(one: Setting) -> Entry:
    name = SafeText(one.name.removeprefix(_KEYS).replace("_", " "))
    return Entry(one.name, name, SafeText(one.means), display_safe(one.value, max_len=20))
