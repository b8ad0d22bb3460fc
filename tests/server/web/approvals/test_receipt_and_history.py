"""Receipts and history: every field, who has access, and what verification needs."""

import json

import pytest

from server.protocol import base64url
from server.protocol.approvals import decisions
from server.protocol.approvals.states import State
from server.services.policy.policies import Policies
from tests.support.builders import receipts
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, enrollment_code, new_browser
from tests.support.builders.person_pages import get, post
from tests.support.builders.policies import rule


@pytest.fixture
def browser(local):
    """Eva, whose only device is a passkey."""
    return new_browser(local)


def _receipt(browser, approval):
    return browser.send("GET", f"/api/approvals/{approval.id}/receipt").json


def _payload(jws):
    return json.loads(base64url.decode(jws.split(".")[1]))


def test_a_receipt_has_the_signed_decision_and_everything_to_verify_it(browser, agent):
    """A receipt has the passkey's signature and key, the log entries, and the issued token."""
    handle, approval = agent.request_approval(login_hint="eva")
    browser.approve(approval.id)
    agent.poll(handle)
    receipt = _receipt(browser, approval)
    (answer,) = receipt["answers"]
    assert receipt["fingerprint"] == decisions.fingerprint(approval.action_digest)
    assert _payload(answer["signed"])["approval"] == approval.id
    numbers = browser.passkey.private.public_key().public_numbers()
    assert answer["key"] == {
        "kid": base64url.encode(browser.passkey.credential),
        "jwk": {
            "kty": "EC",
            "crv": "P-256",
            "x": base64url.encode(numbers.x.to_bytes(32)),
            "y": base64url.encode(numbers.y.to_bytes(32)),
        },
    }
    entries = [json.loads(entry["body"]) for entry in receipt["entries"]]
    assert [entry["type"] for entry in entries] == [
        "approval.requested",
        "approval.approved",
        "token.issued",
    ]
    assert entries[1]["facts"]["signed"] == answer["signed"]
    assert entries[2]["facts"]["jti"] == receipt["token"]["id"]
    assert receipt["token"]["state"] == "live"
    assert receipt["approval"]["state"] == "redeemed"


def test_the_server_signs_every_other_member_of_a_receipt(browser, agent, local):
    """The server signs with a published key and a token type used only for receipts."""
    _, approval = agent.request_approval(login_hint="eva")
    browser.deny(approval.id, private_note="They do not know him")
    receipt = _receipt(browser, approval)
    signed = local.claims(receipt.pop("server_signature"), "sayso-receipt+jws")
    assert dict(signed) == receipt
    assert receipt["token"] is None
    assert receipt["approval"]["decided"]["private_note"] == "They do not know him"


def test_a_terminals_decision_has_its_own_key(person, agent):
    """The receipt has the terminal's key, whose thumbprint is the signature's `kid`."""
    _, approval = agent.request_approval()
    person.approve(approval.id)
    receipt = person.call("GET", f"/api/approvals/{approval.id}/receipt").json
    (answer,) = receipt["answers"]
    assert decisions.thumbprint(answer["key"]["jwk"]) == answer["key"]["kid"]
    assert answer["device"]["kind"] == "terminal"


def test_a_decision_by_a_deleted_key_is_shown_without_the_key(browser, agent, monkeypatch):
    """The decision is still shown, but with no key to verify it."""
    _, approval = agent.request_approval(login_hint="eva")
    browser.deny(approval.id)
    monkeypatch.setattr("server.storage.devices.passkeys.Passkeys.get", lambda *_: None)
    assert _receipt(browser, approval)["answers"][0]["key"] is None


def test_each_of_several_approvers_sees_every_decision(browser, agent, local):
    """Both approvers see both decisions and entries; only the requesting user sees the token."""
    ben = new_person(local, "ben")
    two = rule("ask", "ask.quorum = 2", 'ask.who = ["eva", "ben"]')
    Policies(local.services.store).set(two, by=BY)
    handle, approval = agent.request_approval(login_hint="eva")
    browser.approve(approval.id)
    ben.approve(approval.id)
    agent.poll(handle)
    evas_receipt = _receipt(browser, approval)
    bens_receipt = ben.call("GET", f"/api/approvals/{approval.id}/receipt").json
    assert len(evas_receipt["answers"]) == 2
    assert evas_receipt["entries"] == bens_receipt["entries"]
    assert (evas_receipt["token"] is None, bens_receipt["token"]) == (False, None)


def test_the_receipt_page_has_every_field_and_a_download(browser, agent):
    """The page is readable without scripts; only verification needs JavaScript."""
    handle, approval = agent.request_payment(login_hint="eva", binding_message="Pay <b>now</b>")
    browser.approve(approval.id)
    agent.poll(handle)
    page = get(browser, f"/receipt/{approval.id}").text
    for words in (
        "Pay EUR 4,820.00 to Nordwind Logistik GmbH",
        "Pay &lt;b&gt;now&lt;/b&gt;",
        approval.action_digest,
        approval.display_digest,
        browser.device_id,
        base64url.encode(browser.passkey.credential),
        "Token issued",
        f'href="/api/approvals/{approval.id}/receipt" download=',
        "&#34;server_signature&#34;",
        "Verification needs JavaScript",
    ):
        assert words in page, words


@pytest.mark.parametrize(
    ("end", "outcome", "entry"),
    [
        (receipts.expired, "Expired; not answered.", "approval.expired"),
        (receipts.withdrawn, "Withdrawn; not answered.", "approval.cancelled"),
        (receipts.agent_disabled, "Withdrawn; not answered.", "approval.cancelled"),
    ],
)
def test_an_unanswered_request_has_a_receipt_too(person, agent, local, end, outcome, entry):
    """The receipt shows the audit log entry for the end of the request and can be downloaded."""
    browser = _browser_of(person, local)
    name = end(agent, person)
    page = get(browser, f"/receipt/{name}").text
    last_entry = receipts.entry(receipts.of(person, name), entry)
    for words in (
        outcome,
        "Nobody answered, so there is no signature. The audit log shows how it ended.",
        f"<dt>{entry}</dt><dd><code>{last_entry['id']}</code>",
        f"<code>{last_entry['cause']}</code>",
        f'href="/api/approvals/{name}/receipt" download=',
    ):
        assert words in page, words
    assert f"/receipt/{name}" in get(browser, "/history").text


def test_the_receipt_links_to_the_receipt_of_the_standing_grant_used(person, agent, local):
    """The linked receipt has the user's signature."""
    browser = _browser_of(person, local)
    name = receipts.granted(agent, person)
    given_in = receipts.of(person, name)["given_in"]
    page = get(browser, f"/receipt/{name}").text
    assert f'which you <a href="/receipt/{given_in["approval"]["id"]}">gave</a> on <time' in page
    assert (
        "<dt>standing_grant.given</dt>"
        in get(browser, f"/receipt/{given_in['approval']['id']}").text
    )


def _browser_of(person, local):
    """Enroll a browser as a further device of the person."""
    browser = LocalBrowser(local, person.user, SoftPasskey())
    browser.enroll(enrollment_code(local, person.user.name))
    return browser


def test_a_receipt_shows_both_the_granted_and_the_requested_action(person, agent, local):
    """The receipt of a narrowed request has the granted text and its digest."""
    browser = _browser_of(person, local)
    _, approval = agent.request_approval(scope="openid payments:read payments:transfer")
    narrowing = {"drop_scopes": ["payments:transfer"]}
    narrowed = person.call("POST", f"/api/approvals/{approval.id}/narrowing", narrowing).json
    person.pin(approval.id)
    jws = person.decision(
        approval.id, person.high, ceremony=approval.ceremony, granted=narrowed["digest"]
    )
    person.send_decision(approval.id, jws, granted=narrowed["text"])
    page = get(browser, f"/receipt/{approval.id}").text
    assert narrowed["digest"] in page
    assert "<h2>What was granted</h2>" in page


def test_another_users_receipt_is_not_found(browser, agent, person):
    """The page and the API answer 404, and both pages refuse a POST."""
    _, approval = agent.request_approval()
    person.approve(approval.id)
    assert get(browser, f"/receipt/{approval.id}").status_code == 404
    refused = browser.send("GET", f"/api/approvals/{approval.id}/receipt")
    assert refused.refusal == (404, "not_found")
    for path in (f"/receipt/{approval.id}", "/history"):
        assert post(browser, path).status_code == 405


def test_the_history_lists_decided_requests_newest_first(browser, agent, local):
    """The history lists the newest decision first and leaves out pending requests."""
    assert "No decided requests yet." in get(browser, "/history").text
    first, second, third = (agent.request_approval(login_hint="eva")[1] for _ in range(3))
    browser.approve(first.id)
    local.clock.forward(MINUTE)
    browser.deny(second.id)
    page = get(browser, "/history").text
    assert page.index(second.id) < page.index(first.id)
    assert third.id not in page
    assert 'aria-current="page">History' in page


@pytest.mark.parametrize(
    ("query", "indexes"),
    [
        ("result=denied", [1]),
        ("result=approved", [0]),
        ("agent=invoice-bot", [1, 0]),
        ("agent=nobody", []),
        ("from=2025-10-10", [1]),
        ("to=2025-10-09", [0]),
        ("from=2025-10-09&to=2025-10-10&result=&agent=", [1, 0]),
        ("result=cancelled", []),
    ],
)
def test_the_history_is_filtered_by_agent_result_and_day(browser, agent, local, query, indexes):
    """Days are in UTC and inclusive on both ends; filters can be combined."""
    asked = [agent.request_approval(login_hint="eva")[1]]
    browser.approve(asked[0].id)
    local.clock.forward(DAY)
    asked.append(agent.request_approval(login_hint="eva")[1])
    browser.deny(asked[1].id)
    page = get(browser, f"/history?{query}").text
    positions = [page.index(asked[index].id) for index in indexes]
    assert positions == sorted(positions)
    assert sum(approval.id in page for approval in asked) == len(indexes)
    assert indexes or "No requests match." in page


@pytest.mark.parametrize(
    "query", ["from=soon", "to=9999-12-31", "result=lost", "cursor=no", "from=2025-02-30"]
)
def test_an_invalid_history_filter_is_refused_with_a_message(browser, query):
    """The error page has status 422 and says that the request was refused."""
    page = get(browser, f"/history?{query}")
    assert page.status_code == 422
    assert "Request refused" in page.text


def test_the_history_is_paged(browser, agent, local, monkeypatch):
    """The links keep the filters, and the last page links back to the newest requests."""
    monkeypatch.setattr("server.web.approvals.history._PAGE_SIZE", "1")
    for _ in range(2):
        browser.deny(agent.request_approval(login_hint="eva")[1].id)
        local.clock.forward(MINUTE)
    page = get(browser, "/history?result=denied").text
    older = page[page.index('href="/history?') + 6 :].partition('"')[0].replace("&amp;", "&")
    assert "result=denied&cursor=" in older
    last = get(browser, older).text
    assert "Newest" in last
    assert "receipt/" in last


def test_a_history_page_without_matches_links_to_the_next_one(browser, agent, local, monkeypatch):
    """A page scans a limited number of requests, so an empty page can have a next page."""
    monkeypatch.setattr("server.services.approvals.inbox.SCANNED_REQUESTS", 2)
    monkeypatch.setattr("server.web.approvals.history._PAGE_SIZE", "2")
    approved = agent.request_approval(login_hint="eva")[1]
    browser.approve(approved.id)
    for _ in range(2):
        local.clock.forward(MINUTE)
        browser.deny(agent.request_approval(login_hint="eva")[1].id)
    page = get(browser, "/history?result=approved").text
    assert "None of the newest requests match." in page
    older = page[page.index('href="/history?') + 6 :].partition('"')[0].replace("&amp;", "&")
    assert approved.id in get(browser, older).text
    late = get(browser, "/history?result=approved&from=2025-10-10").text
    assert "No requests match." in late
    assert local.stored_approval(approved.id).state is State.APPROVED
