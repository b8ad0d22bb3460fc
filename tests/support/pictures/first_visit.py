"""The pictures of `docs/approving.md`: a person's first visit, step by step.

Owns: the two requests of the visit, and the steps before each picture.
Never: a screenshot taken by hand; `python -m tests.support.pictures.pictures` draws them.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.text import SafeText
from tests.support.clients.driving import WIDE, open_inbox, press, tick_screen, until
from tests.support.clients.driving import inbox as inbox_of
from tests.support.fakes.fake_answers import PIN
from tests.support.fakes.fake_app import Stage, make_stage
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_requests import MINUTE

FOLDER = Path(__file__).parents[3] / "docs" / "pictures"

RIGHT: Mapping[str, Any] = {
    "headline": "Pay EUR 48.20 to Nordwind Logistik GmbH",
    "facts": [
        ("Amount", "EUR 48.20", True),
        ("To", "Nordwind Logistik GmbH", True),
        ("To account", "DE89 3704 0044 0532 0130 00", True),
        ("Reference", "INV-2291", False),
    ],
    "unusual": [
        ("new_agent", "First request from invoice-bot that you are asked to approve."),
        ("new_target", "First time: “To account”."),
    ],
    "compared": "No earlier approval to compare with.",
    "says": "INV-2291, as agreed on the phone.",
    "ceremony": "pin+type_back",
    "type_back": {
        "label": "To account",
        "kind": "last_four",
        "at": "/authorization_details/0/account",
    },
}
WRONG: Mapping[str, Any] = {
    "headline": "Pay EUR 4,820.00 to Nordwind Logistic Ltd",
    "facts": [
        ("Amount", "EUR 4,820.00", True),
        ("To", "Nordwind Logistic Ltd", True),
        ("To account", "LT12 1000 0111 0100 1000", True),
        ("Reference", "INV-2291", False),
    ],
    "unusual": [
        (
            "large_amount",
            "Amount is 100 times the only earlier amount for invoice-bot, EUR 48.20.",
        ),
        ("new_target", "First time: “To account”."),
    ],
    "compared": "Only 1 earlier approval to compare with, EUR 48.20.",
    "says": "URGENT: the vendor stops delivery today.",
}
_SOON, _LATER = 4 * MINUTE + 12_000, 9 * MINUTE


async def _read(_pilot: Pilot[None], _stage: Stage) -> None:
    """Do nothing: the picture shows the inbox as it opens."""


async def _approve(pilot: Pilot[None], stage: Stage) -> None:
    await press(pilot, stage, "a")


async def _pin(pilot: Pilot[None], stage: Stage) -> None:
    await _approve(pilot, stage)
    await press(pilot, stage, "pagedown", "pagedown", "tab", *"3000", "tab", *PIN)
    stage.clock.move(3)
    await press(pilot, stage, "tab")


async def _approved(pilot: Pilot[None], stage: Stage) -> None:
    await _pin(pilot, stage)
    stage.answers.approve = _approves_here  # type: ignore[method-assign]  # the fake approves on another device
    await press(pilot, stage, "enter")
    await until(pilot, lambda: stage.app.screen is inbox_of(stage))


def _approves_here(approval: Approval, **_: object) -> Approval:
    """Return the request as approved on this device, as on a first visit."""
    approved = with_decision(approval, Answer.APPROVE)
    assert approved.decision is not None
    return replace(approved, decision=replace(approved.decision, device_name=SafeText("laptop")))


async def _suspect(pilot: Pilot[None], stage: Stage) -> None:
    await press(pilot, stage, "j")


async def _deny(pilot: Pilot[None], stage: Stage) -> None:
    await _suspect(pilot, stage)
    await press(pilot, stage, "d", "6")


async def _denying(pilot: Pilot[None], stage: Stage) -> None:
    await _deny(pilot, stage)
    await press(pilot, stage, "enter")


STEPS: dict[str, Callable[[Pilot[None], Stage], Awaitable[None]]] = {
    "approving-1-read": _read,
    "approving-2-panel": _approve,
    "approving-3-pin": _pin,
    "approving-4-approved": _approved,
    "approving-5-wrong": _suspect,
    "approving-6-deny": _deny,
    "approving-7-denying": _denying,
}
"""Picture → the steps before it is taken."""


async def draw(name: str, export: Callable[[Stage], str]) -> str:
    """Return one picture, made by `export`."""
    right = an_approval("right", expires_in=_SOON, **RIGHT)
    wrong = an_approval("wrong", expires_in=_LATER, **WRONG)
    stage = make_stage([right, wrong])
    async with open_inbox(stage, WIDE) as pilot:
        await STEPS[name](pilot, stage)
        await pilot.pause()
        tick_screen(stage)
        await pilot.pause()
        return export(stage)
