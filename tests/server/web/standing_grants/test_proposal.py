"""Creating a standing grant in a browser: limits, preview, and the request that is signed."""

import json
from urllib.parse import urlsplit

import pytest

from server.protocol.policy.risks import Risk
from server.services.users.users import NewUser
from server.web.standing_grants.pages import Member, difference
from tests.support.builders import standing_grants
from tests.support.builders.installation import BY, PAYMENT
from tests.support.builders.passkey import new_browser
from tests.support.builders.person_pages import get, post

PROPOSAL = {
    "seconds": "3600",
    "uses": "3",
    "sum": "30",
    "vary.0": "20",
    "notify": "1",
    "act": "preview",
}


@pytest.fixture
def browser(local):
    """Eva, whose only device is a passkey."""
    return new_browser(local)


@pytest.fixture
def approval(local, agent):
    """A small payment pending for Eva."""
    standing_grants.lower(local)
    return standing_grants.example(agent, login_hint="eva")


def _path(approval):
    return f"/r/{approval.id}/similar"


def test_only_notification_of_each_use_is_preselected(browser, approval):
    """No duration is preselected; members show their example values, and the sum its currency."""
    page = get(browser, _path(approval)).text
    assert page.count("checked") == 1
    assert 'name="notify" value="1" checked' in page
    assert "<bdi>Amount</bdi>" in page
    assert 'Max total amount <span class="quiet">in EUR</span>' in page


def test_a_request_without_money_has_no_total(browser, agent):
    """The form has the duration and the number of uses only."""
    _, approval = agent.request_approval(login_hint="eva")
    page = get(browser, _path(approval))
    assert page.status_code == 200
    assert 'name="uses"' in page.text
    assert 'name="sum"' not in page.text


@pytest.mark.parametrize(
    ("risk", "times", "most"),
    [
        ("low", 5, "Max uses</label>"),
        ("medium", 3, '<span class="quiet">up to 20</span>'),
        ("high", 2, '<span class="quiet">up to 5</span>'),
    ],
)
def test_only_durations_and_uses_allowed_at_its_risk_are_offered(
    browser, agent, local, risk, times, most
):
    """The page offers no value that the server would refuse at this risk."""
    standing_grants.lower(local, risk=risk)
    approval = standing_grants.example(agent, login_hint="eva")
    page = get(browser, _path(approval)).text
    assert page.count('name="seconds"') == times
    assert most in page


def test_fixed_members_are_shown_before_those_that_may_vary(browser, approval, local):
    """The fixed members are agent, keys, and action type with its version."""
    local.admin.actions.update(json.dumps({**PAYMENT, "risk": "low"}), by=BY)
    page = get(browser, _path(approval)).text
    agent = json.loads(approval.display)["agent"]
    fixed = page[page.index("<dl>") : page.index("</dl>")]
    for words in (agent["name"], *agent.get("keys", []), "payment.transfer", "version 3"):
        assert words in fixed
    assert "this request: <bdi>EUR 10.00</bdi>" in page
    assert "<bdi>Payee</bdi> can be anything" in page
    assert "Continue to sign" not in page


def test_the_preview_shows_what_would_have_been_covered_and_creates_nothing(
    browser, approval, local
):
    """The preview also shows the risk of the approval, and the fields keep their values."""
    page = post(browser, _path(approval), PROPOSAL)
    assert page.status_code == 200
    for words in (
        "up to EUR 20.00",
        "3 times, EUR 30.00 in all",
        "up to low; you approve the grant as medium risk",
        "It would have covered 1 of the last 1",
        'value="20"',
        "Continue to sign",
    ):
        assert words in page.text
    assert standing_grants.all_of(local) == []


def test_the_preview_says_in_words_why_a_request_would_not_have_been_covered(
    browser, approval, agent
):
    """The reason uses the member's label and not its JSON pointer."""
    standing_grants.example(agent, 9_000, login_hint="eva")
    page = post(browser, _path(approval), PROPOSAL).text
    assert "It would have covered 1 of the last 2" in page
    assert "no: <bdi>a different amount</bdi>" in page


@pytest.mark.parametrize(
    ("mismatch", "words"),
    [
        ("/payee", "a different payee"),
        ("/amount/currency", "a different amount"),
        ("/from/another/version", "different details"),
        ("scope", "more scopes"),
        ("uses", "more than the max uses"),
    ],
)
def test_each_difference_has_words(mismatch, words):
    """A member that this request does not have is described as "different details"."""
    members = [
        Member(fact, fact[1:].capitalize(), "", limited=False, currency="")
        for fact in ("/amount", "/payee")
    ]
    assert difference(members, mismatch) == words


def test_the_standing_grant_is_signed_on_its_own_request_page(browser, approval, local):
    """No grant exists before the approval; then it has exactly the values entered."""
    page = post(browser, _path(approval), {**PROPOSAL, "act": "open"})
    assert page.status_code == 303
    request_path = urlsplit(page.headers["Location"]).path
    assert "Approve…" in get(browser, request_path).text
    assert standing_grants.all_of(local) == []
    assert browser.approve(request_path.removeprefix("/r/")).json["state"] == "redeemed"
    (grant,) = standing_grants.all_of(local)
    assert (grant.uses, grant.sum_minor, grant.notify, grant.user_id) == (
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
def test_a_value_over_its_limit_is_refused_with_the_limit(browser, approval, changes, says):
    """The message is next to the fields, and neither preview nor creation continues."""
    for act in ("preview", "open"):
        page = post(browser, _path(approval), {**PROPOSAL, **changes, "act": act})
        assert (page.status_code, says in page.text) == (422, True), page.text
        assert "Continue to sign" not in page.text


def test_a_varying_text_has_no_limit(browser, agent, local):
    """A text that may vary can be anything, while an amount that may not vary stays fixed."""
    local.admin.actions.update(json.dumps({**PAYMENT, "risk": "low", "amount": "/amount"}), by=BY)
    approval = standing_grants.example(agent, login_hint="eva")
    page = post(browser, _path(approval), {**PROPOSAL, "vary.0": None, "vary.1": "1"}).text
    assert "<dt><bdi>Amount</bdi></dt><dd><bdi>EUR 10.00</bdi>" in page
    assert "<dt><bdi>Payee</bdi></dt><dd><bdi>anything</bdi>" in page


def test_a_forged_form_neither_previews_nor_creates(browser, approval):
    """The form is shown again with its values, as after a new sign-in."""
    for act in ("preview", "open"):
        page = post(browser, _path(approval), {**PROPOSAL, "act": act, "csrf": "made up"})
        assert (page.status_code, "What you would approve" in page.text) == (403, False)
        assert "You signed in again after you opened this page." in page.text
        assert f'autocomplete="off" value="{PROPOSAL["uses"]}"' in page.text


def test_another_users_request_is_not_an_example(browser, agent, local):
    """The page and the form answer 404 for another user's request."""
    standing_grants.lower(local)
    approval = standing_grants.example(agent)
    assert get(browser, _path(approval)).status_code == 404
    assert post(browser, _path(approval), PROPOSAL).status_code == 404


def test_a_decided_request_can_be_an_example_and_a_critical_one_cannot(
    browser, agent, local, approval
):
    """Only a request that can be an example links to the page for a standing grant."""
    browser.deny(approval.id)
    assert f'href="{_path(approval)}"' in get(browser, f"/r/{approval.id}").text
    assert get(browser, _path(approval)).status_code == 200
    standing_grants.lower(local, risk=str(Risk.CRITICAL))
    local.admin.users.add(NewUser("mia"), by=BY)
    riskier = standing_grants.example(agent, login_hint="eva")
    assert "/similar" not in get(browser, f"/r/{riskier.id}").text
    assert get(browser, _path(riskier)).status_code == 400
