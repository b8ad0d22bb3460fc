"""Who may call each admin route, tested for every role and route."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from server.http.route import Route
from server.http.routes import ADMIN_ROUTES
from server.services.operations.authority import Role
from tests.support.builders.admins import REDIRECT_URI, ROLES, AdminSite
from tests.support.builders.installation import PAYMENT
from tests.support.builders.policies import rule
from tests.support.builders.site import Answer


@dataclass(frozen=True, slots=True)
class Sample:
    """A request of one route that succeeds for the permitted roles."""

    about: str = ""
    body: Any = None
    signed: bool = False


SAMPLES = {
    "GET /api/admin/statistics": Sample(),
    "GET /api/admin/findings": Sample(),
    "GET /api/admin/orphans": Sample(),
    "GET /api/admin/settings": Sample(),
    "GET /api/admin/limits": Sample(),
    "GET /api/users": Sample(),
    "POST /api/users": Sample(body={"name": "dora"}, signed=True),
    "GET /api/users/<id>": Sample("user"),
    "PATCH /api/users/<id>": Sample("user", {"roles": ["auditor"]}, signed=True),
    "POST /api/users/<id>/disable": Sample("user"),
    "POST /api/users/<id>/enable": Sample("disabled user", signed=True),
    "POST /api/users/<id>/codes": Sample("user", signed=True),
    "POST /api/users/<id>/unlock": Sample("user", signed=True),
    "GET /api/agents": Sample(),
    "POST /api/agents": Sample(body={"name": "another", "owners": ["owner"]}, signed=True),
    "GET /api/agents/<id>": Sample("agent"),
    "PATCH /api/agents/<id>": Sample("agent", {"scopes": ["payments:read"]}),
    "DELETE /api/agents/<id>": Sample("agent"),
    "GET /api/agents/<id>/disable": Sample("agent"),
    "POST /api/agents/<id>/disable": Sample("agent"),
    "POST /api/agents/<id>/enable": Sample("disabled agent", signed=True),
    "POST /api/agents/<id>/secret": Sample("agent", {}, signed=True),
    "POST /api/agents/<id>/auth": Sample("agent", {"method": "client_secret_post"}, signed=True),
    "GET /api/agents/<id>/audit": Sample("agent"),
    "GET /api/agents/<id>/statistics": Sample("agent"),
    "GET /api/invitations": Sample(),
    "POST /api/invitations": Sample(body={"owner": "owner"}, signed=True),
    "DELETE /api/invitations/<id>": Sample("invitation"),
    "GET /api/apps": Sample(),
    "POST /api/apps": Sample(body={"name": "x", "redirect_uris": [REDIRECT_URI]}, signed=True),
    "GET /api/apps/<id>": Sample("app"),
    "PATCH /api/apps/<id>": Sample("app", {"enabled": False}),
    "POST /api/apps/<id>/secret": Sample("app", {}, signed=True),
    "DELETE /api/apps/<id>": Sample("app"),
    "GET /api/groups": Sample(),
    "POST /api/groups": Sample(body={"name": "x", "members": ["owner"]}, signed=True),
    "GET /api/groups/<id>": Sample("group"),
    "PATCH /api/groups/<id>": Sample("group", {"members": []}),
    "DELETE /api/groups/<id>": Sample("group"),
    "GET /api/resources": Sample(),
    "POST /api/resources": Sample(body={"uri": "https://new.example"}, signed=True),
    "GET /api/resources/<id>": Sample("resource"),
    "PATCH /api/resources/<id>": Sample("resource", {"remove_scopes": ["payments:read"]}),
    "POST /api/resources/<id>/secret": Sample("resource", {"overlap": 0}, signed=True),
    "DELETE /api/resources/<id>": Sample("resource"),
    "GET /api/actions": Sample(),
    "POST /api/actions": Sample(body={**PAYMENT, "type": "other.type"}, signed=True),
    "POST /api/actions/preview": Sample(body={"document": json.dumps(PAYMENT)}),
    "GET /api/actions/<id>": Sample("action"),
    "PUT /api/actions/<id>": Sample("action", {**PAYMENT, "risk": "critical"}, signed=True),
    "DELETE /api/actions/<id>": Sample("action"),
    "GET /api/policy": Sample(),
    "POST /api/policy": Sample(body={"document": rule("deny")}, signed=True),
    "POST /api/policy/explain": Sample(
        body={"agent": "one", "flow": "client_credentials", "scope": ["payments:read"]}
    ),
    "POST /api/policy/test": Sample(
        body={"table": '[[cases]]\nagent = "invoice-bot"\nexpect = "ask"'}
    ),
    "POST /api/policy/dry-run": Sample(body={"policy": rule("ask")}),
    "GET /api/admin/approvals": Sample(),
    "GET /api/admin/approvals/<id>": Sample("approval"),
    "POST /api/admin/approvals/<id>/cancel": Sample("approval", {"reason": "Not now"}),
    "POST /api/admin/approvals/<id>/escalate": Sample("approval", {"to": "owner"}, signed=True),
    "GET /api/admin/delegations": Sample(),
    "GET /api/admin/delegations/<id>": Sample("delegation"),
    "POST /api/admin/delegations/<id>/revoke": Sample("delegation"),
    "GET /api/admin/consents": Sample(),
    "POST /api/admin/consents/<id>/revoke": Sample("consent"),
    "GET /api/admin/deputies": Sample(),
    "POST /api/admin/deputies/<id>/revoke": Sample("deputy"),
    "GET /api/admin/grants": Sample(),
    "POST /api/admin/grants/<id>/revoke": Sample("grant"),
    "GET /api/incidents": Sample(),
    "GET /api/incidents/<id>": Sample("incident"),
    "POST /api/incidents/<id>/close": Sample("incident", {"note": "Looked into."}, signed=True),
    "GET /api/admin/devices": Sample(),
    "DELETE /api/admin/devices/<id>": Sample("device", signed=True),
    "GET /api/admin/outbox": Sample(),
    "POST /api/admin/outbox/<id>/retry": Sample("message"),
    "GET /api/keys": Sample(),
    "POST /api/keys": Sample(body={"alg": "EdDSA"}, signed=True),
    "POST /api/keys/<id>/revoke": Sample("key"),
    "GET /api/audit": Sample(),
    "GET /api/audit/<id>": Sample("entry"),
    "GET /api/audit/<id>/timeline": Sample("entry"),
    "POST /api/audit/hash": Sample(body={"value": "sayso_ar_handle"}),
    "POST /api/audit/trim": Sample(body={"before": "2025-01-31T00:00:00Z"}, signed=True),
    "POST /api/users/<id>/erase": Sample("user", signed=True),
}


def test_every_admin_route_has_a_sample() -> None:
    """The table of samples covers every admin route."""
    assert {route.name for route in ADMIN_ROUTES} == set(SAMPLES)


@pytest.mark.parametrize("who", ROLES)
@pytest.mark.parametrize("route", ADMIN_ROUTES, ids=lambda route: route.name)
def test_each_role_may_call_exactly_its_admin_routes(
    staff: AdminSite, route: Route, who: str
) -> None:
    """Administrators may call all, auditors may read, and owners may call those of their agents."""
    before = len(staff.local.admin.entries())
    answer = _send(staff, who, route, signed=SAMPLES[route.name].signed)
    expected = _expected(route, who)
    assert answer.status == expected, answer.body
    if answer.status >= 400:
        assert answer.json["code"] == {403: "forbidden", 404: "not_found"}[answer.status]
        assert len(staff.local.admin.entries()) == before


def _expected(route: Route, who: str) -> int:
    assert route.rule is not None
    roles = route.rule.roles
    reads_own = Role.OWNER in roles and route.rule.target is None and route.method == "GET"
    lists_own = reads_own and "<id>" not in route.path
    if who in roles or (lists_own and who == "stranger"):
        return route.status
    return 404 if Role.OWNER in roles and who == "stranger" else 403


@pytest.mark.parametrize("route", ADMIN_ROUTES, ids=lambda route: route.name)
def test_admin_routes_that_add_power_need_a_signature(staff: AdminSite, route: Route) -> None:
    """The refusal says what to sign, and nothing is stored; removing power needs none."""
    before = len(staff.local.admin.entries())
    answer = _send(staff, "admin", route, signed=False)
    if not SAMPLES[route.name].signed:
        assert answer.status == route.status
        return
    assert answer.refusal == (403, "statement_required")
    assert answer.json["wanted"].keys() == {"purpose", "subject", "nonce"}
    assert len(staff.local.admin.entries()) == before


def _send(staff: AdminSite, who: str, route: Route, *, signed: bool) -> Answer:
    """Send the request of this route with the version and the signature that it needs."""
    sample, person = SAMPLES[route.name], staff.people[who]
    path = route.path.replace("<id>", staff.ids.get(sample.about, ""))
    versioned = route.rule is not None and route.rule.versioned
    version = staff.version(path) if versioned else None
    if signed:
        return person.administer(route.method, path, sample.body, version=version)
    seen = {} if version is None else {"if-match": f'"{version}"'}
    return person.call(route.method, path, sample.body, headers=seen)
