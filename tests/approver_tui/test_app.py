"""How the app starts, switches between servers and ends."""

import threading
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from approver_tui import app, wiring
from approver_tui.app import OpeningScreen
from approver_tui.client.errors import LoginFirst, StorageFailed
from approver_tui.client.sign_in.profile import Home
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.context import Environment
from approver_tui.screens.guard import InputGuard
from tests.support.clients.driving import NARROW, WIDE, inbox, until, until_shown
from tests.support.fakes.fake_app import NoSettingsStore, make_stage
from tests.support.fakes.fake_approvals import three_approvals

HOME = Home.in_folder(Path("/nowhere"))


def test_the_client_is_closed_with_the_app(monkeypatch):
    """The client stays open until the app's exit stack is closed."""
    closed = []
    client = SimpleNamespace(now=lambda: 0, close=lambda: closed.append(True), session=None)
    monkeypatch.setattr(wiring, "open_client", lambda *_, **__: client)
    monkeypatch.setattr(wiring, "Feed", lambda _client: None)
    monkeypatch.setattr(wiring, "DecisionClient", lambda _client: None)
    monkeypatch.setattr(wiring, "LogWitness", lambda *_: None)
    with ExitStack() as closing:
        guard = InputGuard(lambda: 0.0)
        wiring.load_inbox(
            HOME, Environment(NoSettingsStore()), guard=guard, closing=closing, write_sequence=print
        )
        assert not closed
    assert closed


@pytest.mark.parametrize(
    ("environment", "level"),
    [({}, "full"), ({"SSH_TTY": "/dev/pts/3"}, "none"), ({"SSH_CONNECTION": "x"}, "none")],
)
def test_animations_are_off_over_ssh(environment, level, monkeypatch, tmp_path):
    """Animations are off over SSH, because each step is a frame sent over a slow connection."""
    levels = []
    for name in ("SSH_TTY", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SAYSO_APPROVER_HOME", str(tmp_path))
    monkeypatch.setattr(app, "load_required", lambda home: home)
    monkeypatch.setattr(
        app.ApproverApp, "run", lambda running: levels.append(running.animation_level)
    )
    app.run(HOME)
    assert levels == [level]


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_the_first_frame_appears_before_the_app_is_loaded(size):
    """The opening screen is shown first, and keys do nothing until the inbox is there."""
    stage, may_load = make_stage(three_approvals()), threading.Event()
    load_app = stage.app._load_app
    stage.app._load_app = lambda ring: may_load.wait() and load_app(ring)
    async with stage.app.run_test(size=size) as pilot:
        await until_shown(pilot, stage, "Sayso")
        assert isinstance(stage.app.screen, OpeningScreen)
        await until_shown(pilot, stage, "CONNECTING")
        await until_shown(pilot, stage, "Loading…")
        stage.clock.move(1)
        await pilot.press("2", "a", "enter")
        stage.app.action_go(2)
        may_load.set()
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until(pilot, lambda: inbox(stage).state.is_loaded)
        assert not any(isinstance(screen, OpeningScreen) for screen in stage.app.screen_stack)
        assert not stage.answers.calls


async def test_the_first_frame_can_be_quit():
    """The user can quit while the app still waits, for example for the keyring."""
    stage, never = make_stage(three_approvals()), threading.Event()
    stage.app._load_app = lambda _ring: never.wait()
    async with stage.app.run_test() as pilot:
        await until(pilot, lambda: isinstance(stage.app.screen, OpeningScreen))
        stage.clock.move(1)
        await pilot.press("q")
        await until(pilot, lambda: not stage.app.is_running)
    never.set()
    assert stage.app.fatal_error is None


async def test_keys_typed_during_the_start_are_dropped():
    """Keys typed before the app was visible were not meant for it, so they have no effect."""
    stage, never = make_stage(three_approvals()), threading.Event()
    stage.app._load_app = lambda _ring: never.wait()
    async with stage.app.run_test() as pilot:
        await until(pilot, lambda: isinstance(stage.app.screen, OpeningScreen))
        await pilot.press("q")
        await pilot.pause()
        assert stage.app.is_running
    never.set()


async def test_an_error_while_loading_ends_the_app():
    """The app ends with the error, which is then reported as a command would report it."""
    stage, error = make_stage(), StorageFailed("The keyring is locked.")

    def load_app(_ring):
        raise error

    stage.app._load_app = load_app
    async with stage.app.run_test() as pilot:
        await until(pilot, lambda: not stage.app.is_running)
    assert stage.app.fatal_error is error


def test_a_missing_login_opens_the_sign_in_screen(monkeypatch, tmp_path):
    """If the session key is gone, the user signs in and the app opens again."""
    monkeypatch.setenv("SAYSO_APPROVER_HOME", str(tmp_path))
    monkeypatch.setattr(app, "keep_memory_private", lambda: None)
    monkeypatch.setattr(app, "load_required", lambda _home: None)
    errors, reasons = [LoginFirst("The session key of this device is missing."), None], []

    def run(self):
        self.fatal_error = errors.pop(0)

    monkeypatch.setattr(app.ApproverApp, "run", run)
    monkeypatch.setattr(
        app, "_sign_in", lambda home, reason, _theme: reasons.append(reason) or home
    )
    app.run(HOME)
    assert errors == []
    assert "session key of this device is missing" in reasons[0]


@pytest.fixture
def visits(monkeypatch):
    """Record the logins that the app opens; each visit ends with the next target of a list."""
    visited, next_logins = [], ["work", "", "default"]
    monkeypatch.setattr(app, "keep_memory_private", lambda: None)

    def visit(home, approval_id=None):
        visited.append((home.name, approval_id))
        return next_logins.pop(0) if next_logins else None

    monkeypatch.setattr(app, "_run_server", visit)
    return visited


@pytest.mark.parametrize("signed_in", ["example", None])
def test_the_app_switches_between_servers_until_it_quits(visits, monkeypatch, signed_in):
    """The user goes to a second login, signs in to a new server or cancels, and goes back."""
    new_login = None if signed_in is None else HOME.with_profile(signed_in)
    monkeypatch.setattr(app, "_sign_in", lambda *_, **__: new_login)
    app.run(HOME, "one")
    third = signed_in or "work"
    assert visits == [("default", "one"), ("work", None), (third, None), ("default", None)]
