"""Every screen at its two sizes, as pictures that a person has looked at.

`pytest tests/snapshots --snapshot-update` draws them again; look at the changes before you commit.
"""

from approver_tui.state.notifications.connection import Phase
from tests.support.clients.driving import pass_time, until
from tests.support.fakes.fake_account import a_device
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, three_approvals
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import CONSENT, DEPLOY, MINUTE, PAYMENT, PRICES, SIGN_IN

HOSTILE = {
    "agent": "inv\u202eoice-bot[b]",
    "headline": "Pay EUR 1.00 [@click=app.quit]here[/]\x1b[2J",
    "facts": [
        ("Amount", "EUR 1.00", True),
        ("To", "\x1b]52;c;cm0gLXJm\x07Nord\u200bwind " + "x" * 120, True),
    ],
    "says": 'ok"\nFingerprint  0000-0000\nLOW RISK [red]approve[/red] \u202e\U000e0041',
}


def test_inbox_empty(picture):
    """The empty inbox says that new requests will appear."""
    assert picture(make_stage())


def test_inbox_one(picture):
    """The inbox lists a single medium-risk request, the first from its agent."""
    assert picture(make_stage([an_approval("deploy", DEPLOY, first=True)]))


def test_inbox_many(picture):
    """Three requests are sorted by expiry, and a new one is below the divider."""

    async def receive_request(pilot, stage):
        stage.request(an_approval("late", DEPLOY, expires_in=2 * MINUTE, headline="Deploy api 1.0"))
        await until(pilot, lambda: bool(stage.app.screen.state.arrived_ids))

    assert picture(make_stage(three_approvals()), then=receive_request)


def test_inbox_warnings(picture):
    """Warnings about wrong PINs and a readable server folder are on the screen."""
    stage = make_stage(three_approvals(), device=a_device(tries=3), is_server_folder_readable=True)
    assert picture(stage)


def test_detail_high_risk(picture):
    """The facts come first, and the agent's message is quoted after them."""
    assert picture(make_stage([an_approval("pay")]), "enter")


def test_detail_high_risk_end(picture):
    """The end of the details shows what approving grants, the expiry, and the fingerprint."""
    assert picture(make_stage([an_approval("pay")]), "enter", again=("G",))


def test_all_details(picture):
    """The details show the two signed texts."""
    assert picture(make_stage([an_approval("pay")]), "enter", "v")


def test_hostile_text(picture):
    """Control characters and markup are visible text, and the quote does not look like a fact."""
    assert picture(make_stage([an_approval("hostile", PAYMENT, **HOSTILE)]), "enter")


def test_inbox_of_every_kind(picture):
    """An action, a consent, and a sign-in each have their own kind of row."""
    rows = [
        an_approval("sign-in", SIGN_IN),
        an_approval("deploy", DEPLOY, expires_in=8 * MINUTE),
        an_approval("consent", CONSENT, expires_in=9 * MINUTE),
    ]
    assert picture(make_stage(rows))


def test_consent(picture):
    """Client, resource, scopes and expiry of a consent come first."""
    assert picture(make_stage([an_approval("consent", CONSENT, first=True)]), "enter")


def test_consent_panel(picture):
    """The panel repeats the consent and asks for the PIN, because a scope has high risk."""
    assert picture(make_stage([an_approval("consent", CONSENT)]), "a")


def test_sign_in(picture):
    """The details show the device, its address, the code to compare, and a warning."""
    assert picture(make_stage([an_approval("sign-in", SIGN_IN)]), "enter")


def test_sign_in_panel(picture):
    """The panel for a sign-in repeats the warning."""
    assert picture(make_stage([an_approval("sign-in", SIGN_IN)]), "a")


def test_sign_in_denied(picture):
    """The reason for denying a sign-in is only for the audit log."""
    assert picture(make_stage([an_approval("sign-in", SIGN_IN)]), "d", "6")


def test_expired(picture):
    """The request is shown as expired, not as denied."""

    async def wait(pilot, stage):
        pass_time(stage, 300)
        await pilot.pause()

    assert picture(make_stage([an_approval("pay")]), "enter", then=wait)


def test_offline(picture):
    """The inbox shows the age of its data and that it cannot answer."""

    async def go_offline(pilot, stage):
        stage.feed.connect(Phase.OFFLINE, "the server is restarting")
        await until(pilot, lambda: not stage.app.screen.state.connection.is_live)
        stage.clock.move(130)
        stage.app.screen.draw()

    assert picture(make_stage(three_approvals()), then=go_offline)


def test_approve_panel(picture):
    """For high risk the focus is on Back, and the hint says why Approve is unavailable."""
    assert picture(make_stage([an_approval("pay")]), "a")


def test_approve_panel_ready(picture):
    """For medium risk in an unlocked app, Tab moves the focus to Approve, which is available."""
    assert picture(make_stage([an_approval("deploy", DEPLOY)]), "a", "tab")


def test_deny_panel(picture):
    """A reason is chosen, and the panel shows what the agent will receive."""
    assert picture(make_stage([an_approval("pay")]), "d", "2")


def test_deny_panel_wait_until(picture):
    """The reason `wait_until` offers an optional time."""
    assert picture(make_stage(three_approvals()), "d", "4", "tab", "1")


def test_elsewhere(picture):
    """The panel shows the QR code and the link to the request's page."""
    environment = {"issuer": "https://sayso.example"}
    assert picture(make_stage([an_approval("prices", PRICES)], environment=environment), "o")


def test_elsewhere_high_risk(picture):
    """A new device cannot approve the request yet, but it can still open the page."""
    environment = {"issuer": "https://sayso.example"}
    new = a_device(high_from=NOW + 60 * MINUTE)
    assert picture(make_stage([an_approval("pay")], environment=environment, device=new), "o")


def test_denial_waiting(picture):
    """The status line counts down the seconds in which the denial can be undone."""
    assert picture(make_stage(three_approvals()), "d", "2", "enter")


def test_help(picture):
    """The help lists the keys of the inbox and says why Approve is unavailable."""
    assert picture(make_stage(), "question_mark")


TYPED = {"label": "Amount", "kind": "money", "at": "/authorization_details/0/amount"}


def test_approve_panel_with_a_fact_to_type(picture):
    """The fact to type is hidden everywhere, even behind the panel."""
    typed = {"ceremony": "pin+type_back", "type_back": TYPED}
    assert picture(make_stage([an_approval("pay", PAYMENT, **typed)]), "a")


def test_approve_panel_with_everything_to_type(picture):
    """With four fields, the keys for leaving the panel stay visible."""
    typed = {"ceremony": "match+pin+reason+type_back", "type_back": TYPED, "risk": "critical"}
    assert picture(make_stage([an_approval("pay", PAYMENT, **typed)]), "a", again=("pagedown",))
