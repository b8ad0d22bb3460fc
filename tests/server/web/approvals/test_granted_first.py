"""Of a request that was approved with limits, every surface tells first what was granted."""

import json

import pytest

from server.cli.approvals import approvals as command
from server.http.approvals import oversight_wire
from server.services.approvals import narrowing
from server.services.approvals.oversight import Oversight
from server.services.users.users import UserChanges
from tests.support.builders.installation import BY, PAYMENT
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, code_for
from tests.support.builders.person_pages import get
from tests.support.clients.agent import PAYMENT_DETAILS

GRANTED, ASKED = "EUR 1,000.00", "EUR 1,200.00"
DETAILS = [{**PAYMENT_DETAILS[0], "amount": {"minor": 120_000, "currency": "EUR"}}]
PAGES = ("/done/{}", "/r/{}", "/receipt/{}", "/history")
CONSOLE = ("/admin/approvals", "/admin/approvals/{}")


@pytest.fixture
def approval(local, agent, person):
    """A payment of 1,200.00 of which ana has granted 1,000.00."""
    narrow = {"narrow": {"/amount": "lower"}, "amount": "/amount"}
    local.desk.actions.update(json.dumps({**PAYMENT, **narrow}), by=BY)
    _, approval = agent.asked_payment(authorization_details=json.dumps(DETAILS))
    wish = {"changes": [{"fact": "/amount", "to": "1000"}]}
    less = person.call("POST", f"/api/approvals/{approval.id}/narrowing", wish).json
    assert less["headline"] == f"Pay {GRANTED} to Nordwind Logistik GmbH"
    person.pin(approval.id)
    jws = person.decision(approval.id, person.high, ceremony="pin", granted=less["digest"])
    assert person.send_decision(approval.id, jws, granted=less["text"]).status == 200
    return local.stored(approval.id)


def _is_granted_first(text):
    """The granted amount stands before the amount that was asked, and both do."""
    return 0 <= text.find(GRANTED) < text.find(ASKED)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_its_person_does(local, person, approval, path):
    """What came of it, the record, the receipt, the history."""
    browser = LocalBrowser(local, person.user, SoftPasskey())
    browser.enrol(code_for(local, person.user.name))
    main = get(browser, path.format(approval.id)).text.partition("<main")[2]
    assert f"Granted: Pay {GRANTED} to Nordwind Logistik GmbH (asked: Pay {ASKED} to " in main
    assert _is_granted_first(main)


@pytest.mark.parametrize("path", CONSOLE)
def test_a_page_of_the_console_does(local, person, approval, path):
    """The list and the detail."""
    local.desk.users.update(person.user.name, UserChanges(roles=("admin",)), by=BY)
    browser = LocalBrowser(local, person.user, SoftPasskey())
    browser.enrol(code_for(local, person.user.name))
    main = get(browser, path.format(approval.id)).text.partition("<main")[2]
    assert f"Granted: Pay {GRANTED} to " in main
    assert _is_granted_first(main)


def test_the_administrators_documents_and_command_do(local, approval):
    """The API of administrators, and `sayso approvals list` and `show`."""
    (seen,) = Oversight(local.services.store).approvals(state=None, agent=None, user=None, limit=9)
    assert seen.approval.id == approval.id
    assert _is_granted_first(oversight_wire._approval(seen)["headline"])
    assert _is_granted_first("\n".join(command._facts(seen)))


def test_the_approvers_document_says_it_in_a_line_of_its_own(person, approval):
    """It is what the feed, the API and the receipt carry; the display is what was signed."""
    shown = person.show(approval.id)
    assert shown["granted"]["headline"] == f"Pay {GRANTED} to Nordwind Logistik GmbH"
    assert ASKED in json.loads(shown["display"])["headline"]


@pytest.mark.parametrize(
    ("granted", "state", "words"),
    [
        (None, "approved", "Pay 2"),
        ("Pay 1", "approved", "Granted: Pay 1 (asked: Pay 2)"),
        ("Pay 1", "redeemed", "Granted: Pay 1 (asked: Pay 2)"),
        ("Pay 2", "approved", "Granted with limits: Pay 2"),
        ("Pay 1", "pending", "With limits: Pay 1 (asked: Pay 2)"),
        ("Pay 2", "expired", "With limits: Pay 2"),
    ],
)
def test_what_is_told_follows_from_what_was_granted(granted, state, words):
    """Nothing is said to be granted that was not."""
    assert narrowing.headline_in_state("Pay 2", granted, state) == words
