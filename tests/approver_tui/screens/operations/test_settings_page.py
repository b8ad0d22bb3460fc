"""The settings page, and settings that change keys."""

from dataclasses import replace

import pytest

from approver_tui import settings
from approver_tui.client.sign_in import profile
from approver_tui.client.sign_in.profile import Home
from approver_tui.messages import LoginChosen
from approver_tui.screens.approvals.approve import ApprovePanel
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.help import HelpScreen
from approver_tui.screens.operations.settings import SettingsPage
from approver_tui.state.keymap import Keymap
from approver_tui.state.text import SafeText
from approver_tui.wiring import FileSettingsStore
from tests.approver_tui.client.sign_in.test_profile import MINE
from tests.support.clients.driving import (
    inbox,
    open_inbox,
    open_stage,
    press,
    screen_text,
    until,
    until_shown,
    wait_for_page,
)
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import three_approvals
from tests.support.fakes.fake_feed import FakeOthers


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """Store the settings of this test in its own folder and return their file."""
    monkeypatch.setenv("SAYSO_APPROVER_HOME", str(tmp_path))
    return tmp_path / "config.toml"


def _stage(others=None, **environment):
    settings_store = FileSettingsStore(Home.in_folder(settings.load().home))
    return make_stage(
        three_approvals(),
        environment={"settings_store": settings_store, **environment},
        others=others,
    )


async def _settings(pilot, stage):
    await press(pilot, stage, "6")
    await wait_for_page(pilot, stage)


async def _move_to(pilot, stage, name):
    ids = [entry.id for part in stage.app.screen._sections() for entry in part.entries]
    await press(pilot, stage, *["j"] * [id_.removeprefix("login:") for id_ in ids].index(name))
    assert stage.app.screen.cursor.removeprefix("login:") == name


async def test_the_theme_changes_immediately_and_is_saved(file):
    """Space selects the next theme, applies it, and writes it to the settings file."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await _settings(pilot, stage)
        await _move_to(pilot, stage, "theme")
        await press(pilot, stage, "space")
        assert stage.app.theme == "high-contrast"
        assert "Theme: high-contrast" in screen_text(stage)
    assert file.read_text() == 'theme = "high-contrast"\n'


async def test_other_settings_apply_at_the_next_start(file):
    """The message says that the setting applies from the next start."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await _settings(pilot, stage)
        await press(pilot, stage, "space")
        assert "Notify low: bell (from the next start)" in screen_text(stage)
        await press(pilot, stage, "enter")
        assert "Notify for low risk." in screen_text(stage)
        assert str(file)[:20] in screen_text(stage)


async def test_a_setting_in_the_environment_cannot_be_changed_here(monkeypatch, file):
    """A setting from the environment overrides the file, so the file is not written."""
    monkeypatch.setenv("SAYSO_APPROVER_NOTIFY_LOW", "bell")
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await _settings(pilot, stage)
        await press(pilot, stage, "space")
        text = "Change unavailable: an environment variable overrides the file."
        assert text in screen_text(stage)
    assert not file.exists()


async def test_a_setting_with_many_values_shows_its_command():
    """A setting without a fixed list of values names the command that changes it."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await _settings(pilot, stage)
        await _move_to(pilot, stage, "key_approve")
        await press(pilot, stage, "space")
        assert "run: sayso-approver config set key_approve VALUE" in screen_text(stage)


async def test_a_file_that_cannot_be_written_is_reported(file):
    """If the settings file cannot be written, a message says that nothing was saved."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await _settings(pilot, stage)
        file.mkdir()
        await press(pilot, stage, "space")
        assert "Not saved:" in screen_text(stage)


@pytest.fixture
def two_servers(tmp_path):
    """Create logins at two servers and a broken one; the app uses the first."""
    home = Home.in_folder(tmp_path)
    profile.save(home, MINE)
    profile.save(home.with_profile("work"), replace(MINE, issuer="https://work.example"))
    home.with_profile("broken").profile_file.write_text("{")


@pytest.mark.usefixtures("two_servers")
async def test_the_settings_switch_to_another_server():
    """Choosing another login quits the app and names the login to start next."""
    stage = _stage(login=SafeText("default"))
    async with open_inbox(stage) as pilot:
        assert "alice@default" in screen_text(stage)
        await _settings(pilot, stage)
        await _move_to(pilot, stage, "default")
        assert "SERVERS (2)" in screen_text(stage)
        await press(pilot, stage, "space")
        assert "Change unavailable: you are using this server." in screen_text(stage)
        await press(pilot, stage, "j", "enter")
        assert "https://work.example" in screen_text(stage)
        assert "sayso-approver --profile work" in screen_text(stage)
        await press(pilot, stage, "space")
        await until(pilot, lambda: not stage.app.is_running)
    assert stage.app.next_login == "work"


@pytest.mark.usefixtures("two_servers")
async def test_each_server_shows_its_waiting_requests():
    """An old count is shown with its age, and a missing count as unknown."""
    others = FakeOthers([{"work": None}, {"work": 2}, {"work": None}])
    stage = _stage(others, login=SafeText("default"))
    async with open_inbox(stage) as pilot:
        await until(pilot, lambda: others.asked == 1)
        await _settings(pilot, stage)
        await _move_to(pilot, stage, "work")
        assert "unknown" in screen_text(stage)
        for count in ("2 waiting", "2 (3 min ago)"):
            stage.clock.move(180)
            inbox(stage)._calls.count_other_logins()
            await until_shown(pilot, stage, count)


@pytest.mark.usefixtures("two_servers")
async def test_the_settings_sign_in_to_one_more_server():
    """The last entry in the list of servers quits the app to sign in to another server."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await _settings(pilot, stage)
        await _move_to(pilot, stage, "work")
        await press(pilot, stage, "j", "enter")
        assert "Sign in to another server." in screen_text(stage)
        await press(pilot, stage, "space")
        await until(pilot, lambda: not stage.app.is_running)
    assert stage.app.next_login == ""


@pytest.mark.usefixtures("two_servers")
async def test_the_default_login_is_a_setting(file):
    """Changing the setting `profile` chooses among the stored logins."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await _settings(pilot, stage)
        await _move_to(pilot, stage, "profile")
        await press(pilot, stage, "space")
    assert file.read_text() == 'profile = "work"\n'


async def test_a_waiting_denial_is_sent_before_switching():
    """Switching quits the app, so it sends the waiting denial first."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "d")
        await press(pilot, stage, "1", "enter")
        stage.app.post_message(LoginChosen("work"))
        await until(pilot, lambda: not stage.app.is_running)
    assert len(stage.answers.calls) == 1
    assert stage.app.next_login == "work"


async def test_without_a_settings_file_only_notifications_are_listed():
    """Notification settings are stored on the server, so they need no settings file."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await _settings(pilot, stage)
        assert isinstance(stage.app.screen, SettingsPage)
        assert stage.app.screen.page_data == ()
        assert stage.app.screen.cursor == "quiet:hours"


async def test_chosen_keys_work_and_are_shown_everywhere():
    """The key bar and the help show the chosen keys, and the default keys do nothing."""
    stage = _stage(keymap=Keymap({"approve": "A", "help": "f2", "report": "@"}))
    async with open_inbox(stage) as pilot:
        text = screen_text(stage)
        assert "A Approve.." in text
        assert "f2 Help" in text
        await press(pilot, stage, "a")
        assert isinstance(stage.app.screen, InboxScreen)
        await press(pilot, stage, "f2")
        assert isinstance(stage.app.screen, HelpScreen)
        assert "A       approve: opens a panel" in screen_text(stage)
        await press(pilot, stage, "escape", "A")
        assert isinstance(stage.app.screen, ApprovePanel)


async def test_quiet_hours_are_set_and_cleared_in_the_settings():
    """Invalid hours are refused with the expected form, and empty hours clear the setting."""
    async with open_stage(three_approvals(), environment={"zone_name": "Europe/Berlin"}) as (
        pilot,
        stage,
    ):
        await _settings(pilot, stage)
        await press(pilot, stage, "space", "tab", *"25:00")
        assert "Set unavailable: use the form 22:00 to 07:00" in screen_text(stage)
        await press(pilot, stage, "ctrl+u", *"22:00-07:00", "space", *"mon", "tab", "enter")
        await until_shown(pilot, stage, "Quiet hours: 22:00 to 07:00 Europe/Berlin, mon")
        assert stage.prefs_client.attention.quiet_hours.days == ("mon",)
        await press(pilot, stage, "space", "tab", "ctrl+u", "tab", "enter")
        await until_shown(pilot, stage, "notifications at any time")
        assert stage.prefs_client.attention.quiet_hours is None


async def test_mutes_and_snoozes_are_listed_and_ended_in_the_settings():
    """A mute and a snooze can be ended without opening a request."""
    stage = make_stage(three_approvals())
    prices = three_approvals()[2]
    stage.prefs_client.mute(prices.agent.id)
    stage.prefs_client.snooze(prices.id)
    async with open_inbox(stage) as pilot:
        await _settings(pilot, stage)
        assert "no notifications for it" in screen_text(stage)
        await press(pilot, stage, "j", "space")
        await until_shown(pilot, stage, "buyer-helper is no longer muted.")
        assert stage.prefs_client.attention.mutes == ()
        await until_shown(pilot, stage, "snoozed")
        await press(pilot, stage, "j", "space")
        await until_shown(pilot, stage, "No longer snoozed.")
        assert stage.prefs_client.attention.holds == ()
