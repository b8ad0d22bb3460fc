"""The table of a batch: every main fact is complete and cannot be imitated."""

from dataclasses import replace

import pytest

from approver_tui.state.approvals.batch import Batch
from approver_tui.widgets.approvals.batch_table import batch_lines
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.lines import length, text_of
from tests.support.builders.batches import NEW, ONE, TWO, a_payment
from tests.support.fakes.fake_clock import NOW

EVIL = "Bo" + " " * 3 + "x" * 70 + " Amount       EUR 0.01"
WIDTHS = pytest.mark.parametrize("width", [38, 74])


def _texts(batch, width=74, pointed=None):
    return [
        text_of(line.line) for line in batch_lines(batch, pointed, RenderContext(NOW, None, width))
    ]


@WIDTHS
def test_every_line_fits_and_every_main_fact_is_complete(width):
    """A long hostile value is wrapped: no line is too wide, and only main facts are shown."""
    evil = a_payment("evil", 100, EVIL, 9)
    lines = batch_lines(Batch.from_selection([evil, ONE]), None, RenderContext(NOW, None, width))
    assert all(length(line.line) <= width for line in lines)
    block_text = "".join(
        text_of(line.line).replace(" ", "") for line in lines if line.block == evil.id
    )
    for fact in evil.display.facts:
        assert (fact.value.replace(" ", "") in block_text) == fact.material


@WIDTHS
def test_a_value_never_looks_like_a_fact(width):
    """A wrapped value is indented further than the labels, so it cannot look like one."""
    rows = _texts(Batch.from_selection([a_payment("evil", 100, EVIL, 9)]), width)
    amounts = [row for row in rows if row.lstrip().startswith("Amount")]
    starts = {len(row) - len(row.lstrip()) for row in amounts if row[5:].startswith("Amount")}
    assert starts == {5}
    assert sum(row.startswith(" " * 5 + "Amount") for row in rows) == 1


def test_shared_members_appear_once_and_others_in_each_block():
    """Facts that all requests share are listed once; differing ones in each block."""
    other = a_payment("other", 100, "Bo", 9, undo="", scopes=[("payments:other", "low")])
    rows = _texts(Batch.from_selection([ONE, other]))
    assert sum("Undo: Not possible after 15:00 today." in row for row in rows) == 1
    assert "     Undo: Unknown" in rows
    assert "     Scopes: payments:other (low)" in rows
    assert sum(row.endswith(" https://pay.example") for row in rows) == 1
    assert rows[rows.index("EACH REQUEST") + 1].startswith("For")


def test_without_shared_members_there_is_no_heading():
    """If the requests share nothing, there is no heading for shared facts."""
    changes = {
        "resource": "https://b.example",
        "scopes": [("b", "low")],
        "for": "bob",
        "risk_reason": "b",
        "undo": "b",
        "gives": "b",
    }
    rows = _texts(Batch.from_selection([ONE, a_payment("other", 1, "Bo", 9, **changes)]))
    assert "EACH REQUEST" not in rows
    assert "     For: bob" in rows


def test_an_unusual_request_is_above_with_its_reason():
    """Unusual and first requests are listed first, unselected, with the reason."""
    agent = replace(TWO.display.agent, first_request=True)
    first = replace(TWO, display=replace(TWO.display, agent=agent))
    assert "     First request from this agent." in _texts(Batch.from_selection([first]))
    rows = _texts(Batch.from_selection([ONE, NEW]))
    heading = rows.index("NOTHING UNUSUAL (1)")
    assert rows[0] == "UNUSUAL (1)  Space selects one"
    assert rows.index("     First time: “To”.") < heading
    assert any(row.startswith(f" [ ] {NEW.fingerprint}") for row in rows[:heading])
    assert any(row.startswith(f" [x] {ONE.fingerprint}") for row in rows[heading:])
    assert _texts(Batch.from_selection([NEW], with_unusual=True))[0] == "UNUSUAL (1)"
    assert not any("UNUSUAL" in row for row in _texts(Batch.from_selection([ONE, TWO])))


def test_pointer_and_checkbox_are_characters():
    """The pointer and the checkbox are visible without color."""
    rows = _texts(Batch.from_selection([ONE, TWO]).with_toggled(TWO.id), pointed=TWO.id)
    assert any(row.startswith(f" [x] {ONE.fingerprint}") for row in rows)
    assert any(row.startswith(f">[ ] {TWO.fingerprint}") for row in rows)
