"""Pages of standing grants, consents and delegations, and revoking them."""

import re

import pytest

from tests.support.builders.own_pages import Pages, give_consent, give_grant, give_token
from tests.support.builders.passkey import new_browser

RIGHTS = {
    "grants": give_grant,
    "consents": give_consent,
    "delegations": give_token,
}


@pytest.fixture
def eva(local):
    """Eva, whose only device is a passkey."""
    return Pages(new_browser(local))


def _list_ids(pages, kind):
    answer = pages.browser.send("GET", f"/api/{kind}")
    return {item["id"] for item in answer.json["items"]}


@pytest.mark.parametrize("kind", RIGHTS)
def test_a_right_is_listed_until_it_is_revoked_with_one_press(eva, agent, kind):
    """Revoking does not need scripts, and revoked rights have no button for it."""
    right = RIGHTS[kind](eva.browser, agent)
    page = eva.get(f"/{kind}")
    revoke_path = f"/{kind}/{right}/revoke"
    assert f'action="{revoke_path}"' in page.text
    assert "payments:read" in page.text or "payment.transfer" in page.text
    done = eva.post(revoke_path)
    assert done.status_code == 303
    after = eva.get(done.headers["Location"].removeprefix("http://localhost:8470"))
    assert revoke_path not in after.text
    assert 'class="notice" role="status"' in after.text
    assert revoke_path not in eva.get(f"/{kind}?ended=true").text
    assert right not in _list_ids(eva, kind)


@pytest.mark.parametrize("kind", RIGHTS)
def test_another_users_right_is_not_found(eva, agent, local, kind):
    """The form of another user gets 404, and the right stays unchanged."""
    right = RIGHTS[kind](eva.browser, agent)
    max_ = Pages(new_browser(local, "max", credential=b"the passkey of max"))
    assert right not in max_.get(f"/{kind}?ended=true").text
    assert max_.post(f"/{kind}/{right}/revoke").status_code == 404
    assert f"/{kind}/{right}/revoke" in eva.get(f"/{kind}").text


@pytest.mark.parametrize(
    ("form", "headers"),
    [
        ({"csrf": None}, {}),
        ({"csrf": "made up"}, {}),
        ({}, {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}),
        ({}, {"Origin": "null"}),
    ],
)
@pytest.mark.parametrize("kind", RIGHTS)
def test_another_site_cannot_revoke_a_right(eva, agent, kind, form, headers):
    """A form must come from our own page in this browser."""
    right = RIGHTS[kind](eva.browser, agent)
    assert eva.post(f"/{kind}/{right}/revoke", form, headers).status_code == 403
    assert f"/{kind}/{right}/revoke" in eva.get(f"/{kind}").text


@pytest.mark.parametrize("kind", RIGHTS)
def test_a_get_cannot_revoke_a_right(eva, agent, kind):
    """Neither a GET nor a form of a signed-out user revokes a right."""
    right = RIGHTS[kind](eva.browser, agent)
    assert eva.get(f"/{kind}/{right}/revoke").status_code == 405
    signed_out = Pages(new_browser(eva.browser.local, "max", credential=b"another"))
    signed_out.browser.cookie = ""
    assert "Sign in with a passkey" in signed_out.post(f"/{kind}/{right}/revoke").text
    assert f"/{kind}/{right}/revoke" in eva.get(f"/{kind}").text


def test_a_standing_grant_shows_what_is_left_of_it(eva, agent):
    """The page shows uses, sum, varying members, and notification."""
    give_grant(eva.browser, agent)
    page = eva.get("/grants").text
    for words in ("0 of 3 used", "EUR 0.00 of EUR 30.00 spent", "up to EUR 20.00", "each time"):
        assert words in page


def test_an_empty_list_says_what_it_would_contain(eva):
    """Each kind of right has its own sentence for an empty list."""
    assert "No standing grants" in eva.get("/grants").text
    assert "No consents" in eva.get("/consents").text
    assert "No agent or app is acting for you" in eva.get("/delegations").text


def test_a_long_list_of_tokens_has_a_next_page(eva, agent):
    """The link carries the cursor of the API, and each token is on one page only."""
    ids = {give_token(eva.browser, agent) for _ in range(2)}
    first = eva.get("/delegations?limit=1").text
    (next_path,) = re.findall(r'href="(/delegations\?cursor=[^"]*)"', first)
    second = eva.get(next_path).text
    assert "Next page" not in second
    ids_by_page = [{id_ for id_ in ids if id_ in page} for page in (first, second)]
    assert sorted(map(len, ids_by_page)) == [1, 1]
    assert ids_by_page[0] | ids_by_page[1] == ids


def test_an_invalid_cursor_is_refused_with_a_message(eva):
    """A cursor that the server did not issue gets status 422, like any invalid input."""
    assert eva.get("/delegations?cursor=nonsense").status_code == 422
