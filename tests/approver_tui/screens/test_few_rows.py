"""What happened and what is warned of: whole where there is room, and beside the request."""

import pytest

from approver_tui.screens.keyed_screen import OLD
from approver_tui.state.incidents.reports import Reported, ReportScope, StoppedAgent
from approver_tui.state.text import SafeText
from approver_tui.widgets.incidents.reports import what_was_stopped
from approver_tui.widgets.lines import say
from tests.support.clients.driving import (
    NARROW,
    WIDE,
    cut_off,
    inbox,
    look,
    opened,
    press,
    shown,
    until,
)
from tests.support.fakes.fake_account import a_device
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval, three

TINY = (40, 12)
STOPPED = StoppedAgent(
    SafeText("sayso_ag_aaaaaaaaaaaaaaaa"),
    SafeText("procurement-assistant-europe"),
    SafeText("quarantined"),
    12,
    104,
)
SENTENCES = [
    what_was_stopped(
        Reported(
            SafeText("sayso_ic_aaaaaaaaaaaaaaaa"),
            ReportScope.EVERY_AGENT,
            (STOPPED, STOPPED, STOPPED),
            three()[0],
        )
    ),
    say(
        "20:11 ALARM: your agent {} was reported and is quarantined. Incident {}.",
        STOPPED.name,
        SafeText("sayso_ic_aaaaaaaaaaaaaaaa"),
    ),
    say(
        "Approve unavailable: this device is new and can approve high risk from {}.",
        SafeText("27 Nov 2026 19:46"),
    ),
    say("Approve unavailable: too many wrong entries: it is locked for you. You can deny it."),
]


def _flat(stage):
    return " ".join(shown(stage).split())


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda words: words[:24])
async def test_what_happened_is_never_cut(size, sentence):
    """Outcome, id and hour: all of it, in as many rows as it takes; the keys stay."""
    stage = a_stage(three())
    async with opened(stage, size) as pilot:
        inbox(stage).say(sentence)
        await until(pilot, lambda: sentence in _flat(stage))
        await until(pilot, lambda: "? Help" in shown(stage))


async def test_two_warnings_take_one_row_of_twelve():
    """Their words are in the help; what waits and whose it is stands below them."""
    stage = a_stage(three(), device=a_device(tries=2), folder_is_open=True)
    async with opened(stage, TINY) as pilot:
        await until(pilot, lambda: "! 2 wrong PINs +1: ?" in shown(stage))
        rows = shown(stage).splitlines()
        assert "wrong PINs" in rows[1]
        assert "WAITING FOR YOU (3)" in rows[2]
        assert shown(stage).count("invoice-bot") >= 1
        await press(pilot, stage, "question_mark")
        assert "! 2 wrong PINs since you last approved" in _flat(stage)
        assert "can read the server's data folder" in _flat(stage)


async def test_a_warning_that_fits_is_said_in_full():
    """There is no need to ask for what is there."""
    stage = a_stage(three(), device=a_device(tries=2))
    async with opened(stage, TINY) as pilot:
        await until(pilot, lambda: "! 2 wrong PINs since you last approved" in shown(stage))


async def test_the_age_leads_where_there_is_one_row():
    """Offline comes first, whatever else is wrong."""
    stage = a_stage(three(), folder_is_open=True)
    async with opened(stage, TINY) as pilot:
        await cut_off(pilot, stage, "the server is restarting")
        stage.clock.move(125)
        look(stage)
        await until(pilot, lambda: "OFFLINE, 2 min old +1: ?" in shown(stage))


async def test_what_happened_gives_its_row_back_where_there_are_few():
    """It stands as long as it is news; then the request has the row."""
    stage = a_stage([an_approval("pay")], folder_is_open=True)
    async with opened(stage, TINY) as pilot:
        await press(pilot, stage, "L", "enter")
        assert "Locked: the next approval requires the PIN." in _flat(stage)
        assert "more below" not in shown(stage)
        stage.clock.move(OLD + 1)
        look(stage)
        await until(pilot, lambda: "Locked:" not in shown(stage))
        await until(pilot, lambda: "more below" in shown(stage))


async def test_in_a_larger_terminal_it_stays():
    """There the row is free, and nothing moves."""
    stage = a_stage([an_approval("pay")])
    async with opened(stage) as pilot:
        await press(pilot, stage, "L")
        stage.clock.move(OLD + 1)
        look(stage)
        assert "Locked: the next approval" in shown(stage)


async def test_why_a_key_is_off_goes_with_the_request_it_was_about():
    """Of the next one it would not be true; other words stay."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        inbox(stage).say_off(say("Limits"), say("it has ended."))
        assert "Limits unavailable: it has ended." in shown(stage)
        await press(pilot, stage, "j")
        assert "Limits unavailable" not in shown(stage)
        await press(pilot, stage, "L", "k")
        assert "Locked: the next approval" in shown(stage)


async def test_the_panel_that_denies_shows_what_is_denied_in_twelve_rows():
    """The headline and all six reasons, before anything is scrolled."""
    stage = a_stage([an_approval("pay")])
    async with opened(stage, TINY) as pilot:
        await press(pilot, stage, "d")
        assert "Pay EUR 4,820.00 to Nordwind" in _flat(stage)
        for reason in ("1 Not needed now", "6 I don't recognize this"):
            assert reason in shown(stage)
