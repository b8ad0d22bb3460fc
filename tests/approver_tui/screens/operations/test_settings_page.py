"""Settings, key bindings, the palette and the filter of the inbox."""

from dataclasses import replace

import pytest

from approver_tui import settings
from approver_tui.client.sign_in import profile
from approver_tui.client.sign_in.profile import Home
from approver_tui.messages import LoginChosen
from approver_tui.screens.approvals.approve import ApprovePanel
from approver_tui.screens.approvals.history import HistoryPage
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.help import HelpScreen
from approver_tui.screens.operations.settings import SettingsPage
from approver_tui.screens.palette import Palette
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.keymap import Keymap
from approver_tui.state.text import SafeText
from approver_tui.wiring import FileSettingsStore
from tests.approver_tui.client.sign_in.test_profile import MINE
from tests.support.clients.driving import inbox, opened, press, run_on, shown, until
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval, answered, three
from tests.support.fakes.fake_feed import FakeOthers
from tests.support.fakes.fake_requests import DEPLOY, MINUTE


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """Where this test keeps settings."""
    monkeypatch.setenv("SAYSO_APPROVER_HOME", str(tmp_path))
    return tmp_path / "config.toml"


def _stage(others=None, **place):
    settings_store = FileSettingsStore(Home.at(settings.load().home))
    return a_stage(three(), place={"settings_store": settings_store, **place}, others=others)


async def _settings(pilot, stage):
    await press(pilot, stage, "6")
    await until(pilot, lambda: stage.app.screen.found is not None)


async def _to(pilot, stage, name):
    ids = [entry.id for part in stage.app.screen._sections() for entry in part.entries]
    await press(pilot, stage, *["j"] * [each.removeprefix("login:") for each in ids].index(name))
    assert stage.app.screen.cursor.removeprefix("login:") == name


async def test_the_theme_changes_at_once_and_is_saved(file):
    """The next one on each press."""
    stage = _stage()
    async with opened(stage) as pilot:
        await _settings(pilot, stage)
        await _to(pilot, stage, "theme")
        await press(pilot, stage, "space")
        assert stage.app.theme == "high-contrast"
        assert "Theme: high-contrast" in shown(stage)
    assert file.read_text() == 'theme = "high-contrast"\n'


async def test_other_settings_apply_at_the_next_start(file):
    """The message says so."""
    stage = _stage()
    async with opened(stage) as pilot:
        await _settings(pilot, stage)
        await press(pilot, stage, "space")
        assert "Notify low: bell (from the next start)" in shown(stage)
        await press(pilot, stage, "enter")
        assert "Notify for low risk." in shown(stage)
        assert str(file)[:20] in shown(stage)


async def test_a_setting_in_the_environment_cannot_be_changed_here(monkeypatch, file):
    """It overrides the file."""
    monkeypatch.setenv("SAYSO_APPROVER_NOTIFY_LOW", "bell")
    stage = _stage()
    async with opened(stage) as pilot:
        await _settings(pilot, stage)
        await press(pilot, stage, "space")
        assert (
            "Change unavailable: it is set in the environment, which overrides the file."
        ) in shown(stage)
    assert not file.exists()


async def test_a_setting_with_many_values_shows_its_command():
    """The command line accepts any."""
    stage = _stage()
    async with opened(stage) as pilot:
        await _settings(pilot, stage)
        await _to(pilot, stage, "key_approve")
        await press(pilot, stage, "space")
        assert "run: sayso-approver config set key_approve VALUE" in shown(stage)


async def test_a_file_that_cannot_be_written_is_reported(file):
    """The setting keeps its value."""
    stage = _stage()
    async with opened(stage) as pilot:
        await _settings(pilot, stage)
        file.mkdir()
        await press(pilot, stage, "space")
        assert "Not saved:" in shown(stage)


@pytest.fixture
def two_servers(tmp_path):
    """Logins at two servers; the app shows the first."""
    home = Home.at(tmp_path)
    profile.save(home, MINE)
    profile.save(home.named("work"), replace(MINE, issuer="https://work.example"))
    home.named("broken").profile_file.write_text("{")


@pytest.mark.usefixtures("two_servers")
async def test_the_settings_switch_to_another_server():
    """The app quits as by q, with the next login."""
    stage = _stage(login=SafeText("default"))
    async with opened(stage) as pilot:
        assert "alice@default" in shown(stage)
        await _settings(pilot, stage)
        await _to(pilot, stage, "default")
        assert "SERVERS (2)" in shown(stage)
        await press(pilot, stage, "space")
        assert "Change unavailable: you are there." in shown(stage)
        await press(pilot, stage, "j", "enter")
        assert "https://work.example" in shown(stage)
        assert "sayso-approver --profile work" in shown(stage)
        await press(pilot, stage, "space")
        await until(pilot, lambda: not stage.app.is_running)
    assert stage.app.next_login == "work"


@pytest.mark.usefixtures("two_servers")
async def test_each_server_shows_its_waiting_requests():
    """An old number has its age, and an unknown one says so."""
    others = FakeOthers([{"work": None}, {"work": 2}, {"work": None}])
    stage = _stage(others, login=SafeText("default"))
    async with opened(stage) as pilot:
        await until(pilot, lambda: others.asked == 1)
        await _settings(pilot, stage)
        await _to(pilot, stage, "work")
        assert "not known" in shown(stage)
        for told in ("2 waiting", "2 (3 min ago)"):
            stage.clock.move(180)
            inbox(stage)._calls.count_other_logins()
            await until(pilot, lambda told=told: told in shown(stage))


@pytest.mark.usefixtures("two_servers")
async def test_the_settings_sign_in_to_one_more_server():
    """The last entry of the servers does so."""
    stage = _stage()
    async with opened(stage) as pilot:
        await _settings(pilot, stage)
        await _to(pilot, stage, "work")
        await press(pilot, stage, "j", "enter")
        assert "Sign in to another server." in shown(stage)
        await press(pilot, stage, "space")
        await until(pilot, lambda: not stage.app.is_running)
    assert stage.app.next_login == ""


@pytest.mark.usefixtures("two_servers")
async def test_the_default_login_is_a_setting(file):
    """Its values are the logins."""
    stage = _stage()
    async with opened(stage) as pilot:
        await _settings(pilot, stage)
        await _to(pilot, stage, "profile")
        await press(pilot, stage, "space")
    assert file.read_text() == 'profile = "work"\n'


async def test_a_waiting_denial_is_sent_before_switching():
    """Switching quits the app."""
    stage = _stage()
    async with opened(stage) as pilot:
        await press(pilot, stage, "d")
        await press(pilot, stage, "1", "enter")
        stage.app.post_message(LoginChosen("work"))
        await until(pilot, lambda: not stage.app.is_running)
    assert len(stage.answers.given) == 1
    assert stage.app.next_login == "work"


async def test_without_a_settings_file_only_notifications_are_listed():
    """The server stores them."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await _settings(pilot, stage)
        assert isinstance(stage.app.screen, SettingsPage)
        assert stage.app.screen.found == ()
        assert stage.app.screen.cursor == "quiet:hours"


async def test_chosen_keys_work_and_are_shown_everywhere():
    """The key bar and the help show them; the defaults do nothing."""
    stage = _stage(keymap=Keymap({"approve": "A", "help": "f2", "report": "@"}))
    async with opened(stage) as pilot:
        text = shown(stage)
        assert "A Approve.." in text
        assert "f2 Help" in text
        await press(pilot, stage, "a")
        assert isinstance(stage.app.screen, InboxScreen)
        await press(pilot, stage, "f2")
        assert isinstance(stage.app.screen, HelpScreen)
        assert "A       approve: opens a panel" in shown(stage)
        await press(pilot, stage, "escape", "A")
        assert isinstance(stage.app.screen, ApprovePanel)


async def test_the_palette_finds_commands():
    """Words or a key find them; Enter presses the key."""
    stage = _stage()
    async with opened(stage) as pilot:
        await press(pilot, stage, "colon")
        assert isinstance(stage.app.screen, Palette)
        await press(pilot, stage, *"panel", "down", "down", "up", "down", "enter")
        await until(pilot, lambda: not isinstance(stage.app.screen, Palette))
        await until(pilot, lambda: "Deny?" in shown(stage))
        await press(pilot, stage, "escape", "ctrl+p", *"zzz")
        assert "No matching command." in shown(stage)
        await press(pilot, stage, "enter")
        assert isinstance(stage.app.screen, InboxScreen)


async def test_the_palette_has_the_keys_of_its_page():
    """The command for filtering, chosen on the history, filters the history."""
    stage = _stage()
    async with opened(stage) as pilot:
        await press(pilot, stage, "2", "colon", *"filter", "enter")
        await until(pilot, lambda: isinstance(stage.app.screen, HistoryPage))
        await until(pilot, lambda: stage.app.screen.query_one("#filter").display)
        await press(pilot, stage, "escape", "colon", "escape")
        assert isinstance(stage.app.screen, HistoryPage)


async def test_the_palette_goes_to_every_page():
    """The name of the page finds it."""
    stage = _stage()
    async with opened(stage) as pilot:
        for name, page in (("history", HistoryPage), ("settings", SettingsPage), ("inbox", None)):
            await press(pilot, stage, "colon", *name, "enter")
            wanted = InboxScreen if page is None else page
            await until(pilot, lambda wanted=wanted: isinstance(stage.app.screen, wanted))


async def test_fast_typing_through_the_palette_decides_nothing():
    """A panel that opens waits for quiet."""
    stage = _stage()
    async with opened(stage) as pilot:
        await run_on(pilot, stage, ["colon", *"approves", "enter", "tab", "tab", "enter", "y"] * 2)
        await pilot.pause()
    assert stage.answers.given == []


async def test_the_filter_shows_matches_and_counts_the_rest():
    """The selection moves to a match, and nothing hidden can be answered."""
    stage = _stage()
    async with opened(stage) as pilot:
        await press(pilot, stage, "slash", *"web", "enter")
        text = shown(stage)
        assert "WAITING (1)  / web" in text
        assert "2 hidden" in text
        assert inbox(stage).state.current.headline == "Deploy web 4.2.0 to staging"
        stage.request(an_approval("late", left=9 * MINUTE, headline="Pay EUR 1.00"))
        await until(pilot, lambda: "3 hidden" in shown(stage))
        await until(pilot, lambda: "new HIGH request" in shown(stage))
        await press(pilot, stage, "r")
        assert inbox(stage).state.current.headline == "Deploy web 4.2.0 to staging"
        await press(pilot, stage, "slash", "backspace", "backspace", "backspace", "enter")
        assert "WAITING FOR YOU (4)" in shown(stage)


async def test_without_matches_there_is_nothing_to_answer():
    """A match that arrives can be answered."""
    stage = _stage()
    async with opened(stage) as pilot:
        await press(pilot, stage, "slash", *"api", "enter", "a")
        assert "Approve unavailable: nothing is selected." in shown(stage)
        assert "No matches. Press / and" in shown(stage)
        other = an_approval("other", DEPLOY, headline="Deploy shop 1.0", left=9 * MINUTE)
        stage.request(other)
        await until(pilot, lambda: "4 hidden" in shown(stage))
        assert inbox(stage).state.current is None
        late = an_approval("late", DEPLOY, headline="Deploy api 1.0", left=9 * MINUTE)
        stage.request(late)
        await until(pilot, lambda: inbox(stage).state.selected == late.id)


async def test_an_invalid_filter_changes_nothing():
    """The message has the valid forms."""
    stage = _stage()
    async with opened(stage) as pilot:
        await press(pilot, stage, "slash", *"since:x", "enter")
        assert "Filter: use a number and a unit" in shown(stage)
        assert "WAITING FOR YOU (3)" in shown(stage)
        assert not inbox(stage).state.query


async def test_quiet_hours_are_set_and_cleared_in_the_settings():
    """An invalid text is reported, and nothing is sent."""
    stage = a_stage(three(), place={"zone_name": "Europe/Berlin"})
    async with opened(stage) as pilot:
        await _settings(pilot, stage)
        await press(pilot, stage, "space", "tab", *"25:00")
        assert "Set unavailable: use the form 22:00 to 07:00" in shown(stage)
        await press(pilot, stage, "ctrl+u", *"22:00-07:00", "space", *"mon", "tab", "enter")
        await until(pilot, lambda: "Quiet hours: 22:00 to 07:00 Europe/Berlin, mon" in shown(stage))
        assert stage.prefs_client.attention.quiet_hours.days == ("mon",)
        await press(pilot, stage, "space", "tab", "ctrl+u", "tab", "enter")
        await until(pilot, lambda: "notifications at any time" in shown(stage))
        assert stage.prefs_client.attention.quiet_hours is None


async def test_mutes_and_snoozes_are_listed_and_ended_in_the_settings():
    """The settings end a mute and a snooze without opening a request."""
    stage = a_stage(three())
    prices = three()[2]
    stage.prefs_client.mute(prices.agent.id)
    stage.prefs_client.snooze(prices.id)
    async with opened(stage) as pilot:
        await _settings(pilot, stage)
        assert "no notifications for it" in shown(stage)
        await press(pilot, stage, "j", "space")
        await until(pilot, lambda: "buyer-helper is no longer muted." in shown(stage))
        assert stage.prefs_client.attention.mutes == ()
        await until(pilot, lambda: "snoozed" in shown(stage))
        await press(pilot, stage, "j", "space")
        await until(pilot, lambda: "No longer snoozed." in shown(stage))
        assert stage.prefs_client.attention.holds == ()


async def test_the_filter_applies_while_it_is_typed_and_esc_clears_it():
    """Enter keeps it; Esc on the list ends it too."""
    stage = _stage()
    async with opened(stage) as pilot:
        await press(pilot, stage, "slash", "w", "e")
        assert "WAITING (1)  / we" in shown(stage)
        await run_on(pilot, stage, list("bx"))
        assert "No matches." in shown(stage)
        await press(pilot, stage, "escape")
        assert "WAITING FOR YOU (3)" in shown(stage)
        await press(pilot, stage, "slash", *"web", "enter", "escape")
        assert "WAITING FOR YOU (3)" in shown(stage)
        await press(pilot, stage, "2", "slash", *"zzz")
        assert "No matches." in shown(stage)
        await press(pilot, stage, "escape")
        assert "No matches." not in shown(stage)


@pytest.mark.parametrize(
    ("thing", "page"), [("theme", "SETTINGS"), ("disable", "AGENTS"), ("receipt", "HISTORY")]
)
async def test_the_palette_finds_a_page_by_what_is_on_it(thing, page):
    """Nobody knows under which name a thing is filed."""
    stage = _stage()
    async with opened(stage) as pilot:
        await press(pilot, stage, "colon", *thing, "enter")
        await until(pilot, lambda: stage.app.screen.NAME.upper() == page)


async def test_a_key_goes_to_the_next_waiting_request():
    """Past what was answered, around the end, and with a message if there is none."""
    first, second, third = three()
    stage = a_stage([first, answered(second, Answer.APPROVE), third])
    async with opened(stage) as pilot:
        for wanted in (third.id, first.id):
            await press(pilot, stage, "w")
            assert inbox(stage).state.selected == wanted
    stage = a_stage([first])
    async with opened(stage) as pilot:
        await press(pilot, stage, "w")
        assert "No other request is waiting for you." in shown(stage)


async def test_a_fact_is_copied():
    """A key lists the facts, and Enter copies the value of one."""
    stage = _stage()
    async with opened(stage) as pilot:
        await press(pilot, stage, "c", *"amount", "enter")
        assert stage.app.clipboard == "EUR 4,820.00"
        assert "Copied" in shown(stage)


@pytest.mark.parametrize(
    "keys", [("slash", *"@ur", "right", "enter"), ("colon", *"@urgent", "enter")], ids=["/", ":"]
)
@pytest.mark.parametrize("page", ["1", "2"], ids=["inbox", "history"])
async def test_a_saved_filter_is_offered_by_name(page, keys):
    """In the filter line, completed by the right arrow, and in the palette."""
    stage = _stage(filters={"urgent": "risk:high"})
    stage.server.put(
        answered(an_approval("done"), Answer.APPROVE),
        answered(an_approval("web", DEPLOY), Answer.APPROVE),
    )
    async with opened(stage) as pilot:
        await press(pilot, stage, page, *keys)
        await until(pilot, lambda: "@urgent" in shown(stage) and "Deploy" not in shown(stage))
        assert "HIGH" in shown(stage)


@pytest.mark.parametrize("page", ["1", "2"], ids=["inbox", "history"])
async def test_a_filter_is_saved_and_deleted_in_the_filter_line(page):
    """It is in the settings file, applied at once, and offered by the palette."""
    stage = _stage()
    stage.server.put(answered(an_approval("web", DEPLOY), Answer.APPROVE))
    async with opened(stage) as pilot:
        await press(pilot, stage, page, "slash", *"@urgent = risk:high", "enter")
        await until(pilot, lambda: "Filter @urgent is saved." in shown(stage))
        assert settings.load().filters == {"urgent": "risk:high"}
        assert "Deploy" not in shown(stage)
        await press(pilot, stage, "slash", "ctrl+u", *"@urgent =", "enter")
        await until(pilot, lambda: "Filter @urgent is deleted." in shown(stage))
        assert settings.load().filters == {}


@pytest.mark.parametrize(
    ("typed", "says"),
    [("@urgent = risk:huge", "Filter: "), ("@urgent = a;b", "Filter: write NAME = FILTER")],
)
async def test_an_invalid_filter_is_not_saved(typed, says):
    """The reason is shown."""
    stage = _stage()
    async with opened(stage) as pilot:
        await press(pilot, stage, "slash", *typed, "enter")
        await until(pilot, lambda: says in shown(stage))
        assert settings.load().filters == {}
