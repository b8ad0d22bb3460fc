"""Every screen at its two sizes, as pictures that a person has looked at.

`pytest tests/snapshots --snapshot-update` draws them anew; look at what changed before you commit.
"""

from approver_tui.state.notifications.connection import Phase
from tests.support.clients.driving import look, until
from tests.support.fakes.fake_account import a_device
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval, three
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
    """Nothing is waiting, and the screen says that new requests appear."""
    assert picture(a_stage())


def test_inbox_one(picture):
    """One request of medium risk, the first of its agent."""
    assert picture(a_stage([an_approval("deploy", DEPLOY, first=True)]))


def test_inbox_many(picture):
    """Three risks, soonest first; one more arrived below the divider."""

    async def one_more(pilot, stage):
        stage.request(an_approval("late", DEPLOY, left=2 * MINUTE, headline="Deploy api 1.0"))
        await until(pilot, lambda: bool(stage.app.screen.state.arrived))

    assert picture(a_stage(three()), then=one_more)


def test_inbox_warnings(picture):
    """Wrong PINs and an open server folder stay on the screen."""
    stage = a_stage(three(), device=a_device(tries=3), is_server_folder_readable=True)
    assert picture(stage)


def test_detail_high_risk(picture):
    """The facts first, the agent's message after them, marked and quoted."""
    assert picture(a_stage([an_approval("pay")]), "enter")


def test_detail_high_risk_end(picture):
    """The lower half: what approving grants, expiry, fingerprint."""
    assert picture(a_stage([an_approval("pay")]), "enter", again=("G",))


def test_all_details(picture):
    """The two signed texts."""
    assert picture(a_stage([an_approval("pay")]), "enter", "v")


def test_hostile_text(picture):
    """Escapes, bidi, zero-width and markup are visible; the quote does not look like a fact."""
    assert picture(a_stage([an_approval("hostile", PAYMENT, **HOSTILE)]), "enter")


def test_inbox_of_every_kind(picture):
    """An action, a consent and a sign-in, each with its own row."""
    rows = [
        an_approval("sign-in", SIGN_IN),
        an_approval("deploy", DEPLOY, left=8 * MINUTE),
        an_approval("consent", CONSENT, left=9 * MINUTE),
    ]
    assert picture(a_stage(rows))


def test_consent(picture):
    """Client, resource, scopes and expiry come first."""
    assert picture(a_stage([an_approval("consent", CONSENT, first=True)]), "enter")


def test_consent_panel(picture):
    """The same again, with the PIN, because it has a high-risk scope."""
    assert picture(a_stage([an_approval("consent", CONSENT)]), "a")


def test_sign_in(picture):
    """The new device, its address, the code to compare, and the warning."""
    assert picture(a_stage([an_approval("sign-in", SIGN_IN)]), "enter")


def test_sign_in_panel(picture):
    """The warning is in the panel too."""
    assert picture(a_stage([an_approval("sign-in", SIGN_IN)]), "a")


def test_sign_in_denied(picture):
    """The reason is for the audit log only."""
    assert picture(a_stage([an_approval("sign-in", SIGN_IN)]), "d", "6")


def test_expired(picture):
    """It is shown as expired, not as denied, and no key does anything."""

    async def wait(pilot, stage):
        stage.clock.move(300)
        look(stage)
        await pilot.pause()

    assert picture(a_stage([an_approval("pay")]), "enter", then=wait)


def test_offline(picture):
    """The age of the data, and that answers are off."""

    async def cut(pilot, stage):
        stage.feed.connect(Phase.OFFLINE, "the server is restarting")
        await until(pilot, lambda: not stage.app.screen.state.connection.is_live)
        stage.clock.move(130)
        stage.app.screen.draw()

    assert picture(a_stage(three()), then=cut)


def test_approve_panel(picture):
    """High risk: the facts, the PIN, the focus on Back, and why Approve is off."""
    assert picture(a_stage([an_approval("pay")]), "a")


def test_approve_panel_ready(picture):
    """Medium risk in an unlocked app, one Tab away from Back: Enter would approve."""
    assert picture(a_stage([an_approval("deploy", DEPLOY)]), "a", "tab")


def test_deny_panel(picture):
    """A reason is chosen, with what the agent is told."""
    assert picture(a_stage([an_approval("pay")]), "d", "2")


def test_deny_panel_wait_until(picture):
    """The optional time."""
    assert picture(a_stage(three()), "d", "4", "tab", "1")


def test_elsewhere(picture):
    """The page of the request, for a phone or a browser."""
    place = {"issuer": "https://sayso.example"}
    assert picture(a_stage([an_approval("prices", PRICES)], place=place), "o")


def test_elsewhere_high_risk(picture):
    """The device cannot approve it yet; the list behind says so."""
    place = {"issuer": "https://sayso.example"}
    new = a_device(high_from=NOW + 60 * MINUTE)
    assert picture(a_stage([an_approval("pay")], place=place, device=new), "o")


def test_denial_waiting(picture):
    """The five seconds to undo it."""
    assert picture(a_stage(three()), "d", "2", "enter")


def test_help(picture):
    """The keys of the inbox, and why Approve is off."""
    assert picture(a_stage(), "question_mark")


TYPED = {"label": "Amount", "kind": "money", "at": "/authorization_details/0/amount"}


def test_approve_panel_with_a_fact_to_type(picture):
    """The fact is nowhere on the screen, also not behind the panel."""
    typed = {"ceremony": "pin+type_back", "type_back": TYPED}
    assert picture(a_stage([an_approval("pay", PAYMENT, **typed)]), "a")


def test_approve_panel_with_everything_to_type(picture):
    """Number, fact, reason and PIN; the ways out stay visible."""
    typed = {"ceremony": "match+pin+reason+type_back", "type_back": TYPED, "risk": "critical"}
    assert picture(a_stage([an_approval("pay", PAYMENT, **typed)]), "a", again=("pagedown",))
