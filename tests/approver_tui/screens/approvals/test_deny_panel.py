"""Saying no: a reason, a note, and five seconds to think again."""

from approver_tui.client import errors
from approver_tui.screens.approvals.deny import DenyPanel
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.incidents.report import ReportPanel
from approver_tui.state.approvals.decision import NOTHING_MORE, Answer, DenialExtras
from approver_tui.widgets.approvals.deny_codes import DenyCodes
from tests.support.clients.driving import inbox, look, opened, press, run_on, shown, until
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval, three
from tests.support.fakes.fake_requests import CONSENT

PAY = three()[0].id


async def test_a_denial_leaves_after_five_seconds():
    """Digit, Enter: the status counts down, and only then the answer is sent."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2")
        stage.clock.move(1)
        await pilot.press("enter")
        await pilot.pause()
        assert "Denying in 5 s, u to undo: Pay EUR 4,820.00" in shown(stage)
        stage.clock.move(4.9)
        look(stage)
        await pilot.pause()
        assert stage.answers.given == []
        assert "Denying in 1 s" in shown(stage)
        stage.clock.move(0.2)
        look(stage)
        await until(pilot, lambda: "Denied by alice" in shown(stage))
    assert stage.answers.given == [(PAY, Answer.DENY, "wrong_details")]


async def test_u_takes_a_denial_back():
    """Nothing is sent, and the request can be answered again."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2", "enter", "u")
        stage.clock.move(10)
        look(stage)
        await pilot.pause()
        assert "Undone: nothing was denied." in shown(stage)
        await press(pilot, stage, "d")
        assert isinstance(stage.app.screen, DenyPanel)
    assert stage.answers.given == []


async def test_no_reason_is_chosen_from_the_start():
    """Enter without a reason says what is missing."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "enter")
        assert isinstance(stage.app.screen, DenyPanel)
        assert "Deny unavailable: pick a reason" in shown(stage)


async def test_arrows_choose_and_the_button_sends():
    """Down twice, Tab over both notes and Back to Deny, Enter."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "down", "down", "tab")
        note = stage.app.focused
        note.value = "x" * 498
        stage.clock.move(1)
        await run_on(pilot, stage, list("yyyy"))
        assert len(note.value) == 500
        await press(pilot, stage, "enter")
        assert isinstance(stage.app.screen, DenyPanel)
        await press(pilot, stage, "tab", "tab", "tab", "enter")
        stage.clock.move(6)
        look(stage)
        await until(pilot, lambda: bool(stage.answers.given))
    assert stage.answers.given == [(PAY, Answer.DENY, "wrong_details")]


async def test_one_thing_at_a_time_per_request():
    """While a denial waits, neither yes nor another no can be said to that request."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2")
        await pilot.press("enter")
        await press(pilot, stage, "a")
        assert isinstance(stage.app.screen, InboxScreen)
        await press(pilot, stage, "d")
        assert isinstance(stage.app.screen, InboxScreen)
        assert len(inbox(stage).state.doing) == 1


async def test_quitting_sends_the_denial_first():
    """`q` within the five seconds neither loses the answer nor waits for them."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2")
        await pilot.press("enter")
        await press(pilot, stage, "q")
        await until(pilot, lambda: not stage.app.is_running)
    assert stage.answers.given == [(PAY, Answer.DENY, "wrong_details")]


async def test_somebody_else_was_faster_than_the_denial():
    """The winner is told, and the row is a record."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2", "enter")
        winner = stage.answers._done(three()[0], Answer.APPROVE, None, None)
        stage.answers.failures.append(errors.AlreadyDecided("already_decided", "late", winner))
        stage.clock.move(6)
        look(stage)
        await until(pilot, lambda: "Already decided. Approved by alice" in shown(stage))
        assert inbox(stage).state.doing == {}


async def test_a_denial_that_does_not_get_through_says_so():
    """The request waits on, and can be denied again."""
    stage = a_stage(three())
    stage.answers.failures.append(errors.Unreachable("down"))
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2", "enter")
        stage.clock.move(6)
        look(stage)
        await until(pilot, lambda: "Not sent: the server cannot be reached." in shown(stage))
        await press(pilot, stage, "d")
        assert stage.app.screen.query_one(DenyCodes).code is None


async def test_escape_denies_nothing():
    """A chosen reason alone is not an answer."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2", "escape")
        stage.clock.move(10)
        look(stage)
        assert isinstance(stage.app.screen, InboxScreen)
    assert stage.answers.given == []


async def test_wait_until_offers_when_and_no_other_reason_does():
    """Digit, Tab, digit; the moment counts from the press of Deny, and need not be said."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2")
        assert "in an hour" not in shown(stage)
        await press(pilot, stage, "4", "tab", "2")
        assert "> 2 in an hour" in shown(stage)
        await press(pilot, stage, "tab", "tab", "tab", "tab")
        stage.clock.move(1)
        pressed_at = stage.clock.now()
        await pilot.press("enter")
        stage.clock.move(5)
        look(stage)
        await until(pilot, lambda: stage.answers.asides != [])
    assert stage.answers.asides == [DenialExtras(pressed_at + 3_600_000)]


async def test_a_time_that_was_chosen_is_not_told_with_another_reason():
    """The server takes it beside wait_until alone."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "4", "tab", "1", "shift+tab", "1", "enter")
        stage.clock.move(5)
        look(stage)
        await until(pilot, lambda: stage.answers.asides != [])
    assert stage.answers.asides == [NOTHING_MORE]


async def test_ask_someone_else_offers_whom_and_no_other_reason_does():
    """A name goes with that reason alone, and need not be said."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2")
        assert "Ask instead" not in shown(stage)
        await press(pilot, stage, "5", "tab", *"bob")
        assert "Ask instead" in shown(stage)
        await press(pilot, stage, "tab", "tab", "tab", "tab", "enter")
        stage.clock.move(5)
        look(stage)
        await until(pilot, lambda: stage.answers.asides != [])
    assert stage.answers.asides == [DenialExtras(ask="bob")]


async def test_the_panel_says_how_it_is_denied_from_where_the_focus_is():
    """Enter in a field does nothing, and it does not say that it does."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2")
        assert "Enter denies. You then have 5 s" in shown(stage)
        await press(pilot, stage, "tab")
        assert "Tab to Deny, then Enter. You then have 5 s" in shown(stage)
        while stage.app.focused.id != "deny":
            await press(pilot, stage, "tab")
        assert "Enter denies. You then have 5 s" in shown(stage)
    assert stage.answers.given == []


async def test_whoever_leaves_with_a_note_is_told_that_nothing_was_denied():
    """By Esc or by Back; without a word written there is nothing to say."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2", "escape")
        assert "Nothing was denied" not in shown(stage)
        await press(pilot, stage, "d", "2", "tab", *"no", "escape")
        await until(pilot, lambda: "Nothing was denied. Your notes were not kept." in shown(stage))
    assert stage.answers.given == []


async def test_what_one_does_not_recognise_can_be_reported_instead():
    """The panel names the key; it opens the report on the same request."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "6")
        words = " ".join(shown(stage).split())
        assert "To quarantine its agent too, report it: Esc, then !" in words
        await press(pilot, stage, "escape", "exclamation_mark")
        assert isinstance(stage.app.screen, ReportPanel)
        assert stage.app.screen.approval.id == PAY


async def test_a_private_note_goes_to_the_log_beside_the_note_to_the_agent():
    """Two fields, two ways."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2", "tab", *"fix", "tab", *"mine", "tab", "tab", "enter")
        stage.clock.move(6)
        look(stage)
        await until(pilot, lambda: bool(stage.answers.given))
    assert stage.answers.asides == [DenialExtras(private_note="mine")]
    assert stage.answers.notes == ["fix"]


async def test_what_no_agent_is_told_has_one_note_which_the_log_keeps():
    """A private one would be the same."""
    stage = a_stage([an_approval("consent", CONSENT)])
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "2")
        assert "Note for the audit log" in shown(stage)
        assert "Private note" not in shown(stage)
        await press(pilot, stage, "enter")
        assert "Denying in" in shown(stage)


async def test_the_key_bar_names_no_field_that_tab_does_not_lead_to():
    """With the times on the screen Tab leads to them, not to the note."""
    stage = a_stage(three())
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "4")
        assert "in 15 minutes" in shown(stage)
        assert "Tab Next" in shown(stage)
        assert "Tab Note" not in shown(stage)
        await press(pilot, stage, "tab")
        assert stage.app.focused.id == "until"
