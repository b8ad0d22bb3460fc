"""The history: receipts, older pages, the filter, and reports."""

from approver_tui.client.errors import Unreachable
from approver_tui.screens.approvals.history import HistoryPage
from approver_tui.screens.incidents.report import ReportPanel
from approver_tui.state.approvals import filters
from approver_tui.state.approvals.decision import Answer
from tests.approver_tui.screens.test_pages import _filled, _go
from tests.support.builders.approval_texts import to_rfc3339
from tests.support.clients.driving import open_inbox, press, screen_text, until, until_shown
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import DEPLOY, MINUTE, PAYMENT


async def test_the_history_has_receipts_and_signed_texts():
    """A decided request has a receipt with device and digests; an expired request has none."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "2")
        await press(pilot, stage, "enter", "G")
        text = screen_text(stage)
        assert "RECEIPT" in text
        assert "phone (sayso_dv_bbbbbbbbbbbbbbbb)" in text
        assert an_approval("old").action_digest in text
        await press(pilot, stage, "v")
        assert "The two signed texts." in screen_text(stage)
        await press(pilot, stage, "v", "escape", "G", "enter", "G")
        assert "Nobody decided this, so nothing was signed." in screen_text(stage)


async def test_an_entry_shows_how_long_its_answer_took():
    """The list rounds the duration to minutes, and the receipt is exact to the second."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "2")
        assert "14:32 invoice-bot  phone, 5 min" in screen_text(stage)
        await press(pilot, stage, "enter", "G")
        assert "Time taken   5 min 03 s" in screen_text(stage)


async def test_by_me_shows_own_answers():
    """The filter `by:me` hides requests that nobody answered."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "2")
        assert "nobody" in screen_text(stage)
        await press(pilot, stage, "slash", *"by:me", "enter")
        await until_shown(pilot, stage, "/ by:me")
        assert "phone, 5 min" in screen_text(stage)
        assert "nobody" not in screen_text(stage)


async def test_an_unanswered_request_is_dated_by_its_end():
    """A canceled request is dated by when it ended, not by its expiry."""
    stage = make_stage()
    ended = to_rfc3339(NOW - 4 * MINUTE)
    outer = {"state": "cancelled", "reason": "agent_quarantined", "over_at": ended}
    stage.server.put(an_approval("gone", outer=outer))
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "2")
        assert "14:28 invoice-bot  nobody" in screen_text(stage)


async def test_a_standing_grant_is_named_as_the_decider():
    """A request that a standing grant approved is not listed as decided by nobody."""
    stage = make_stage()
    by = {"standing_grant": "sayso_sg_1", "use": 2, "policy": 3}
    outer = {"state": "redeemed", "decided_by": by, "over_at": to_rfc3339(NOW - 4 * MINUTE)}
    stage.server.put(an_approval("given", outer=outer))
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "2")
        assert "14:28 invoice-bot  standing grant" in screen_text(stage)


async def test_moving_to_the_end_loads_older_requests():
    """The history loads five requests at a time, and the cursor stays where it was."""
    stage = make_stage()
    names = [f"old {number}" for number in range(7)]
    stage.server.put(*(with_decision(an_approval(name), Answer.APPROVE) for name in names))
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "2")
        assert "HISTORY (5)" in screen_text(stage)
        assert "older: G" in screen_text(stage)
        await press(pilot, stage, "G")
        await until_shown(pilot, stage, "HISTORY (7)")
        assert stage.app.screen.cursor == an_approval("old 4").id
        await press(pilot, stage, "G")
        assert "newest first" in screen_text(stage)


async def test_the_typed_filter_applies_to_the_history():
    """The heading counts matches; an invalid filter is refused, and Esc clears the filter."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "2")
        await press(pilot, stage, "slash", *"is:denied", "enter")
        assert "HISTORY (1)  / is:denied" in screen_text(stage)
        assert "Deploy web" in screen_text(stage)
        await press(pilot, stage, "slash", *"risk:x", "enter")
        assert "Filter: use risk:low, medium, high or critical." in screen_text(stage).replace(
            "│", " "
        )
        await press(pilot, stage, "slash", *"zzz", "escape")
        assert "HISTORY (3)" in screen_text(stage)
        await press(pilot, stage, "slash", *"zzz", "enter")
        assert "No matches." in screen_text(stage)


def _stage_with_one_deployment(count, index):
    """Return a history of `count` payments in which only the request at `index` is a deployment."""
    stage = make_stage([an_approval("open", DEPLOY)])
    kinds = [(f"old {n}", DEPLOY if n == index else PAYMENT) for n in range(count)]
    stage.server.put(*(with_decision(an_approval(*kind), Answer.APPROVE) for kind in kinds))
    return stage


async def test_a_filter_searches_back_until_something_matches():
    """The search loads older pages by itself and says how many requests it searched."""
    stage = _stage_with_one_deployment(23, 17)
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "2")
        await press(pilot, stage, "slash", *"web", "enter")
        await until_shown(pilot, stage, "HISTORY (1)  / web")
        await until_shown(pilot, stage, "of 23 ")
        assert stage.app.screen.cursor == an_approval("old 17").id


async def test_the_agent_history_searches_back_too():
    """The key `t` in the inbox lists older requests from the selected request's agent."""
    stage = _stage_with_one_deployment(13, 11)
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "t")
        await until_shown(pilot, stage, "HISTORY (1)  / agent:")
        assert "Deploy web" in screen_text(stage)


async def test_a_filter_without_matches_pauses_and_continues(monkeypatch):
    """The page says after how many requests the search paused; G continues it."""
    monkeypatch.setattr(filters, "MAX_SCANNED", 10)
    stage = _stage_with_one_deployment(23, 22)
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "2")
        await press(pilot, stage, "slash", *"web", "enter")
        await until(pilot, lambda: "in the latest 15." in _words(stage))
        assert "of 15, older: G" in screen_text(stage)
        await press(pilot, stage, "G")
        await until_shown(pilot, stage, "HISTORY (1)  / web")
        assert "of 23 " in screen_text(stage)


async def test_a_filter_by_days_does_not_search_beyond_them():
    """Once requests are older than the filter allows, the search stops."""
    stage = _stage_with_one_deployment(23, 22)
    stage.clock.move(10)
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "2")
        await press(pilot, stage, "slash", *"since:1s", "enter")
        await until_shown(pilot, stage, "HISTORY (0)  / since:1s")
        assert "No matches." in screen_text(stage)
        assert "older: G" not in screen_text(stage)


async def test_searching_back_continues_after_an_error():
    """After the server could not be reached, G continues the search."""
    stage = _stage_with_one_deployment(9, 8)
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "2")
        stage.server.failure = Unreachable("no route")
        await press(pilot, stage, "slash", *"web", "enter")
        await until(pilot, lambda: "in the latest 5." in _words(stage))
        stage.server.failure = None
        await press(pilot, stage, "G")
        await until_shown(pilot, stage, "HISTORY (1)  / web")


def _words(stage):
    """Return the screen as one line, without the divider next to the list."""
    return " ".join(screen_text(stage).replace("▏", " ").split())


async def test_a_past_request_is_reported_from_the_history():
    """The history opens the report panel and shows its result."""
    stage = _filled()
    async with open_inbox(stage) as pilot:
        await _go(pilot, stage, "2")
        await press(pilot, stage, "exclamation_mark")
        assert isinstance(stage.app.screen, ReportPanel)
        await press(pilot, stage, "1", "tab", "tab", "enter")
        await until(pilot, lambda: isinstance(stage.app.screen, HistoryPage))
        assert "Reported: sayso_ic_aaaaaaaaaaaaaaaa." in " ".join(screen_text(stage).split())
        stage.server.approvals.clear()
        await press(pilot, stage, "r")
        await until(pilot, lambda: stage.app.screen.cursor is None)
        await press(pilot, stage, "exclamation_mark", "v", "enter")
        assert "Report unavailable: nothing is selected." in screen_text(stage)
