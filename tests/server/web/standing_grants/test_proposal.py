"""Approving ahead in a browser: bounds, what they would cover, the request that gives it."""

import json
from urllib.parse import urlsplit

import pytest

from server.protocol.policy.risks import Risk
from server.services.users.users import NewUser
from tests.support.builders import standing_grants
from tests.support.builders.installation import BY, PAYMENT
from tests.support.builders.passkey import new_browser
from tests.support.builders.person_pages import get, post

WISH = {"seconds": "3600", "uses": "3", "sum": "30", "vary.0": "20", "tell": "1", "act": "preview"}


@pytest.fixture
def browser(local):
    """Eva, whose only device is a passkey."""
    return new_browser(local)


@pytest.fixture
def approval(local, agent):
    """A cheap payment that waits for Eva."""
    standing_grants.lower(local)
    return standing_grants.example(agent, login_hint="eva")


def _path(approval):
    return f"/r/{approval.id}/similar"


def test_nothing_is_filled_in_but_that_each_use_is_told(browser, approval):
    """What may vary stands there as it is in the example."""
    page = get(browser, _path(approval)).text
    assert page.count("checked") == 1
    assert 'name="tell" value="1" checked' in page
    assert "<bdi>Amount</bdi>" in page


@pytest.mark.parametrize(
    ("risk", "times", "most"),
    [
        ("low", 5, "Max uses</label>"),
        ("medium", 3, '<span class="quiet">up to 20</span>'),
        ("high", 2, '<span class="quiet">up to 5</span>'),
    ],
)
def test_no_more_is_offered_than_may_be_given_at_its_risk(browser, agent, local, risk, times, most):
    """Longer or more often is refused, so it is not there to be chosen."""
    standing_grants.lower(local, risk=risk)
    approval = standing_grants.example(agent, login_hint="eva")
    page = get(browser, _path(approval)).text
    assert page.count('name="seconds"') == times
    assert most in page


def test_what_stays_as_it_is_stands_before_what_may_vary(browser, approval, local):
    """The agent, its key and the kind of action with its version: with others the grant ends."""
    local.desk.actions.update(json.dumps({**PAYMENT, "risk": "low"}), by=BY)
    page = get(browser, _path(approval)).text
    agent = json.loads(approval.display)["agent"]
    fixed = page[page.index("<dl>") : page.index("</dl>")]
    for words in (agent["name"], *agent.get("keys", []), "payment.transfer", "version 3"):
        assert words in fixed
    assert "this request: <bdi>EUR 10.00</bdi>" in page
    assert "<bdi>Payee</bdi> can be anything" in page
    assert "Continue to sign" not in page


def test_what_it_would_have_covered_is_shown_and_nothing_is_given(browser, approval, local):
    """With the level of risk at which it is given; the fields stay as they were."""
    page = post(browser, _path(approval), WISH)
    assert page.status_code == 200
    for words in (
        "up to EUR 20.00",
        "3 times, EUR 30.00 in all",
        "up to low; you approve it as medium",
        "It would have covered 1 of the last 1",
        'value="20"',
        "Continue to sign",
    ):
        assert words in page.text
    assert standing_grants.all_of(local) == []


def test_the_request_that_gives_it_is_signed_at_its_own_page(browser, approval, local):
    """Nothing is given before; then it is exactly what was asked for."""
    opened = post(browser, _path(approval), {**WISH, "act": "open"})
    assert opened.status_code == 303
    where = urlsplit(opened.headers["Location"]).path
    assert "Approve…" in get(browser, where).text
    assert standing_grants.all_of(local) == []
    assert browser.approve(where.removeprefix("/r/")).json["state"] == "redeemed"
    (grant,) = standing_grants.all_of(local)
    assert (grant.uses, grant.sum_minor, grant.tell, grant.user_id) == (
        3,
        3_000,
        True,
        browser.user.id,
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seconds": None}, "Choose a duration"),
        ({"seconds": "1" * 20}, "Choose a duration"),
        ({"uses": "often"}, "Enter the max uses as a number"),
        ({"sum": None}, "sum: set a total amount"),
        ({"vary.1": "1"}, "cannot vary, because it identifies the target"),
        ({"uses": "999999999"}, "uses: must be 1 to"),
    ],
)
def test_what_may_not_be_given_is_said_with_its_cap(browser, approval, changes, says):
    """Beside the fields, which stay as they were set."""
    for act in ("preview", "open"):
        page = post(browser, _path(approval), {**WISH, **changes, "act": act})
        assert (page.status_code, says in page.text) == (422, True), page.text
        assert "Continue to sign" not in page.text


def test_a_text_that_may_be_anything_has_no_cap(browser, agent, local):
    """And money stays as it is where nothing is said."""
    local.desk.actions.update(json.dumps({**PAYMENT, "risk": "low", "amount": "/amount"}), by=BY)
    approval = standing_grants.example(agent, login_hint="eva")
    page = post(browser, _path(approval), {**WISH, "vary.0": None, "vary.1": "1"}).text
    assert "<dt><bdi>Amount</bdi></dt><dd><bdi>EUR 10.00</bdi>" in page
    assert "<dt><bdi>Payee</bdi></dt><dd><bdi>anything</bdi>" in page


def test_a_form_that_no_page_of_ours_sent_asks_for_nothing(browser, approval):
    """Neither for a look nor for a request."""
    for act in ("preview", "open"):
        page = post(browser, _path(approval), {**WISH, "act": act, "csrf": "made up"})
        assert page.status_code == 403


def test_nobody_elses_request_is_an_example(browser, agent, local):
    """As if it did not exist."""
    standing_grants.lower(local)
    approval = standing_grants.example(agent)
    assert get(browser, _path(approval)).status_code == 404
    assert post(browser, _path(approval), WISH).status_code == 404


def test_what_is_over_is_an_example_and_what_is_critical_never_is(browser, agent, local, approval):
    """The request's page offers it, or does not."""
    browser.deny(approval.id)
    assert f'href="{_path(approval)}"' in get(browser, f"/r/{approval.id}").text
    assert get(browser, _path(approval)).status_code == 200
    standing_grants.lower(local, risk=str(Risk.CRITICAL))
    local.desk.users.add(NewUser("mia"), by=BY)
    graver = standing_grants.example(agent, login_hint="eva")
    assert "/similar" not in get(browser, f"/r/{graver.id}").text
    assert get(browser, _path(graver)).status_code == 400
