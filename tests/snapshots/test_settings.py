"""Settings, palette, filter, and sign-in, at both sizes."""

from dataclasses import replace

import pytest

from approver_tui import settings
from approver_tui.app import INTRODUCTION
from approver_tui.client.errors import BadServer
from approver_tui.client.sign_in import profile
from approver_tui.client.sign_in.profile import Home
from approver_tui.screens.sign_in.sign_in import DeviceAuthorizationPanel
from approver_tui.signing_in import SignInApp
from approver_tui.state.text import SafeText
from approver_tui.wiring import FileSettingsStore
from tests.approver_tui.client.sign_in.test_profile import MINE
from tests.approver_tui.test_signing_in import FakeLoginService, _fill, _press
from tests.support.clients.driving import on_page, press, until, until_shown, wait_for_page
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import three_approvals
from tests.support.fakes.fake_clock import FakeClock
from tests.support.fakes.fake_feed import FakeOthers


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """Store the settings of this test in its own folder, and give the machine a name."""
    monkeypatch.setenv("SAYSO_APPROVER_HOME", str(tmp_path))
    monkeypatch.setattr("approver_tui.signing_in.default_device_name", lambda: "laptop")


@pytest.fixture
def first_minute(differing_sizes):
    """Compare the sign-in screen of a machine without a login with its pictures."""

    def compare(service, then=None):
        clock = FakeClock()
        why = f"You are not logged in on this machine. {INTRODUCTION}"
        app = SignInApp(service, message_text=why, theme="sayso", ticks=clock.ticks)

        async def steps(pilot):
            await _press(pilot, clock)
            if then is not None:
                await then(pilot, clock, app)
            await pilot.pause()

        return differing_sizes(app, steps)

    return compare


def _stage(others=None, **environment):
    settings_store = FileSettingsStore(Home.in_folder(settings.load().home))
    return make_stage(
        three_approvals(),
        environment={"settings_store": settings_store, **environment},
        others=others,
    )


def test_settings(picture):
    """The page lists each setting with its value."""
    assert picture(_stage(), "6", then=on_page())


def test_setting_read(picture):
    """The details show the setting's meaning, its valid values, and its command."""
    assert picture(_stage(), "6", then=on_page("enter"))


def test_high_contrast(picture):
    """The inbox in the high-contrast theme."""
    assert picture(_stage(theme="high-contrast"))


def test_palette(picture):
    """The palette lists the matches of a few letters, each with its key."""
    assert picture(_stage(), "colon", *"de")


def test_palette_of_one(picture):
    """The palette lists a single match."""
    assert picture(_stage(), "colon", *"snooze")


def test_inbox_filtered(picture):
    """The filtered inbox shows the matches and the number of hidden requests."""
    assert picture(_stage(), "slash", *"web", "enter")


def test_first_minute(first_minute):
    """The first screen explains what Sayso is and what signing in needs."""
    assert first_minute(FakeLoginService()) == []


def test_first_minute_refused(first_minute):
    """The server's error is shown next to the fields."""

    async def wait_for_refusal(pilot, clock, app):
        await _fill(pilot, clock, code="7Q4N")
        await _press(pilot, clock, "enter")
        await until(pilot, lambda: bool(app.screen._problem))

    service = FakeLoginService(failures=[BadServer("There is no Sayso server at this address.")])
    assert first_minute(service, wait_for_refusal) == []


def test_first_minute_device_authorization(first_minute):
    """The panel shows the page, the code and the QR code for another device."""

    async def wait_for_authorization(pilot, clock, app):
        await _fill(pilot, clock)
        await _press(pilot, clock, "enter")
        await until(
            pilot, lambda: isinstance(app.screen, DeviceAuthorizationPanel) and app.screen.is_ready
        )

    assert first_minute(FakeLoginService(invites=True), wait_for_authorization) == []


def test_servers(picture, tmp_path):
    """The settings list several servers and mark the current one."""
    home = Home.in_folder(tmp_path)
    profile.save(home, MINE)
    profile.save(home.with_profile("work"), replace(MINE, issuer="https://approvals.work.example"))

    async def read(pilot, stage):
        await wait_for_page(pilot, stage)
        await press(pilot, stage, "j")
        await until_shown(pilot, stage, "2 waiting")

    stage = _stage(FakeOthers([{"work": 2}]), login=SafeText("default"))
    assert picture(stage, "6", then=read)


def test_inbox_with_other_servers(picture):
    """The inbox shows the count and the name of another login."""

    async def wait_for_count(pilot, stage):
        await until_shown(pilot, stage, "2 at work")

    stage = _stage(FakeOthers([{"work": 2}]), login=SafeText("default"))
    assert picture(stage, then=wait_for_count)
