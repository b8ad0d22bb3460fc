"""The history: receipts, older pages, the filter, reports."""

from approver_tui.client.errors import Unreachable
from approver_tui.screens.approvals.history import HistoryPage
from approver_tui.screens.incidents.report import ReportPanel
from approver_tui.state.approvals import search_span
from approver_tui.state.approvals.decision import Answer
from tests.approver_tui.screens.test_pages import _filled, _go
from tests.support.builders.approval_texts import when
from tests.support.clients.driving import opened, press, shown, until
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval, answered
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import DEPLOY, MINUTE, PAYMENT


async def test_the_history_has_receipts_and_signed_texts():
    """A receipt says who, when, on which device and over which digests; an expired one has none."""
    stage = _filled()
    async with opened(stage) as pilot:
        await _go(pilot, stage, "2")
        await press(pilot, stage, "enter", "G")
        text = shown(stage)
        assert "RECEIPT" in text
        assert "phone (sayso_dv_bbbbbbbbbbbbbbbb)" in text
        assert an_approval("old").action_digest in text
        await press(pilot, stage, "v")
        assert "The two signed texts." in shown(stage)
        await press(pilot, stage, "v", "escape", "G", "enter", "G")
        assert "Nobody decided this, so nothing was signed." in shown(stage)


async def test_an_entry_shows_how_long_its_answer_took():
    """The list rounds it, and the receipt is exact to the second."""
    stage = _filled()
    async with opened(stage) as pilot:
        await _go(pilot, stage, "2")
        assert "14:32 invoice-bot  phone, 5 min" in shown(stage)
        await press(pilot, stage, "enter", "G")
        assert "After        5 min 03 s" in shown(stage)


async def test_by_me_shows_own_answers():
    """`by:me` leaves out what nobody answered."""
    stage = _filled()
    async with opened(stage) as pilot:
        await _go(pilot, stage, "2")
        assert "nobody" in shown(stage)
        await press(pilot, stage, "slash", *"by:me", "enter")
        await until(pilot, lambda: "/ by:me" in shown(stage))
        assert "phone, 5 min" in shown(stage)
        assert "nobody" not in shown(stage)


async def test_an_unanswered_request_is_dated_by_its_end():
    """Its expiry is not shown as its date."""
    stage = a_stage()
    ended = when(NOW - 4 * MINUTE)
    outer = {"state": "cancelled", "reason": "agent_quarantined", "over_at": ended}
    stage.server.put(an_approval("gone", outer=outer))
    async with opened(stage) as pilot:
        await _go(pilot, stage, "2")
        assert "14:28 invoice-bot  nobody" in shown(stage)


async def test_a_standing_grant_that_approved_is_not_nobody():
    """The person gave it in advance."""
    stage = a_stage()
    by = {"standing_grant": "sayso_sg_1", "use": 2, "policy": 3}
    outer = {"state": "redeemed", "decided_by": by, "over_at": when(NOW - 4 * MINUTE)}
    stage.server.put(an_approval("given", outer=outer))
    async with opened(stage) as pilot:
        await _go(pilot, stage, "2")
        assert "14:28 invoice-bot  standing grant" in shown(stage)


async def test_moving_to_the_end_loads_older_requests():
    """Five at a time here; the cursor stays."""
    stage = a_stage()
    names = [f"old {number}" for number in range(7)]
    stage.server.put(*(answered(an_approval(name), Answer.APPROVE) for name in names))
    async with opened(stage) as pilot:
        await _go(pilot, stage, "2")
        assert "HISTORY (5)" in shown(stage)
        assert "older: G" in shown(stage)
        await press(pilot, stage, "G")
        await until(pilot, lambda: "HISTORY (7)" in shown(stage))
        assert stage.app.screen.cursor == an_approval("old 4").id
        await press(pilot, stage, "G")
        assert "newest first" in shown(stage)


async def test_the_typed_filter_applies_to_the_history():
    """Matches are counted, an invalid filter is reported, an empty one shows all."""
    stage = _filled()
    async with opened(stage) as pilot:
        await _go(pilot, stage, "2")
        await press(pilot, stage, "slash", *"is:denied", "enter")
        assert "HISTORY (1)  / is:denied" in shown(stage)
        assert "Deploy web" in shown(stage)
        await press(pilot, stage, "slash", *"risk:x", "enter")
        assert "Filter: write risk:low, medium, high or critical." in shown(stage).replace("│", " ")
        await press(pilot, stage, "slash", *"zzz", "escape")
        assert "HISTORY (3)" in shown(stage)
        await press(pilot, stage, "slash", *"zzz", "enter")
        assert "No matches." in shown(stage)


def _with_a_rare_one(count, place):
    """A history of this many payments with one deployment; five are sent at a time."""
    stage = a_stage([an_approval("open", DEPLOY)])
    kinds = [(f"old {n}", DEPLOY if n == place else PAYMENT) for n in range(count)]
    stage.server.put(*(answered(an_approval(*kind), Answer.APPROVE) for kind in kinds))
    return stage


async def test_a_filter_searches_back_until_something_matches():
    """It needs no key; the heading says how many requests were searched."""
    stage = _with_a_rare_one(23, 17)
    async with opened(stage) as pilot:
        await _go(pilot, stage, "2")
        await press(pilot, stage, "slash", *"web", "enter")
        await until(pilot, lambda: "HISTORY (1)  / web" in shown(stage))
        await until(pilot, lambda: "of 23 " in shown(stage))
        assert stage.app.screen.cursor == an_approval("old 17").id


async def test_the_agent_history_searches_back_too():
    """The key `t` in the inbox shows all requests of the selected request's agent."""
    stage = _with_a_rare_one(13, 11)
    async with opened(stage) as pilot:
        await press(pilot, stage, "t")
        await until(pilot, lambda: "HISTORY (1)  / agent:" in shown(stage))
        assert "Deploy web" in shown(stage)


async def test_a_filter_without_matches_pauses_and_continues(monkeypatch):
    """It shows after how many requests it paused; going to the end continues."""
    monkeypatch.setattr(search_span, "MAX_SCANNED", 10)
    stage = _with_a_rare_one(23, 22)
    async with opened(stage) as pilot:
        await _go(pilot, stage, "2")
        await press(pilot, stage, "slash", *"web", "enter")
        await until(pilot, lambda: "in the latest 15." in _words(stage))
        assert "of 15, older: G" in shown(stage)
        await press(pilot, stage, "G")
        await until(pilot, lambda: "HISTORY (1)  / web" in shown(stage))
        assert "of 23 " in shown(stage)


async def test_a_filter_by_days_does_not_search_beyond_them():
    """Earlier requests are too old."""
    stage = _with_a_rare_one(23, 22)
    stage.clock.move(10)
    async with opened(stage) as pilot:
        await _go(pilot, stage, "2")
        await press(pilot, stage, "slash", *"since:1s", "enter")
        await until(pilot, lambda: "HISTORY (0)  / since:1s" in shown(stage))
        assert "No matches." in shown(stage)
        assert "older: G" not in shown(stage)


async def test_searching_back_continues_after_an_error():
    """The matches stay; the end of the list asks again."""
    stage = _with_a_rare_one(9, 8)
    async with opened(stage) as pilot:
        await _go(pilot, stage, "2")
        stage.server.failure = Unreachable("no route")
        await press(pilot, stage, "slash", *"web", "enter")
        await until(pilot, lambda: "in the latest 5." in _words(stage))
        stage.server.failure = None
        await press(pilot, stage, "G")
        await until(pilot, lambda: "HISTORY (1)  / web" in shown(stage))


def _words(stage):
    """What is on the screen as one line, beside which nothing is read."""
    return " ".join(shown(stage).replace("▏", " ").split())


async def test_a_past_request_is_reported_from_the_history():
    """The panel is that of the inbox; both show the result."""
    stage = _filled()
    async with opened(stage) as pilot:
        await _go(pilot, stage, "2")
        await press(pilot, stage, "exclamation_mark")
        assert isinstance(stage.app.screen, ReportPanel)
        await press(pilot, stage, "1", "tab", "tab", "enter")
        await until(pilot, lambda: isinstance(stage.app.screen, HistoryPage))
        assert "Reported: sayso_ic_aaaaaaaaaaaaaaaa." in " ".join(shown(stage).split())
        stage.server.approvals.clear()
        await press(pilot, stage, "r")
        await until(pilot, lambda: stage.app.screen.cursor is None)
        await press(pilot, stage, "exclamation_mark", "v", "enter")
        assert "Report unavailable: nothing is selected." in shown(stage)
