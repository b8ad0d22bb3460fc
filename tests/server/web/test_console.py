"""The console: access to pages and forms by role, and escaping."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from server.http.routes import ADMIN_ROUTES
from server.protocol import names
from server.protocol.names import name_id
from server.services.clients.agent_forms import AgentChanges
from server.services.operations.authority import AccessRule, Role
from server.web.form import FormAction
from server.web.serving import CONSOLE_MENU
from server.web.table import FORMS, PAGES, page_at, required_routes
from tests.support.builders.admins import JWK, REDIRECT_URI, ROLES
from tests.support.builders.console import FROM_HERE, NOBODY, Console
from tests.support.builders.installation import BY, PAY, PAYMENT
from tests.support.builders.policies import rule

ROUTES_BY_NAME = {route.name: route for route in ADMIN_ROUTES}
CONSOLE_PAGES = [page for page in PAGES if page.in_console]
CONSOLE_FORMS = [form for form in FORMS if form.in_console]
FORM_IDS = {"ids": lambda form_row: form_row.path}


@dataclass(frozen=True, slots=True)
class Sample:
    """A form that succeeds for the permitted roles."""

    object_kind: str = ""
    form: dict[str, Any] = field(default_factory=dict)
    signed: bool = False
    version_route: str = ""
    """The API route that returns the version to send."""


DENY_RULE = rule("deny")
KEY = json.dumps({**JWK, "kid": "b"})
UPDATED_ACTION = json.dumps({**PAYMENT, "title": "Another payment"})
NEW_ACTION = json.dumps(
    {
        "type": "mail.send",
        "title": "Mail",
        "schema": {"type": "object", "additionalProperties": False, "properties": {}},
    }
)
SAMPLES = {
    "/admin/new/agent/add": Sample(
        form={
            "name": "third",
            "owners": "owner",
            "auth_method": "client_secret_basic",
            "delivery": "poll",
            "id_token_signed_response_alg": "ES256",
            f"grant_types-{names.GRANT_CIBA}": "1",
        },
        signed=True,
    ),
    "/admin/agents/<id>/change": Sample(
        "agent",
        {
            "name": "one",
            "resources": PAY,
            "scopes": "payments:read",
            "every-asks": "1",
            "every-action_types": "1",
            "delivery": "poll",
            "id_token_signed_response_alg": "ES256",
            f"grant_types-{names.GRANT_CIBA}": "1",
        },
        version_route="/api/agents/<id>",
    ),
    "/admin/agents/<id>/owners": Sample(
        "agent", {"add_owners": "owner"}, version_route="/api/agents/<id>"
    ),
    "/admin/agents/<id>/disable": Sample("agent"),
    "/admin/agents/<id>/enable": Sample("disabled agent", signed=True),
    "/admin/agents/<id>/secret": Sample("agent", {"overlap": "3600"}, signed=True),
    "/admin/agents/<id>/keys/change": Sample(
        "agent", {"jwks": KEY}, signed=True, version_route="/api/agents/<id>"
    ),
    "/admin/agents/<id>/icon/change": Sample(
        "agent", {"icon": ""}, version_route="/api/agents/<id>"
    ),
    "/admin/agents/<id>/auth/change": Sample(
        "agent", {"method": "client_secret_post", "jwks": "", "overlap": "3600"}, signed=True
    ),
    "/admin/agents/<id>/delete": Sample("agent"),
    "/admin/new/invitation/add": Sample(
        form={"owner": "owner", f"grant_types-{names.GRANT_CIBA}": "1", "uses": "2"}, signed=True
    ),
    "/admin/invitations/<id>/revoke": Sample("invitation"),
    "/admin/new/app/add": Sample(
        form={
            "name": "web",
            "redirect_uris": "https://web.example/cb",
            "auth_method": "none",
            "id_token_signed_response_alg": "ES256",
            "grant_types-authorization_code": "1",
        },
        signed=True,
    ),
    "/admin/apps/<id>/change": Sample(
        "app",
        {
            "name": "chat",
            "redirect_uris": REDIRECT_URI,
            "every-action_types": "1",
            "id_token_signed_response_alg": "ES256",
            "grant_types-authorization_code": "1",
        },
        version_route="/api/apps/<id>",
    ),
    "/admin/apps/<id>/keys/change": Sample("app", version_route="/api/apps/<id>"),
    "/admin/apps/<id>/disable": Sample("app", version_route="/api/apps/<id>"),
    "/admin/apps/<id>/enable": Sample("app", version_route="/api/apps/<id>"),
    "/admin/apps/<id>/secret": Sample("app", {"overlap": "2592000"}, signed=True),
    "/admin/apps/<id>/delete": Sample("app"),
    "/admin/new/group/add": Sample(form={"name": "legal", "members": "bystander"}, signed=True),
    "/admin/groups/<id>/change": Sample(
        "group", {"name": "finance", "members": ""}, version_route="/api/groups/<id>"
    ),
    "/admin/groups/<id>/delete": Sample("group"),
    "/admin/new/action/add": Sample(form={"document": NEW_ACTION}, signed=True),
    "/admin/new/action/preview": Sample(form={"document": NEW_ACTION}),
    "/admin/actions/<id>/change": Sample(
        "action", {"document": UPDATED_ACTION}, signed=True, version_route="/api/actions/<id>"
    ),
    "/admin/actions/<id>/preview": Sample("action", {"document": NEW_ACTION, "details": "{}"}),
    "/admin/actions/<id>/delete": Sample("action"),
    "/admin/new/resource/add": Sample(
        form={"uri": "https://mail.example", "scopes": "mail:read low"}, signed=True
    ),
    "/admin/resources/<id>/change": Sample(
        "resource", {"scopes": "payments:read high"}, version_route="/api/resources/<id>"
    ),
    "/admin/resources/<id>/delete": Sample("resource"),
    "/admin/outbox/<id>/retry": Sample("message"),
    "/admin/keys/rotate": Sample(form={"alg": "ES256"}, signed=True),
    "/admin/keys/<id>/revoke": Sample("key"),
    "/admin/approvals/<id>/cancel": Sample("approval", {"reason": "Not now"}),
    "/admin/approvals/<id>/escalate": Sample("approval", {"to": "stranger"}, signed=True),
    "/admin/delegations/<id>/revoke": Sample("delegation"),
    "/admin/consents/<id>/revoke": Sample("consent"),
    "/admin/grants/<id>/revoke": Sample("grant"),
    "/admin/deputies/<id>/revoke": Sample("deputy"),
    "/admin/incidents/<id>/close": Sample("incident", {"note": "Looked into."}, signed=True),
    "/admin/devices/<id>/revoke": Sample("device", signed=True),
    "/admin/new/user/add": Sample(form={"name": "dora", "roles-auditor": "1"}, signed=True),
    "/admin/users/<id>/change": Sample(
        "user", {"roles-auditor": "1"}, signed=True, version_route="/api/users/<id>"
    ),
    "/admin/users/<id>/disable": Sample("user"),
    "/admin/users/<id>/enable": Sample("disabled user", signed=True),
    "/admin/users/<id>/code": Sample("user", signed=True),
    "/admin/users/<id>/unlock": Sample("user", signed=True),
    "/admin/users/<id>/erase": Sample("user", signed=True),
    "/admin/policy/set": Sample(form={"document": DENY_RULE, "version": "0"}, signed=True),
    "/admin/policy/test": Sample(
        form={"document": DENY_RULE, "table": '[[cases]]\r\nagent = "one"\r\nexpect = "deny"'}
    ),
    "/admin/policy/dry-run": Sample(form={"document": DENY_RULE, "days": "7"}),
    "/admin/explain": Sample(
        form={"agent": "one", "flow": "client_credentials", "scope": "payments:read"}
    ),
    "/admin/resources/<id>/secret": Sample("resource", {"overlap": "0"}, signed=True),
}
OBJECT_KINDS = {
    "agents": "agent",
    "approvals": "approval",
    "incidents": "incident",
    "delegations": "delegation",
    "users": "user",
    "resources": "resource",
    "actions": "action",
    "apps": "app",
    "groups": "group",
    "settings": "key",
    "audit": "entry",
}
"""For each menu entry, the kind of object that its detail pages show."""


def test_every_console_form_has_a_sample() -> None:
    """Every form of the console is tested below."""
    assert {form_row.path for form_row in CONSOLE_FORMS} == set(SAMPLES)


@pytest.mark.parametrize("who", ROLES)
def test_each_role_sees_exactly_its_console_pages(console: Console, who: str) -> None:
    """A role can open a page if and only if it can call the page's API routes."""
    wrong = {}
    for page_row in CONSOLE_PAGES:
        page = console.get(
            who, _path(console, page_row.path, OBJECT_KINDS.get(page_row.menu_key, ""))
        )
        single_object = "<id>" in page_row.path
        statuses = [
            _status(row, who, single_object=single_object) for row in required_routes(page_row)
        ]
        expected = next((status for status in statuses if status != 200), 200)
        if page.status_code != expected:
            wrong[page_row.path] = (page.status_code, expected)
    assert wrong == {}


def test_a_signed_out_user_is_asked_to_sign_in_on_every_console_page(console: Console) -> None:
    """A signed-out user sees no part of the console."""
    for page_row in CONSOLE_PAGES:
        page = console.get(
            NOBODY, _path(console, page_row.path, OBJECT_KINDS.get(page_row.menu_key, ""))
        )
        assert (page.status_code, "Sign in with a passkey" in page.text) == (200, True)
        assert "console" not in page.text


ALLOWED = [
    pytest.param(form_row, who, id=f"{form_row.path} {who}")
    for form_row in CONSOLE_FORMS
    for who in ROLES
    if who in (ROUTES_BY_NAME[form_row.route].rule or AccessRule(())).roles
]


@pytest.mark.parametrize(("form_row", "who"), ALLOWED)
def test_a_console_form_works_for_each_permitted_role(
    console: Console, form_row: FormAction, who: str
) -> None:
    """The form shows its result or redirects to it."""
    answer = _send(console, form_row, who, signed=SAMPLES[form_row.path].signed)
    assert answer.status_code == (200 if form_row.answer or form_row.shows_response else 303), (
        answer.text
    )


@pytest.mark.parametrize("form_row", CONSOLE_FORMS, **FORM_IDS)
def test_a_console_form_is_refused_for_every_other_role(
    console: Console, form_row: FormAction
) -> None:
    """The form returns the same status as the API, and nothing is stored."""
    before = len(console.staff.local.admin.entries())
    for role in (NOBODY, *ROLES):
        expected = 401 if role == NOBODY else _status(form_row.route, role, single_object=True)
        if expected != 200:
            assert _send(console, form_row, role, signed=False).status_code == expected, role
    assert len(console.staff.local.admin.entries()) == before


@pytest.mark.parametrize("form_row", CONSOLE_FORMS, **FORM_IDS)
def test_forms_that_grant_access_require_a_passkey(console: Console, form_row: FormAction) -> None:
    """Forms that only remove access take effect without a signature."""
    before = len(console.staff.local.admin.entries())
    answer = _send(console, form_row, "admin", signed=False)
    if not SAMPLES[form_row.path].signed:
        assert answer.status_code in {200, 303}
        return
    assert "Sign with passkey" in answer.text
    assert form_row.label in answer.text
    assert len(console.staff.local.admin.entries()) == before


FORGED: tuple[tuple[dict[str, Any], dict[str, str]], ...] = (
    ({"csrf": None}, FROM_HERE),
    ({"csrf": "from another browser"}, FROM_HERE),
    ({}, {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}),
    ({}, {"Origin": "https://evil.example"}),
    ({}, {"Sec-Fetch-Site": "same-site"}),
    ({}, {"Origin": "null"}),
)


@pytest.mark.parametrize("form_row", CONSOLE_FORMS, **FORM_IDS)
def test_a_forged_console_form_is_refused(console: Console, form_row: FormAction) -> None:
    """A forged form gets 403 even if the browser is signed in."""
    before = len(console.staff.local.admin.entries())
    path = _path(console, form_row.path, SAMPLES[form_row.path].object_kind)
    for form, headers in FORGED:
        forged_form = {**_form(console, form_row), **form}
        assert console.post("admin", path, forged_form, headers).status_code == 403, (form, headers)
    assert len(console.staff.local.admin.entries()) == before


def test_a_get_request_changes_nothing(console: Console) -> None:
    """Links, images and mail scanners send only GET requests."""
    before = len(console.staff.local.admin.entries())
    page_paths = {page_row.path for page_row in CONSOLE_PAGES}
    for form_row in CONSOLE_FORMS:
        path = _path(console, form_row.path, SAMPLES[form_row.path].object_kind)
        expected = {200} if form_row.path in page_paths else {404, 405}
        assert console.get("admin", path).status_code in expected, path
    assert len(console.staff.local.admin.entries()) == before


def test_console_pages_have_one_heading_labeled_fields_and_no_inline_code(console: Console) -> None:
    """Every page has one first-level heading, a label for every field, and no inline code."""
    for page_row in CONSOLE_PAGES:
        page = console.get(
            "admin", _path(console, page_row.path, OBJECT_KINDS.get(page_row.menu_key, ""))
        )
        directives = page.headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "script-src 'self'", "form-action 'self'"} <= set(directives)
        assert {"frame-ancestors 'none'", "require-trusted-types-for 'script'"} <= set(directives)
        assert page.headers["Cache-Control"] == "no-store"
        assert not re.search(r"<script(?![^>]* src=)|<[^>]*\s(on\w+|style)=", page.text)
        assert (page_row.path, page.text.count("<h1")) == (page_row.path, 1)
        assert (page_row.path, _fields_without_label(page.text)) == (page_row.path, [])


@pytest.mark.parametrize("who", ROLES)
def test_the_console_menu_links_only_to_permitted_pages(console: Console, who: str) -> None:
    """Each role can open every page in its menu."""
    page = console.get(who, "/admin/agents").text
    side = page.partition('<nav class="side"')[2].partition("</nav>")[0]
    links = re.findall(r'href="([^"]+)"', side)
    assert links
    assert all(console.get(who, link).status_code == 200 for link in links)


def test_health_findings_link_to_the_record_to_change(console: Console) -> None:
    """A finding about an agent links to the agent's own page."""
    page = console.get("admin", "/admin/health").text
    links = re.findall(r'<a class="nb" href="([^"]+)">Open the (\w+)</a>', page)
    assert (f"/admin/agents/{console.staff.ids['agent']}", "agent") in links
    assert all(console.get("admin", link).status_code == 200 for link, _ in links)


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("agents/{agent}/secret", "Old secret keeps working for"),
        ("agents/{agent}/auth/change", "Old method keeps working for"),
        ("resources/{resource}/secret", "Old secret keeps working for"),
    ],
)
def test_a_duration_to_sign_is_shown_in_words(console: Console, path: str, label: str) -> None:
    """The signing page says for how long the old secret or method keeps working."""
    ids = {"agent": console.staff.ids["agent"], "resource": name_id(PAY)}
    form = {"overlap": "86400", "method": "client_secret_post", "jwks": ""}
    signing_page = console.post("admin", f"/admin/{path.format(**ids)}", form).text
    assert f"<dt>{label}</dt><dd><ins><bdi>1 day</bdi></ins></dd>" in signing_page
    assert "<bdi>86400</bdi>" not in signing_page


def test_a_user_is_erased_from_the_log_only_after_a_confirmation(console: Console) -> None:
    """The confirmation names the user and says that erasing cannot be undone."""
    user = f"/admin/users/{console.staff.ids['user']}"
    page = console.get("admin", user).text
    assert f'action="{user}/erase"' not in page
    assert f'href="{user}/erase">Erase from the audit log…</a>' in page
    confirmation = console.get("admin", f"{user}/erase").text
    assert re.search(
        "<h1>Permanently erase this user from the audit log: <bdi>[a-z]+</bdi>", confirmation
    )
    assert "cannot be undone" in confirmation
    assert f'href="{user}">Cancel</a>' in confirmation
    assert console.signed("admin", f"{user}/erase").status_code == 303
    types = {entry["type"] for entry in console.staff.local.admin.entries()}
    assert "audit.erased" in types


def test_an_agents_description_is_escaped(console: Console) -> None:
    """Markup in a description is shown as text."""
    staff = console.staff
    agent = staff.ids["agent"]
    staff.local.admin.agents.update("one", AgentChanges(description="<b>Pay</b> invoices"), by=BY)
    page = console.get("admin", f"/admin/agents/{agent}").text
    assert "&lt;b&gt;Pay&lt;/b&gt; invoices" in page


def test_an_action_type_shows_its_type_back_and_narrowing_rules(console: Console) -> None:
    """The page tells an administrator what approvers will have to do."""
    type_back = {"fact": "/amount", "if_there": {"fact": "/payee"}}
    document = json.dumps({**PAYMENT, "type_back": type_back, "narrow": {"/amount": "lower"}})
    console.staff.local.admin.actions.update(document, by=BY)
    page = console.get("admin", _path(console, "/admin/actions/<id>", "action")).text
    assert "<dt>Type-back</dt><dd><code>/amount</code></dd>" in page
    assert "<dt>Type-back if present</dt><dd><code>/payee</code></dd>" in page
    assert "<dt>Can be narrowed</dt><dd><code>/amount</code></dd>" in page


def test_the_page_that_signs_a_policy_shows_the_changed_lines(console: Console) -> None:
    """Changed lines have numbers; CRLF line breaks from a browser don't count as changes."""
    policy = console.document("/api/policy")
    stored, version = policy["document"], policy["version"]
    typed = stored.replace("\n", "\r\n") + "# a \u202e comment\r\n"
    form = {"document": typed, "days": "7", "table": "", "version": version}
    page = console.post("admin", "/admin/policy/set", form).text
    main = re.sub("<input[^>]*>", "", page[page.index("<main") :])
    number = len(stored.splitlines()) + 1
    assert f'<tr class="added"><td></td><td>{number}</td>' in main
    assert "<ins><bdi># a \\u{202e} comment</bdi></ins>" in main
    assert main.count('<tr class="added">') == 1
    assert '<tr class="removed">' not in main
    assert "\\u{d}" not in main
    assert "days" not in main
    unchanged = {"document": stored, "version": version}
    same = console.post("admin", "/admin/policy/set", unchanged).text
    assert "The stored version is already the same." in same


def test_a_new_secret_is_shown_once(console: Console) -> None:
    """Later the agent's page shows only the last characters of the secret."""
    agent = console.staff.ids["agent"]
    reply = console.signed("admin", f"/admin/agents/{agent}/secret", {"overlap": "0"})
    secret = re.findall(r"<code>(sayso_[\w-]+)</code>", reply.text)[-1]
    page = console.get("admin", f"/admin/agents/{agent}").text
    assert secret != agent
    assert secret not in page
    assert secret[-4:] in page


def _status(row: str, who: str, *, single_object: bool) -> int:
    """Return the API's status for this role at this route."""
    rule = ROUTES_BY_NAME[row].rule
    assert rule is not None
    listed = Role.OWNER in rule.roles and rule.target is None and not single_object
    if who in rule.roles or (listed and who == "stranger"):
        return 200
    return 404 if Role.OWNER in rule.roles and who == "stranger" else 403


def _path(console: Console, path: str, about: str) -> str:
    return path.replace("<id>", console.staff.ids.get(about, ""))


def _form(console: Console, form_row: FormAction) -> dict[str, Any]:
    sample = SAMPLES[form_row.path]
    if not sample.version_route:
        return dict(sample.form)
    path = _path(console, sample.version_route, sample.object_kind)
    return {**sample.form, "version": console.document(path)["version"]}


def _send(console: Console, form_row: FormAction, who: str, *, signed: bool) -> Any:
    path = _path(console, form_row.path, SAMPLES[form_row.path].object_kind)
    send = console.signed if signed else console.post
    return send(who, path, _form(console, form_row))


def _fields_without_label(page: str) -> list[str]:
    """Return the fields without a label."""
    names = set(re.findall(r'<label [^>]*for="([^"]+)"', page))
    fields = re.findall(r'<(?:input(?! type="hidden")|select|textarea)[^>]*>', page)
    return [
        field
        for field in fields
        if "aria-label" not in field and not names & set(re.findall(r'id="([^"]+)"', field))
    ]


def test_every_menu_entry_is_a_page_with_an_api_route() -> None:
    """Each menu entry leads to a page of its own section."""
    for entry in (entry for _, entries in CONSOLE_MENU for entry in entries):
        assert page_at(entry.path).menu_key == entry.key
        assert required_routes(page_at(entry.path))[0] in ROUTES_BY_NAME
