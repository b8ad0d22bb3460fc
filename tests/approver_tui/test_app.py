"""The app around its screens."""

import threading
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from approver_tui import app, wiring
from approver_tui.app import OpeningScreen
from approver_tui.client.errors import LoginFirst, NotKept
from approver_tui.client.sign_in.profile import Home
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.context import DEFAULT_ENVIRONMENT
from approver_tui.screens.guard import InputGuard
from tests.support.clients.driving import NARROW, WIDE, inbox, shown, until
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import three

HOME = Home.at(Path("/nowhere"))


def test_the_client_is_closed_with_the_app(monkeypatch):
    """The function that opened the app closes its client."""
    closed = []
    client = SimpleNamespace(now=lambda: 0, close=lambda: closed.append(True), session=None)
    monkeypatch.setattr(wiring, "open_client", lambda *_, **__: client)
    monkeypatch.setattr(wiring, "Feed", lambda _client: None)
    monkeypatch.setattr(wiring, "DecisionClient", lambda _client: None)
    monkeypatch.setattr(wiring, "LogWitness", lambda *_: None)
    with ExitStack() as closing:
        guard = InputGuard(lambda: 0.0)
        wiring.load_inbox(
            HOME, DEFAULT_ENVIRONMENT, guard=guard, closing=closing, write_sequence=print
        )
        assert not closed
    assert closed


@pytest.mark.parametrize(
    ("environment", "level"),
    [({}, "full"), ({"SSH_TTY": "/dev/pts/3"}, "none"), ({"SSH_CONNECTION": "x"}, "none")],
)
def test_animations_are_off_over_ssh(environment, level, monkeypatch, tmp_path):
    """Each degree would be a picture more on a slow line."""
    levels = []
    for name in ("SSH_TTY", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SAYSO_APPROVER_HOME", str(tmp_path))
    monkeypatch.setattr(app, "load_required", lambda home: home)
    monkeypatch.setattr(app.ApproverApp, "run", lambda one: levels.append(one.animation_level))
    app.run(HOME)
    assert levels == [level]


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_the_first_frame_appears_before_the_app_is_loaded(size):
    """The inbox follows; keys do nothing until then."""
    stage, may_load = a_stage(three()), threading.Event()
    load_app = stage.app._load_app
    stage.app._load_app = lambda ring: may_load.wait() and load_app(ring)
    async with stage.app.run_test(size=size) as pilot:
        await until(pilot, lambda: "Sayso" in shown(stage))
        assert isinstance(stage.app.screen, OpeningScreen)
        await until(pilot, lambda: "CONNECTING" in shown(stage))
        await until(pilot, lambda: "Loading .." in shown(stage))
        stage.clock.move(1)
        await pilot.press("2", "a", "enter")
        stage.app.action_go(2)
        may_load.set()
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))
        await until(pilot, lambda: inbox(stage).state.is_loaded)
        assert not any(isinstance(each, OpeningScreen) for each in stage.app.screen_stack)
        assert not stage.answers.given


async def test_the_first_frame_can_be_quit():
    """A keyring prompt must not block that."""
    stage, never = a_stage(three()), threading.Event()
    stage.app._load_app = lambda _ring: never.wait()
    async with stage.app.run_test() as pilot:
        await until(pilot, lambda: isinstance(stage.app.screen, OpeningScreen))
        stage.clock.move(1)
        await pilot.press("q")
        await until(pilot, lambda: not stage.app.is_running)
    never.set()
    assert stage.app.fatal_error is None


async def test_keys_typed_during_the_start_are_dropped():
    """Whoever types on while a program starts did not mean it."""
    stage, never = a_stage(three()), threading.Event()
    stage.app._load_app = lambda _ring: never.wait()
    async with stage.app.run_test() as pilot:
        await until(pilot, lambda: isinstance(stage.app.screen, OpeningScreen))
        await pilot.press("q")
        await pilot.pause()
        assert stage.app.is_running
    never.set()


async def test_an_error_while_loading_ends_the_app():
    """The error is the one that a command would have."""
    stage, error = a_stage(), NotKept("The keyring is locked.")

    def load_app(_ring):
        raise error

    stage.app._load_app = load_app
    async with stage.app.run_test() as pilot:
        await until(pilot, lambda: not stage.app.is_running)
    assert stage.app.fatal_error is error


def test_a_missing_login_is_asked_for(monkeypatch, tmp_path):
    """Then the app opens."""
    monkeypatch.setenv("SAYSO_APPROVER_HOME", str(tmp_path))
    monkeypatch.setattr(app, "keep_memory_private", lambda: None)
    monkeypatch.setattr(app, "load_required", lambda _home: None)
    ended, asked = [LoginFirst("The session key of this machine is gone."), None], []

    def run(self):
        self.fatal_error = ended.pop(0)

    monkeypatch.setattr(app.ApproverApp, "run", run)
    monkeypatch.setattr(app, "_sign_in", lambda home, why, _theme: asked.append(why) or home)
    app.run(HOME)
    assert ended == []
    assert "session key of this machine is gone" in asked[0]


@pytest.fixture
def visits(monkeypatch):
    """Which logins the app showed; each is left for the next of a list, then for good."""
    shown, ways = [], ["work", "", "default"]
    monkeypatch.setattr(app, "keep_memory_private", lambda: None)

    def visit(home, approval_id=None):
        shown.append((home.name, approval_id))
        return ways.pop(0) if ways else None

    monkeypatch.setattr(app, "_run_server", visit)
    return shown


@pytest.mark.parametrize("signed_in", ["example", None])
def test_the_app_switches_between_servers_until_it_quits(visits, monkeypatch, signed_in):
    """It goes to an existing login, to a new one, or back if nobody signed in."""
    made = None if signed_in is None else HOME.named(signed_in)
    monkeypatch.setattr(app, "_sign_in", lambda *_, **__: made)
    app.run(HOME, "one")
    third = signed_in or "work"
    assert visits == [("default", "one"), ("work", None), (third, None), ("default", None)]
