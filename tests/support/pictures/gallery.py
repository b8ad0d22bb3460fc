"""The pictures of the README's gallery: which screens, in which state, at which size.

Owns: their table. Never: exporting them, which `pictures.py` does.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from textual.pilot import Pilot

from approver_tui.client.errors import AlreadyDecided
from approver_tui.screens.page import Page
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.decision import Answer, DenyCode
from approver_tui.widgets.approvals.narrow_form import NarrowForm
from approver_tui.widgets.panel_button import PanelButton
from tests.support.builders import batches
from tests.support.clients.driving import NARROW, WIDE, open_inbox, press, tick_screen, until
from tests.support.fakes.fake_account import a_consent, a_token
from tests.support.fakes.fake_app import Stage, make_stage
from tests.support.fakes.fake_approvals import an_approval, three_approvals, with_decision
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_grants import a_grant
from tests.support.fakes.fake_requests import DEPLOY, PRICES

FOLDER = Path(__file__).parents[3] / "docs" / "pictures"
Steps = Callable[[Pilot[None], Stage], Awaitable[None]]


async def _nothing(_pilot: Pilot[None], _stage: Stage) -> None:
    """Do nothing after the keys."""


async def _loaded(pilot: Pilot[None], stage: Stage) -> None:
    page = stage.app.screen
    assert isinstance(page, Page)
    await until(pilot, lambda: page.page_data is not None)


async def _narrowed(pilot: Pilot[None], stage: Stage) -> None:
    await until(pilot, lambda: bool(stage.app.screen.query(NarrowForm)))
    await press(pilot, stage, "tab", *"500", "tab", "tab", "space")
    await _ready(pilot, stage)


async def _standing_grant(pilot: Pilot[None], stage: Stage) -> None:
    await press(pilot, stage, "tab", "2", "tab", "3", "tab", *"90", "tab", *"50", "tab")
    await _ready(pilot, stage)


async def _ready(pilot: Pilot[None], stage: Stage) -> None:
    await until(pilot, lambda: not stage.app.screen.query_one("#continue", PanelButton).is_off)


async def _batch(pilot: Pilot[None], stage: Stage) -> None:
    await batches.select(pilot, stage, *_INVOICES)
    await batches.open_batch(pilot, stage)


async def _answers(pilot: Pilot[None], stage: Stage) -> None:
    won = with_decision(batches.TWO, Answer.DENY, DenyCode.WRONG_DETAILS)
    await _batch(pilot, stage)
    await batches.scroll_to_end(pilot, stage)
    await batches.type_in(pilot, stage, "count", "3")
    decided = AlreadyDecided("already_decided", "A different answer was recorded.", won)
    first = stage.answers.approve

    def approve(approval: Approval, **terms: Any) -> Approval:
        if approval.id == won.id:
            raise decided
        return first(approval, **terms)

    stage.answers.approve = approve  # type: ignore[method-assign]  # replaces the fake's method
    results = await batches.send(pilot, stage)
    await until(pilot, lambda: not results.is_busy)


_INVOICES = (batches.ONE, batches.TWO, batches.THREE, batches.NEW)


def _invoices() -> Stage:
    """Return an app with invoices to pay."""
    return make_stage(_INVOICES)


def _lived_in() -> Stage:
    """Return an app that has been used for a while."""
    stage = make_stage(three_approvals())
    stage.server.put(
        with_decision(an_approval("old"), Answer.APPROVE),
        with_decision(an_approval("web", DEPLOY), Answer.DENY, DenyCode.WRONG_DETAILS),
        with_decision(an_approval("lists", PRICES), Answer.APPROVE),
    )
    stage.server.given = [a_consent(), a_consent("buyer-helper")]
    stage.server.tokens = [a_token()]
    stage.grants_client.given = [a_grant(NOW)]
    return stage


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture."""

    keys: tuple[str, ...]
    size: tuple[int, int] = WIDE
    then: Steps = field(default=_nothing)
    made: Callable[[], Stage] = field(default=_lived_in)

    async def draw(self, exported: Callable[[Stage], str]) -> str:
        """Return the picture as SVG."""
        stage = self.made()
        async with open_inbox(stage, self.size) as pilot:
            await press(pilot, stage, *self.keys)
            await self.then(pilot, stage)
            tick_screen(stage)
            await pilot.pause()
            return exported(stage)


SHOTS: Mapping[str, Shot] = MappingProxyType(
    {
        "gallery-approve": Shot(("a",)),
        "gallery-less": Shot(("e",), then=_narrowed),
        "gallery-ahead": Shot(("s",), then=_standing_grant, made=_invoices),
        "gallery-history": Shot(("2",), then=_loaded),
        "gallery-rights": Shot(("4", "j", "j"), then=_loaded),
        "gallery-small": Shot((), NARROW),
        "gallery-small-read": Shot(("enter",), NARROW),
        "gallery-small-approve": Shot(("a",), NARROW),
        "gallery-batch": Shot((), then=_batch, made=_invoices),
        "gallery-answers": Shot((), then=_answers, made=_invoices),
    }
)
"""Every picture by its name, in the order of the README."""
