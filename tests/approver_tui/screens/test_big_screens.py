"""Large screens show more at once, and a critical risk stands out."""

import pytest

from approver_tui.screens.approvals.approve import PanelFacts
from approver_tui.widgets.title_line import TitleLine
from tests.support.clients.driving import open_stage, press, screen_text
from tests.support.fakes.fake_approvals import an_approval, three_approvals


async def test_a_terminal_of_80_columns_shows_the_list_the_request_and_the_pages():
    """At 80 columns a request is readable next to the list, without opening it."""
    async with open_stage(three_approvals(), size=(80, 24)) as (_pilot, stage):
        text = screen_text(stage)
        assert "WAITING FOR YOU (3)" in text
        assert "HIGH RISK  money leaves the company" in text
        assert "[1 Inbox 3] 2 History 3 Agents" in text


@pytest.mark.parametrize("ceremony", ["pin", "pin+reason"])
async def test_a_tall_screen_shows_every_fact_of_a_panel(ceremony):
    """On a tall screen 23 facts fit into the approve panel without scrolling."""
    facts = [(f"Fact {number}", f"value {number}", True) for number in range(23)]
    async with open_stage(
        [an_approval("pay", risk="critical", ceremony=ceremony, facts=facts)], size=(200, 60)
    ) as (pilot, stage):
        await press(pilot, stage, "a")
        assert stage.app.screen.query_one(PanelFacts).rows_below == 0
        assert "Fact 22" in screen_text(stage)


@pytest.mark.parametrize(("risk", "is_reversed"), [("low", False), ("critical", True)])
async def test_critical_risk_looks_different_in_a_panel(risk, is_reversed):
    """The title of a critical request is in reverse video, so it stands out without color."""
    async with open_stage([an_approval("pay", risk=risk)]) as (pilot, stage):
        await press(pilot, stage, "a")
        title = stage.app.screen.query_one(TitleLine).render()
        styles = [str(span.style) for span in title.spans]
        assert any("reverse" in style for style in styles) is is_reversed
