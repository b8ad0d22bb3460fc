"""The terminal app over fakes, ready to be run or drawn."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from types import MappingProxyType
from typing import Any

from approver_tui.app import ApproverApp, SequenceWriter
from approver_tui.attention.alert_schedule import AlertSchedule
from approver_tui.attention.notifier import Notifier
from approver_tui.client.errors import BadSetting
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.context import Environment, ScreenContext
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.operations.settings_store import Login, Setting
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.devices.devices import Device
from approver_tui.state.notifications.events import EventName
from approver_tui.state.text import SafeText
from tests.support.fakes.fake_account import a_device
from tests.support.fakes.fake_answers import FakeAnswers, FakeUnsentDenials
from tests.support.fakes.fake_client import FakeServer
from tests.support.fakes.fake_clock import FakeClock
from tests.support.fakes.fake_feed import FakeFeed
from tests.support.fakes.fake_grants import FakeGrantsClient
from tests.support.fakes.fake_prefs import FakePrefsClient


@dataclass
class FakeLogWitness:
    """A witness whose alarm a test sets."""

    alarm: SafeText = SafeText("")  # noqa: RUF009  # strings are immutable

    def check(self) -> SafeText:
        """Return the alarm."""
        return self.alarm


class NoSettingsStore:
    """An empty store, which cannot save settings."""

    def logins(self) -> tuple[Login, ...]:
        """Return no logins."""
        return ()

    def settings(self) -> tuple[Setting, ...]:
        """Return no settings."""
        return ()

    def save(self, name: str, value: str) -> None:
        """Refuse to save."""
        raise BadSetting(f"{name} = {value} cannot be saved: there is no settings file.")


class NoOtherLogins:
    """A machine without other logins."""

    def counts(self) -> Mapping[str, int | None]:
        """Return no counts."""
        return {}


@dataclass
class Stage:
    """The app and all its fakes."""

    clock: FakeClock
    server: FakeServer
    answers: FakeAnswers
    feed: FakeFeed
    prefs_client: FakePrefsClient
    grants_client: FakeGrantsClient
    app: ApproverApp
    unsent_denials: FakeUnsentDenials = field(default_factory=FakeUnsentDenials)
    log_witness: FakeLogWitness = field(default_factory=FakeLogWitness)

    def request(self, approval: Approval) -> None:
        """Let an agent make this request, and report it on the feed."""
        self.server.put(approval)
        self.feed.tell(EventName.REQUESTED, approval)


def make_stage(
    approvals: Iterable[Approval] = (),
    *,
    device: Device | None = None,
    is_server_folder_readable: bool = False,
    environment: Mapping[str, Any] = MappingProxyType({}),
    others: Any = None,
) -> Stage:
    """Return an app over fakes, in UTC, at NOW; `environment` sets members of its `Environment`."""
    clock = FakeClock()
    server = FakeServer(clock, device=device or a_device())
    server.put(*approvals)
    answers, feed = FakeAnswers(server), FakeFeed(clock)
    prefs_client, unsent_denials = FakePrefsClient(clock, server), FakeUnsentDenials()
    defaults = {
        "settings_store": NoSettingsStore(),
        "zone": UTC,
        "is_server_folder_readable": is_server_folder_readable,
    }
    app_environment = Environment(**{**defaults, **environment})
    grants_client, guard = FakeGrantsClient(server), InputGuard(clock.ticks)

    fakes: dict[str, Any] = {
        "server": server,
        "answers": answers,
        "prefs_client": prefs_client,
        "grants_client": grants_client,
        "feed": feed,
        "unsent_denials": unsent_denials,
        "log_witness": (log_witness := FakeLogWitness()),
        "others": others or NoOtherLogins(),
    }

    def load_app(ring: SequenceWriter) -> Callable[[], InboxScreen]:
        context = ScreenContext(
            **fakes,
            guard=guard,
            now=clock.now,
            ticks=clock.ticks,
            environment=app_environment,
            notifier=Notifier(
                AlertSchedule(app_environment.preferences, clock.ticks),
                app_environment.terminal_environment,
                ring,
            ),
        )
        return partial(InboxScreen, context)

    theme, keymap = app_environment.theme, app_environment.keymap
    app = ApproverApp(load_app, guard=guard, theme=theme, keymap=keymap)
    return Stage(
        *(clock, server, answers, feed, prefs_client, grants_client),
        *(app, unsent_denials, log_witness),
    )
