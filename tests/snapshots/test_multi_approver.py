"""Look-alike requests and requests of several people, at both sizes."""

from tests.support.builders.multi_approver import ME, a_locked, a_part, a_shared, a_vote, of_two
from tests.support.clients.driving import look
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_requests import DEPLOY, MINUTE, PAYMENT, PRICES

DAN = a_vote(reason="matches PO 8812")
FLOOD = [an_approval(f"flood {n}", DEPLOY, left=(5 + n) * MINUTE) for n in range(4)]
HELD = [
    *(an_approval(f"held {n}", PRICES, left=20 * MINUTE, held_back=True) for n in range(3)),
    an_approval("held", DEPLOY, left=21 * MINUTE, held_back=True, headline="Deploy api 1.0"),
]
CRITICAL = {
    **PAYMENT,
    "ceremony": "match+pin+reason+type_back",
    "type_back": {"label": "Amount", "kind": "money", "at": "/authorization_details/0/amount"},
    "risk": "critical",
    "headline": "Change the account of Nordwind Logistik GmbH",
}


def test_merged_rows(picture):
    """Four in one row; another risk and a held-back one are separate."""
    high = an_approval("high", DEPLOY, left=9 * MINUTE, risk="high")
    assert picture(a_stage([*FLOOD, high, *HELD]))


def test_merged_rows_expanded(picture):
    """Each with its own expiry."""
    assert picture(a_stage([*FLOOD, an_approval("pay", left=10 * MINUTE)]), "+", "j")


def test_one_look_alike_read(picture):
    """The note that an answer applies to this one only is at the top."""
    assert picture(a_stage(FLOOD), "enter")


def test_votes(picture):
    """The tally in the row and below the facts, with the user's own vote."""
    mine = a_shared("mine", a_vote(ME, "alice"), left=9 * MINUTE, headline="Pay EUR 12.00 to Bo")
    rows = [a_shared("pay", DAN), mine, a_shared("theirs", user="bob", **{"for": "bob"})]
    assert picture(a_stage(rows), "enter", again=("G",))


def test_waiting_for_others(picture):
    """They are listed last and not counted."""
    mine = a_shared("mine", a_vote(ME, "alice"), left=9 * MINUTE, headline="Pay EUR 12.00 to Bo")
    rows = [mine, a_shared("pay", DAN), *HELD, FLOOD[0]]
    assert picture(a_stage(rows))


def test_second_person(picture):
    """What the first approver granted, next to what was asked, in the signed words."""
    assert picture(a_stage([a_part("pay", DAN)]), "enter")


def test_second_person_panel(picture):
    """The same before approving."""
    assert picture(a_stage([a_part("pay", DAN)]), "a")


def test_critical(picture):
    """The requirements and the number of people, before it is answered."""
    critical = an_approval("critical", CRITICAL, outer=of_two())
    assert picture(a_stage([critical]), "enter", again=("G",))


def test_critical_panel(picture):
    """Number, fact, reason and PIN, in the last minute."""

    async def wait(pilot, stage):
        stage.clock.ms = critical.expires_at - 45_000
        look(stage)
        await pilot.pause()

    critical = an_approval("critical", CRITICAL, outer=of_two(DAN))
    assert picture(a_stage([critical]), "a", then=wait)


def test_locked(picture):
    """Shown before anything is typed."""
    assert picture(a_stage([a_locked(), *FLOOD[:1]]), "enter")


def test_last_seconds(picture):
    """The row and the status show them."""

    async def wait(pilot, stage):
        stage.clock.ms = FLOOD[0].expires_at - 19_000
        look(stage)
        await pilot.pause()

    assert picture(a_stage([FLOOD[0], an_approval("pay", left=9 * MINUTE)]), then=wait)
