"""The device grant for apps: the app shows a code, and an enrolled device approves it."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from server.protocol.names import GRANT_DEVICE_CODE, GRANT_REFRESH_TOKEN, USUAL_APP_GRANTS
from server.protocol.policy.risks import Risk
from server.services.clients.app_forms import AppChanges
from server.services.devices.device_grant import REQUESTS, REQUESTS_OF_APP
from server.services.resources.resources import ResourceChanges
from server.storage.approvals.approvals import Approvals
from tests.support.builders.app_users import LocalApp, new_app
from tests.support.builders.callers import new_resource
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY
from tests.support.builders.site import ISSUER, PEER

GRANTS = (GRANT_DEVICE_CODE, GRANT_REFRESH_TOKEN)
SCOPE = "openid payments:read profile"


@dataclass
class Television:
    """The app on a device without a keyboard."""

    app: LocalApp
    device_code: str = ""
    user_code: str = ""

    def begin(self, **form):
        form_body = {"scope": SCOPE, "resource": PAY, **self.app.credentials, **form}
        answer = self.app.local.post_form("/device_authorization", form_body)
        if answer.status == 200:
            self.device_code, self.user_code = answer.json["device_code"], answer.json["user_code"]
        return answer

    def poll(self, **form):
        form_body = {
            "grant_type": GRANT_DEVICE_CODE,
            "device_code": self.device_code,
            **self.app.credentials,
            **form,
        }
        return self.app.local.post_form("/token", form_body)

    def poll_after_interval(self, **form):
        self.app.local.clock.forward(5_000)
        return self.poll(**form)

    def typed(self, name="ana"):
        grant = self.app.local.site.devices.grant
        return grant.submit_code(name=name, typed=self.user_code, peer=PEER)


@pytest.fixture
def app(local):
    """An app that has the device grant and no redirect URIs."""
    return new_app(local, "television", grant_types=GRANTS, redirect_uris=())


@pytest.fixture
def television(app):
    """The television after it has received its codes."""
    television = Television(app)
    assert television.begin().status == 200
    return television


def _pending_approval(person):
    (item,) = person.call("GET", "/api/approvals").json["items"]
    return person.local.stored_approval(item["id"])


def _approve(television, person):
    television.typed()
    assert person.approve(_pending_approval(person).id).status == 200
    return television.poll_after_interval()


def _claims(local, token):
    return new_resource(local).introspect(token).json


def test_an_app_gets_a_device_code_and_a_user_code(local, app):
    """RFC 8628 3.2: a confidential app sends its secret, a public app only its client_id."""
    answer = Television(app).begin()
    assert (answer.status, answer.json["expires_in"], answer.json["interval"]) == (200, 900, 5)
    public = new_app(local, "kiosk", grant_types=GRANTS, redirect_uris=(), auth_method="none")
    assert Television(public).begin().status == 200


def test_the_signed_text_names_the_app_its_scopes_and_the_code(television, person):
    """The text has the complete code, so that the person can compare it."""
    television.typed()
    approval = _pending_approval(person)
    assert (approval.kind, approval.agent_id) == ("app_device", television.app.id)
    assert (approval.risk, approval.ceremony) == (Risk.MEDIUM, "confirm")
    action = json.loads(approval.action)
    (details,) = action["authorization_details"]
    assert details["type"] == "sayso:app_device"
    assert details["code"] == television.user_code
    assert (action["resource"], action["scope"]) == (PAY, ["openid", "payments:read", "profile"])
    display = json.loads(approval.display)
    assert display["headline"].startswith(f"Let television on another device act for you at {PAY}")
    facts = {fact["label"]: fact["value"] for fact in display["facts"]}
    assert facts["Scope"] == "payments:read (low risk)"
    assert facts["Shared data"] == "your user ID and your name"
    assert facts["Code shown"] == television.user_code
    assert "only if you started this yourself" in facts["Warning"]


def test_an_approved_code_yields_tokens_once(television, person, local):
    """The app gets an access token and a refresh token with the acr of the approval."""
    answer = _approve(television, person)
    assert answer.status == 200
    assert answer.json["scope"] == SCOPE
    claims = _claims(local, answer.json["access_token"])
    assert (claims["sub"], claims["client_id"]) == (person.user.id, television.app.id)
    assert claims["acr"] == "urn:sayso:acr:signed"
    assert "sid" not in claims
    second = television.poll_after_interval()
    assert second.refusal == (400, "invalid_grant")
    entry = local.admin.entries("grant.given")[-1]
    assert entry["approval_id"]
    renewed = television.app.refresh(answer.json["refresh_token"])
    assert renewed.status == 200
    assert _claims(local, renewed.json["access_token"])["acr"] == "urn:sayso:acr:signed"


@pytest.mark.parametrize("resource", [None, f"{ISSUER}/userinfo", f"{ISSUER}/userinfo/"])
def test_an_app_may_request_identity_only(app, person, resource):
    """The token works at the userinfo endpoint and is not valid for any resource."""
    television = Television(app)
    assert television.begin(scope="openid email", resource=resource).status == 200
    television.typed()
    display = json.loads(_pending_approval(person).display)
    assert display["headline"] == "Let television on another device read your identity"
    assert person.approve(_pending_approval(person).id).status == 200
    token = television.poll_after_interval(resource=resource).json["access_token"]
    assert app.userinfo(token).json["sub"] == person.user.id


def test_a_high_risk_scope_needs_the_pin(app, person, local):
    """The acr in the token says that the PIN was used."""
    television = Television(app)
    television.begin(scope="payments:transfer")
    answer = _approve(television, person)
    assert _claims(local, answer.json["access_token"])["acr"] == "urn:sayso:acr:signed-pin"


def test_the_consent_of_the_app_is_listed_and_can_be_revoked(television, person, local):
    """Revoking the consent ends the access token and the refresh token."""
    answer = _approve(television, person)
    items = person.call("GET", "/api/consents").json["items"]
    assert {tuple(item["scopes"]) for item in items} == {("openid", "profile"), ("payments:read",)}
    pay_consent = next(item for item in items if item["resource"] == PAY)
    assert person.call("DELETE", f"/api/consents/{pay_consent['id']}").status == 200
    assert _claims(local, answer.json["access_token"]) == {"active": False}
    refused = television.app.refresh(answer.json["refresh_token"])
    assert refused.refusal == (400, "invalid_grant")


def test_a_second_sign_in_keeps_the_scopes_of_the_first(app, person):
    """The new consent replaces the earlier one and includes its scopes."""
    first = Television(app)
    first.begin()
    assert _approve(first, person).status == 200
    second = Television(app)
    second.begin(scope="payments:transfer")
    second.typed()
    display = json.loads(_pending_approval(person).display)
    assert "payments:read (low risk, as before)" in [fact["value"] for fact in display["facts"]]
    assert person.approve(_pending_approval(person).id).status == 200
    assert second.poll_after_interval().json["scope"] == "payments:transfer"
    items = person.call("GET", "/api/consents").json["items"]
    assert ["payments:read", "payments:transfer"] in [item["scopes"] for item in items]


def test_a_denied_code_returns_access_denied(television, person):
    """DG-15: no consent is stored after a denial."""
    television.typed()
    person.deny(_pending_approval(person).id)
    assert television.poll_after_interval().refusal == (400, "access_denied")
    assert person.call("GET", "/api/consents").json["items"] == []


def test_an_undecided_code_expires(television):
    """DG-18: an early poll gets slow_down, and a poll after the expiry gets expired_token."""
    assert television.poll().refusal == (400, "authorization_pending")
    assert television.poll().refusal == (400, "slow_down")
    assert television.app.local.clock.forward(10_000) is None
    assert television.poll().refusal == (400, "authorization_pending")
    television.app.local.clock.forward(15 * MINUTE)
    assert television.poll().refusal == (400, "expired_token")


def test_a_code_belongs_to_its_app(television, person, local):
    """DG-17, DG-26, NG-020: another app and the terminal app cannot redeem it."""
    other = Television(new_app(local, "other", grant_types=GRANTS, redirect_uris=()))
    television.typed()
    assert person.approve(_pending_approval(person).id).status == 200
    other.device_code = television.device_code
    assert other.poll_after_interval().refusal == (400, "invalid_grant")
    proof = person.token_proof()
    form = {
        "grant_type": GRANT_DEVICE_CODE,
        "client_id": "sayso-approver",
        "device_code": television.device_code,
    }
    assert local.post_form("/token", form, proofs=[proof]).refusal == (400, "invalid_grant")
    assert television.poll_after_interval().status == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": None}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "nothing:here"}, "invalid_scope"),
        ({"resource": "https://other.example"}, "invalid_target"),
        ({"scope": "openid"}, "invalid_target"),
        ({"resource": [PAY, "https://other.example"]}, "invalid_target"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
        ({"code_challenge": "x" * 43}, "invalid_request"),
        ({"client_secret": "wrong"}, "invalid_client"),
    ],
)
def test_an_invalid_device_authorization_request_is_refused(app, form, error):
    """The app gets the error before the user is asked."""
    assert Television(app).begin(**form).refusal[1] == error


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": "openid payments:read payments:transfer"}, "invalid_scope"),
        ({"scope": "payments:read"}, "invalid_scope"),
        ({"resource": "https://other.example"}, "invalid_target"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
        ({"device_code": None}, "invalid_request"),
    ],
)
def test_a_poll_cannot_change_the_request(television, person, form, error):
    """DG-24, DG-31, NG-021: the refused poll does not use up the code."""
    television.typed()
    assert person.approve(_pending_approval(person).id).status == 200
    assert television.poll_after_interval(**form).refusal[1] == error
    assert television.poll_after_interval(scope=SCOPE, resource=PAY).status == 200


def test_an_app_without_the_device_grant_is_refused(local):
    """DG-04: the device authorization endpoint and the token endpoint refuse it."""
    app = new_app(local, grant_types=USUAL_APP_GRANTS)
    assert Television(app).begin().refusal == (400, "unauthorized_client")
    assert Television(app, "x").poll().refusal == (400, "unauthorized_client")


def test_a_critical_scope_is_refused(app, local):
    """The app gets `invalid_scope` when it requests a code."""
    local.admin.resources.update(
        PAY, ResourceChanges(scopes={"payments:read": Risk.CRITICAL}), by=BY
    )
    assert Television(app).begin().refusal == (400, "invalid_scope")


@pytest.mark.parametrize(
    "changes", [AppChanges(enabled=False), AppChanges(scopes=("payments:transfer",))]
)
def test_disabling_or_narrowing_the_app_stops_every_step(television, person, local, changes):
    """DG-25: the app is checked when the code is typed, approved and redeemed."""
    app = television.app
    second_television = Television(app)
    second_television.begin()
    television.typed()
    approval = _pending_approval(person)
    local.admin.apps.update(app.id, changes, by=BY)
    assert "wrong, used or expired" in second_television.typed()
    assert person.approve(approval.id).refusal[0] == 409
    assert television.poll_after_interval().status == 400


def test_narrowing_the_app_after_the_approval_stops_the_tokens(television, person, local):
    """The scopes are checked again in the unit of work that redeems the code."""
    television.typed()
    assert person.approve(_pending_approval(person).id).status == 200
    local.admin.apps.update(television.app.id, AppChanges(scopes=("payments:transfer",)), by=BY)
    assert television.poll_after_interval().refusal == (400, "invalid_grant")
    assert person.call("GET", "/api/consents").json["items"] == []


def test_without_the_refresh_grant_there_is_no_refresh_token(local, person):
    """The app has to start again when its access token expires."""
    app = new_app(local, grant_types=(GRANT_DEVICE_CODE,), redirect_uris=())
    television = Television(app)
    television.begin()
    answer = _approve(television, person)
    assert "refresh_token" not in answer.json


def test_requests_are_limited_per_app_or_per_address(app, local, monkeypatch):
    """An app that authenticates has its own limit, as many devices may share its address."""
    for _ in range(REQUESTS.value + 1):
        assert Television(app).begin().status == 200
    lowered = replace(REQUESTS_OF_APP, value=REQUESTS.value)
    monkeypatch.setattr("server.services.devices.device_grant.REQUESTS_OF_APP", lowered)
    assert Television(app).begin().refusal == (503, "temporarily_unavailable")
    assert REQUESTS_OF_APP.value > REQUESTS.value
    public = new_app(local, "kiosk", grant_types=GRANTS, redirect_uris=(), auth_method="none")
    for _ in range(REQUESTS.value):
        assert Television(public).begin().status == 200
    assert Television(public).begin().refusal == (503, "temporarily_unavailable")


def test_losing_the_race_for_a_code_yields_no_tokens_and_no_consent(
    television, person, monkeypatch
):
    """If another poll redeemed the code first, this poll gets `invalid_grant`."""
    television.typed()
    assert person.approve(_pending_approval(person).id).status == 200
    monkeypatch.setattr(Approvals, "transition", lambda *_, **__: None)
    assert television.poll_after_interval().refusal == (400, "invalid_grant")
    assert person.call("GET", "/api/consents").json["items"] == []


def test_only_one_of_ten_concurrent_polls_gets_tokens(television, person):
    """DG-20: the other nine polls get an error."""
    television.typed()
    assert person.approve(_pending_approval(person).id).status == 200
    television.app.local.clock.forward(5_000)
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: television.poll().status, range(10)))
    assert sorted(answers) == [200] + [400] * 9


def test_a_sign_in_that_would_remove_scopes_of_another_is_canceled(local, person):
    """Two devices asked for different scopes of one resource before either was approved."""
    scopes = ("payments:read", "payments:transfer")
    app = new_app(local, "television", grant_types=GRANTS, redirect_uris=(), scopes=scopes)
    reader, payer = Television(app), Television(app)
    approvals = []
    for television, scope in ((reader, scopes[0]), (payer, scopes[1])):
        television.begin(scope=f"openid {scope}")
        television.typed()
        items = person.call("GET", "/api/approvals").json["items"]
        approvals += [item["id"] for item in items if item["id"] not in approvals]
    assert person.approve(approvals[0]).status == 200
    assert reader.poll_after_interval().status == 200
    assert person.approve(approvals[1]).json["approval"]["reason"] == "consent_changed"
    answer = payer.poll_after_interval()
    assert (answer.json["error"], answer.json["reason"]) == ("access_denied", "cancelled")
