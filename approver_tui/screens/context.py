"""The context of every screen: the clients, the clocks, the input guard and the environment.

Owns: `ScreenContext` and `Environment`. Never: building them, which `wiring.py` does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo

from approver_tui.attention.notifier import Notifier
from approver_tui.attention.preferences import DEFAULTS, AlertPreferences
from approver_tui.attention.terminal_environment import UNKNOWN_TERMINAL, TerminalEnvironment
from approver_tui.client.api import Client
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.approvals.unsent_denials import UnsentDenials
from approver_tui.client.audit.log_witness import LogWitness
from approver_tui.client.notifications.feed import Feed
from approver_tui.client.notifications.other_logins import OtherLogins
from approver_tui.client.notifications.preferences import NotificationPrefsClient
from approver_tui.client.standing_grants.standing_grants import StandingGrantsClient
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.operations.settings_store import SettingsStore
from approver_tui.state.keymap import DEFAULT_KEYMAP, Keymap
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.lines import fmt


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment in which the app runs."""

    settings_store: SettingsStore
    """The store in which settings are saved."""
    zone: tzinfo | None = None
    """The time zone in which times are shown; None means this machine's."""
    is_server_folder_readable: bool = False
    """Whether this program could read the data folder of the server."""
    initial_request: str | None = None
    """The ID of the request to show first; if None or not listed, a different one is shown."""
    preferences: AlertPreferences = DEFAULTS
    """The user's alert preferences."""
    terminal_environment: TerminalEnvironment = UNKNOWN_TERMINAL
    """What is known about the terminal and the desktop."""
    issuer: str = "https://sayso.invalid"
    """The server's address, as in the login; the addresses of its pages start with it."""
    login: SafeText = SafeText("")  # noqa: RUF009  # SafeText is immutable
    """The name of this login if there are several; empty otherwise."""
    zone_name: str | None = None
    """The name of this machine's time zone; None if unknown."""
    program: SafeText = SafeText("sayso-approver")  # noqa: RUF009  # SafeText is immutable
    """The program's name in suggested commands, with `--profile` unless this is the only login."""
    editor: str = ""
    """The command that starts the user's editor; empty if there is none."""
    theme: str = "sayso"
    keymap: Keymap = DEFAULT_KEYMAP
    filters: dict[str, str] = field(default_factory=dict)
    """The saved filters by name."""


@dataclass(frozen=True, slots=True)
class ScreenContext:
    """The clients, clocks and services that a screen uses."""

    server: Client
    answers: DecisionClient
    prefs_client: NotificationPrefsClient
    grants_client: StandingGrantsClient
    feed: Feed
    guard: InputGuard
    now: Callable[[], int]
    """The server's time in milliseconds since the epoch."""
    ticks: Callable[[], float]
    """A monotonic clock in seconds, for delays."""
    environment: Environment
    notifier: Notifier
    """Alerts the user while they look elsewhere."""
    unsent_denials: UnsentDenials
    """The store of denials that were not sent, which the next start reports."""
    log_witness: LogWitness
    """Watches the audit log of the server."""
    others: OtherLogins
    """Counts the waiting requests at other servers."""

    def user_label(self, user: SafeText) -> SafeText:
        """Return the user with the login if there are several: `alice@work`."""
        login = self.environment.login
        return fmt("{}@{}", user, login) if user and login else user

    def view(self, width: int) -> RenderContext:
        """Return the render context for a width."""
        return RenderContext(self.now(), self.zone, width, self.keys, self.environment.program)

    @property
    def keys(self) -> Keymap:
        """The key bindings."""
        return self.environment.keymap

    @property
    def zone(self) -> tzinfo | None:
        """The user's time zone; None means this machine's."""
        return self.environment.zone
