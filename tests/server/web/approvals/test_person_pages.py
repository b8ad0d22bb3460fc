"""Pages of a user who signed in with a passkey, as the server renders them."""

import json
import re
from pathlib import Path

import pytest

from server import web
from server.http import cookies
from server.model.store import Busy
from server.protocol.policy.risks import Risk
from server.protocol.times import rfc3339
from server.services.approvals.oversight import Oversight
from server.services.clients.agent_forms import AgentChanges
from server.services.policy.policies import Policies
from server.services.resources.resources import ResourceChanges
from server.web.browser import HEADERS
from tests.support.builders import consents
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAY, PAY_SCOPES, PAYMENT
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, enrollment_code, new_browser
from tests.support.builders.policies import rule
from tests.support.builders.site import ISSUER

_TEMPLATES = Path(web.__file__).parent / "templates"


@pytest.fixture
def browser(local):
    """Eva, whose only device is a passkey."""
    return new_browser(local)


def _plain(page):
    """Remove the elements around times from the page."""
    return re.sub("</?time[^>]*>", "", page)


def _page(browser, path="/", base=ISSUER):
    client = browser.local.app.test_client()
    if browser.cookie:
        client.set_cookie(cookies.name(browser.local.server_policy), browser.cookie)
    return client.get(path, base_url=base)


def _request(agent, **members):
    return agent.request_approval(login_hint="eva", **members)[1]


def _request_payment(agent, **members):
    return agent.request_payment(login_hint="eva", **members)[1]


@pytest.mark.parametrize("path", ["/", "/devices", "/r/sayso_ap_aaaaaaaaaaaaaaaa"])
def test_a_signed_out_user_is_asked_for_a_passkey_on_the_same_page(browser, path):
    """The page shows only the sign-in; after signing in, the same address shows its content."""
    browser.cookie = ""
    page = _page(browser, path)
    assert page.status_code == 200
    assert "Sign in with a passkey" in page.text
    assert ("A request is waiting" in page.text) == path.startswith("/r/")


@pytest.mark.parametrize("path", ["/", "/devices", "/r/sayso_ap_aaaaaaaaaaaaaaaa"])
def test_every_page_allows_only_its_own_scripts(browser, path):
    """Pages have no inline scripts, frames or other hosts, and treat no text as markup."""
    page = _page(browser, path)
    policy = page.headers["Content-Security-Policy"]
    directives, is_message = policy.split("; "), page.status_code == 404
    for directive in (
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
        "worker-src 'self'",
        "trusted-types sayso-worker",
    ):
        assert directive in directives or is_message
    assert page.headers["Cache-Control"] == HEADERS["Cache-Control"]
    assert not re.search(r"<script(?![^>]* src=)|\son\w+=|style=", page.text)


@pytest.mark.parametrize("name", sorted(path.stem for path in _TEMPLATES.rglob("*.js")))
def test_scripts_are_modules_that_do_not_create_markup(browser, name):
    """Scripts only set text, so that an agent's text cannot become markup."""
    script = _page(browser, f"/{name}.js")
    assert script.mimetype == "text/javascript"
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval", script.text
    )


def test_an_empty_inbox_says_that_nothing_is_waiting(browser):
    """The page also names the user whose inbox it is."""
    page = _page(browser).text
    assert "No requests are waiting." in page
    assert "<bdi>eva</bdi>" in page


def test_the_inbox_lists_the_highest_risk_first_then_the_earliest_expiry(browser, agent):
    """The inbox has no sections for held-back requests or further pages if there are none."""
    long, short = _request(agent), _request(agent, requested_expiry="60")
    high = _request_payment(agent)
    page = _page(browser).text
    assert page.index(high.id) < page.index(short.id) < page.index(long.id)
    assert "Held back" not in page
    assert "Show all" not in page


def test_held_back_requests_have_their_own_section(template, open_local):
    """Held-back requests are pending like the others but send no notification."""
    local = open_local(notify_per_minute=1)
    scopes = ResourceChanges(scopes={**PAY_SCOPES, "payments:read": Risk.MEDIUM})
    local.admin.resources.update(PAY, scopes, by=BY)
    browser, agent = new_browser(local), template.agent(local)
    first, second = _request(agent), _request(agent)
    page = _page(browser).text
    assert page.index(first.id) < page.index("Held back") < page.index(second.id)


def test_a_long_inbox_shows_the_highest_risk_and_links_to_the_rest(browser, agent, monkeypatch):
    """The link needs no scripts, and a high-risk request that expires last is never hidden."""
    monkeypatch.setattr("server.web.approvals.inbox._FIRST", 2)
    low = [_request(agent, requested_expiry=seconds) for seconds in ("300", "60", "120")]
    high = _request_payment(agent, requested_expiry="900")
    page = _page(browser).text
    assert [page.index(approval.id) for approval in (high, low[1])]
    assert not any(approval.id in page for approval in (low[0], low[2]))
    assert '<a href="/?all=true" id="all">Show all 4</a>' in page
    full_page = _page(browser, "/?all=true").text
    assert all(approval.id in full_page for approval in (high, *low))
    assert "Show all" not in full_page


def test_an_inbox_states_that_it_has_too_many_requests(browser, agent, monkeypatch):
    """The page says how many of all requests it shows and offers no further link."""
    monkeypatch.setattr("server.web.approvals.inbox._FIRST", 1)
    monkeypatch.setattr("server.web.approvals.inbox._ON_ONE_PAGE", 1)
    _request(agent), _request(agent)
    page = _page(browser, "/?all=true").text
    assert "These are the 1 highest-risk requests of 2." in page
    assert "Show all" not in page


def test_a_request_page_shows_every_field(browser, agent, local):
    """The fields come from the signed text and are in reading order."""
    approval = _request_payment(agent, binding_message="Pay <b>now</b>")
    page = _page(browser, f"/r/{approval.id}").text
    fields = [
        "high risk",
        "Pay EUR 4,820.00 to Nordwind Logistik GmbH</bdi></h1>",
        'class="quiet">Agent</span>',
        "Owner: ",
        "<dt><bdi>Amount</bdi></dt>",
        "<dt>Unusual</dt>",
        "<dt>Undo</dt>",
        "<dt>Requested</dt>",
        "<dt>Why you</dt>",
        "Agent says, not verified",
        "Pay &lt;b&gt;now&lt;/b&gt;",
        "<dt>If approved</dt>",
        "Expiring isn't a denial.",
        "<dt>Fingerprint</dt>",
        "Deny…",
        "Approve…",
    ]
    positions = [page.index(field) for field in fields]
    assert positions == sorted(positions)
    assert f'data-digest="{approval.display_digest}"' in page
    assert local.stored_approval(approval.id).seen_at is not None
    title = re.search("<title>(.*)</title>", page)[1]
    assert re.fullmatch("Request [0-9a-f]{4}-[0-9a-f]{4} · Sayso", title)


@pytest.mark.parametrize(("risk", "pause"), [("low", 800), ("high", 2000)])
def test_the_button_is_enabled_later_at_higher_risk(browser, agent, risk, pause):
    """The page tells the script the delay, which is longer for high-risk requests."""
    approval = _request(agent) if risk == "low" else _request_payment(agent)
    assert f'data-arming="{pause}"' in _page(browser, f"/r/{approval.id}").text


def test_the_button_of_a_request_for_scopes_says_that_it_approves(browser, agent):
    """Only an action type has a verb for the button; a request for scopes has none."""
    assert "<bdi>Approve with passkey</bdi>" in _page(browser, f"/r/{_request(agent).id}").text
    assert "<bdi>Pay EUR " in _page(browser, f"/r/{_request_payment(agent).id}").text


def test_the_type_back_step_does_not_repeat_the_value(browser, agent, local):
    """The step names the fact to type without revealing its value."""
    typed = {**PAYMENT, "type_back": {"fact": "/amount"}}
    local.admin.actions.update(json.dumps(typed), by=BY)
    page = _page(browser, f"/r/{_request_payment(agent).id}").text
    step = page[page.index('<section id="approve"') : page.index('<section id="deny"')]
    assert "Type <bdi>Amount</bdi>" in step
    assert "4,820" not in step


def test_a_new_passkey_shows_when_it_may_approve_high_risk_requests(person, agent, local):
    """For high risk the button is disabled with a reason; low-risk requests can be approved."""
    browser = LocalBrowser(local, person.user, SoftPasskey())
    browser.enroll(enrollment_code(local, "ana"))
    high, low = agent.request_payment()[1], agent.request_approval()[1]
    assert "This passkey is new. It can approve high-risk requests from 10 October 2025" in _plain(
        _page(browser, f"/r/{high.id}").text
    )
    assert "data-barred" not in _page(browser, f"/r/{low.id}").text
    local.clock.forward(DAY)
    late = agent.request_payment()[1]
    assert "data-barred" not in _page(browser, f"/r/{late.id}").text


def test_a_decided_request_is_a_record_without_buttons(browser, agent):
    """The page shows who decided, on which device, when, and what the agent was told."""
    yes, no = _request(agent), _request(agent)
    browser.approve(yes.id)
    browser.deny(no.id, "too_broad", note="Less, please")
    approved, denied = (_plain(_page(browser, f"/r/{approval.id}").text) for approval in (yes, no))
    assert "Approved by eva on phone at 9 October 2025, 08:53 UTC." in approved
    assert "Denied by eva on phone at 9 October 2025, 08:53 UTC. Reason: Too broad." in _plain(
        denied
    )
    assert "Less, please" in denied
    for page in (approved, denied):
        assert "to-approve" not in page
        assert "<button" not in page[page.index("<main") :]
        assert "/request.js" not in page


def test_a_request_page_says_that_the_token_was_collected(browser, agent):
    """After the agent polled, the request page says that it collected its token."""
    handle, approval = agent.request_approval(login_hint="eva")
    browser.approve(approval.id)
    agent.poll(handle)
    assert "The agent collected its token." in _page(browser, f"/r/{approval.id}").text


def test_an_expired_request_is_not_shown_as_denied(browser, agent, local):
    """An expired request is "not a denial", and a withdrawn one is "closed" with the reason."""
    late, cancelled = _request(agent, requested_expiry="60"), _request(agent)
    local.clock.forward(MINUTE)
    assert "t a denial" in _page(browser, f"/r/{late.id}").text
    Oversight(local.services.store).cancel(cancelled.id, "Not this month", by=BY)
    assert (
        "This request is closed: administrator: Not this month."
        in _page(browser, f"/r/{cancelled.id}").text
    )


def test_the_reason_of_a_closed_request_is_shown_in_words(browser, agent, local):
    """The wire name of the reason has underscores."""
    request = _request(agent)
    local.admin.resources.delete(PAY, by=BY)
    text = _page(browser, f"/r/{request.id}").text
    assert "This request is closed: resource deleted. Nobody answered it." in text


def test_an_expired_request_offers_to_ask_its_agent_to_retry(browser, agent, local):
    """One button makes the terminal's API call; afterwards the page says so without a button."""
    handle, approval = agent.request_approval(login_hint="eva", requested_expiry="60")
    assert 'id="retry"' not in _page(browser, f"/r/{approval.id}").text
    local.clock.forward(MINUTE)
    before = _page(browser, f"/r/{approval.id}").text
    assert "t a denial; the agent can retry." in before
    assert f'id="retry" data-deed data-id="{approval.id}"' in before
    assert "Ask <bdi>invoice-bot</bdi> to retry" in before
    assert "/decided.js" in before
    assert browser.send("POST", f"/api/approvals/{approval.id}/retry").status == 200
    after = _page(browser, f"/r/{approval.id}").text
    assert "t a denial; its agent was told to retry." in after
    assert 'id="retry"' not in after
    assert agent.poll(handle).json["retry"] == "wanted"


def test_another_site_cannot_ask_for_a_retry(browser, agent, local):
    """The session cookie alone is not enough; the call needs the CSRF header."""
    approval = _request(agent, requested_expiry="60")
    local.clock.forward(MINUTE)
    path = f"/api/approvals/{approval.id}/retry"
    stale = browser.send("POST", path, headers={cookies.CSRF.lower(): None})
    assert stale.refusal == (403, "stale_page")
    assert local.stored_approval(approval.id).retry_asked_at is None


def test_a_request_page_says_that_a_consent_approved_it(person, agent, local):
    """A request that a consent approved has a record that names the consent."""
    browser = LocalBrowser(local, person.user, SoftPasskey())
    browser.enroll(enrollment_code(local, "ana"))
    open_rule = rule("allow", 'when.at = ["request"]', 'when.resource = ["*"]', name="open")
    Policies(local.services.store).set(open_rule, by=BY)
    consents.give(local, agent, person)
    _, approval = agent.request_approval()
    page = _page(browser, f"/r/{approval.id}").text
    assert "Approved under a consent." in page
    assert "approved under a consent</span>" in _page(browser, "/history").text
    receipt = _page(browser, f"/receipt/{approval.id}").text
    assert "Approved under a consent." in receipt
    assert "not answered" not in receipt


def test_the_decisions_of_several_approvers_are_shown_together(browser, agent, local):
    """The page counts approvals and names the approvers; a user who has decided sees no button."""
    ben = new_person(local, "ben")
    two = rule("ask", "ask.quorum = 2", 'ask.who = ["eva", "ben"]')
    Policies(local.services.store).set(two, by=BY)
    approval = _request(agent)
    before = _page(browser, f"/r/{approval.id}").text
    assert "0 of 2 approved. Waiting for:" in before
    assert "to-approve" in before
    assert browser.approve(approval.id).status == 200
    after = _page(browser, f"/r/{approval.id}").text
    assert "1 of 2 approved." in after
    assert "<bdi>eva</bdi>: approved" in after
    assert "to-approve" not in after
    assert ben.approve(approval.id).json["state"] == "approved"


def test_a_narrowed_request_shows_what_was_granted(person, agent, local):
    """The request page of a narrowed request shows the granted part."""
    browser = LocalBrowser(local, person.user, SoftPasskey())
    browser.enroll(enrollment_code(local, "ana"))
    _, approval = agent.request_approval(scope="openid payments:read payments:transfer")
    narrowing = {"drop_scopes": ["payments:transfer"]}
    path = f"/api/approvals/{approval.id}/narrowing"
    narrowed = person.call("POST", path, narrowing).json
    person.pin(approval.id)
    jws = person.decision(
        approval.id, person.high, ceremony=approval.ceremony, granted=narrowed["digest"]
    )
    assert person.send_decision(approval.id, jws, granted=narrowed["text"]).status == 200
    assert "Granted: <bdi>" in _page(browser, f"/r/{approval.id}").text


def test_another_users_request_is_not_found(browser, agent):
    """The answer is 404, as for a request that does not exist."""
    _, approval = agent.request_approval()
    page = _page(browser, f"/r/{approval.id}")
    assert page.status_code == 404
    assert "Nordwind" not in page.text


def test_the_device_page_lists_a_users_devices_without_removed_ones(person, local):
    """The page shows what each device may not do yet, and drops a removed device."""
    browser = LocalBrowser(local, person.user, SoftPasskey())
    browser.enroll(enrollment_code(local, "ana"))
    page = _page(browser, "/devices").text
    assert "Terminal · enrolled" in page
    assert "Passkey · enrolled" in page
    assert "Can approve high-risk requests from" in page
    browser.send("DELETE", f"/api/devices/{person.device_id}")
    assert "Terminal · enrolled" not in _page(browser, "/devices").text


def test_a_revoked_device_sees_how_to_sign_in_again(browser):
    """The page says that the device was revoked and lets the user sign in with a passkey."""
    browser.send("DELETE", "/api/devices/self")
    page = _page(browser)
    assert "This device was revoked" in page.text
    assert "Sign in with a passkey" in page.text


def test_another_name_of_this_machine_redirects_to_the_issuer(browser):
    """A passkey belongs to one host name, so other names redirect to the issuer's."""
    redirect = _page(browser, "/", "http://127.0.0.1:8470")
    assert (redirect.status_code, redirect.headers["Location"]) == (303, f"{ISSUER}/")


@pytest.mark.parametrize(("raised", "status"), [(Busy("x"), 503), (RuntimeError("x"), 500)])
def test_an_internal_error_is_an_error_page(browser, monkeypatch, raised, status):
    """The page has the right status and does not show the exception's text."""

    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr("server.services.approvals.inbox.InboxService.load", fail)
    page = _page(browser)
    assert page.status_code == status
    assert "x</p>" not in page.text


def _extend(browser, approval_id):
    return browser.send("POST", f"/api/approvals/{approval_id}/extension")


def test_more_time_is_offered_while_it_is_allowed(browser, agent, local):
    """A high-risk request can be extended twice; the page shows the new expiry without scripts."""
    approval = _request_payment(agent, requested_expiry="60")
    # an extension would not move the expiry
    assert "More time" not in _page(browser, f"/r/{approval.id}").text
    for _ in range(2):
        local.clock.forward(30_000)
        assert "More time" in _page(browser, f"/r/{approval.id}").text
        assert _extend(browser, approval.id).status == 200
    local.clock.forward(30_000)
    page = _page(browser, f"/r/{approval.id}").text
    assert "More time" not in page
    assert f'datetime="{rfc3339(local.stored_approval(approval.id).expires_at)}"' in page


def test_more_time_for_a_critical_request_is_offered_to_an_owner_only(browser, agent, local):
    """Only an owner, who is responsible for the agent, may extend a critical request."""
    critical = {"risk": Risk.CRITICAL, "life_ms": 10 * MINUTE}
    approval = local.admin.approval(agent.id, browser.user.id, **critical)
    local.clock.forward(1_000)
    eva, offered = (
        local.site.devices.browsers.person(browser.cookie),
        local.site.approvals.extensions.can_extend,
    )
    assert not offered(eva, approval.id)
    local.admin.agents.update(agent.id, AgentChanges(add_owners=("eva",)), by=BY)
    assert offered(eva, approval.id)
