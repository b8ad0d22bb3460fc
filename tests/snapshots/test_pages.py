"""The pages at both sizes: empty, with one or many entries, offline, and with hostile text."""

from dataclasses import replace

import pytest

from approver_tui.state.approvals.decision import Answer, DenyCode
from approver_tui.state.devices.devices import Browser
from approver_tui.state.notifications.connection import Phase
from approver_tui.state.text import SafeText, display_safe
from tests.support.clients.driving import on_page, until, wait_for_page
from tests.support.fakes.fake_account import a_consent, a_device, a_token
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, three_approvals, with_decision
from tests.support.fakes.fake_clock import NOW
from tests.support.fakes.fake_requests import CONSENT, DEPLOY, MINUTE, PAYMENT, PRICES

PAGES = pytest.mark.parametrize(
    "key", ["2", "3", "4", "5"], ids=["history", "agents", "rights", "devices"]
)
EVIL = "inv\u202eoice-bot[b]\x1b[2J [@click=app.quit]here[/]" + "x" * 90


def _one():
    stage = make_stage(three_approvals())
    stage.server.put(with_decision(an_approval("old"), Answer.APPROVE))
    stage.server.given, stage.server.tokens = [a_consent()], [a_token()]
    return stage


def _many():
    stage = _one()
    stage.server.put(
        with_decision(an_approval("web", DEPLOY), Answer.DENY, DenyCode.WRONG_DETAILS),
        with_decision(an_approval("consent", CONSENT), Answer.APPROVE),
        an_approval("lapsed", PRICES, expires_in=-60 * MINUTE),
        *(with_decision(an_approval(f"pay {n}", DEPLOY), Answer.APPROVE) for n in range(6)),
    )
    names = ["buyer-helper", "release-agent", "desk-bot"]
    stage.server.given += [a_consent(name) for name in names]
    stage.server.tokens += [a_token(name, last_used_at=None) for name in names]
    other = replace(a_device(), is_this=False)
    stage.server.others = [
        replace(
            other,
            id="sayso_dv_b",
            name=SafeText("phone"),
            kind=SafeText("browser"),
            high_from=NOW + 60 * MINUTE,
        ),
        replace(other, id="sayso_dv_c", name=SafeText("desk"), pin=a_device(tries=10).pin),
        replace(other, id="sayso_dv_d", name=SafeText("old phone"), is_active=False),
    ]
    push = SafeText("https://push.example")
    stage.server.called = (Browser("sayso_dv_b", push, delivered_at=NOW - 3 * MINUTE),)
    return stage


def _hostile():
    evil = display_safe(EVIL)
    stage = make_stage()
    terms = {"agent": EVIL[:120], "headline": f"Pay {EVIL}", "says": EVIL}
    stage.server.put(with_decision(an_approval("evil", PAYMENT, **terms), Answer.APPROVE))
    stage.server.given = [a_consent(client_name=evil, resource=evil, scopes=(evil,))]
    stage.server.tokens = [a_token(resource=evil, scopes=(evil,))]
    stage.server.device = a_device(name=evil, kind=evil)
    return stage


@PAGES
def test_empty(picture, key):
    """An empty page says what it would list."""
    assert picture(make_stage(), key, then=on_page())


@PAGES
def test_one_read(picture, key):
    """A single entry is open and shown in full."""
    assert picture(_one(), key, then=on_page("enter"))


@PAGES
def test_many(picture, key):
    """The cursor is on the second of many entries."""
    assert picture(_many(), key, then=on_page("j"))


@PAGES
def test_offline(picture, key):
    """The page shows its last data with their age, and that nothing can be revoked."""

    async def go_offline(pilot, stage):
        await wait_for_page(pilot, stage)
        stage.feed.connect(Phase.OFFLINE, "the server is restarting")
        await until(pilot, lambda: not stage.app.screen.state.connection.is_live)
        stage.clock.move(130)
        stage.app.screen.draw()

    assert picture(_one(), key, then=go_offline)


@PAGES
def test_hostile_text(picture, key):
    """Escape sequences, bidirectional characters and markup are visible text."""
    assert picture(_hostile(), key, then=on_page("enter"))


def test_before_ending(picture):
    """The confirmation lists what will end, and the focus is on Back."""
    assert picture(_one(), "3", then=on_page("z"))


def test_before_vouching(picture):
    """Vouching lets a device approve high-risk requests, so the confirmation asks for the PIN."""
    assert picture(_many(), "5", then=on_page("j", "V"))


def test_device_without_high_risk(picture):
    """The page says when the device can approve high-risk requests and which key vouches for it."""
    assert picture(_many(), "5", then=on_page("j", "enter"))


def test_history_end(picture):
    """The end of a past request shows the receipt."""
    assert picture(_one(), "2", then=on_page("enter"), again=("G",))


def test_history_filtered(picture):
    """The heading shows the filter next to the count."""
    assert picture(_many(), "2", then=on_page("slash", *"is:denied", "enter"))
