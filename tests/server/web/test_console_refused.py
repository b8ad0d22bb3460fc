"""Refused console forms: typed values are kept, and errors are shown at their fields."""

import html
import json
import re
from typing import Any

import pytest

from server.http.policy.action_types import ActionDocument
from server.http.routes import ADMIN_ROUTES
from server.protocol import names
from server.services.clients.agent_forms import AgentChanges
from server.web.table import FORMS, page_at
from tests.support.builders.console import NOBODY, Console
from tests.support.builders.installation import BY, PAY, PAYMENT
from tests.support.builders.person_pages import hidden
from tests.support.builders.policies import rule

CIBA = {f"grant_types-{names.GRANT_CIBA}": "1"}
AGENT = {
    "name": "third",
    "owners": "owner",
    "auth_method": "client_secret_basic",
    "delivery": "poll",
    "id_token_signed_response_alg": "ES256",
    **CIBA,
}
CHANGED = {
    "resources": PAY,
    "scopes": "payments:read",
    "every-asks": "1",
    "every-action_types": "1",
    "delivery": "poll",
    "id_token_signed_response_alg": "ES256",
    **CIBA,
}
APP = {
    "name": "web",
    "redirect_uris": "https://web.example/cb",
    "auth_method": "none",
    "id_token_signed_response_alg": "ES256",
    "grant_types-authorization_code": "1",
}
UNKNOWN_PLACEHOLDER = json.dumps({**PAYMENT, "headline": "Pay {nothing}"})
OTHER = json.dumps({**PAYMENT, "type": "payment.other"})
WRONG: tuple[tuple[str, str, dict[str, str], str, str], ...] = (
    ("/admin/new/agent/add", "", {**AGENT, "name": "one"}, "name", "The agent one ("),
    ("/admin/new/agent/add", "", {**AGENT, "name": "0NE"}, "name", "The agent one ("),
    (
        "/admin/new/agent/add",
        "",
        {**AGENT, "name": "\u043ene"},
        "name",
        "mixes Cyrillic and Latin characters; use one script",
    ),
    (
        "/admin/agents/<id>/change",
        "agent",
        {**CHANGED, "name": "tw0"},
        "name",
        "The agent two (",
    ),
    (
        "/admin/agents/<id>/change",
        "agent",
        {**CHANGED, "name": "admin"},
        "name",
        "The user admin already exists. Choose a name that cannot be confused with it.",
    ),
    ("/admin/new/agent/add", "", {**AGENT, "name": ""}, "name", "This field is required."),
    ("/admin/new/agent/add", "", {**AGENT, "owners": "nobody-here"}, "owners", "no user nobody-h"),
    (
        "/admin/new/agent/add",
        "",
        {**AGENT, "auth_method": "private_key_jwt"},
        "jwks",
        "“Authentication method” private_key_jwt needs “Public keys”.",
    ),
    ("/admin/new/agent/add", "", {**AGENT, "jwks": "{"}, "jwks", "not JSON at line 1"),
    ("/admin/new/agent/add", "", {**AGENT, "expires_at": "soon"}, "expires_at", "a date such as"),
    ("/admin/new/agent/add", "", {**AGENT, "labels": "A B"}, "labels", "A B is not a valid label"),
    ("/admin/new/agent/add", "", {**AGENT, "scopes": "x"}, "scopes", "No resource has the scope x"),
    ("/admin/new/agent/add", "", {**AGENT, "name": "x" * 65}, "name", "at most 64"),
    (
        "/admin/new/agent/add",
        "",
        {**AGENT, "delivery": "ping"},
        "backchannel_client_notification_endpoint",
        "not allowed for poll",
    ),
    ("/admin/agents/<id>/keys/change", "agent", {"jwks": "[]"}, "jwks", "The key file"),
    ("/admin/new/invitation/add", "", {"owner": "no-one", **CIBA}, "owner", "no user no-one"),
    (
        "/admin/new/invitation/add",
        "",
        {"owner": "owner", "uses": "2000", **CIBA},
        "uses",
        "must be at most 1000",
    ),
    (
        "/admin/new/invitation/add",
        "",
        {"owner": "owner", "expires_at": "2030-01-01", **CIBA},
        "expires_at",
        "within 90 days",
    ),
    (
        "/admin/new/app/add",
        "",
        {**APP, "redirect_uris": "http://x"},
        "redirect_uris",
        "redirect URI",
    ),
    ("/admin/new/app/add", "", {**APP, "name": "one"}, "name", "The agent one ("),
    (
        "/admin/new/user/add",
        "",
        {"name": "0ne"},
        "name",
        "The agent one already exists. Choose a name",
    ),
    (
        "/admin/new/app/add",
        "",
        {**APP, "auth_method": "private_key_jwt"},
        "jwks",
        "“Public keys” is required for “Authentication method” private_key_jwt, and not allowed",
    ),
    ("/admin/new/group/add", "", {"name": "finance"}, "name", "The group finance already exists"),
    ("/admin/groups/<id>/change", "group", {"name": "x", "members": "no-one"}, "members", "no-one"),
    ("/admin/new/resource/add", "", {"uri": "pay"}, "uri", "The resource"),
    ("/admin/new/resource/add", "", {"uri": PAY}, "uri", "is already registered"),
    (
        "/admin/new/resource/add",
        "",
        {"uri": "https://a.example", "scopes": "a:read"},
        "scopes",
        "Enter a:read and exactly one word after it.",
    ),
    (
        "/admin/new/resource/add",
        "",
        {"uri": "https://a.example", "scopes": "a:read huge"},
        "scopes",
        "low",
    ),
    (
        "/admin/resources/<id>/change",
        "resource",
        {"scopes": "payments:read low", "requires": "payments:read no.such"},
        "requires",
        "There is no action type no.such",
    ),
    ("/admin/resources/<id>/change", "resource", {"token_seconds": "5"}, "token_seconds", "10 to"),
    ("/admin/new/action/add", "", {"document": "{"}, "document", "The file"),
    (
        "/admin/new/action/add",
        "",
        {"document": UNKNOWN_PLACEHOLDER},
        "document",
        "/headline: nothing is",
    ),
    (
        "/admin/new/action/preview",
        "",
        {"document": UNKNOWN_PLACEHOLDER},
        "document",
        "/headline: nothing is",
    ),
    (
        "/admin/new/action/preview",
        "",
        {"document": json.dumps(PAYMENT), "details": "{"},
        "details",
        "not JSON at line 1",
    ),
    (
        "/admin/new/action/preview",
        "",
        {"document": json.dumps(PAYMENT), "details": "{}"},
        "details",
        "amount is required by payment.transfer.",
    ),
    (
        "/admin/actions/<id>/change",
        "action",
        {"document": OTHER},
        "",
        "describes a different action type",
    ),
    ("/admin/new/user/add", "", {"name": "dora", "email": "x"}, "email", "not an email address"),
    ("/admin/users/<id>/change", "user", {"backup": "bystander"}, "backup", "their own backup"),
)
"""Per case: form path, kind of object, typed values, field with the error, and message."""


@pytest.mark.parametrize(("path", "about", "typed", "field", "says"), WRONG)
def test_an_error_is_shown_at_its_field(
    console: Console, path: str, about: str, typed: dict[str, str], field: str, says: str
) -> None:
    """The form keeps the typed values and links to the field, and nothing is stored."""
    before = len(console.staff.local.admin.entries())
    answer = _send(console, path, about, typed)
    assert answer.status_code in {404, 409, 422}, answer.text
    assert says in (_problem(answer.text, field) if field else html.unescape(answer.text))
    assert not field or f'href="#{field}"' in answer.text
    for name, value in typed.items():
        assert not value or _keeps(answer.text, name, value), name
    assert len(console.staff.local.admin.entries()) == before


def test_a_concurrent_change_is_shown_next_to_the_typed_value(console: Console) -> None:
    """The form has the new version, so that it can be sent again."""
    staff = console.staff
    agent = staff.ids["agent"]
    stale = console.document(f"/api/agents/{agent}")["version"]
    staff.local.admin.agents.update("one", AgentChanges(description="Pays rent"), by=BY)
    typed = {**AGENT, "name": "one", "description": "Pays bills", "version": stale}
    answer = console.post("admin", f"/admin/agents/{agent}/change", typed)
    assert answer.status_code == 412
    assert _keeps(answer.text, "description", "Pays bills")
    assert "Stored value: <bdi>Pays rent</bdi>" in answer.text
    fresh = console.document(f"/api/agents/{agent}")["version"]
    assert f'name="version" value="{fresh}"' in answer.text
    assert stale not in answer.text


def test_a_policy_does_not_undo_one_that_its_author_has_not_seen(console: Console) -> None:
    """The typed rules stay, and the next attempt compares them with those in force."""
    before, mine, theirs = (rule("deny", because=text) for text in ("One.", "Two.", "Three."))
    console.signed("admin", "/admin/policy/set", {"document": before, "version": "0"})
    seen = hidden(console.get("admin", "/admin/policy").text, "version")
    console.signed("admin", "/admin/policy/set", {"document": theirs, "version": seen})
    answer = console.post("admin", "/admin/policy/set", {"document": mine, "version": seen})
    assert (answer.status_code, "Someone else has changed this" in answer.text) == (412, True)
    assert mine in html.unescape(answer.text)
    again = hidden(answer.text, "version")
    answer = console.post("admin", "/admin/policy/set", {"document": mine, "version": again})
    assert "<del><bdi>because = &#34;Three.&#34;</bdi></del>" in answer.text


def test_changes_are_shown_before_they_are_signed(console: Console) -> None:
    """The old value is struck out; unchanged members are left out."""
    agent = console.staff.ids["agent"]
    page = console.get("admin", f"/admin/agents/{agent}/edit").text
    typed = {**_form_values(page), "description": "Pays bills", "name": "uno"}
    answer = console.post("admin", f"/admin/agents/{agent}/change", typed)
    changes = answer.text.partition('<dl class="asked">')[2].partition("</dl>")[0]
    assert re.findall(r"<dt>(.*?)</dt>", changes) == ["Name", "Description"]
    assert "<del><bdi>one</bdi></del> <ins><bdi>uno</bdi></ins>" in changes


def test_an_edit_form_submitted_unchanged_changes_nothing(console: Console) -> None:
    """Every form that edits an existing object stores nothing if no value was changed."""
    before = len(console.staff.local.admin.entries())
    for action in FORMS:
        if (
            action.values_from and action.fields and action.body is None
        ):  # this form sends a complete body
            sheet = page_at(action.page)
            about = console.staff.ids[action.values_from]
            page = console.get("admin", sheet.path.replace("<id>", about)).text
            form_html = page.partition(f'action="{action.path.replace("<id>", about)}"')[2]
            typed = _form_values(form_html.partition("</form>")[0])
            answer = console.post("admin", action.path.replace("<id>", about), typed)
            assert answer.status_code == 303, (action.path, answer.text)
    assert len(console.staff.local.admin.entries()) == before


def test_a_forged_forms_values_are_not_shown_again(console: Console) -> None:
    """Otherwise a user could submit them from our own form."""
    path, foreign_origin = "/admin/new/user/add", {"Origin": "https://evil.example"}
    for form, headers in (({"csrf": "guessed"}, {}), ({}, foreign_origin)):
        answer = console.post(
            "admin", path, {"name": "", "email": "evil@x.example", **form}, headers
        )
        assert (answer.status_code, "evil@x.example" in answer.text) == (403, False)


def test_a_form_of_an_earlier_sign_in_is_shown_again(console: Console) -> None:
    """The person submits what they typed with the token of the new sign-in."""
    before = len(console.staff.local.admin.entries())
    typed = {"csrf": "of an earlier sign-in", "name": "dora"}
    page = console.post("admin", "/admin/new/user/add", typed)
    assert (page.status_code, "You signed in again" in page.text) == (403, True)
    assert _keeps(page.text, "name", "dora")
    assert f'name="csrf" value="{console.csrf("admin")}"' in page.text
    assert len(console.staff.local.admin.entries()) == before


def test_the_sign_in_keeps_a_form_that_one_of_our_pages_sent(console: Console) -> None:
    """A form without fields leads back to its page, and values from other sites are dropped."""
    typed = {"name": "dora", "csrf": "x", "statement": "y"}
    page = console.post(NOBODY, "/admin/new/user/add", typed).text
    assert '<form id="next" method="post" action="/admin/new/user/add">' in page
    assert re.findall('type="hidden" name="([^"]+)" value="([^"]+)"', page) == [("name", "dora")]
    page = console.post(NOBODY, "/admin/new/user/add", typed, {}).text
    assert "dora" not in page
    page = console.post(NOBODY, "/admin/users/some/disable", typed).text
    assert '<form id="next" method="get" action="/admin/users/some"></form>' in page


@pytest.mark.parametrize("at", ["approvals", "grants", "consents", "delegations", "devices"])
def test_a_filter_for_an_unknown_user_keeps_the_form(console: Console, at: str) -> None:
    """The page shows the error, and the text in the form can be corrected."""
    page = console.get("admin", f"/admin/{at}?user=typo")
    assert page.status_code == 404
    assert "There is no user typo." in page.text
    assert 'name="user" value="typo"' in page.text
    unfiltered = console.get("admin", f"/admin/{at}?user=")
    assert (unfiltered.status_code, "There is no user" in unfiltered.text) == (200, False)


@pytest.mark.parametrize(("at", "kept"), [("users", "owner"), ("agents", "two")])
def test_a_list_is_searched_and_keeps_the_text(console: Console, at: str, kept: str) -> None:
    """The page lists the matches; without any, it says so and keeps the form."""
    page = console.get("admin", f"/admin/{at}?search={kept[:3].upper()}").text
    assert kept in page
    assert f'name="search" maxlength="120" value="{kept[:3].upper()}"' in page
    page = console.get("admin", f"/admin/{at}?search=%3Cnothing").text
    assert f"No {at} match." in page
    assert 'value="&lt;nothing"' in page
    assert kept not in page


def test_the_console_does_not_disable_the_last_administrator(console: Console) -> None:
    """The page says why, next to the button and at the field of the roles."""
    console.staff.local.admin.users.disable("first", by=BY)
    path = f"/admin/users/{console.staff.people['admin'].user.id}"
    refused = console.post("admin", f"{path}/disable")
    assert refused.status_code == 409
    assert "admin is the last enabled administrator." in refused.text
    version = console.document(f"/api{path.removeprefix('/admin')}")["version"]
    changed = console.post("admin", f"{path}/change", {"version": version, "roles-auditor": "1"})
    assert changed.status_code == 409
    assert "admin is the last enabled administrator." in _problem(changed.text, "roles")


def test_a_refused_explanation_does_not_empty_the_policy_editor(console: Console) -> None:
    """The page of the policy has both forms."""
    answer = console.post("admin", "/admin/explain", {"agent": "no-one", "flow": "request"})
    assert answer.status_code == 404
    assert console.document("/api/policy")["document"] in html.unescape(answer.text)


def test_typed_text_is_escaped_everywhere(console: Console) -> None:
    """Its field, the error that repeats it, and the signing page escape the text."""
    hostile = '"><script>alert(1)</script>\u202e'
    for field in ("name", "owners", "scopes", "only", "external_id"):
        answer = _send(console, "/admin/new/agent/add", "", {**AGENT, field: hostile})
        assert answer.status_code in {404, 422}
        assert "<script>alert" not in answer.text


def test_an_error_in_an_advanced_field_is_visible(console: Console) -> None:
    """The advanced fields are collapsed unless one of them has an error."""
    folded = '<details class="advanced"><summary>Advanced'
    assert folded in console.get("admin", "/admin/new/agent").text
    answer_for_visible_field = _send(
        console, "/admin/new/agent/add", "", {**AGENT, "scopes": "x"}
    ).text
    assert folded in answer_for_visible_field
    answer = _send(console, "/admin/new/agent/add", "", {**AGENT, "token_seconds": "1"}).text
    assert '<details class="advanced" open>' in answer


def test_an_action_type_is_previewed_before_it_is_registered(console: Console) -> None:
    """The preview uses an example or the given details, and escapes them."""
    typed = {"document": json.dumps({**PAYMENT, "type": "pay.more"})}
    page = console.post("admin", "/admin/new/action/preview", typed).text
    preview = page.partition('id="preview"')[2]
    assert "Pay EUR 4,820.00 to payee" in preview
    assert "To approve" in preview
    assert _keeps(page, "document", typed["document"])
    hostile = "<script>alert(1)</script>\u202e"
    details = {"amount": {"minor": 1, "currency": "EUR"}, "payee": hostile}
    form = {**typed, "details": json.dumps(details)}
    page = console.post("admin", "/admin/new/action/preview", form).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.partition('id="preview"')[2]
    assert "<script>alert" not in page
    assert "\u202e" not in page


def test_a_role_without_permission_gets_no_form_back(console: Console) -> None:
    """A refused role gets no form, even if its input is invalid too."""
    typed = {"csrf": console.csrf("auditor"), "name": ""}
    answer = console.post("auditor", "/admin/new/agent/add", typed)
    assert (answer.status_code, 'name="csrf"' in answer.text) == (403, False)


def test_every_form_field_is_a_member_of_the_api() -> None:
    """Otherwise an API error could not be shown at a field."""
    rows = {route.name: route for route in ADMIN_ROUTES}
    for action in (form for form in FORMS if form.in_console):
        body: Any = rows[action.route].body
        if body is not ActionDocument:
            own = {field.name for field in action.fields if not field.stored_name}
            assert own <= set(body.model_fields if body else ()), action.path


def _send(console: Console, path: str, about: str, typed: dict[str, str]) -> Any:
    about_id = console.staff.ids.get(about, "")
    form = dict(typed)
    if about:
        form["version"] = console.document(f"/api/{about}s/{about_id}")["version"]
    return console.post("admin", path.replace("<id>", about_id), form)


def _problem(page: str, field: str) -> str:
    match = re.search(rf'id="{field}-problem"><bdi>(.*?)</bdi>', page)
    return html.unescape(match[1]) if match else ""


def _keeps(page: str, name: str, value: str) -> bool:
    """Tell whether the field has the value, or whether the value's box is ticked."""
    filled = _form_values(page)
    return filled.get(name) == value or f"{name}-{value}" in filled


def _form_values(page: str) -> dict[str, str]:
    """Return what a browser would send for the fields of a page."""
    values = {}
    for tag in re.findall(r"<input [^>]*>", page):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        is_sent = attributes.get("type") != "checkbox" or " checked" in tag
        if is_sent and "name" in attributes:
            values[attributes["name"]] = html.unescape(attributes.get("value", ""))
    for name, inside in re.findall(
        r'<textarea [^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL
    ):
        values[name] = html.unescape(inside)
    for name, inside in re.findall(
        r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL
    ):
        values[name] = html.unescape(re.findall(r'value="([^"]*)" selected', inside)[0])
    return values
