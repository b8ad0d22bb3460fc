"""The standing grant panel and the list of grants, at both sizes."""

from approver_tui.client import errors
from approver_tui.state.standing_grants.standing_grants import GrantFact, GrantState
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.panel_button import PanelButton
from tests.support.builders.batches import a_payment
from tests.support.clients.driving import disconnect, on_page, press, until, wait_for_page
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_grants import a_grant
from tests.support.fakes.fake_requests import GRANT

PAY = a_payment("pay", 482_000, "Nordwind Logistik GmbH", 14, risk="high")
EVIL = "inv\u202eoice-bot[b]\x1b[2J [@click=app.quit]here[/]" + "x" * 90


async def _fill_in(pilot, stage):
    await press(pilot, stage, "tab", "2", "tab", "3", "tab", *"30", "tab", *"20", "tab")
    await until(pilot, lambda: not stage.app.screen.query_one("#continue", PanelButton).is_off)


def _granted(*grants):
    stage = make_stage([PAY])
    stage.grants_client.given = list(grants)
    return stage


def test_grant_panel_at_first(picture):
    """The empty fields show the form that each expects."""
    assert picture(make_stage([PAY]), "s")


def test_grant_panel_preview(picture):
    """The preview shows the grant and which recent requests it would have covered."""
    assert picture(make_stage([PAY]), "s", then=_fill_in)


def test_grant_panel_refused(picture):
    """The panel shows why the server refused the proposal."""

    async def wait_for_refusal(pilot, stage):
        stage.grants_client.failures = [
            errors.ApiError("over_cap", 400, "At most 5 uses at high risk.")
        ]
        await press(pilot, stage, "tab", "2", "tab", "9", "tab")
        await until(pilot, lambda: bool(stage.app.screen.problem))

    assert picture(make_stage([PAY]), "s", then=wait_for_refusal)


def test_grant_panel_hostile_text(picture):
    """Hostile text in the agent's name and headline has no effect."""
    terms = {"agent": EVIL[:120], "headline": f"Pay {EVIL}", "says": EVIL}
    assert picture(make_stage([an_approval("evil", **terms)]), "s")


def test_grant_approve_panel(picture):
    """The approve panel shows the request that creates the grant."""

    async def press_continue(pilot, stage):
        stage.grants_client.offers = an_approval("gives", GRANT)
        await _fill_in(pilot, stage)
        stage.app.screen.query_one("#continue").focus()
        await press(pilot, stage, "enter")

    assert picture(make_stage([PAY]), "s", then=press_continue)


def test_grant_read(picture):
    """The details show the full grant and what is left of it."""
    assert picture(_granted(a_grant(NOW)), "4", then=on_page("enter"))


def test_grants_many(picture):
    """The list has one active and one used-up grant."""
    full = a_grant(NOW, "buyer-helper", state=GrantState.FULL, used=3)
    assert picture(_granted(a_grant(NOW), full), "4", then=on_page())


def test_grant_offline(picture):
    """Without a connection, the key says why the grant cannot be revoked."""

    async def go_offline(pilot, stage):
        await wait_for_page(pilot, stage)
        await disconnect(pilot, stage, "the server does not answer")
        await press(pilot, stage, "z")

    assert picture(_granted(a_grant(NOW)), "4", then=go_offline)


def test_grant_hostile_text(picture):
    """Control characters in a grant's names and limits are shown escaped."""
    evil = display_safe(EVIL)
    pattern = (GrantFact(SafeText("Payee"), evil),)
    grant = a_grant(NOW, agent_name=evil, pattern=pattern, resource=evil, scopes=(evil,))
    assert picture(_granted(grant), "4", then=on_page("enter"))


def test_grant_about_to_end(picture):
    """The confirmation says what happens after the grant is revoked."""
    assert picture(_granted(a_grant(NOW)), "4", then=on_page("z"))
