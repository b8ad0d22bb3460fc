"""Look-alike requests and requests with several approvers, at both sizes."""

from tests.support.builders.multi_approver import ME, a_locked, a_part, a_shared, a_vote, of_two
from tests.support.clients.driving import tick_screen
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_requests import DEPLOY, MINUTE, PAYMENT, PRICES

DAN = a_vote(reason="matches PO 8812")
FLOOD = [an_approval(f"flood {n}", DEPLOY, expires_in=(5 + n) * MINUTE) for n in range(4)]
HELD = [
    *(an_approval(f"held {n}", PRICES, expires_in=20 * MINUTE, held_back=True) for n in range(3)),
    an_approval("held", DEPLOY, expires_in=21 * MINUTE, held_back=True, headline="Deploy api 1.0"),
]
CRITICAL = {
    **PAYMENT,
    "ceremony": "match+pin+reason+type_back",
    "type_back": {"label": "Amount", "kind": "money", "at": "/authorization_details/0/amount"},
    "risk": "critical",
    "headline": "Change the account of Nordwind Logistik GmbH",
}


def test_merged_rows(picture):
    """Four look-alikes share a row; another risk and held-back requests have their own rows."""
    high = an_approval("high", DEPLOY, expires_in=9 * MINUTE, risk="high")
    assert picture(make_stage([*FLOOD, high, *HELD]))


def test_merged_rows_expanded(picture):
    """An expanded row lists each look-alike with its own expiry."""
    assert picture(make_stage([*FLOOD, an_approval("pay", expires_in=10 * MINUTE)]), "+", "j")


def test_one_look_alike_read(picture):
    """The details start with the note that an answer applies to this request only."""
    assert picture(make_stage(FLOOD), "enter")


def test_votes(picture):
    """The row and the details show the number of votes, including the user's own."""
    own_request = a_shared(
        "mine", a_vote(ME, "alice"), expires_in=9 * MINUTE, headline="Pay EUR 12.00 to Bo"
    )
    rows = [a_shared("pay", DAN), own_request, a_shared("theirs", user="bob", **{"for": "bob"})]
    assert picture(make_stage(rows), "enter", again=("G",))


def test_waiting_for_others(picture):
    """Requests that wait for others are listed last and are not counted."""
    own_request = a_shared(
        "mine", a_vote(ME, "alice"), expires_in=9 * MINUTE, headline="Pay EUR 12.00 to Bo"
    )
    rows = [own_request, a_shared("pay", DAN), *HELD, FLOOD[0]]
    assert picture(make_stage(rows))


def test_second_person(picture):
    """The details show what the first approver granted next to what was requested."""
    assert picture(make_stage([a_part("pay", DAN)]), "enter")


def test_second_person_panel(picture):
    """The approve panel shows the granted part to the second approver."""
    assert picture(make_stage([a_part("pay", DAN)]), "a")


def test_critical(picture):
    """The details show what approving requires and how many people must approve."""
    critical = an_approval("critical", CRITICAL, outer=of_two())
    assert picture(make_stage([critical]), "enter", again=("G",))


def test_critical_panel(picture):
    """The panel shows match number, type-back, reason and PIN, in the last minute."""

    async def wait_until_late(pilot, stage):
        stage.clock.ms = critical.expires_at - 45_000
        tick_screen(stage)
        await pilot.pause()

    critical = an_approval("critical", CRITICAL, outer=of_two(DAN))
    assert picture(make_stage([critical]), "a", then=wait_until_late)


def test_locked(picture):
    """A locked request says so in its row and its details."""
    assert picture(make_stage([a_locked(), *FLOOD[:1]]), "enter")


def test_last_seconds(picture):
    """The row and the status line show that 20 seconds are left."""

    async def wait_until_late(pilot, stage):
        stage.clock.ms = FLOOD[0].expires_at - 19_000
        tick_screen(stage)
        await pilot.pause()

    assert picture(
        make_stage([FLOOD[0], an_approval("pay", expires_in=9 * MINUTE)]), then=wait_until_late
    )
