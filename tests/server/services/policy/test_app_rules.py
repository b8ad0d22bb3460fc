"""Rules for single actions of apps: only rules that name apps apply."""

import json

import pytest

from server.protocol.policy.risks import Risk
from server.services.operations.replays import Replays
from server.services.operations.trials import TrialRequest, Trials
from server.services.policy.evaluation import Evaluator
from server.services.policy.policies import Policies
from server.services.resources.resources import ResourceChanges
from tests.support.browsers.browser import request_of
from tests.support.builders.app_users import give_password, new_app, new_browser
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, PAY, PAYMENT
from tests.support.builders.policies import rule
from tests.support.clients.agent import PAYMENT_DETAILS

DETAILS = json.dumps(PAYMENT_DETAILS)
PAYS = {
    "scope": "openid payments:transfer",
    "resource": PAY,
    "authorization_details": DETAILS,
}
AT_APPS = 'when.at = ["app"]'


@pytest.fixture
def put(local):
    """A function that puts a rule set in force."""

    def put_rules(*rules):
        return Policies(local.services.store).set("\n".join(rules), by=BY)

    return put_rules


@pytest.fixture
def app(local):
    """A shop app; payments have medium risk."""
    local.admin.actions.update(json.dumps({**PAYMENT, "risk": "medium"}), by=BY)
    return new_app(local, "shop")


@pytest.fixture
def browser(person, app, local):
    """The browser of Ana, who is signed in and has allowed the shop to know who she is."""
    give_password(local, person.user.name)
    browser = new_browser(local)
    browser.authorize(app.id)
    browser.sign_in("ana")
    assert "code" in browser.answer("allow").answer
    return browser


def _pending_after_allow(browser, person, app, **parameters):
    """Ana allows the action on the page; returns the request that is pending on her device."""
    browser.authorize(app.id, **{**PAYS, **parameters})
    browser.answer("allow")
    (item,) = person.call("GET", "/api/approvals").json["items"]
    return person.local.stored_approval(item["id"])


def _decision_basis(approval):
    return json.loads(approval.display)["why"]


def test_rules_for_agents_do_not_apply_to_apps(browser, person, app, put):
    """An action of an app always needs a signature, even if agents' rules allow or deny it."""
    put(
        rule("deny"),
        rule("allow", 'when.resource = ["*"]', 'when.risk.at_most = "critical"', name="a"),
    )
    approval = _pending_after_allow(browser, person, app)
    assert _decision_basis(approval).startswith("An app asks for your signature each time")
    assert json.loads(approval.policy)["rules"] == []
    assert person.approve(approval.id).status == 200
    assert app.redeem(browser.again().answer["code"]).status == 200


def test_a_rule_for_apps_raises_risk_ceremony_and_expiry(browser, person, app, local, put):
    """The reason of the rule is displayed, and the audit log has its ID."""
    low = ResourceChanges(scopes={"payments:transfer": Risk.LOW})
    local.admin.resources.update(PAY, low, by=BY)
    put(
        rule(
            "ask",
            AT_APPS,
            'ask.risk = "high"',
            'ask.ttl = "2m"',
            name="careful",
            because="Careful.",
        )
    )
    approval = _pending_after_allow(browser, person, app)
    assert (approval.risk, approval.ceremony) == (Risk.HIGH, "pin")
    assert approval.expires_at - approval.created_at == 120_000
    assert _decision_basis(approval) == "Careful."
    assert json.loads(approval.policy)["rules"] == ["careful"]
    weak = person.send_decision(approval.id, person.decision(approval.id))
    assert weak.refusal == (403, "pin_required")
    person.approve(approval.id)
    assert app.redeem(browser.again().answer["code"]).status == 200


def test_a_rule_that_denies_an_app_returns_access_denied(browser, person, app, local, put):
    """The app gets the error immediately; the audit log names the rule and the rule set."""
    row = put(rule("deny", AT_APPS, 'when.type = ["payment.*"]', name="no-pay"))
    assert browser.authorize(app.id, **PAYS).answer["error"] == "access_denied"
    entry = local.admin.entries("grant.refused")[-1]
    assert (entry["cause"], entry["actor"]) == ("policy_denied", f"app:{app.id}")
    assert entry["facts"]["policy"]["rules"] == ["no-pay"]
    assert entry["facts"]["policy"]["hash"] == row.hash
    pushed = local.post_form("/par", {**request_of(app.id, **PAYS), **app.credentials})
    assert pushed.refusal == (400, "access_denied")
    assert pushed.json["reason"] == "policy_denied"
    assert person.call("GET", "/api/approvals").json["items"] == []
    small = {"authorization_details": None, "scope": "openid payments:read"}
    assert "error" not in (browser.authorize(app.id, **{**PAYS, **small}).answer or {})


FOR_A_USER = {
    "denied to the user": rule("deny", AT_APPS, 'when.user = ["ana"]'),
    "another approver": rule("ask", AT_APPS, 'ask.who = ["ben"]'),
}


@pytest.mark.parametrize("rules", FOR_A_USER.values(), ids=FOR_A_USER)
def test_a_rule_for_a_user_applies_after_the_sign_in(browser, person, app, local, put, rules):
    """No request is created, because the rule denies this user or names a different approver."""
    new_person(local, "ben")
    put(rules)
    browser.authorize(app.id, **PAYS)
    browser.answer("allow")
    assert person.call("GET", "/api/approvals").json["items"] == []


TIGHTENED = {
    "a rule that forbids": rule("deny", AT_APPS),
    "a rule that raises the risk": rule("ask", AT_APPS, 'ask.risk = "critical"', "ask.quorum = 1"),
    "a rule that asks another person": rule("ask", AT_APPS, 'ask.who = ["ben"]'),
}


@pytest.mark.parametrize("rules", TIGHTENED.values(), ids=TIGHTENED)
def test_a_stricter_rule_for_apps_cancels_a_pending_request(
    browser, person, app, local, put, rules
):
    """The request is canceled with the reason policy_changed."""
    new_person(local, "ben")
    approval = _pending_after_allow(browser, person, app)
    put(rules)
    assert person.approve(approval.id).refusal == (409, "not_pending")
    assert local.stored_approval(approval.id).reason == "policy_changed"


def test_a_rule_may_let_one_person_approve_critical_actions_of_apps(
    browser, person, app, local, put
):
    """Without the rule, a critical action is refused."""
    local.admin.actions.update(json.dumps({**PAYMENT, "risk": "critical"}), by=BY)
    assert browser.authorize(app.id, **PAYS).answer["error"] == "access_denied"
    put(rule("ask", AT_APPS, "ask.quorum = 1", 'when.risk.at_least = "critical"'))
    assert _pending_after_allow(browser, person, app).risk is Risk.CRITICAL


def test_explain_and_replay_support_apps(browser, person, app, local):
    """Explain and replay use the same evaluator as the endpoints."""
    _pending_after_allow(browser, person, app)
    evaluator = Evaluator(local.services.secrets)
    trials = Trials(local.services.store, local.server_policy, evaluator)
    case = TrialRequest("shop", "app", "ana", PAY, ("payments:transfer",), DETAILS)
    explanation = trials.explain(case)
    assert (explanation.next_step, explanation.token) == ("person", None)
    assert (explanation.consent, explanation.unusual) == (None, ())
    closed = rule("deny", AT_APPS, name="closed")
    assert trials.explain(case, closed).next_step == "refused"
    assert Replays(local.services.store, evaluator).replay(DAY).changes == ()
    changes = Replays(local.services.store, evaluator).replay(DAY, closed).changes
    assert [(c.flow, c.agent, c.before, c.after) for c in changes] == [
        ("app", "shop", "ask", "deny")
    ]
