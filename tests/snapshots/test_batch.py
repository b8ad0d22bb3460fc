"""Answering several requests: selection, panels, and results at two or more sizes."""

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
    open_batch,
    scroll_to_end,
    select,
    send,
    to_the_field,
    type_in,
)
from tests.support.clients.driving import NARROW, WIDE, disconnect, pass_time, press, until
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_requests import DEPLOY, MINUTE

EVIL = "inv\u202eoice-bot[b]\x1b[2J [@click=app.quit]here[/]" + "x" * 90
BOTH = pytest.mark.parametrize("key", ["a", "d"], ids=["approve", "deny"])
MORE_SIZES = ((80, 24), (60, 20), (40, 12))
ALL = [ONE, TWO, THREE, NEW]
OTHER = an_approval("deploy", DEPLOY, expires_in=30 * MINUTE)


def _open_batch_steps(key, *selected):
    async def steps(pilot, stage):
        await select(pilot, stage, *selected)
        await open_batch(pilot, stage, key)

    return steps


async def _approve(pilot, stage, *selected):
    await _open_batch_steps("a", *selected)(pilot, stage)
    await scroll_to_end(pilot, stage)
    if len(selected) > 2:
        await type_in(pilot, stage, "count", str(len(selected)))
    results = await send(pilot, stage)
    await until(pilot, lambda: not results.is_busy)


def test_selection(picture):
    """The inbox shows a checkbox on each row that is or can be selected."""

    async def select_two(pilot, stage):
        await select(pilot, stage, ONE, THREE)

    assert picture(make_stage([*ALL, OTHER]), then=select_two)


@BOTH
def test_batch(picture, key):
    """Three requests are selected, and the unusual one is listed below them."""
    assert picture(make_stage(ALL), then=_open_batch_steps(key, *ALL))


@BOTH
def test_batch_in_other_windows(picture, key):
    """The panel is drawn as it opens, at three more sizes."""
    assert picture(make_stage(ALL), then=_open_batch_steps(key, *ALL), sizes=MORE_SIZES)


@BOTH
def test_batch_of_one(picture, key):
    """The panel also opens for a single selected request."""
    assert picture(make_stage(ALL), then=_open_batch_steps(key, TWO))


def test_batch_scrolled_to_the_end(picture):
    """The end of the panel shows shared facts, the count, and the PIN."""

    async def read(pilot, stage):
        await _open_batch_steps("a", *ALL)(pilot, stage)
        await scroll_to_end(pilot, stage)
        await type_in(pilot, stage, "count", "3")
        await type_in(pilot, stage, "pin", "271828")
        await to_the_field(pilot, stage, "do")

    for size in (WIDE, NARROW):
        stage = make_stage(ALL)
        stage.answers.is_unlocked = False
        assert picture(stage, then=read, sizes=(size,))


def test_batch_without_a_removed_request(picture):
    """A request that changed was removed, and the panel says so."""

    async def change_request(pilot, stage):
        await _open_batch_steps("a", *ALL)(pilot, stage)
        panel = stage.app.screen
        panel.state_changed(panel.state.with_approval(a_payment("two", 2_000, "Kolibri AG", 15)))
        await pilot.pause()

    assert picture(make_stage(ALL), then=change_request)


@BOTH
def test_expired_in_a_batch(picture, key):
    """After its only request expired, the panel has closed and the inbox says why."""

    async def let_expire(pilot, stage):
        await _open_batch_steps(key, ONE)(pilot, stage)
        pass_time(stage, 30 * 60)
        await until(pilot, lambda: isinstance(stage.app.screen, InboxScreen))

    assert picture(make_stage([ONE]), then=let_expire)


@BOTH
def test_offline_in_a_batch(picture, key):
    """Without a connection the panel stays open and says why its button is unavailable."""

    async def go_offline(pilot, stage):
        await _open_batch_steps(key, ONE, TWO)(pilot, stage)
        await disconnect(pilot, stage, "the server does not answer")

    assert picture(make_stage(ALL), then=go_offline)


def _evil(name, left):
    facts = [("Payee", EVIL, True), ("Amount", "EUR 4,820.00", True)]
    terms = {"agent": EVIL[:120], "headline": f"Pay {name} {EVIL}", "says": EVIL, "facts": facts}
    return a_payment(name, 482_000, EVIL, left, **terms)


@BOTH
def test_hostile_text_in_a_batch(picture, key):
    """Hostile text in names and facts has no effect, and no line looks like another fact."""
    evil = [_evil("evil", 14), _evil("more", 15)]
    assert picture(make_stage(evil), then=_open_batch_steps(key, *evil))


def test_results_before_denials_are_sent(picture):
    """The results panel counts down the five seconds in which all denials can be undone."""

    async def deny(pilot, stage):
        await _open_batch_steps("d", ONE)(pilot, stage)
        await press(pilot, stage, "2")
        await send(pilot, stage)

    assert picture(make_stage(ALL), then=deny)


def test_results(picture):
    """The results show requests that were decided elsewhere, expired, refused, and approved."""
    expired = replace(TWO, state=ApprovalState.EXPIRED)

    async def approve(pilot, stage):
        stage.answers.failures = [
            errors.AlreadyDecided("already_decided", "x", with_decision(ONE, Answer.DENY)),
            errors.AlreadyDecided("already_decided", "x", expired),
            errors.ApiError("policy_denies", 403, "A rule of today denies this."),
        ]
        await _approve(pilot, stage, *rows)

    rows = [ONE, TWO, THREE, a_payment("four", 700, "Cy", 18)]
    assert picture(make_stage(rows), then=approve)


def test_results_expired(picture):
    """The results show requests that expired while they were being answered."""
    expired = [replace(request, state=ApprovalState.EXPIRED) for request in (ONE, TWO)]

    async def approve(pilot, stage):
        stage.answers.failures = [
            errors.AlreadyDecided("already_decided", "x", approval) for approval in expired
        ]
        await _approve(pilot, stage, ONE, TWO)

    assert picture(make_stage([ONE, TWO]), then=approve)


def test_results_connection_lost(picture):
    """The results show one approved, one unknown, and one unsent answer."""

    async def approve(pilot, stage):
        original_approve = stage.answers.approve

        def approve_once(approval, **terms):
            if approval.id == TWO.id:
                stage.server.is_down = True
                raise errors.UnknownOutcome(approval.id)
            return original_approve(approval, **terms)

        stage.answers.approve = approve_once
        await _approve(pilot, stage, ONE, TWO, THREE)

    assert picture(make_stage(ALL), then=approve)


def test_results_with_hostile_text(picture):
    """Hostile text in the results has no effect."""

    async def approve(pilot, stage):
        await _approve(pilot, stage, *evil)

    evil = [_evil("evil", 14), _evil("more", 15)]
    assert picture(make_stage(evil), then=approve)
