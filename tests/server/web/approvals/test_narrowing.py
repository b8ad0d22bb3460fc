"""Approving with limits in a browser: the controls, the comparison, and the signed text."""

import json

import pytest

from server.protocol.approvals import decisions
from server.protocol.approvals.narrowing import NOT_GRANTED
from server.protocol.approvals.states import State
from server.protocol.forms import Form
from server.web.approvals import narrowing
from tests.support.builders.console import FROM_HERE
from tests.support.builders.installation import BY, PAYMENT
from tests.support.builders.passkey import new_browser
from tests.support.builders.person_pages import get, hidden, post
from tests.support.clients.agent import PAYMENT_DETAILS

NARROWABLE = {"narrow": {"/amount": "lower"}, "amount": "/amount"}
BOTH = "openid payments:read payments:transfer"
EVERYTHING = {"scope.0": "1", "scope.1": "1"}
NARROWED = {**EVERYTHING, "fact.0": "500", "scope.0": None, "seconds": "60"}
FROM_ELSEWHERE = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture(autouse=True)
def narrowable(local):
    """Allow the amount of payments to be lowered."""
    local.admin.actions.update(json.dumps({**PAYMENT, **NARROWABLE}), by=BY)


@pytest.fixture
def browser(local):
    """Eva, whose only device is a passkey."""
    return new_browser(local)


@pytest.fixture
def asked(agent):
    """A pending payment for Eva: its handle and its row."""
    return agent.request_payment(login_hint="eva", scope=BOTH)


def _path(approval):
    return f"/r/{approval.id}/limit"


def test_every_control_starts_at_what_was_requested(browser, asked):
    """All scopes are selected, all fields are empty, and there is nothing to sign yet."""
    page = get(browser, _path(asked[1])).text
    assert page.count('type="checkbox" name="scope.') == page.count('value="1" checked') == 2
    assert "<bdi>Amount</bdi>, requested: <bdi>EUR 4,820.00</bdi>" in page
    assert "Token lifetime in seconds (requested: 300)" in page
    assert "approve-now" not in page


def test_the_comparison_shows_both_columns_and_decides_nothing(browser, asked, local):
    """The columns come from the API, the controls keep their values, and the request is pending."""
    page = post(browser, _path(asked[1]), NARROWED)
    assert page.status_code == 200
    for row in (
        ("<bdi>Amount</bdi>", "<bdi>EUR 4,820.00</bdi>", "<bdi>EUR 500.00</bdi>"),
        ("<bdi>Scope</bdi>", "<bdi>payments:read</bdi>", f"<bdi>{NOT_GRANTED}</bdi>"),
        ("<bdi>Token lifetime</bdi>", "<bdi>300 seconds</bdi>", "<bdi>60 seconds</bdi>"),
    ):
        positions = [page.text.index(cell) for cell in row]
        assert positions == sorted(positions)
    assert 'name="scope.0" value="1"> ' in page.text
    assert 'value="500"' in page.text
    assert local.stored_approval(asked[1].id).state is State.PENDING


def test_the_passkey_signs_the_text_of_the_page_and_the_agent_gets_it(browser, asked, agent):
    """After the signature the agent gets a token with the lower amount and fewer scopes."""
    handle, approval = asked
    text = hidden(post(browser, _path(approval), NARROWED).text, "granted")
    decision = browser.decision(approval.id, granted=decisions.digest(text))
    assert browser.answer(approval.id, decision, granted=text).status == 200
    reply = agent.poll(handle).json
    narrowed_details = [{**PAYMENT_DETAILS[0], "amount": {"minor": 50_000, "currency": "EUR"}}]
    assert (reply["narrowed"], reply["authorization_details"]) == (True, narrowed_details)
    assert (reply["scope"], reply["expires_in"]) == ("openid payments:transfer", 60)


def test_a_text_that_is_not_narrower_is_refused_even_if_a_page_sends_it(browser, asked, local):
    """The server checks that the signed text is narrower, even if a page altered it."""
    _, approval = asked
    text = hidden(post(browser, _path(approval), NARROWED).text, "granted").replace(
        "50000", "5000000"
    )
    decision = browser.decision(approval.id, granted=decisions.digest(text))
    assert browser.answer(approval.id, decision, granted=text).refusal == (422, "not_narrower")
    assert local.stored_approval(approval.id).state is State.PENDING


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({**EVERYTHING, "fact.0": "9000"}, "/amount"),
        ({**EVERYTHING, "seconds": "300"}, "must be less than"),
        ({**EVERYTHING, "seconds": "soon"}, "must be a whole number"),
        ({**EVERYTHING, "seconds": "9" * 5_000}, "must be a whole number"),
        ({**EVERYTHING, "seconds": "0"}, "token_seconds"),
    ],
)
def test_a_value_that_is_not_narrower_is_explained_at_its_control(browser, asked, form, says):
    """The error page names the control, approves nothing, and offers nothing to sign."""
    page = post(browser, _path(asked[1]), form)
    assert page.status_code == 422
    assert says in page.text
    assert "Nothing was approved." in page.text
    assert "approve-now" not in page.text


@pytest.mark.parametrize(
    ("form", "headers", "says"),
    [
        ({**NARROWED, "csrf": "made up"}, FROM_HERE, "You signed in again"),
        ({**NARROWED, "csrf": None}, FROM_HERE, "You signed in again"),
        (NARROWED, FROM_ELSEWHERE, "Refused: sent from another site"),
    ],
)
def test_a_forged_narrowing_form_is_refused(browser, asked, form, headers, says):
    """A form from another site, or with a wrong CSRF token, does not even get a preview."""
    page = post(browser, _path(asked[1]), form, headers)
    assert (page.status_code, says in page.text) == (403, True)


def test_another_users_request_cannot_be_narrowed(browser, agent):
    """The page and the form answer 404 and reveal nothing about the request."""
    _, approval = agent.request_payment()
    for page in (get(browser, _path(approval)), post(browser, _path(approval), NARROWED)):
        assert page.status_code == 404
        assert "Nordwind" not in page.text


def test_a_decided_request_redirects_to_its_record(browser, asked):
    """A decided request can no longer be narrowed; a submitted form gets 409."""
    _, approval = asked
    browser.deny(approval.id)
    page = get(browser, _path(approval))
    assert (page.status_code, page.headers["Location"].endswith(f"/r/{approval.id}")) == (303, True)
    assert post(browser, _path(approval), NARROWED).status_code == 409


def test_a_malformed_narrowing_form_is_refused_with_a_message(browser, asked):
    """A field with a null character gets 400 and a message, as on every page."""
    page = post(browser, _path(asked[1]), {**NARROWED, "fact.0": "500\0"})
    assert (page.status_code, "null character" in page.text) == (400, True)


def test_a_request_page_links_to_approve_with_limits(browser, asked):
    """Report comes first; deny, approve and approve with limits follow the headline."""
    page = get(browser, f"/r/{asked[1].id}").text
    positions = [
        page.index(text)
        for text in ("Report…", "<h1>", "Deny…", "Approve…", "Approve with limits…")
    ]
    assert positions == sorted(positions)


def test_ticks_and_fields_become_the_changes_of_the_api():
    """A change to a list contains the 1-based positions of the items that stay."""
    options = {
        "scopes": ["a", "b"],
        "facts": [
            {"place": 0, "fact": "/to", "rule": "drop", "items": ["x", "y", "z"]},
            {"place": 1, "fact": "/dry", "rule": "turn_on", "items": []},
            {"place": 1, "fact": "/until", "rule": "earlier", "items": []},
        ],
    }
    everything_ticked = {"scope.0": ("1",), "scope.1": ("1",)} | {
        f"fact.0.{n}": ("1",) for n in range(3)
    }
    nothing = {"drop_scopes": [], "changes": [], "token_seconds": None}
    assert narrowing.narrowing_request(Form(everything_ticked), options) == nothing
    some = {"fact.0.0": ("1",), "fact.0.2": ("1",), "fact.1": ("1",), "fact.2": ("soon",)}
    assert narrowing.narrowing_request(Form({**some, "seconds": ("9",)}), options) == {
        "drop_scopes": ["a", "b"],
        "changes": [
            {"place": 0, "fact": "/to", "to": "1,3"},
            {"place": 1, "fact": "/dry", "to": "yes"},
            {"place": 1, "fact": "/until", "to": "soon"},
        ],
        "token_seconds": 9,
    }
    assert narrowing.narrowing_request(Form({}), options)["changes"][0]["to"] == "none"
