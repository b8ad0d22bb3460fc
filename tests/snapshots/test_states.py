"""Rare states: offline, ended, empty, and with hostile text."""

import threading
from dataclasses import replace

import pytest

from approver_tui.app import ApproverApp
from approver_tui.client.devices.enrolling import DeviceAuthorization
from approver_tui.client.errors import BadServer, Unreachable
from approver_tui.client.sign_in.profile import Home
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.operations.settings_store import Login
from approver_tui.screens.sign_in.sign_in import DeviceAuthorizationPanel
from approver_tui.signing_in import SignInApp
from approver_tui.state.keymap import Keymap
from approver_tui.state.text import display_safe
from approver_tui.wiring import FileSettingsStore
from tests.approver_tui.test_signing_in import DEVICE_AUTHORIZATION, FakeLoginService, _fill, _press
from tests.support.clients.driving import (
    disconnect,
    inbox,
    on_page,
    pass_time,
    press,
    settle,
    until,
    wait_for_page,
)
from tests.support.fakes.fake_account import a_consent, a_device, a_token
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_clock import NOW, FakeClock
from tests.support.fakes.fake_requests import MINUTE, PRICES

EVIL = "inv\u202eoice-bot[b]\x1b[2J [@click=app.quit]here[/]" + "x" * 90
LATE = 6 * MINUTE / 1000
_OVERLAYS = pytest.mark.parametrize(
    "keys", [("question_mark",), ("colon", *"de")], ids=["help", "palette"]
)


class _HostileSettings(FileSettingsStore):
    """Settings and logins with hostile text in every value."""

    def logins(self):
        return (
            Login("default", f"https://{EVIL}", EVIL, EVIL, is_current=True),
            Login("work", f"https://{EVIL}", EVIL, EVIL, is_current=False),
        )

    def settings(self):
        return tuple(replace(setting, value=EVIL, source=EVIL) for setting in super().settings())


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Store the settings of this test in its own folder, and give the machine a name."""
    monkeypatch.setenv("SAYSO_APPROVER_HOME", str(tmp_path))
    monkeypatch.setattr("approver_tui.signing_in.default_device_name", lambda: "laptop")
    return tmp_path


@pytest.fixture
def sign_in(differing_sizes):
    """Compare the sign-in screen after some steps with the pictures in the repository."""

    def compare(service, then, why="You are not logged in on this machine."):
        clock = FakeClock()
        app = SignInApp(service, message_text=why, theme="sayso", ticks=clock.ticks)

        async def steps(pilot):
            await _press(pilot, clock)
            await then(pilot, clock, app)
            await pilot.pause()

        return differing_sizes(app, steps)

    return compare


def _settings_environment(home, kind=FileSettingsStore):
    return {"settings_store": kind(Home.in_folder(home))}


async def _late(pilot, stage):
    pass_time(stage, LATE)
    await settle(pilot, stage, turns=400)


def test_opening(differing_sizes):
    """The app shows a loading screen until it is loaded."""
    finish = threading.Event()

    def load_app(_ring):
        finish.wait(30)
        raise Unreachable("The server does not answer.")

    app = ApproverApp(load_app, guard=InputGuard(FakeClock().ticks), theme="sayso", keymap=Keymap())
    try:
        assert differing_sizes(app) == []
    finally:
        finish.set()


def test_settings_offline(picture, home):
    """Settings are stored on this machine, so they can be changed without a connection."""

    async def go_offline(pilot, stage):
        await wait_for_page(pilot, stage)
        await disconnect(pilot, stage, "the server does not answer")
        await press(pilot, stage, "j")

    assert picture(
        make_stage([an_approval("pay")], environment=_settings_environment(home)),
        "6",
        then=go_offline,
    )


def test_settings_hostile_text(picture, home):
    """Hostile names of servers, users and devices, and hostile values, have no effect."""
    assert picture(
        make_stage(environment=_settings_environment(home, _HostileSettings)),
        "6",
        then=on_page("enter"),
    )


def test_palette_empty(picture):
    """The palette says that no command matches."""
    assert picture(make_stage([an_approval("pay")]), "colon", *"xyz")


@_OVERLAYS
def test_offline_over_the_inbox(picture, keys):
    """The help says why Approve is unavailable; help and palette work offline."""

    async def go_offline(pilot, stage):
        await disconnect(pilot, stage, "the server does not answer")
        await press(pilot, stage, *keys)
        inbox(stage).tick()

    assert picture(make_stage([an_approval("pay")]), then=go_offline)


@_OVERLAYS
def test_expired_over_the_inbox(picture, keys):
    """The help shows the outcome, which is why Approve is unavailable."""

    async def let_expire(pilot, stage):
        await _late(pilot, stage)
        await press(pilot, stage, *keys)
        inbox(stage).tick()

    assert picture(make_stage([an_approval("pay")]), then=let_expire)


@_OVERLAYS
def test_hostile_text_over_the_inbox(picture, keys):
    """An agent's name has no effect in the help, the palette, or behind them."""

    async def let_expire(pilot, stage):
        await _late(pilot, stage)
        await press(pilot, stage, *keys)
        inbox(stage).tick()

    terms = {"agent": EVIL[:120], "headline": f"Pay {EVIL}", "says": EVIL}
    assert picture(make_stage([an_approval("evil", **terms)]), then=let_expire)


def test_help_approve_available(picture):
    """The help says that Approve is available."""
    assert picture(make_stage([an_approval("pay")]), "question_mark")


def test_help_high_risk(picture):
    """On a new device, the help says when it can approve high-risk requests."""
    new = a_device(high_from=NOW + 60 * MINUTE)
    assert picture(make_stage([an_approval("pay")], device=new), "question_mark")


def test_grant_panel_offline(picture):
    """Without a connection, the panel says why Continue is unavailable."""

    async def go_offline(pilot, stage):
        await disconnect(pilot, stage, "the server does not answer")

    assert picture(make_stage([an_approval("pay")]), "s", then=go_offline)


def test_grant_panel_past_request(picture):
    """An expired request can be the example for a standing grant."""

    async def let_expire(pilot, stage):
        await _late(pilot, stage)
        await press(pilot, stage, "s")

    assert picture(
        make_stage([an_approval("prices", PRICES, expires_in=4 * MINUTE)]), then=let_expire
    )


def test_offline_before_ending(picture):
    """Without a connection the confirmation stays open and says why its button is unavailable."""

    async def go_offline(pilot, stage):
        await wait_for_page(pilot, stage)
        await press(pilot, stage, "z")
        await disconnect(pilot, stage, "the server does not answer")
        stage.app.screen.draw()

    stage = make_stage()
    stage.server.given = [a_consent()]
    assert picture(stage, "4", then=go_offline)


def test_hostile_text_before_ending(picture):
    """Hostile names and scopes have no effect and do not move the buttons."""
    evil, stage = display_safe(EVIL), make_stage()
    stage.server.given = [a_consent(client_name=evil, resource=evil, scopes=(evil,))]
    assert picture(stage, "4", then=on_page("z"))


def test_history_expired(picture):
    """The history says that nobody answered and that this is not a denial."""
    stage = make_stage()
    stage.server.put(an_approval("lapsed", expires_in=-60 * MINUTE))
    assert picture(stage, "2", then=on_page("enter"))


def test_agent_whose_request_expired(picture):
    """The agent's latest requests include the expired one and when it expired."""
    stage = make_stage()
    stage.server.put(an_approval("lapsed", expires_in=-60 * MINUTE))
    stage.server.given, stage.server.tokens = [a_consent()], [a_token(last_used_at=None)]
    assert picture(stage, "3", then=on_page("enter"), again=("end",))


@pytest.mark.parametrize(
    "error",
    [
        BadServer("This code is used or over. Ask for a new one: sayso users enroll NAME."),
        Unreachable("The server does not answer at http://localhost:8470."),
        BadServer(EVIL),
    ],
    ids=["expired", "offline", "hostile"],
)
def test_sign_in_refused(sign_in, error):
    """The screen shows an expired code, a missing answer, or a hostile error message."""

    async def wait_for_refusal(pilot, clock, app):
        await _fill(pilot, clock, code="7Q4N")
        await _press(pilot, clock, "enter")
        await until(pilot, lambda: bool(app.screen._problem))

    why = EVIL if error.args == (EVIL,) else "You are not logged in on this machine."
    assert sign_in(FakeLoginService(failures=[error]), wait_for_refusal, why) == []


@pytest.mark.parametrize(
    "authorization",
    [
        replace(DEVICE_AUTHORIZATION, until=NOW - 1000),
        DeviceAuthorization(
            display_safe(EVIL), display_safe(f"https://{EVIL}"), EVIL, NOW + 880_000
        ),
    ],
    ids=["expired", "hostile"],
)
def test_device_authorization(sign_in, authorization):
    """The panel shows an expired authorization or one with hostile text."""

    async def wait_for_authorization(pilot, _clock, app):
        app.push_screen(DeviceAuthorizationPanel(authorization, lambda: NOW))
        await until(
            pilot, lambda: isinstance(app.screen, DeviceAuthorizationPanel) and app.screen.is_ready
        )

    assert sign_in(FakeLoginService(), wait_for_authorization) == []
