"""Every page and command shows the granted action of a narrowed request first."""

import json

import pytest

from server.cli.approvals import approvals as command
from server.http.approvals import oversight_wire
from server.model import granted as granting
from server.services.approvals.oversight import Oversight
from server.services.users.users import UserChanges
from tests.support.builders.installation import BY, PAYMENT
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, enrollment_code
from tests.support.builders.person_pages import get
from tests.support.clients.agent import PAYMENT_DETAILS

GRANTED, ASKED = "EUR 1,000.00", "EUR 1,200.00"
DETAILS = [{**PAYMENT_DETAILS[0], "amount": {"minor": 120_000, "currency": "EUR"}}]
PAGES = ("/done/{}", "/r/{}", "/receipt/{}", "/history")
CONSOLE = ("/admin/approvals", "/admin/approvals/{}")


@pytest.fixture
def approval(local, agent, person):
    """A request to pay 1,200.00, of which Ana approved 1,000.00."""
    narrow = {"narrow": {"/amount": "lower"}, "amount": "/amount"}
    local.admin.actions.update(json.dumps({**PAYMENT, **narrow}), by=BY)
    _, approval = agent.request_payment(authorization_details=json.dumps(DETAILS))
    proposed_change = {"changes": [{"fact": "/amount", "to": "1000"}]}
    narrowed = person.call("POST", f"/api/approvals/{approval.id}/narrowing", proposed_change).json
    assert narrowed["headline"] == f"Pay {GRANTED} to Nordwind Logistik GmbH"
    person.pin(approval.id)
    jws = person.decision(approval.id, person.high, ceremony="pin", granted=narrowed["digest"])
    assert person.send_decision(approval.id, jws, granted=narrowed["text"]).status == 200
    return local.stored_approval(approval.id)


def _is_granted_first(text):
    """Return whether the text contains both amounts, the granted one first."""
    return 0 <= text.find(GRANTED) < text.find(ASKED)


@pytest.mark.parametrize("path", PAGES)
def test_a_users_page_shows_the_granted_amount_first(local, person, approval, path):
    """The outcome, request, receipt and history pages lead with the granted amount."""
    browser = LocalBrowser(local, person.user, SoftPasskey())
    browser.enroll(enrollment_code(local, person.user.name))
    main = get(browser, path.format(approval.id)).text.partition("<main")[2]
    assert f"Granted: Pay {GRANTED} to Nordwind Logistik GmbH (requested: Pay {ASKED} to " in main
    assert _is_granted_first(main)


@pytest.mark.parametrize("path", CONSOLE)
def test_a_console_page_shows_the_granted_amount_first(local, person, approval, path):
    """The console's list and detail page of approvals lead with the granted amount."""
    local.admin.users.update(person.user.name, UserChanges(roles=("admin",)), by=BY)
    browser = LocalBrowser(local, person.user, SoftPasskey())
    browser.enroll(enrollment_code(local, person.user.name))
    main = get(browser, path.format(approval.id)).text.partition("<main")[2]
    assert f"Granted: Pay {GRANTED} to " in main
    assert _is_granted_first(main)


def test_admin_documents_and_commands_show_the_granted_amount_first(local, approval):
    """The admin API and `sayso approvals list` and `show` lead with the granted amount."""
    (seen,) = Oversight(local.services.store).approvals(state=None, agent=None, user=None, limit=9)
    assert seen.approval.id == approval.id
    assert _is_granted_first(oversight_wire.approval(seen).headline)
    assert _is_granted_first("\n".join(command._facts(seen)))


def test_the_approvers_document_has_the_granted_headline_in_its_own_member(person, approval):
    """The signed display keeps the requested headline; `granted` has the narrowed one."""
    document = person.show(approval.id)
    assert document["granted"]["headline"] == f"Pay {GRANTED} to Nordwind Logistik GmbH"
    assert ASKED in json.loads(document["display"])["headline"]


@pytest.mark.parametrize(
    ("granted", "state", "words"),
    [
        (None, "approved", "Pay 2"),
        ("Pay 1", "approved", "Granted: Pay 1 (requested: Pay 2)"),
        ("Pay 1", "redeemed", "Granted: Pay 1 (requested: Pay 2)"),
        ("Pay 2", "approved", "Granted with limits: Pay 2"),
        ("Pay 1", "pending", "With limits: Pay 1 (requested: Pay 2)"),
        ("Pay 2", "expired", "With limits: Pay 2"),
    ],
)
def test_the_headline_depends_on_the_state_and_the_granted_action(granted, state, words):
    """A request that was not approved has "With limits" instead of "Granted"."""
    assert granting.headline_in_state("Pay 2", granted, state) == words
