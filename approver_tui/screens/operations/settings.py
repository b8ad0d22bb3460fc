"""The Settings page: settings, servers, and switching between servers.

Owns: the list, the next value that Space sets. Never: storing settings, which the settings store
does.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType

from approver_tui.client.errors import BadSetting
from approver_tui.messages import LoginChosen
from approver_tui.screens.confirm import ConfirmAction
from approver_tui.screens.keys import Rows, help_rows, hint
from approver_tui.screens.notifications.preferences import HOURS_ID, NotificationSection
from approver_tui.screens.operations.settings_store import Login, Setting
from approver_tui.screens.page import Page
from approver_tui.screens.request_actions import QuickAction
from approver_tui.state.notifications.other_logins import OtherLoginCount
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.entry_list import Entry, Section
from approver_tui.widgets.entry_sheet import LineMaker
from approver_tui.widgets.key_bar import Hint
from approver_tui.widgets.lines import BLANK, Line, Role, fmt, wrap_text
from approver_tui.widgets.notifications.other_logins import count_with_age

Settings = tuple[Setting | Login, ...]
THEME_SETTING = "theme"
_KEY_PREFIX = "key_"
_NEW_LOGIN = Login("", "", "", "", is_current=False)
"""The entry for adding a server."""


class SettingsPage(Page[Settings, Setting | Login]):
    """The page with servers, then settings, notifications and keys."""

    NAME = "Settings"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("space,c", "change", show=False)]

    def fetch(self) -> Settings:
        """Read the settings file again, because other programs may have changed it."""
        settings_store = self.context.environment.settings_store
        logins = settings_store.logins()
        return (*logins, *((_NEW_LOGIN,) if logins else ()), *settings_store.settings())

    def sections(self, data: Settings) -> Sequence[Section]:
        """Return sections for servers, settings, notifications and keys."""
        servers = tuple(self._server_entry(login) for login in data if isinstance(login, Login))
        settings = [_setting_entry(item) for item in data if isinstance(item, Setting)]
        keys = tuple(entry for entry in settings if entry.id.startswith(_KEY_PREFIX))
        plain_settings = tuple(entry for entry in settings if entry not in keys)
        return (
            *((Section(fmt("SERVERS ({})", len(servers) - 1), servers),) if servers else ()),
            Section(fmt("SETTINGS"), plain_settings),
            self._notifications.section(self.context.view(0)),
            Section(fmt("KEYS"), keys),
        )

    def items(self, data: Settings) -> Settings:
        """Return servers and settings; the notification section has no items here."""
        return data

    def id_of(self, item: Setting | Login) -> str:
        """Return the ID of an item's entry."""
        return _entry_id(item)

    def detail_of_cursor(self) -> tuple[LineMaker, object] | None:
        """Return how to draw the entry's details, also for an entry about notifications."""
        if self.cursor is None or self.current is not None:
            return super().detail_of_cursor()
        make = partial(self._notification_lines, self.cursor)
        return make, (self.cursor, self.state.prefs)

    def detail_key(self, item: Setting | Login) -> object:
        """Return a key that changes with the item and with everything its details show."""
        if not isinstance(item, Login):
            return item
        login_count, device = self.state.other_logins.get(item.name), self.state.device
        return (
            item,
            login_count,
            self._count_text(login_count),
            device,
            self.context.answers.is_unlocked,
        )

    def lines(self, item: Setting | Login, width: int) -> list[Line]:
        """Return the details of a server or a setting."""
        if isinstance(item, Login):
            return self._server_lines(item, self.state.other_logins.get(item.name), width)
        return self._setting_lines(item, width)

    def keys(self) -> tuple[Hint, ...]:
        """Return the keys of the page."""
        label = "Switch" if isinstance(self.current, Login) else "Change"
        if self._action is not None:
            label = "Change.." if self.cursor == HOURS_ID else "End.."
        return (hint("Space", label, "space", is_off=bool(self._blocker())),)

    def help(self) -> Rows:
        """Return the help of the page."""
        return help_rows(
            (
                "Space",
                (
                    "the next value (the theme changes now, the rest at the next start); or "
                    "switch to that server"
                ),
            ),
            ("Space", "under notifications: set quiet hours, end a mute or a snooze"),
        )

    def action_change(self) -> None:
        """Save the next value, or switch to the server."""
        setting, action = self.current, self._action
        if reason := self._blocker():
            self.show_message(fmt("Change unavailable: {}", reason))
        elif action is not None:
            self.do_action(action)
        elif isinstance(setting, Login):
            self.post_message(LoginChosen(setting.name))
        elif setting is not None:
            index = setting.choices.index(setting.value) if setting.value in setting.choices else -1
            self._save(setting, setting.choices[(index + 1) % len(setting.choices)])

    def _save(self, setting: Setting, value: str) -> None:
        """Save a value. Needs no thread, because the file is local and small."""
        try:
            self.context.environment.settings_store.save(setting.name, value)
        except (BadSetting, OSError) as error:
            self.show_message(fmt("Not saved: {}", display_safe(str(error), max_len=200)))
            return
        if setting.name == THEME_SETTING:
            self.app.theme = value
        self.set_data(self.fetch())
        when = SafeText("") if setting.name == THEME_SETTING else fmt(" (from the next start)")
        label = SafeText(setting.name.replace("_", " ").capitalize())
        self.show_message(fmt("{}: {}{}", label, display_safe(value), when))

    @property
    def _notifications(self) -> NotificationSection:
        request_actions = self.page_context.request_actions
        return NotificationSection(request_actions, self.state.prefs, self.state.inbox)

    @property
    def _action(self) -> ConfirmAction | QuickAction | None:
        """The action of Space on a notification setting, if the cursor is on one."""
        return None if self.cursor is None else self._notifications.action(self.cursor)

    def _notification_lines(self, entry_id: str, width: int) -> list[Line]:
        return self._notifications.lines(entry_id, self.context.view(width)) or []

    def _blocker(self) -> SafeText:
        current = self.current
        if self._action is not None:
            return self.change_blocker()
        if current is None:
            return fmt("nothing is selected.")
        if isinstance(current, Login):
            return fmt("you are using this server.") if current.is_current else SafeText("")
        if current.is_fixed:
            return fmt("an environment variable overrides the file.")
        if not current.choices:
            command = SafeText(f"sayso-approver config set {current.name} VALUE")
            return fmt("run: {}", command)
        return SafeText("")

    def _server_entry(self, login: Login) -> Entry:
        """Return the entry of a server, with its number of waiting requests if known."""
        if login is _NEW_LOGIN:
            words = fmt("sign in to another server")
            return Entry(_entry_id(login), fmt("add a server.."), words, SafeText(""))
        login_count = self.state.other_logins.get(login.name)
        status = fmt("here") if login.is_current else SafeText("")
        if login_count is not None:
            status = fmt("{} waiting", login_count.count)
        issuer = display_safe(login.issuer, max_len=200)
        return Entry(_entry_id(login), SafeText(login.name), issuer, status)

    def _count_text(self, login_count: OtherLoginCount | None) -> SafeText:
        return (
            SafeText("") if login_count is None else count_with_age(login_count, self.context.now())
        )

    def _server_lines(
        self, login: Login, login_count: OtherLoginCount | None, width: int
    ) -> list[Line]:
        view = self.context.view(width)
        if login is _NEW_LOGIN:
            words = fmt("Sign in to another server. You stay signed in to this one.")
            return [*wrap_text(fmt("Add a server"), width, Role.STRONG), *wrap_text(words, width)]
        command = fmt("sayso-approver --profile {}", SafeText(login.name))
        return [
            *wrap_text(SafeText(login.name), width, Role.STRONG),
            BLANK,
            *view.row("Server", display_safe(login.issuer, max_len=400)),
            *view.row("User", display_safe(login.user)),
            *view.row("Device", display_safe(login.device)),
            *(
                self._session_rows(view)
                if login.is_current
                else view.row("Waiting", self._count_text(login_count) or fmt("unknown"))
            ),
            BLANK,
            *wrap_text(command, width, Role.DIM),
        ]

    def _session_rows(self, view: RenderContext) -> list[Line]:
        """Say when this device signed in, and whether the next approval needs the PIN."""
        device = self.state.device
        if device is None:
            return []
        since = view.clock(device.created_at)
        lock_text = fmt("unlocked; {} in the inbox locks it", view.keys.key("lock"))
        if not self.context.answers.is_unlocked:
            lock_text = fmt("locked: the next approval requires your PIN")
        return [*view.row("Signed in", fmt("since {}", since)), *view.row("Answers", lock_text)]

    def _setting_lines(self, setting: Setting, width: int) -> list[Line]:
        view = self.context.view(width)
        name = SafeText(setting.name)
        return [
            *wrap_text(name, width, Role.STRONG),
            *wrap_text(
                SafeText(setting.description[:1].upper() + setting.description[1:] + "."), width
            ),
            BLANK,
            *view.row("Value", display_safe(setting.value)),
            *view.row("Source", display_safe(setting.source, max_len=400)),
            *view.row("Values", SafeText(setting.form)),
            BLANK,
            *wrap_text(fmt("sayso-approver config set {} VALUE", name), width, Role.DIM),
        ]


def _entry_id(setting: Setting | Login) -> str:
    """Return a unique ID; the prefix is needed as a login and a setting may share a name."""
    return f"login:{setting.name}" if isinstance(setting, Login) else setting.name


def _setting_entry(setting: Setting) -> Entry:
    name = SafeText(setting.name.removeprefix(_KEY_PREFIX).replace("_", " "))
    return Entry(
        setting.name, name, SafeText(setting.description), display_safe(setting.value, max_len=20)
    )
