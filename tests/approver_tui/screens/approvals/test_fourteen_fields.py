"""The fourteen fields of a request appear in order at every screen size."""

from itertools import chain

import pytest

from approver_tui.widgets.approvals.approval_detail import ApprovalDetail
from approver_tui.widgets.lines import text_of
from tests.support.builders.multi_approver import a_shared, a_vote
from tests.support.clients.driving import open_stage, press, read_rows, screen_text
from tests.support.fakes.fake_requests import PAYMENT

FIELDS = (
    ("risk and reason", "HIGH RISK", "money leaves the company"),
    ("headline", "Pay EUR 4,820.00 to Nordwind Logistik GmbH"),
    (
        "material facts",
        "Amount EUR 4,820.00",
        "To Nordwind Logistik GmbH, DE89 3704 0044 0532 0130 00",
        "Source ACME Operating, account ending 7711",
    ),
    (
        "unusual",
        "Unusual Amount is 12 times the usual amount for invoice-bot, EUR 401.67.",
        "First time: “To account”.",
        "No earlier approval to compare with.",
    ),
    ("undo", "Undo Not possible after 15:00 today."),
    (
        "agent",
        "Agent invoice-bot",
        "First request from this agent.",
        "Owner bob",
        "Called by planner, books-helper",
    ),
    ("from where, when", "Requested from 203.0.113.7 at 14:27:07"),
    ("why you", "Why you payments:transfer is high risk at this resource"),
    (
        "agent's words",
        "Agent says, not verified:",
        '"INV-2291 is due today. The vendor will stop deliveries unless it is paid by 15:00."',
    ),
    (
        "gives",
        (
            "If approved One access token for https://pay.example, valid 5 minutes, with "
            "payments:transfer, for this action. No refresh token."
        ),
    ),
    ("others", "For alice", "Approvals", "dan: approved"),
    ("expiry", "Expires 14:36:19, in 4 min", "Expiring isn't a denial."),
    ("fingerprint", "Fingerprint"),
)
"""Each field's name and its lines; the fourteenth field, the buttons, is the key bar below."""


SIZES = pytest.mark.parametrize(
    "size", [(100, 30), (80, 24), (60, 20), (45, 20), (40, 24), (40, 12)], ids=str
)
_LONG = "DE" + "89370400440532013000" * 6


def _request(**changes):
    terms = {
        **PAYMENT,
        "first": True,
        "keys": ["inv-prod-2"],
        "through": ["planner", "books-helper"],
        **changes,
    }
    return a_shared("pay", a_vote(reason="matches PO 8812"), **terms)


def _join_rows(rows):
    """Join the rows into one line, without the bars of quotes."""
    return " ".join("\n".join(rows).replace("\n| ", " ").split())


@SIZES
async def test_every_field_is_fully_visible_and_in_order(size):
    """Scrolling shows all fields in order; long lines wrap and are never cut."""
    async with open_stage([_request()], size=size) as (pilot, stage):
        await press(pilot, stage, "enter")
        text = _join_rows(await read_rows(pilot, stage, ApprovalDetail))
        assert _request().fingerprint in text
        start = 0
        for name, words in ((name, words) for name, *lines in FIELDS for words in lines):
            index = text.find(words, start)
            assert index >= 0, f"{name}: {words!r} not found after {text[:start]!r}"
            start = index + len(words)


@SIZES
async def test_no_row_is_wider_than_the_screen(size):
    """The screen shows exactly the characters of the sheet, so no row is cut."""
    facts = [*PAYMENT["facts"], ("Account", _LONG, True)]
    async with open_stage([_request(facts=facts)], size=size) as (pilot, stage):
        await press(pilot, stage, "enter")
        sheet = stage.app.screen.query_one(ApprovalDetail)
        drawn = await read_rows(pilot, stage, ApprovalDetail)
        lines = sheet.lines_for(sheet.scrollable_content_region.width)
        assert drawn == [text_of(line).rstrip() for line in lines]
        assert _LONG in "".join(chain.from_iterable(row.split() for row in drawn))


@SIZES
async def test_the_keys_to_answer_are_always_visible(size):
    """The keys for answering, help, and going back stay visible while the fields scroll."""
    async with open_stage([_request()], size=size) as (pilot, stage):
        await press(pilot, stage, "enter")
        for key in ("g", "pagedown", "G"):
            await press(pilot, stage, key)
            keys = "\n".join(screen_text(stage).splitlines()[-2:])
            assert all(label in keys for label in ("a Approve..", "d Deny..", "? Help", "Esc Back"))
