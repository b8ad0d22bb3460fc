"""The filter of the inbox and the history."""

import pytest

from approver_tui import settings
from approver_tui.client.sign_in.profile import Home
from approver_tui.state.approvals.decision import Answer
from approver_tui.wiring import FileSettingsStore
from tests.support.clients.driving import (
    inbox,
    open_inbox,
    open_stage,
    press,
    screen_text,
    type_quickly,
    until,
    until_shown,
)
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, three_approvals, with_decision
from tests.support.fakes.fake_requests import DEPLOY, MINUTE


def _stage_with_settings(folder, monkeypatch):
    """Return the app with its settings stored in this folder."""
    monkeypatch.setenv("SAYSO_APPROVER_HOME", str(folder))
    return make_stage(
        three_approvals(), environment={"settings_store": FileSettingsStore(Home.in_folder(folder))}
    )


async def test_the_filter_shows_matches_and_counts_the_rest():
    """The first match is selected, and new requests that do not match stay hidden."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "slash", *"web", "enter")
        text = screen_text(stage)
        assert "WAITING (1)  / web" in text
        assert "2 hidden" in text
        assert inbox(stage).state.current.headline == "Deploy web 4.2.0 to staging"
        stage.request(an_approval("late", expires_in=9 * MINUTE, headline="Pay EUR 1.00"))
        await until_shown(pilot, stage, "3 hidden")
        await until_shown(pilot, stage, "new HIGH request")
        await press(pilot, stage, "r")
        assert inbox(stage).state.current.headline == "Deploy web 4.2.0 to staging"
        await press(pilot, stage, "slash", "backspace", "backspace", "backspace", "enter")
        assert "WAITING FOR YOU (4)" in screen_text(stage)


async def test_without_matches_there_is_nothing_to_answer():
    """With no match nothing is selected, until a matching request arrives."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "slash", *"api", "enter", "a")
        assert "Approve unavailable: nothing is selected." in screen_text(stage)
        assert "No matches. Press / and" in screen_text(stage)
        other = an_approval("other", DEPLOY, headline="Deploy shop 1.0", expires_in=9 * MINUTE)
        stage.request(other)
        await until_shown(pilot, stage, "4 hidden")
        assert inbox(stage).state.current is None
        late = an_approval("late", DEPLOY, headline="Deploy api 1.0", expires_in=9 * MINUTE)
        stage.request(late)
        await until(pilot, lambda: inbox(stage).state.cursor_id == late.id)


async def test_an_invalid_filter_changes_nothing():
    """An invalid filter shows the valid forms and leaves the list as it was."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "slash", *"since:x", "enter")
        assert "Filter: use a number and a unit" in screen_text(stage)
        assert "WAITING FOR YOU (3)" in screen_text(stage)
        assert not inbox(stage).state.query


async def test_the_filter_applies_while_it_is_typed_and_esc_clears_it():
    """Esc clears the filter both in its line and on the list."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "slash", "w", "e")
        assert "WAITING (1)  / we" in screen_text(stage)
        await type_quickly(pilot, stage, list("bx"))
        assert "No matches." in screen_text(stage)
        await press(pilot, stage, "escape")
        assert "WAITING FOR YOU (3)" in screen_text(stage)
        await press(pilot, stage, "slash", *"web", "enter", "escape")
        assert "WAITING FOR YOU (3)" in screen_text(stage)
        await press(pilot, stage, "2", "slash", *"zzz")
        assert "No matches." in screen_text(stage)
        await press(pilot, stage, "escape")
        assert "No matches." not in screen_text(stage)


@pytest.mark.parametrize(
    "keys", [("slash", *"@ur", "right", "enter"), ("colon", *"@urgent", "enter")], ids=["/", ":"]
)
@pytest.mark.parametrize("page", ["1", "2"], ids=["inbox", "history"])
async def test_a_saved_filter_is_offered_by_name(page, keys):
    """The filter line completes a saved name with the right arrow; the palette lists it too."""
    stage = make_stage(three_approvals(), environment={"filters": {"urgent": "risk:high"}})
    stage.server.put(
        with_decision(an_approval("done"), Answer.APPROVE),
        with_decision(an_approval("web", DEPLOY), Answer.APPROVE),
    )
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, page, *keys)
        await until(
            pilot, lambda: "@urgent" in screen_text(stage) and "Deploy" not in screen_text(stage)
        )
        assert "HIGH" in screen_text(stage)


@pytest.mark.parametrize("page", ["1", "2"], ids=["inbox", "history"])
async def test_a_filter_is_saved_and_deleted_in_the_filter_line(page, tmp_path, monkeypatch):
    """The filter is written to the settings file and applied immediately."""
    stage = _stage_with_settings(tmp_path, monkeypatch)
    stage.server.put(with_decision(an_approval("web", DEPLOY), Answer.APPROVE))
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, page, "slash", *"@urgent = risk:high", "enter")
        await until_shown(pilot, stage, "Filter @urgent is saved.")
        assert settings.load().filters == {"urgent": "risk:high"}
        assert "Deploy" not in screen_text(stage)
        await press(pilot, stage, "slash", "ctrl+u", *"@urgent =", "enter")
        await until_shown(pilot, stage, "Filter @urgent is deleted.")
        assert settings.load().filters == {}


@pytest.mark.parametrize(
    ("typed", "says"),
    [("@urgent = risk:huge", "Filter: "), ("@urgent = a;b", "Filter: use the form NAME = FILTER")],
)
async def test_an_invalid_filter_is_not_saved(typed, says, tmp_path, monkeypatch):
    """A filter with an invalid value or name is refused with the reason."""
    stage = _stage_with_settings(tmp_path, monkeypatch)
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "slash", *typed, "enter")
        await until(pilot, lambda: says in screen_text(stage))
        assert settings.load().filters == {}
