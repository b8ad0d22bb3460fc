"""After a key was replaced, no text on any screen names the default key."""

import re
import threading

import pytest

from approver_tui.screens.approvals.deny import DenyPanel
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.help import HelpScreen
from approver_tui.state.keymap import KEYS, Keymap
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.consents.rights import device_lines
from approver_tui.widgets.entry_sheet import EntrySheet
from approver_tui.widgets.lines import text_of
from tests.support.builders.multi_approver import ME, a_shared, a_vote
from tests.support.clients.driving import inbox, open_inbox, press, screen_text, until, until_shown
from tests.support.fakes.fake_account import a_consent, a_device, a_token
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, three_approvals
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_grants import a_grant
from tests.support.fakes.fake_requests import DEPLOY, PRICES

CUSTOM_KEYMAP = Keymap({name: f"f{number}" for number, name in enumerate(KEYS, 20)})
"""A keymap in which every action has a function key, so that no default key is left."""
_KEY = "|".join(map(re.escape, KEYS.values()))
_NEXT_WORD = "[a-z]+s|and|or|on|in|to|again"
_DEFAULT_KEY_IN_TEXT = re.compile(
    rf"""
    \((?:{_KEY})\)                                # Report it (!)
    | (?<![^\s(])(?!a\b)(?:{_KEY})\ (?:{_NEXT_WORD})\b  # u undoes it
    | (?<!\S)a\ (?:and|or)\b                       # a or d
    | \b(?:then|or|with|and)\ (?!a\b)(?:{_KEY})(?=[.,;)]|\s|$)(?!\ [a-z])   # Esc, then !
    """,
    re.VERBOSE | re.MULTILINE,
)
_SECONDS = re.compile(r"[0-9] s\b")


def default_keys_in(text):
    """Return the default keys that a text names; `5 s` is a duration and not a key."""
    return _DEFAULT_KEY_IN_TEXT.findall(_SECONDS.sub("", text))


def _key(name):
    return CUSTOM_KEYMAP.key(name)


def _stage(approvals=None, **kwargs):
    approvals = three_approvals() if approvals is None else approvals
    return make_stage(approvals, environment={"keymap": CUSTOM_KEYMAP}, **kwargs)


def _all_text(stage):
    """Return the text on the screen and the text that its sheets show when scrolled."""
    sheets = stage.app.screen.query(EntrySheet)
    lines = [text_of(line) for sheet in sheets for line in sheet.lines_for(100)]
    return "\n".join([screen_text(stage), *lines])


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("5 s left", []),
        ("a request", []),
        (" ! MED   Deploy", []),
        ("alike (x 4)", []),
        ("nothing in the first 0.8 s after a panel opened", []),
        ("Denying in 5 s (u to undo)", ["u to"]),
        ("Report it (!).", ["(!)"]),
        ("select it, with a or d; again", ["a or"]),
        ("Esc, then !", ["then !"]),
        ("S ends that.", ["S ends"]),
        ("/ and Enter show all", ["/ and"]),
    ],
)
def test_the_check_recognizes_a_key_in_a_text(text, keys):
    """The check that the other tests use finds default keys and nothing else."""
    assert default_keys_in(text) == keys


@pytest.mark.parametrize("is_full", [True, False], ids=["full", "empty"])
@pytest.mark.parametrize("digit", range(1, 7))
async def test_no_page_and_no_help_names_a_replaced_key(digit, is_full):
    """With every key replaced, neither a page nor its help names a default key."""
    stage = _stage([*three_approvals(), an_approval("again", DEPLOY)])
    stage.server.given = [a_consent()]
    stage.server.tokens = [a_token()]
    stage.grants_client.given = [a_grant(NOW)] if is_full else []
    async with open_inbox(stage, (140, 40)) as pilot:
        await press(pilot, stage, str(digit))
        for _ in range(8):
            assert default_keys_in(_all_text(stage)) == []
            await press(pilot, stage, "j")
        await press(pilot, stage, _key("help"))
        assert isinstance(stage.app.screen, HelpScreen)
        assert default_keys_in(_all_text(stage)) == []


async def test_messages_about_denials_name_the_chosen_keys():
    """The deny panel, its help, the countdown, and the blocking reason name the chosen keys."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, _key("deny"), "6")
        assert isinstance(stage.app.screen, DenyPanel)
        assert f"report it: Esc, then {_key('report')}" in screen_text(stage)
        assert default_keys_in(_all_text(stage)) == []
        await press(pilot, stage, "2", "f1")
        assert f"5 s to undo it ({_key('undo')})" in _all_text(stage)
        assert default_keys_in(_all_text(stage)) == []
        await press(pilot, stage, "escape", "enter")
        assert f"({_key('undo')} to undo): Pay" in screen_text(stage)
        assert default_keys_in(_all_text(stage)) == []
        await press(pilot, stage, _key("help"))
        assert f"Approve unavailable: you are denying it; {_key('undo')} undoes" in _all_text(stage)


async def test_messages_about_notifications_name_the_chosen_keys():
    """The messages after a snooze and a mute name the key that undoes them."""
    stage = _stage([an_approval("prices", PRICES)])
    async with open_inbox(stage) as pilot:
        for name, message in (("snooze", "Snoozed until"), ("mute", "is muted")):
            await press(pilot, stage, _key(name), "tab", "enter")
            await until_shown(pilot, stage, message)
            assert f"Press {_key(name)} to undo." in screen_text(stage)
            assert default_keys_in(_all_text(stage)) == []
            stage.clock.move(5)


async def test_messages_about_the_list_name_the_chosen_keys():
    """The messages about new rows, details, and a filter without matches name the chosen keys."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        late = an_approval("late", DEPLOY)
        stage.request(late)
        await until(pilot, lambda: inbox(stage).state.inbox.find(late.id) is not None)
        await until_shown(pilot, stage, f"{_key('refresh')} sorts the list")
        assert default_keys_in(_all_text(stage)) == []
        await press(pilot, stage, _key("details"))
        assert f"Press {_key('details')} to go back." in screen_text(stage)
        await press(pilot, stage, _key("filter"), *"nowhere", "enter")
        await until_shown(pilot, stage, f"Press {_key('filter')} and")


async def test_the_reason_of_a_counted_vote_names_the_chosen_key():
    """The reason why Approve is unavailable names the key that withdraws the approval."""
    stage = _stage([a_shared("pay", a_vote(ME, "alice"))])
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, _key("approve"))
        assert f"{_key('withdraw')} withdraws your approval." in screen_text(stage)


@pytest.mark.parametrize("name", ["approve", "narrow", "standing_grant", "report"])
async def test_no_panel_names_a_replaced_key(name):
    """With every key replaced, neither a panel nor its help names a default key."""
    stage = _stage()
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, "j", _key(name))
        assert not isinstance(stage.app.screen, InboxScreen)
        assert default_keys_in(_all_text(stage)) == []
        await press(pilot, stage, "f1")
        assert default_keys_in(_all_text(stage)) == []


async def test_quitting_while_an_answer_is_sent_names_the_chosen_key():
    """The message says which key quits without waiting."""
    stage = _stage()
    stage.answers.hold = threading.Event()
    async with open_inbox(stage) as pilot:
        await press(pilot, stage, _key("deny"), "2", "enter", _key("quit"))
        assert f"Press {_key('quit')} again to quit now" in screen_text(stage)
        stage.answers.hold.set()


@pytest.mark.parametrize(
    ("device", "name"),
    [
        (a_device(tries=10), "unlock"),
        (a_device(high_from=NOW + 1000), "vouch"),
    ],
)
def test_unlocking_a_device_names_the_chosen_key(device, name):
    """The devices page names the key that unlocks or vouches for a device."""
    text = " ".join(
        text_of(line) for line in device_lines(device, RenderContext(NOW, None, 200, CUSTOM_KEYMAP))
    )
    assert f"it ({_key(name)})" in text
    assert default_keys_in(text) == []
