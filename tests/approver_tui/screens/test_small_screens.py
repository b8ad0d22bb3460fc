"""Messages and warnings on small screens."""

import pytest

from approver_tui.screens.keyed_screen import STALE_SECONDS
from approver_tui.state.incidents.reports import QuarantinedAgent, ReportResult, ReportScope
from approver_tui.state.text import SafeText
from approver_tui.widgets.incidents.reports import report_result_text
from approver_tui.widgets.lines import fmt
from tests.support.clients.driving import (
    NARROW,
    WIDE,
    disconnect,
    inbox,
    open_stage,
    pass_time,
    press,
    screen_text,
    until,
    until_shown,
)
from tests.support.fakes.fake_account import a_device
from tests.support.fakes.fake_approvals import an_approval, three_approvals

TINY = (40, 12)
QUARANTINED = QuarantinedAgent(
    SafeText("sayso_ag_aaaaaaaaaaaaaaaa"),
    SafeText("procurement-assistant-europe"),
    SafeText("quarantined"),
    12,
    104,
)
SENTENCES = [
    report_result_text(
        ReportResult(
            SafeText("sayso_ic_aaaaaaaaaaaaaaaa"),
            ReportScope.EVERY_AGENT,
            (QUARANTINED, QUARANTINED, QUARANTINED),
            three_approvals()[0],
        )
    ),
    fmt(
        "20:11 ALARM: your agent {} was reported and is quarantined. Incident {}.",
        QUARANTINED.name,
        SafeText("sayso_ic_aaaaaaaaaaaaaaaa"),
    ),
    fmt(
        "Approve unavailable: this device is new. It can approve high risk from {}.",
        SafeText("27 Nov 2026 19:46"),
    ),
    fmt("Approve unavailable: too many wrong entries: it is locked for you. You can deny it."),
]


def _words(stage):
    return " ".join(screen_text(stage).split())


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda words: words[:24])
async def test_a_message_is_never_cut(size, sentence):
    """A message uses as many rows as it needs, and the keys stay visible."""
    async with open_stage(three_approvals(), size=size) as (pilot, stage):
        inbox(stage).show_message(sentence)
        await until(pilot, lambda: sentence in _words(stage))
        await until_shown(pilot, stage, "? Help")


async def test_two_warnings_take_one_row_of_twelve():
    """On a small screen the second warning is only counted; the help has both."""
    async with open_stage(
        three_approvals(), device=a_device(tries=2), is_server_folder_readable=True, size=TINY
    ) as (pilot, stage):
        await until_shown(pilot, stage, "! 2 wrong PINs +1: ?")
        rows = screen_text(stage).splitlines()
        assert "wrong PINs" in rows[1]
        assert "WAITING FOR YOU (3)" in rows[2]
        assert screen_text(stage).count("invoice-bot") >= 1
        await press(pilot, stage, "question_mark")
        assert "! 2 wrong PINs since you last approved" in _words(stage)
        assert "can read the server's data folder" in _words(stage)


async def test_a_warning_that_fits_is_shown_in_full():
    """A single warning that fits its row is not shortened."""
    async with open_stage(three_approvals(), device=a_device(tries=2), size=TINY) as (pilot, stage):
        await until_shown(pilot, stage, "! 2 wrong PINs since you last approved")


async def test_the_age_comes_first_in_one_row():
    """Being offline is the most urgent warning, so its age is shown first."""
    async with open_stage(three_approvals(), is_server_folder_readable=True, size=TINY) as (
        pilot,
        stage,
    ):
        await disconnect(pilot, stage, "the server is restarting")
        pass_time(stage, 125)
        await until_shown(pilot, stage, "OFFLINE, 2 min old +1: ?")


async def test_a_message_gives_its_row_back_on_small_screens():
    """After a while the message disappears, and the details get its row."""
    async with open_stage([an_approval("pay")], is_server_folder_readable=True, size=TINY) as (
        pilot,
        stage,
    ):
        await press(pilot, stage, "L", "enter")
        assert "Locked. The next approval requires your PIN." in _words(stage)
        assert "more below" not in screen_text(stage)
        pass_time(stage, STALE_SECONDS + 1)
        await until(pilot, lambda: "Locked:" not in screen_text(stage))
        await until_shown(pilot, stage, "more below")


async def test_a_message_stays_on_larger_screens():
    """On a larger screen no other text needs the row, so the message stays."""
    async with open_stage([an_approval("pay")]) as (pilot, stage):
        await press(pilot, stage, "L")
        pass_time(stage, STALE_SECONDS + 1)
        assert "Locked. The next approval" in screen_text(stage)


async def test_the_reason_for_an_unavailable_key_disappears_with_its_request():
    """Another selection removes the reason, but not other messages."""
    async with open_stage(three_approvals()) as (pilot, stage):
        inbox(stage).show_unavailable(fmt("Limits"), fmt("it has ended."))
        assert "Limits unavailable: it has ended." in screen_text(stage)
        await press(pilot, stage, "j")
        assert "Limits unavailable" not in screen_text(stage)
        await press(pilot, stage, "L", "k")
        assert "Locked. The next approval" in screen_text(stage)


async def test_the_deny_panel_shows_headline_and_reasons_in_twelve_rows():
    """The headline and all reasons fit without scrolling."""
    async with open_stage([an_approval("pay")], size=TINY) as (pilot, stage):
        await press(pilot, stage, "d")
        assert "Pay EUR 4,820.00 to Nordwind" in _words(stage)
        for reason in ("1 Not needed now", "6 I don't recognize this"):
            assert reason in screen_text(stage)
