"""Text from an agent has no effect on any screen; it is only text."""

import re

import pytest

from approver_tui.client.reading import JsonObject
from approver_tui.client.wire import read_narrowable
from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.widgets.approvals.approval_detail import ApprovalDetail
from approver_tui.widgets.approvals.narrow_form import NarrowForm
from tests.support.clients.driving import (
    NARROW,
    WIDE,
    open_inbox,
    open_stage,
    press,
    screen_text,
    until,
    until_shown,
)
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_requests import PAYMENT

HOSTILE = {
    "escape": "\x1b[2J\x1b[8mhidden\x1b]0;title\x07",
    "clipboard": "\x1b]52;c;cm0gLXJmIC8=\x07",
    "c1": "\x9b2J\x9d52;c;x\x9c",
    "bidi": "\u202eFBG 0.1 yaP\u202c\u2066x\u2069",
    "zero width": "a\u200bb\u200dc\ufeffd\U000e0041",
    "markup": "[@click=app.quit]Approve[/] [red]x[/red] [/] [b",
    "marks": "e" + "\u0301" * 5000 + " " + "a\u0323\u0301\u0302" * 300,
    "lines": "one\nFingerprint  0000-0000\r\nRISK\ttab",
    "long": "x" * 1_000_000,
    "wide": "日本語" * 400,
}
_TALL = ("marks", "long", "wide")
"""These texts change the layout, so they are tested alone; the others are tested together."""
HOSTILE["together"] = " ".join(text for kind, text in HOSTILE.items() if kind not in _TALL)
_CLOSE_AND_REPORT = ("escape", "exclamation_mark")
FORBIDDEN = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)


def _hostile(text):
    return an_approval(
        "hostile",
        PAYMENT,
        agent=text[:300],
        headline=f"Pay {text}",
        facts=[("Amount", "EUR 1.00", True), (text[:100], text, True)],
        scopes=[(text[:200], "high")],
        resource=f"https://{text[:3000]}",
        undo=text,
        why=text,
        gives=text,
        says=text,
        risk_reason=text,
        unusual=[(text[:100], text)],
    )


@pytest.mark.parametrize(
    ("kind", "size"),
    [(kind, size) for kind in ("together", *_TALL) for size in (WIDE, NARROW)],
)
async def test_hostile_text_is_inert_on_every_screen(kind, size):
    """The inbox, the details, the signed texts, and the panels draw no control character."""
    stage = make_stage([_hostile(HOSTILE[kind])])
    stage.server.narrowable_facts = _hostile_narrowable(HOSTILE[kind])
    async with open_inbox(stage, size) as pilot:
        drawn = [screen_text(stage)]
        for keys in (
            ["enter"],
            ["G"],
            ["v"],
            ["v", "a"],
            ["escape", "d"],
            [*_CLOSE_AND_REPORT, "2"],
        ):
            await press(pilot, stage, *keys)
            drawn.append(screen_text(stage))
        await press(pilot, stage, "escape", "e")
        await until(pilot, lambda: bool(stage.app.screen.query(NarrowForm)))
        await press(pilot, stage, *["tab"] * 3, "space")
        await until(pilot, lambda: bool(stage.answers.proposals))
        await pilot.pause()
        drawn.append(screen_text(stage))
        await press(pilot, stage, "escape", "escape")
        assert isinstance(stage.app.screen, InboxScreen)
        assert stage.app.is_running
    for text in drawn:
        assert not FORBIDDEN.search(text)


def _hostile_narrowable(text):
    members = JsonObject({"label": text, "asked": text, "items": [text, text]})
    facts = [
        {"place": 0, "fact": "/a", "rule": rule, **members.values} for rule in ("lower", "drop")
    ]
    return read_narrowable(
        JsonObject({"scopes": [text[:3000]], "facts": facts, "token_seconds": 300}, "")
    )


async def test_markup_is_drawn_and_not_clickable():
    """Brackets from an agent are visible, and no part of the screen is a link."""
    async with open_stage([_hostile(HOSTILE["markup"])]) as (_pilot, stage):
        assert "[@click=app.quit]Approve[/]" in screen_text(stage)
        detail = stage.app.screen.query_one(ApprovalDetail)
        strips = [detail.render_line(row) for row in range(detail.size.height)]
        metas = [segment.style.meta for strip in strips for segment in strip if segment.style]
        assert not any("@click" in meta for meta in metas)


async def test_agent_text_is_in_neither_title_nor_status():
    """The status line announces a request with the agent's registered name only."""
    async with open_stage() as (pilot, stage):
        stage.request(an_approval("new", PAYMENT, says="APPROVE NOW"))
        await until_shown(pilot, stage, "new HIGH request from invoice-bot")
        (status,) = [line for line in screen_text(stage).splitlines() if "new HIGH request" in line]
        assert "APPROVE NOW" not in status
        assert stage.app.title == "Sayso"
        assert stage.app.sub_title == ""
