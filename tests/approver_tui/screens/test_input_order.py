"""The same keys have the same effect, however the terminal splits them into reads."""

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
from tests.support.clients.driving import open_stage, press, until
from tests.support.fakes.fake_answers import PIN
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_requests import PAYMENT

TYPED = f"\t417\t4820\tOn the list.\t{PIN}"
SHOWN = {"match": "417", "type_back": "4820", "reason": "On the list.", "pin": PIN}


def _split(text, rng):
    """Split a text into random reads."""
    positions = sorted(rng.sample(range(1, len(text)), rng.randrange(len(text) - 1)))
    return [
        text[begin:end] for begin, end in zip([0, *positions], [*positions, len(text)], strict=True)
    ]


async def _process_read(stage, text):
    """Do what the driver does with one read: process all of its keys."""
    for event in XTermParser().feed(text):
        stage.app._driver.process_message(event)


def _fields(stage):
    return {field.id: field.value for field in stage.app.screen.query(TypedInput)}


@pytest.mark.parametrize("seed", range(12))
async def test_every_key_reaches_its_own_field_however_it_is_read(seed):
    """One read, one read per key, and random reads fill the same fields."""
    rng = random.Random(seed)  # noqa: S311  # not used for secrets
    reads = [TYPED] if seed == 0 else list(TYPED) if seed == 1 else _split(TYPED, rng)
    async with open_stage([an_approval("pay", PAYMENT, **EVERYTHING)]) as (pilot, stage):
        await press(pilot, stage, "a")
        assert isinstance(stage.app.screen, ApprovePanel)
        stage.clock.move(1)
        for read in reads:
            await _process_read(stage, read)
            for _ in range(rng.randrange(6)):
                await asyncio.sleep(0)
        await until(pilot, lambda: _fields(stage)["pin"] == PIN)
        assert _fields(stage) == SHOWN
    assert stage.answers.calls == []


async def test_a_key_right_after_one_that_opens_a_panel_reaches_the_guard():
    """The guard drops the keys after `d`, so neither inbox nor panel handles them."""
    async with open_stage([an_approval("pay", PAYMENT, **EVERYTHING)]) as (pilot, stage):
        await _process_read(stage, f"d1\tnote{PIN}\t\t\t\r")
        await until(pilot, lambda: isinstance(stage.app.screen, DenyPanel))
        await until(pilot, lambda: not stage.app._order._waiting)
        assert [field.value for field in stage.app.screen.query(Input)] == ["", "", ""]
        await press(pilot, stage, "escape")
        assert isinstance(stage.app.screen, InboxScreen)
    assert stage.unsent_denials.kept == set()


async def test_a_paste_stays_in_its_field():
    """All lines of the paste become one, and a tab or line end in it does not move the focus."""
    async with open_stage([an_approval("pay", PAYMENT)]) as (pilot, stage):
        await press(pilot, stage, "d", "1", "tab")
        await _process_read(stage, "\x1b[200~on\tthe list\r\nsecond\x1b[201~")
        note = stage.app.focused
        assert isinstance(note, Input)
        await until(pilot, lambda: note.value == "on the list second")
        assert stage.app.focused is note
        assert [field.value for field in stage.app.screen.query(Input) if field.value] == [
            note.value
        ]
    assert stage.answers.calls == []


async def test_keys_are_handled_before_a_later_loss_of_focus():
    """Keys that were typed before the window lost the focus still fill the fields."""
    async with open_stage([an_approval("pay", PAYMENT, **EVERYTHING)]) as (pilot, stage):
        await press(pilot, stage, "a")
        stage.clock.move(1)
        await _process_read(stage, f"{TYPED}\x1b[O")
        await until(pilot, lambda: not stage.app.app_focus)
        assert _fields(stage) == SHOWN


async def test_input_that_waits_too_long_is_dropped(monkeypatch):
    """Keys that could not be handled in time are dropped, because their target is unclear."""
    async with open_stage([an_approval("pay", PAYMENT, **EVERYTHING)]) as (pilot, stage):
        await press(pilot, stage, "a")
        stage.clock.move(1)
        monkeypatch.setattr("approver_tui.screens.input_order._TIMEOUT_SECONDS", 0.05)
        monkeypatch.setattr("approver_tui.screens.input_order.has_no_messages", lambda _app: False)
        await _process_read(stage, TYPED)
        await until(pilot, lambda: not stage.app._order._waiting)
        assert set(_fields(stage).values()) == {""}


def test_moving_and_scrolling_do_not_wait():
    """Mouse movements are too many to be put in order with the keys."""
    assert not issubclass(events.MouseMove, _ORDERED_EVENTS)
    assert not issubclass(events.MouseScrollDown, _ORDERED_EVENTS)
