"""Builds the screen context from the client, the feed and the settings.

Owns: which parts the screens get. Never: defining screens.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from approver_tui import settings
from approver_tui.attention.alert_schedule import AlertSchedule
from approver_tui.attention.notifier import Notifier
from approver_tui.client.api import open_client
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.approvals.unsent_denials import UnsentDenials
from approver_tui.client.audit.log_witness import LogWitness
from approver_tui.client.errors import BrokenProfile
from approver_tui.client.notifications import preferences
from approver_tui.client.notifications.feed import Feed
from approver_tui.client.notifications.other_logins import OtherLogins
from approver_tui.client.operations import config_file
from approver_tui.client.operations.server_folder import readable_server_folder
from approver_tui.client.sign_in import profile
from approver_tui.client.sign_in.profile import Home
from approver_tui.client.standing_grants import standing_grants
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.context import Environment, ScreenContext
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.operations.settings_store import Login, Setting
from approver_tui.state.text import display_safe
from approver_tui.widgets.lines import fmt


@dataclass(frozen=True, slots=True)
class FileSettingsStore:
    """The user's settings file and the logins next to it."""

    home: Home

    def logins(self) -> tuple[Login, ...]:
        """Return the logins that can be read."""
        return tuple(filter(None, map(self._login, self.home.names)))

    def _login(self, name: str) -> Login | None:
        try:
            login = profile.load(self.home.with_profile(name))
        except BrokenProfile:
            return None
        if login is None:
            return None
        is_current = name == self.home.name
        return Login(name, login.issuer, login.user_name, login.device_name, is_current)

    def settings(self) -> tuple[Setting, ...]:
        """Return all settings. Raises BadSetting."""
        chosen = settings.load()
        return tuple(
            Setting(
                name=name,
                value=value.text,
                source=value.source,
                description=(option := settings.OPTIONS[name]).description,
                form=option.form,
                choices=self.home.names if name == settings.PROFILE else option.choices,
                is_fixed=value.source.startswith(settings.PREFIX),
            )
            for name, value in chosen.values.items()
        )

    def save(self, name: str, value: str) -> None:
        """Save a value. Raises BadSetting."""
        settings.check_value(name, value, "settings")
        config_file.write(settings.settings_file(), {name: value})


def load_inbox(
    home: Home,
    environment: Environment,
    *,
    guard: InputGuard,
    closing: ExitStack,
    write_sequence: Callable[[str], None],
) -> Callable[[], InboxScreen]:
    """Open the client of a login; return a function that creates its inbox. Raises ClientError."""
    client = open_client(home, clock=settings.wall_clock)
    closing.callback(client.close)
    others = OtherLogins(home, clock=settings.wall_clock)
    closing.callback(others.close)
    context = ScreenContext(
        server=client,
        answers=DecisionClient(client),
        prefs_client=preferences.NotificationPrefsClient(client),
        grants_client=standing_grants.StandingGrantsClient(client),
        feed=Feed(client),
        unsent_denials=UnsentDenials(home),
        log_witness=LogWitness(client.session, home),
        guard=guard,
        now=client.now,
        ticks=time.monotonic,
        environment=environment,
        notifier=Notifier(
            AlertSchedule(environment.preferences, time.monotonic),
            environment.terminal_environment,
            write_sequence,
        ),
        others=others,
    )
    return partial(InboxScreen, context)


def app_environment(home: Home, chosen: settings.Settings, approval_id: str | None) -> Environment:
    """Return the environment of the app for an existing login."""
    issuer = profile.load_required(home).issuer
    has_others = len(home.names) > 1
    name = display_safe(home.name)
    is_only = home.names == (profile.DEFAULT,)
    return Environment(
        is_server_folder_readable=readable_server_folder(issuer, chosen.server_folder) is not None,
        initial_request=approval_id,
        preferences=chosen.preferences,
        terminal_environment=chosen.terminal_environment,
        settings_store=FileSettingsStore(home),
        issuer=issuer,
        login=name if has_others else display_safe(""),
        zone_name=settings.local_zone(),
        program=fmt("sayso-approver") if is_only else fmt("sayso-approver --profile {}", name),
        editor=settings.editor(),
        theme=chosen.theme,
        keymap=chosen.keymap,
        filters=dict(chosen.filters),
    )
