"""The same keys have the same effect, however they are read."""

import asyncio
import random

import pytest
from textual import events
from textual._xterm_parser import XTermParser
from textual.widgets import Input

from approver_tui.screens.approvals.approve import ApprovePanel
from approver_tui.screens.approvals.deny import DenyPanel
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.guarded_app import _ORDERED_EVENTS
from approver_tui.widgets.typed_input import TypedInput
from tests.approver_tui.screens.approvals.test_ceremony_panel import EVERYTHING
from tests.support.clients.driving import opened, press, until
from tests.support.fakes.fake_answers import PIN
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_requests import PAYMENT

TYPED = f"\t417\t4820\tOn the list.\t{PIN}"
SHOWN = {"match": "417", "type_back": "4820", "reason": "On the list.", "pin": PIN}


def _cut(text, chance):
    """Cut a text into reads."""
    places = sorted(chance.sample(range(1, len(text)), chance.randrange(len(text) - 1)))
    return [text[begin:end] for begin, end in zip([0, *places], [*places, len(text)], strict=True)]


async def _read(stage, text):
    """What the driver does with one read: all of its keys at once."""
    for event in XTermParser().feed(text):
        stage.app._driver.process_message(event)


def _fields(stage):
    return {field.id: field.value for field in stage.app.screen.query(TypedInput)}


@pytest.mark.parametrize("seed", range(12))
async def test_every_key_reaches_its_own_field_however_it_is_read(seed):
    """The keys come in one read, in one read per key, or between, with and without pauses."""
    chance = random.Random(seed)  # noqa: S311  # reads; nothing is kept secret by them
    reads = [TYPED] if seed == 0 else list(TYPED) if seed == 1 else _cut(TYPED, chance)
    stage = a_stage([an_approval("pay", PAYMENT, **EVERYTHING)])
    async with opened(stage) as pilot:
        await press(pilot, stage, "a")
        assert isinstance(stage.app.screen, ApprovePanel)
        stage.clock.move(1)
        for read in reads:
            await _read(stage, read)
            for _ in range(chance.randrange(6)):
                await asyncio.sleep(0)
        await until(pilot, lambda: _fields(stage)["pin"] == PIN)
        assert _fields(stage) == SHOWN
    assert stage.answers.given == []


async def test_a_key_right_after_one_that_opens_a_panel_reaches_the_guard():
    """The inbox below and the panel do not handle that key."""
    stage = a_stage([an_approval("pay", PAYMENT, **EVERYTHING)])
    async with opened(stage) as pilot:
        await _read(stage, f"d1\tnote{PIN}\t\t\t\r")
        await until(pilot, lambda: isinstance(stage.app.screen, DenyPanel))
        await until(pilot, lambda: not stage.app._order._waiting)
        assert [field.value for field in stage.app.screen.query(Input)] == ["", "", ""]
        await press(pilot, stage, "escape")
        assert isinstance(stage.app.screen, InboxScreen)
    assert stage.unsent_denials.kept == set()


async def test_a_paste_stays_in_its_field():
    """Only its first line is used."""
    stage = a_stage([an_approval("pay", PAYMENT)])
    async with opened(stage) as pilot:
        await press(pilot, stage, "d", "1", "tab")
        await _read(stage, "\x1b[200~on\tthe list\r\nsecond\x1b[201~")
        note = stage.app.focused
        assert isinstance(note, Input)
        await until(pilot, lambda: note.value.startswith("on"))
        assert stage.app.focused is note
        assert "second" not in "".join(each.value for each in stage.app.screen.query(Input))
    assert stage.answers.given == []


async def test_the_window_focus_keeps_its_place_among_the_keys():
    """Keys typed before leaving the window are handled before it."""
    stage = a_stage([an_approval("pay", PAYMENT, **EVERYTHING)])
    async with opened(stage) as pilot:
        await press(pilot, stage, "a")
        stage.clock.move(1)
        await _read(stage, f"{TYPED}\x1b[O")
        await until(pilot, lambda: not stage.app.app_focus)
        assert _fields(stage) == SHOWN


async def test_input_that_waits_too_long_is_dropped(monkeypatch):
    """Its order would be unclear."""
    stage = a_stage([an_approval("pay", PAYMENT, **EVERYTHING)])
    async with opened(stage) as pilot:
        await press(pilot, stage, "a")
        stage.clock.move(1)
        monkeypatch.setattr("approver_tui.screens.input_order._LONGEST_SECONDS", 0.05)
        monkeypatch.setattr("approver_tui.screens.input_order.has_no_messages", lambda _app: False)
        await _read(stage, TYPED)
        await until(pilot, lambda: not stage.app._order._waiting)
        assert set(_fields(stage).values()) == {""}


def test_moving_and_scrolling_do_not_wait():
    """There are hundreds of them."""
    assert not issubclass(events.MouseMove, _ORDERED_EVENTS)
    assert not issubclass(events.MouseScrollDown, _ORDERED_EVENTS)
