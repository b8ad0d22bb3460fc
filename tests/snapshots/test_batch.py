"""Answering several requests: marks, panels, results; at both sizes, some at more."""

from dataclasses import replace

import pytest

from approver_tui.client import errors
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.state.approvals.approvals import ApprovalState
from approver_tui.state.approvals.decision import Answer
from tests.support.builders.batches import (
    NEW,
    ONE,
    THREE,
    TWO,
    a_payment,
    mark,
    open_batch,
    read_on,
    send,
    to_the_field,
    type_in,
)
from tests.support.clients.driving import NARROW, WIDE, cut_off, look, press, until
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval, answered
from tests.support.fakes.fake_requests import DEPLOY, MINUTE

EVIL = "inv\u202eoice-bot[b]\x1b[2J [@click=app.quit]here[/]" + "x" * 90
BOTH = pytest.mark.parametrize("key", ["a", "d"], ids=["approve", "deny"])
MORE_SIZES = ((80, 24), (60, 20), (40, 12))
ALL = [ONE, TWO, THREE, NEW]
OTHER = an_approval("deploy", DEPLOY, left=30 * MINUTE)


def _opens(key, *marked):
    async def steps(pilot, stage):
        await mark(pilot, stage, *marked)
        await open_batch(pilot, stage, key)

    return steps


async def _approve(pilot, stage, *marked):
    await _opens("a", *marked)(pilot, stage)
    await read_on(pilot, stage)
    if len(marked) > 2:
        await type_in(pilot, stage, "count", str(len(marked)))
    results = await send(pilot, stage)
    await until(pilot, lambda: not results.is_busy)


def test_marks(picture):
    """Checkboxes on rows that are, or could be, marked."""

    async def marked(pilot, stage):
        await mark(pilot, stage, ONE, THREE)

    assert picture(a_stage([*ALL, OTHER]), then=marked)


@BOTH
def test_batch(picture, key):
    """Three selected, the unusual one below."""
    assert picture(a_stage(ALL), then=_opens(key, *ALL))


@BOTH
def test_batch_in_other_windows(picture, key):
    """The panel is in its first state."""
    assert picture(a_stage(ALL), then=_opens(key, *ALL), sizes=MORE_SIZES)


@BOTH
def test_batch_of_one(picture, key):
    """One request is enough."""
    assert picture(a_stage(ALL), then=_opens(key, TWO))


def test_batch_scrolled_to_the_end(picture):
    """Unusual requests, shared facts, count and PIN."""

    async def read(pilot, stage):
        await _opens("a", *ALL)(pilot, stage)
        await read_on(pilot, stage)
        await type_in(pilot, stage, "count", "3")
        await type_in(pilot, stage, "pin", "271828")
        await to_the_field(pilot, stage, "do")

    for size in (WIDE, NARROW):
        stage = a_stage(ALL)
        stage.answers.is_unlocked = False
        assert picture(stage, then=read, sizes=(size,))


def test_batch_without_a_removed_request(picture):
    """It changed, and the panel says so."""

    async def changed(pilot, stage):
        await _opens("a", *ALL)(pilot, stage)
        panel = stage.app.screen
        panel.state_changed(panel.state.with_approval(a_payment("two", 2_000, "Kolibri AG", 15)))
        await pilot.pause()

    assert picture(a_stage(ALL), then=changed)


@BOTH
def test_expired_in_a_batch(picture, key):
    """It closes, and the inbox says why."""

    async def late(pilot, stage):
        await _opens(key, ONE)(pilot, stage)
        stage.clock.move(30 * 60)
        look(stage)
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))

    assert picture(a_stage([ONE]), then=late)


@BOTH
def test_offline_in_a_batch(picture, key):
    """It stays, its button is off, with the reason."""

    async def cut(pilot, stage):
        await _opens(key, ONE, TWO)(pilot, stage)
        await cut_off(pilot, stage, "the server does not answer")

    assert picture(a_stage(ALL), then=cut)


def _evil(name, left):
    facts = [("Payee", EVIL, True), ("Amount", "EUR 4,820.00", True)]
    terms = {"agent": EVIL[:120], "headline": f"Pay {name} {EVIL}", "says": EVIL, "facts": facts}
    return a_payment(name, 482_000, EVIL, left, **terms)


@BOTH
def test_hostile_text_in_a_batch(picture, key):
    """An agent's name and a fact, inert, and no line looks like another fact."""
    evil = [_evil("evil", 14), _evil("more", 15)]
    assert picture(a_stage(evil), then=_opens(key, *evil))


def test_results_before_denials_are_sent(picture):
    """Five seconds to undo all of them."""

    async def deny(pilot, stage):
        await _opens("d", ONE)(pilot, stage)
        await press(pilot, stage, "2")
        await send(pilot, stage)

    assert picture(a_stage(ALL), then=deny)


def test_results(picture):
    """Decided elsewhere, expired, refused, approved."""
    expired = replace(TWO, state=ApprovalState.EXPIRED)

    async def approve(pilot, stage):
        stage.answers.failures = [
            errors.AlreadyDecided("already_decided", "x", answered(ONE, Answer.DENY)),
            errors.AlreadyDecided("already_decided", "x", expired),
            errors.ApiError("policy_denies", 403, "A rule of today denies this."),
        ]
        await _approve(pilot, stage, *rows)

    rows = [ONE, TWO, THREE, a_payment("four", 700, "Cy", 18)]
    assert picture(a_stage(rows), then=approve)


def test_results_expired(picture):
    """They expired while they were being answered."""
    expired = [replace(each, state=ApprovalState.EXPIRED) for each in (ONE, TWO)]

    async def approve(pilot, stage):
        stage.answers.failures = [
            errors.AlreadyDecided("already_decided", "x", each) for each in expired
        ]
        await _approve(pilot, stage, ONE, TWO)

    assert picture(a_stage([ONE, TWO]), then=approve)


def test_results_connection_lost(picture):
    """Approved, unknown, not sent."""

    async def approve(pilot, stage):
        first = stage.answers.approve

        def broken(approval, **terms):
            if approval.id == TWO.id:
                stage.server.is_down = True
                raise errors.UnknownOutcome(approval.id)
            return first(approval, **terms)

        stage.answers.approve = broken
        await _approve(pilot, stage, ONE, TWO, THREE)

    assert picture(a_stage(ALL), then=approve)


def test_results_with_hostile_text(picture):
    """Inert, as everywhere."""

    async def approve(pilot, stage):
        await _approve(pilot, stage, *evil)

    evil = [_evil("evil", 14), _evil("more", 15)]
    assert picture(a_stage(evil), then=approve)
