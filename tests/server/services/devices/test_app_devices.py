"""An app on a device without a browser: it shows a code, an enrolled device lets it in."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from server.protocol.names import GRANT_DEVICE_CODE, GRANT_REFRESH_TOKEN, USUAL_APP_GRANTS
from server.protocol.policy.risks import Risk
from server.services.clients.app_forms import AppChanges
from server.services.devices.device_grant import REQUESTS, REQUESTS_OF_APP, CodeRefused
from server.services.resources.resources import ResourceChanges
from server.storage.approvals.approvals import Approvals
from tests.support.builders.app_users import LocalApp, new_app
from tests.support.builders.callers import new_resource
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY
from tests.support.builders.site import PEER

GRANTS = (GRANT_DEVICE_CODE, GRANT_REFRESH_TOKEN)
SCOPE = "openid payments:read profile"


@dataclass
class Television:
    """The app on a device that has no keyboard."""

    app: LocalApp
    device_code: str = ""
    user_code: str = ""

    def begin(self, **form):
        asked = {"scope": SCOPE, "resource": PAY, **self.app.credentials, **form}
        answer = self.app.local.post_form("/device_authorization", asked)
        if answer.status == 200:
            self.device_code, self.user_code = answer.json["device_code"], answer.json["user_code"]
        return answer

    def poll(self, **form):
        asked = {
            "grant_type": GRANT_DEVICE_CODE,
            "device_code": self.device_code,
            **self.app.credentials,
            **form,
        }
        return self.app.local.post_form("/token", asked)

    def later(self, **form):
        self.app.local.clock.forward(5_000)
        return self.poll(**form)

    def typed(self, name="ana"):
        self.app.local.site.devices.grant.submit_code(name=name, typed=self.user_code, peer=PEER)


@pytest.fixture
def app(local):
    """An app that has the grant, and no address to send anybody to."""
    return new_app(local, "television", grant_types=GRANTS, redirect_uris=())


@pytest.fixture
def television(app):
    """It shows its code."""
    begun = Television(app)
    assert begun.begin().status == 200
    return begun


def _waiting(person):
    (shown,) = person.call("GET", "/api/approvals").json["items"]
    return person.local.stored(shown["id"])


def _let_in(television, person):
    television.typed()
    assert person.approve(_waiting(person).id).status == 200
    return television.later()


def _claims(local, token):
    return new_resource(local).introspect(token).json


def test_an_app_gets_its_codes(local, app):
    """As RFC 8628 3.2 says; with a secret, and without one by its name alone."""
    answer = Television(app).begin()
    assert (answer.status, answer.json["expires_in"], answer.json["interval"]) == (200, 900, 5)
    public = new_app(local, "kiosk", grant_types=GRANTS, redirect_uris=(), auth_method="none")
    assert Television(public).begin().status == 200


def test_what_is_signed_names_the_app_its_rights_and_the_code(television, person):
    """In plain words, and all of it; the person compares the code."""
    television.typed()
    approval = _waiting(person)
    assert (approval.kind, approval.agent_id) == ("app_device", television.app.id)
    assert (approval.risk, approval.ceremony) == (Risk.MEDIUM, "confirm")
    action = json.loads(approval.action)
    (details,) = action["authorization_details"]
    assert details["type"] == "sayso:app_device"
    assert details["code"] == television.user_code
    assert (action["resource"], action["scope"]) == (PAY, ["openid", "payments:read", "profile"])
    display = json.loads(approval.display)
    assert display["headline"].startswith(f"Let television on another device act for you at {PAY}")
    shown = {fact["label"]: fact["value"] for fact in display["facts"]}
    assert shown["May use"] == "payments:read (low risk)"
    assert shown["Learns"] == "that it is you, by an id that stays the same, your name"
    assert shown["Its code"] == television.user_code
    assert "only if you started this yourself" in shown["Careful"]


def test_a_yes_gives_tokens_once(television, person, local):
    """An access token for the resource, an ID token, a refresh token; and who proved what how."""
    answer = _let_in(television, person)
    assert answer.status == 200
    assert answer.json["scope"] == SCOPE
    claims = _claims(local, answer.json["access_token"])
    assert (claims["sub"], claims["client_id"]) == (person.user.id, television.app.id)
    assert claims["acr"] == "urn:sayso:acr:signed"
    assert "sid" not in claims
    again = television.later()
    assert again.refusal == (400, "invalid_grant")
    given = local.desk.entries("grant.given")[-1]
    assert given["approval_id"]
    renewed = television.app.refresh(answer.json["refresh_token"])
    assert renewed.status == 200
    assert _claims(local, renewed.json["access_token"])["acr"] == "urn:sayso:acr:signed"


def test_about_the_person_alone(app, person):
    """The userinfo endpoint answers; nothing is to be used at a resource."""
    television = Television(app)
    assert television.begin(scope="openid email", resource=None).status == 200
    television.typed()
    display = json.loads(_waiting(person).display)
    assert display["headline"] == "Let television on another device know who you are"
    assert person.approve(_waiting(person).id).status == 200
    token = television.later().json["access_token"]
    assert app.userinfo(token).json["sub"] == person.user.id


def test_a_high_scope_takes_the_pin(app, person, local):
    """And the token says so."""
    television = Television(app)
    television.begin(scope="payments:transfer")
    answer = _let_in(television, person)
    assert _claims(local, answer.json["access_token"])["acr"] == "urn:sayso:acr:signed-pin"


def test_the_consent_is_one_like_any_other(television, person, local):
    """It is listed, and taking it back ends the tokens and the line of refresh tokens."""
    answer = _let_in(television, person)
    items = person.call("GET", "/api/consents").json["items"]
    assert {tuple(item["scopes"]) for item in items} == {("openid", "profile"), ("payments:read",)}
    of_pay = next(item for item in items if item["resource"] == PAY)
    assert person.call("DELETE", f"/api/consents/{of_pay['id']}").status == 200
    assert _claims(local, answer.json["access_token"]) == {"active": False}
    refused = television.app.refresh(answer.json["refresh_token"])
    assert refused.refusal == (400, "invalid_grant")


def test_what_it_may_use_already_is_shown_and_kept(app, person):
    """A second sign-in takes the place of the consent before it, and takes nothing away."""
    first = Television(app)
    first.begin()
    assert _let_in(first, person).status == 200
    second = Television(app)
    second.begin(scope="payments:transfer")
    second.typed()
    display = json.loads(_waiting(person).display)
    assert "payments:read (low risk, as before)" in [fact["value"] for fact in display["facts"]]
    assert person.approve(_waiting(person).id).status == 200
    assert second.later().json["scope"] == "payments:transfer"
    items = person.call("GET", "/api/consents").json["items"]
    assert ["payments:read", "payments:transfer"] in [item["scopes"] for item in items]


def test_a_no_is_told(television, person):
    """DG-15."""
    television.typed()
    person.deny(_waiting(person).id)
    assert television.later().refusal == (400, "access_denied")
    assert person.call("GET", "/api/consents").json["items"] == []


def test_nobody_answers(television):
    """DG-18: paced, then over."""
    assert television.poll().refusal == (400, "authorization_pending")
    assert television.poll().refusal == (400, "slow_down")
    assert television.app.local.clock.forward(10_000) is None
    assert television.poll().refusal == (400, "authorization_pending")
    television.app.local.clock.forward(15 * MINUTE)
    assert television.poll().refusal == (400, "expired_token")


def test_a_code_is_its_apps(television, person, local):
    """DG-17, DG-26, NG-020: neither another app nor the terminal gets anything for it."""
    other = Television(new_app(local, "other", grant_types=GRANTS, redirect_uris=()))
    television.typed()
    assert person.approve(_waiting(person).id).status == 200
    other.device_code = television.device_code
    assert other.later().refusal == (400, "invalid_grant")
    proof = person.token_proof()
    form = {
        "grant_type": GRANT_DEVICE_CODE,
        "client_id": "sayso-approver",
        "device_code": television.device_code,
    }
    assert local.post_form("/token", form, proofs=[proof]).refusal == (400, "invalid_grant")
    assert television.later().status == 200


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
def test_what_it_may_not_ask_for_is_refused_at_once(app, form, error):
    """Before anybody is asked."""
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
def test_a_poll_asks_for_nothing_else(television, person, form, error):
    """DG-24, DG-31, NG-021: what was settled stays."""
    television.typed()
    assert person.approve(_waiting(person).id).status == 200
    assert television.later(**form).refusal[1] == error
    assert television.later(scope=SCOPE, resource=PAY).status == 200


def test_an_app_without_the_grant_may_not(local):
    """DG-04: at either endpoint."""
    app = new_app(local, grant_types=USUAL_APP_GRANTS)
    assert Television(app).begin().refusal == (400, "unauthorized_client")
    assert Television(app, "x").poll().refusal == (400, "unauthorized_client")


def test_critical_is_never_given_ahead(app, local):
    """Nor by a code."""
    local.desk.resources.update(
        PAY, ResourceChanges(scopes={"payments:read": Risk.CRITICAL}), by=BY
    )
    assert Television(app).begin().refusal == (400, "invalid_scope")


@pytest.mark.parametrize(
    "changes", [AppChanges(enabled=False), AppChanges(scopes=("payments:transfer",))]
)
def test_an_app_that_was_stopped_or_narrowed_gets_nothing(television, person, local, changes):
    """DG-25: before the code is typed, before the answer, before the tokens."""
    app = television.app
    early = Television(app)
    early.begin()
    television.typed()
    approval = _waiting(person)
    local.desk.apps.update(app.id, changes, by=BY)
    with pytest.raises(CodeRefused, match="wrong, used or expired"):
        early.typed()
    assert person.approve(approval.id).refusal[0] == 409
    assert television.later().status == 400


def test_what_was_approved_before_it_was_narrowed_gives_nothing(television, person, local):
    """Judged again in the unit of work that redeems."""
    television.typed()
    assert person.approve(_waiting(person).id).status == 200
    local.desk.apps.update(television.app.id, AppChanges(scopes=("payments:transfer",)), by=BY)
    assert television.later().refusal == (400, "invalid_grant")
    assert person.call("GET", "/api/consents").json["items"] == []


def test_without_the_grant_of_refresh_tokens_there_are_none(local, person):
    """One access token, and the app begins again."""
    app = new_app(local, grant_types=(GRANT_DEVICE_CODE,), redirect_uris=())
    television = Television(app)
    television.begin()
    answer = _let_in(television, person)
    assert "refresh_token" not in answer.json


def test_it_is_counted_by_itself_or_by_address(app, local, monkeypatch):
    """An app that proves who it is has many devices behind one address."""
    for _ in range(REQUESTS + 1):
        assert Television(app).begin().status == 200
    monkeypatch.setattr("server.services.devices.device_grant.REQUESTS_OF_APP", REQUESTS)
    assert Television(app).begin().refusal == (503, "temporarily_unavailable")
    assert REQUESTS_OF_APP > REQUESTS
    public = new_app(local, "kiosk", grant_types=GRANTS, redirect_uris=(), auth_method="none")
    for _ in range(REQUESTS):
        assert Television(public).begin().status == 200
    assert Television(public).begin().refusal == (503, "temporarily_unavailable")


def test_only_the_update_that_redeems_gives_tokens(television, person, monkeypatch):
    """Somebody was faster with the same code: nothing, and no consent either."""
    television.typed()
    assert person.approve(_waiting(person).id).status == 200
    monkeypatch.setattr(Approvals, "transition", lambda *_, **__: None)
    assert television.later().refusal == (400, "invalid_grant")
    assert person.call("GET", "/api/consents").json["items"] == []


def test_of_ten_polls_at_once_one_gets_tokens(television, person):
    """DG-20."""
    television.typed()
    assert person.approve(_waiting(person).id).status == 200
    television.app.local.clock.forward(5_000)
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: television.poll().status, range(10)))
    assert sorted(answers) == [200] + [400] * 9
