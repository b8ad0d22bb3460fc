"""The authorization code flow, from the request to the code, in a browser without scripts."""

import hashlib
import json
import threading
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select

from server.protocol import errors
from server.protocol.names import ACR_PASSWORD, handle_hash
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.app_forms import AppChanges
from server.services.resources.resources import ResourceChanges
from server.services.sign_in import authorize
from server.services.sign_in.authorize import FLOW_MS, PUSHED_SECONDS
from server.services.sign_in.flows import Flows, _Refused
from server.services.users.users import NewUser, UserChanges
from server.storage.sign_in.tables import flows, sign_ins
from server.storage.tokens.tables import codes
from tests.support.browsers.browser import CALLBACK, request_of
from tests.support.builders.app_users import give_password, new_app, new_browser
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAY
from tests.support.builders.site import ISSUER
from tests.support.checks.locks import waiting_sessions
from tests.support.checks.waiting import until

pytestmark = pytest.mark.usefixtures("ana")

READ = {"scope": "openid payments:read", "resource": PAY}


@pytest.fixture
def app(local):
    """A chat front end."""
    return new_app(local)


@pytest.fixture
def ana(person, local):
    """Ana, with a password and a device."""
    give_password(local, person.user.name)
    return person


@pytest.fixture
def browser(local):
    """Ana's browser."""
    return new_browser(local)


@pytest.fixture
def known_browser(app, browser):
    """Ana's browser, signed in; she has allowed the app to learn who she is."""
    browser.authorize(app.id)
    browser.sign_in("ana")
    assert "code" in browser.answer("allow").answer
    return browser


def waiting_ids(person):
    """IDs of the consent requests that are pending on her device."""
    return [item["id"] for item in person.call("GET", "/api/approvals").json["items"]]


def test_signing_in_tells_the_app_who_the_user_is(ana, app, browser, local):
    """BC-13, MC-08: the app gets a code, tokens and userinfo; the response names the issuer."""
    local.admin.users.update("ana", UserChanges(email="ana@example.com"), by=BY)
    assert "chat" in browser.authorize(app.id, scope="openid profile email").text
    assert "your name" in browser.sign_in("ana").text
    answer = browser.answer("allow").answer
    assert (answer["state"], answer["iss"]) == ("s t/8", ISSUER)
    tokens = app.redeem(answer["code"])
    assert tokens.status == 200, tokens.body
    claims = local.claims(tokens.json["id_token"], "JWT")
    assert (claims["sub"], claims["aud"], claims["nonce"]) == (ana.user.id, app.id, "n-1")
    assert (claims["acr"], claims["amr"]) == (ACR_PASSWORD, ["pwd"])
    assert claims["auth_time"] == local.clock.now() // 1000
    assert "email" not in claims
    assert app.userinfo(tokens.json["access_token"]).json == {
        "sub": ana.user.id,
        "name": "ana",
        "preferred_username": "ana",
        "email": "ana@example.com",
        "email_verified": False,
    }
    (entry,) = local.admin.entries("grant.given")
    assert (entry["subject"], entry["facts"]["app"]) == (ana.user.id, app.id)


def test_a_consented_request_needs_no_second_consent(known_browser, app):
    """A wider request asks only for the new scopes, and the scopes allowed before stay allowed."""
    assert "code" in known_browser.authorize(app.id).answer
    page = known_browser.authorize(app.id, scope="openid email")
    assert "your email address" in page.text
    assert "code" in known_browser.answer("allow").answer
    assert "code" in known_browser.authorize(app.id, scope="openid").answer
    assert "Tell" in known_browser.authorize(app.id, prompt="consent").text
    assert "code" in known_browser.answer("allow").answer


def test_scopes_of_a_resource_are_approved_on_a_device(ana, app, browser, local):
    """MC-04: the page waits for the signature and then continues, with a script or by a link."""
    browser.authorize(app.id, **READ)
    browser.sign_in("ana")
    page = browser.answer("allow")
    assert "refresh" not in page.text  # a page that reloads itself interrupts a screen reader
    assert browser.again().text == page.text
    handle = page.url.partition("?")[2]
    assert f'href="/continue?{handle}"' in page.text
    assert f'data-waits="/continue/waits?{handle}"' in page.text
    statuses = [browser.http.get(f"/continue/waits?{handle}").status_code for _ in range(2)]
    (approval_id,) = waiting_ids(ana)
    assert ana.approve(approval_id).status == 200
    statuses += [browser.http.get(f"/continue/waits?{handle}").status_code for _ in range(2)]
    assert statuses == [204, 204, 303, 303]  # checking for the signature issues no code
    answer = browser.again()
    assert answer.url.startswith(CALLBACK)
    tokens = app.redeem(answer.answer["code"]).json
    claims = local.claims(tokens["access_token"])
    assert (claims["aud"], claims["scope"], claims["client_id"]) == (PAY, "payments:read", app.id)
    assert "may_act" not in claims
    assert "code" in browser.authorize(app.id, **READ).answer
    assert waiting_ids(ana) == []


def test_an_agent_may_act_after_both_consents_are_signed(ana, agent, app, browser, local):
    """The page names the agent and its owner; the token has `may_act`."""
    browser.authorize(app.id, **READ, requested_actor=agent.id)
    page = browser.sign_in("ana")
    assert "invoice-bot" in page.text
    assert "owned by" in page.text
    browser.answer("allow")
    first, second = waiting_ids(ana)
    ana.approve(first)
    assert "One request is waiting" in browser.again().text
    ana.approve(second)
    token = app.redeem(browser.again().answer["code"]).json["access_token"]
    assert local.claims(token)["may_act"] == {"sub": agent.id, "iss": ISSUER}
    with local.services.store.read() as view:
        consent = view.consents.live(ana.user.id, agent.id, PAY, view.now)
    assert (consent.app_id, consent.scopes) == (app.id, ("payments:read",))


def test_a_denial_on_the_page_or_on_the_device_returns_access_denied(ana, app, browser, local):
    """A denial is recorded, and no consent is created."""
    browser.authorize(app.id, **READ)
    browser.sign_in("ana")
    answer = browser.answer("deny").answer
    assert (answer["error"], answer["state"]) == ("access_denied", "s t/8")
    browser.authorize(app.id, **READ)
    browser.answer("allow")
    ana.deny(waiting_ids(ana)[0])
    assert "device" in browser.again().answer["error_description"]
    browser.authorize(app.id, **READ)
    browser.answer("allow")
    assert browser.answer("deny").answer["error"] == "access_denied"
    assert len(local.admin.entries("grant.refused")) == 3
    assert local.admin.entries("consent.given") == []


def test_denying_on_the_page_withdraws_the_requests_on_the_device(ana, agent, app, browser):
    """Denying one of two requests on the device withdraws the other."""
    browser.authorize(app.id, **READ)
    browser.sign_in("ana")
    browser.answer("allow")
    assert len(waiting_ids(ana)) == 1
    browser.answer("deny")
    assert waiting_ids(ana) == []
    browser.authorize(app.id, **READ, requested_actor=agent.id)
    browser.answer("allow")
    first, _second = waiting_ids(ana)
    ana.deny(first)
    assert browser.again().answer["error"] == "access_denied"
    assert waiting_ids(ana) == []


def test_an_unanswered_flow_expires(app, browser, local):
    """The page of an expired flow asks the user to start again."""
    browser.authorize(app.id, **READ)
    browser.sign_in("ana")
    browser.answer("allow")
    local.clock.forward(30 * MINUTE - 1)
    local.services.sweeper.round()
    browser.authorize(app.id, **READ)
    page = browser.answer("allow")
    local.clock.forward(FLOW_MS)
    page = browser.again()
    assert (page.status, "start again" in page.text) == (400, True)


def test_a_consent_revoked_before_the_code_yields_no_code(ana, app, browser, local):
    """The consent is checked again when the code is issued."""
    browser.authorize(app.id, **READ)
    browser.sign_in("ana")
    browser.answer("allow")
    ana.approve(waiting_ids(ana)[0])
    with local.services.store.read() as view:
        consent = view.consents.live(ana.user.id, app.id, PAY, view.now)
    local.site.consents.revoke(consent.id, by=BY)
    assert "revoked" in browser.again().answer["error_description"]


def test_an_expired_approval_yields_no_code(app, browser, local):
    """The approval of a high-risk request expires before the page does."""
    browser.authorize(app.id, scope="openid payments:transfer", resource=PAY)
    browser.sign_in("ana")
    browser.answer("allow")
    local.clock.forward(10 * MINUTE + 1)
    assert "in time" in browser.again().answer["error_description"]


def test_a_user_without_a_device_is_told_to_enroll_one(app, browser, local):
    """Without a device, the user can only deny scopes, but can still allow signing in."""
    local.admin.users.add(NewUser("ben"), by=BY)
    give_password(local, "ben")
    browser.authorize(app.id, **READ)
    page = browser.sign_in("ben")
    assert "sayso users enroll ben" in page.text
    assert page.forms[0].buttons == ["deny"]
    page = browser.answer("allow")
    assert (page.status, "Enroll one first" in page.text) == (403, True)
    assert "code" not in browser.authorize(app.id).answer
    assert "code" in browser.answer("allow").answer


def test_prompt_none_returns_login_required_and_consent_required(app, browser):
    """OpenID Connect Core 3.1.2.6: with `prompt=none` no page is shown."""
    assert browser.authorize(app.id, prompt="none").answer["error"] == "login_required"
    browser.authorize(app.id)
    browser.sign_in("ana")
    assert browser.authorize(app.id, prompt="none").answer["error"] == "consent_required"
    browser.authorize(app.id)
    browser.answer("allow")
    assert "code" in browser.authorize(app.id, prompt="none").answer


@pytest.mark.parametrize(
    "parameters", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "0"}]
)
def test_a_forced_sign_in_must_follow_the_request(known_browser, app, local, parameters):
    """The `auth_time` of the token is the time of the new sign-in."""
    local.clock.forward(MINUTE)
    assert 'type="password"' in known_browser.authorize(app.id, **parameters).text
    answer = known_browser.sign_in("ana").answer
    claims = local.claims(app.redeem(answer["code"]).json["id_token"], "JWT")
    assert claims["auth_time"] == local.clock.now() // 1000


def test_max_age_limits_the_age_of_the_sign_in(known_browser, app, local):
    """A sign-in that is one second older than `max_age` is not accepted."""
    local.clock.forward(MINUTE)
    assert "code" in known_browser.authorize(app.id, max_age="60").answer
    assert "password" in known_browser.authorize(app.id, max_age="59").text


def test_an_id_token_hint_selects_the_user(known_browser, app, local):
    """The hint must be an ID token for this app; a different user has to sign in."""
    token = app.redeem(known_browser.authorize(app.id).answer["code"]).json["id_token"]
    assert "code" in known_browser.authorize(app.id, id_token_hint=token).answer
    ben = new_person(local, "ben")
    give_password(local, "ben")
    other = new_browser(local)
    other.authorize(app.id)
    other.sign_in("ben")
    other.answer("allow")
    page = other.authorize(app.id, id_token_hint=token)
    assert 'type="password"' in page.text
    assert other.authorize(app.id, id_token_hint=token, prompt="none").answer["error"] == (
        "login_required"
    )
    assert ben.user.id not in page.text
    other_app = new_app(local, "console")
    for hint, client in ((token, other_app.id), ("nonsense", app.id)):
        assert (
            known_browser.authorize(client, id_token_hint=hint).answer["error"] == "invalid_request"
        )


def test_a_sub_in_the_claims_parameter_selects_the_user(known_browser, app, ana):
    """OpenID Connect Core 3.1.2.1: no code is issued for a different user."""

    def claims(user_id):
        return json.dumps({"id_token": {"sub": {"value": user_id}}})

    assert "code" in known_browser.authorize(app.id, claims=claims(ana.user.id)).answer
    other = claims("sayso_us_other")
    assert 'type="password"' in known_browser.authorize(app.id, claims=other).text
    silent = known_browser.authorize(app.id, claims=other, prompt="none")
    assert silent.answer["error"] == "login_required"


def test_the_user_can_be_switched_in_the_same_browser(known_browser, app, local):
    """The page names the signed-in user and has a link to sign in as a different user."""
    new_person(local, "ben")
    give_password(local, "ben")
    page = known_browser.authorize(app.id, scope="openid email")
    assert "not you?" in page.text
    page = known_browser.open(page.url.removeprefix(ISSUER) + "&switch=1")
    assert (page.forms[0].fields["name"], 'type="password"' in page.text) == ("", True)
    assert "ben" in known_browser.sign_in("ben").text


def test_a_flow_belongs_to_the_browser_that_answered_it(ana, app, browser, local):
    """The link to the flow does not work in a different browser."""
    browser.authorize(app.id, **READ)
    browser.sign_in("ana")
    page = browser.answer("allow")
    ana.approve(waiting_ids(ana)[0])
    thief = new_browser(local)
    assert 'type="password"' in thief.open(page.url.removeprefix(ISSUER)).text
    new_person(local, "ben")
    give_password(local, "ben")
    assert 'type="password"' in thief.sign_in("ben").text
    assert "code" in browser.again().answer


def test_a_flow_is_answered_once(app, browser):
    """Going back in the browser does not yield a second code."""
    browser.authorize(app.id)
    page = browser.sign_in("ana")
    browser.answer("allow")
    second = browser.open(page.url.removeprefix(ISSUER))
    assert (second.status, "start again" in second.text) == (400, True)


@pytest.mark.parametrize("button", ["allow", "deny"])
def test_an_answer_after_sign_out_asks_to_sign_in_again(app, browser, local, button):
    """The flow continues after the user signs in again."""
    browser.authorize(app.id)
    browser.sign_in("ana")
    local.site.sign_in.sign_ins.sign_out(browser.http.cookies["sayso"])
    assert 'type="password"' in browser.answer(button).text
    browser.sign_in("ana")
    assert "code" in browser.answer("allow").answer


def test_disabling_a_user_an_app_or_an_agent_stops_the_flow(agent, app, browser, local):
    """A disabled agent or app is refused, and a disabled user has to sign in again."""
    page = browser.authorize(app.id, **READ, requested_actor=agent.id)
    browser.sign_in("ana")
    local.admin.agents.disable(agent.id, by=BY)
    assert browser.again().status == 400
    local.admin.agents.enable(agent.id, by=BY)
    assert browser.again().status == 200
    local.admin.users.disable("ana", by=BY)
    assert 'type="password"' in browser.again().text
    local.admin.users.enable("ana", by=BY)
    local.admin.apps.update(app.id, AppChanges(enabled=False), by=BY)
    assert browser.open(page.url.removeprefix(ISSUER)).status == 400
    local.admin.apps.delete(app.id, by=BY)
    assert browser.open(page.url.removeprefix(ISSUER)).status == 400


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"scope": "openid payments:delete"}, "invalid_scope"),
        ({"scope": "openid payments:read", "resource": "https://x.example"}, "invalid_target"),
        ({"scope": "openid", "resource": PAY}, "invalid_target"),
        ({"response_type": "token"}, "unsupported_response_type"),
        (
            {"claims": '{"id_token":{"acr":{"essential":true,"value":"gold"}}}'},
            "unmet_authentication_requirements",
        ),
        ({**READ, "requested_actor": "sayso_ag_none"}, "invalid_request"),
    ],
)
def test_an_invalid_request_is_reported_to_the_redirect_uri(app, browser, parameters, code):
    """OB-01, RI-04, MC-08, SU-03: the error has the state and the issuer."""
    answer = browser.authorize(app.id, **parameters).answer
    assert (answer["error"], answer["state"], answer["iss"]) == (code, "s t/8", ISSUER)


def test_an_essential_acr_that_is_supported_is_accepted(known_browser, app):
    """The ACR of password sign-in is supported, and userinfo is a valid resource."""
    claims = f'{{"id_token":{{"acr":{{"essential":true,"values":["{ACR_PASSWORD}"]}}}}}}'
    assert "code" in known_browser.authorize(app.id, claims=claims).answer
    assert "code" in known_browser.authorize(app.id, resource=f"{ISSUER}/userinfo").answer


def test_permissions_of_the_agent_and_grant_types_of_the_app_are_checked(
    agent, app, browser, local
):
    """The agent needs permission for the scopes, and the app needs the grant type."""
    local.admin.agents.update(agent.id, AgentChanges(scopes=("payments:transfer",)), by=BY)
    answer = browser.authorize(app.id, **READ, requested_actor=agent.id).answer
    assert answer["error"] == "invalid_scope"
    local.admin.apps.update(app.id, AppChanges(grant_types=("refresh_token",)), by=BY)
    assert browser.authorize(app.id).answer["error"] == "unauthorized_client"


def test_a_scope_that_requires_an_action_type_is_refused(app, browser, local):
    """Each such action needs its own request with details."""
    changes = ResourceChanges(requires={"payments:read": "payment.transfer"})
    local.admin.resources.update(PAY, changes, by=BY)
    assert browser.authorize(app.id, **READ).answer["error"] == "invalid_authorization_details"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "sayso_app_none"},
        {"client_id": "sayso_ag_none"},
        {"redirect_uri": None},
        {"redirect_uri": CALLBACK + "/"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": [CALLBACK, CALLBACK]},
        {"state": "s" * 3_000},
        {"request_uri": "https://evil.example/request"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:none"},
    ],
)
def test_an_invalid_client_or_redirect_uri_is_never_redirected(app, browser, changes):
    """BC-02, NG-101: the error is shown to the user, so the server is not an open redirector."""
    page = browser.authorize(**{"client_id": app.id, **changes})
    assert (page.status, page.url.startswith(ISSUER)) == (400, True)


def test_a_disabled_app_is_never_redirected_to(app, browser, local):
    """The error is shown to the user and not sent to the app."""
    local.admin.apps.update(app.id, AppChanges(enabled=False), by=BY)
    assert browser.authorize(app.id).status == 400


def test_a_native_app_may_use_any_loopback_port(browser, local):
    """BC-01, RFC 8252 7.3: the code is bound to the redirect URI with that port."""
    app = new_app(local, "phone", redirect_uris=("http://127.0.0.1/cb",), auth_method="none")
    redirect_uri = "http://127.0.0.1:51004/cb"
    browser.authorize(app.id, redirect_uri=redirect_uri)
    browser.sign_in("ana")
    code = browser.answer("allow").answer["code"]
    assert app.redeem(code, redirect_uri="http://127.0.0.1/cb").refusal == (400, "invalid_grant")
    assert app.redeem(code, redirect_uri=redirect_uri).status == 200


def test_a_form_cannot_widen_the_request(known_browser, app, local):
    """NG-091: the consent contains only what was requested and shown."""
    known_browser.authorize(app.id, scope="openid profile")
    page = known_browser.submit(
        answer="allow", scope="openid profile email payments:read", resource=PAY
    )
    assert app.redeem(page.answer["code"]).json["scope"] == "openid profile"
    with local.services.store.read() as view:
        consents = view.consents.search(
            user_id=None, client_id=app.id, live_at=view.now, limit=9, before=None
        )
    assert [consent.scopes for consent in consents] == [("openid", "profile")]


def test_the_page_shows_the_host_of_the_redirect_uri(app, browser):
    """MC-10: the host keeps one app from posing as a different one."""
    browser.authorize(app.id)
    assert "chat.example" in browser.sign_in("ana").text


def test_authorization_requests_are_limited_per_address(app, browser, local, monkeypatch):
    """Pushed requests count too, because each request stores a row for half an hour."""
    lowered = replace(authorize.REQUESTS, value=3)
    monkeypatch.setattr("server.services.sign_in.authorize.REQUESTS", lowered)
    for _ in range(3):
        assert browser.authorize(app.id).status == 200
    page = browser.authorize(app.id)
    assert (page.status, page.headers["Retry-After"]) == (503, "60")
    form = {**request_of(app.id), **app.credentials}
    assert [local.post_form("/par", form).status for _ in range(4)] == [201, 201, 201, 503]
    local.clock.forward(MINUTE)
    assert browser.authorize(app.id).status == 200


class TestPushed:
    """Pushed authorization requests (RFC 9126)."""

    def test_a_pushed_request_is_used_once_by_its_own_app(self, app, browser, local):
        """A pushed request expires after a minute, and a different app cannot use it."""
        form = {**request_of(app.id, scope="openid"), **app.credentials}
        pushed = local.post_form("/par", form)
        assert (pushed.status, pushed.json["expires_in"]) == (201, PUSHED_SECONDS)
        parameters = {"client_id": app.id, "request_uri": pushed.json["request_uri"]}
        other = new_app(local, "console")
        assert browser.open(_authorize_path({**parameters, "client_id": other.id})).status == 400
        assert "Sign in" in browser.open(_authorize_path(parameters)).text
        assert browser.open(_authorize_path(parameters)).status == 400
        browser.authorize(app.id)
        expired_uri = local.post_form("/par", form).json["request_uri"]
        local.clock.forward(PUSHED_SECONDS * 1000)
        assert (
            browser.open(_authorize_path({**parameters, "request_uri": expired_uri})).status == 400
        )

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
            ({"scope": "openid x"}, "invalid_target"),
            ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
            ({"request": "eyJ"}, "request_not_supported"),
            ({"code_challenge": None}, "invalid_request"),
        ],
    )
    def test_a_pushed_request_is_validated_like_a_direct_request(self, app, local, changes, code):
        """RFC 9126 2.3: an invalid pushed request is refused when it is pushed."""
        form = {**request_of(app.id), **app.credentials, "resource": None, **changes}
        refused = local.post_form("/par", form)
        assert refused.status == 400
        assert refused.json["error"] in {code, "invalid_scope"}

    def test_an_app_that_must_push_its_requests_sends_no_others(self, browser, local):
        """RFC 9126 6: only the URI of a request that it pushed leads to the sign-in page."""
        app = new_app(local, "pushes", requires_par=True)
        refused = browser.authorize(app.id).answer
        assert (refused["error"], refused["error_description"]) == (
            "invalid_request",
            "This app must push its authorization requests to /par.",
        )
        own_uri = {"client_id": app.id, "request_uri": "https://chat.example/request"}
        assert browser.open(_authorize_path(own_uri)).status == 400
        form = {**request_of(app.id, scope="openid"), **app.credentials}
        parameters = {
            **request_of(app.id, scope="openid"),
            "request_uri": local.post_form("/par", form).json["request_uri"],
        }
        assert "Sign in" in browser.open(_authorize_path(parameters)).text

    def test_pushed_requests_need_an_authenticated_app(self, agent, app, local):
        """A client ID alone and the credentials of an agent are refused."""
        form = request_of(app.id)
        assert local.post_form("/par", form).refusal == (401, "invalid_client")
        agent_form = {**form, **agent.credentials}
        assert local.post_form("/par", agent_form).refusal == (400, "unauthorized_client")


def _authorize_path(parameters):
    return "/authorize?" + urlencode(parameters)


def test_no_secret_of_a_browser_is_stored_in_plain_text(known_browser, local):
    """The cookie of a sign-in is stored as a hash."""
    cookie = known_browser.http.cookies["sayso"]
    with local.services.store.read() as view:
        sign_in = view.sign_ins.by_token(hashlib.sha256(cookie.encode()).digest())
    assert sign_in is not None
    database = b"".join(
        path.read_bytes() for path in local.services.settings.data_dir.iterdir() if path.is_file()
    )
    assert cookie.encode() not in database


def test_old_flows_codes_and_sign_ins_are_deleted(known_browser, app, local):
    """The cleanup deletes their rows after they have expired, and not before."""
    app.redeem(known_browser.authorize(app.id).answer["code"])
    local.services.sweeper.tidy()
    assert all(_row_counts(local))
    local.clock.forward(40 * DAY)
    local.services.sweeper.tidy()
    assert not any(_row_counts(local))


def _row_counts(local):
    with local.services.store.read() as view:
        return [
            view._connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (flows, codes, sign_ins)
        ]


def test_concurrent_answers_to_a_flow_have_one_result(app, browser, local):
    """A second answer to the same flow, for example from a second window, is refused."""
    page = browser.authorize(app.id)
    handle = page.forms[0].fields["flow"]
    flows = local.site.sign_in.flows
    with local.services.store.write() as tx:
        flow = tx.flows.get(handle_hash(handle))
        page = flows._next(tx, flow, None)
        assert flows._end(tx, flow, page) == page
        refused = _Refused(flows.requests.current_plan(tx, flow), errors.AccessDenied("No."))
        assert flows._end(tx, flow, refused).parameters[0] == ("error", "access_denied")
        with pytest.raises(errors.InvalidRequest):
            flows._end(tx, flow, refused)


def test_two_concurrent_answers_ask_the_device_once(postgres_local, monkeypatch):
    """A double click must not send the same consent to the person's device twice."""
    ana, browser = new_person(postgres_local, "ana"), new_browser(postgres_local)
    give_password(postgres_local, "ana")
    browser.authorize(new_app(postgres_local).id, **READ)
    browser.sign_in("ana")
    store, request_signatures = postgres_local.services.store, Flows._request_signatures
    started = []
    second = threading.Thread(target=browser.answer, args=("allow",))

    def wait_for_the_second(*arguments):
        started.append(arguments)
        if len(started) == 1:
            second.start()
            until(lambda: len(started) == 2 or waiting_sessions(store) == 1)
        return request_signatures(*arguments)

    monkeypatch.setattr(Flows, "_request_signatures", wait_for_the_second)
    browser.answer("allow")
    second.join(10)
    assert len(waiting_ids(ana)) == 1


def test_a_trailing_slash_of_the_resource_makes_no_difference(ana, app, known_browser, local):
    """The authorization request, the code and the refresh accept it; tokens have no slash."""
    known_browser.authorize(app.id, scope="payments:read", resource=f"{PAY}/")
    known_browser.answer("allow")
    ana.approve(waiting_ids(ana)[0])
    code = known_browser.again().answer["code"]
    tokens = app.redeem(code, resource=f"{PAY}/").json
    assert local.claims(tokens["access_token"])["aud"] == PAY
    refreshed = app.refresh(tokens["refresh_token"], resource=f"{PAY}/").json
    assert local.claims(refreshed["access_token"])["aud"] == PAY
    other = app.refresh(refreshed["refresh_token"], resource=f"{PAY}/other")
    assert other.json["error"] == "invalid_target"


def test_an_app_that_names_no_scopes_gets_the_default_scopes(ana, app, known_browser, local):
    """RFC 6749 3.3: a resource without default scopes refuses a request without scopes."""
    refused = known_browser.authorize(app.id, scope=None, resource=PAY).answer
    assert (refused["error"], refused["iss"]) == ("invalid_scope", ISSUER)
    local.admin.resources.update(PAY, ResourceChanges(default_scopes=("payments:read",)), by=BY)
    assert "payments:read" in known_browser.authorize(app.id, scope=None, resource=PAY).text
    known_browser.answer("allow")
    ana.approve(waiting_ids(ana)[0])
    tokens = app.redeem(known_browser.again().answer["code"]).json
    assert tokens["scope"] == "payments:read"


def test_a_later_request_for_more_scopes_adds_to_the_consent(ana, app, known_browser):
    """Step-up: the page asks for the new scopes, and the scopes allowed before stay allowed."""
    known_browser.authorize(app.id, scope="payments:read", resource=PAY)
    known_browser.answer("allow")
    ana.approve(waiting_ids(ana)[0])
    app.redeem(known_browser.again().answer["code"])
    page = known_browser.authorize(app.id, scope="payments:read payments:transfer", resource=PAY)
    assert "payments:transfer" in page.text
    known_browser.answer("allow")
    ana.approve(waiting_ids(ana)[0])
    tokens = app.redeem(known_browser.again().answer["code"]).json
    assert tokens["scope"] == "payments:read payments:transfer"
    assert "code" in known_browser.authorize(app.id, scope="payments:read", resource=PAY).answer
