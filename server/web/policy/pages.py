"""The page and form rows about policy and action types."""

from typing import Any, Final

from server.protocol.forms import Form
from server.web import fields
from server.web.console import client_fields
from server.web.fields import Field
from server.web.form import FormAction, creates, deletes, number_of, text_of
from server.web.page import Page, Read, console_list, delete_page, edit_page, new_page, record_page

_ACTION: Final = Read("action", "GET /api/actions/<id>")


def _policy_body(form: Form) -> object:
    """The body that sets a rule set."""
    return {"document": text_of(form, "document")}


def _test_body(form: Form) -> object:
    """The body that tests the rules in the form."""
    return {"table": text_of(form, "table"), "policy": text_of(form, "document")}


def _replay_body(form: Form) -> object:
    """The body that replays past requests with the rules in the form."""
    days = number_of(form, "days") or 7
    return {"last": 86_400 * days, "policy": text_of(form, "document")}


def _explain_body(form: Form) -> object:
    """The body that explains one request."""
    details = form.get("authorization_details")
    body: dict[str, Any] = {
        "agent": form.get("agent") or "",
        "flow": form.get("flow") or "request",
        "scope": (form.get("scope") or "").split(),
    }
    if details is not None:
        body["authorization_details"] = fields.as_json("authorization_details", details)
    optional = {"user": form.get("user"), "resource": form.get("at")}
    return body | {name: value for name, value in optional.items() if value}


def _action_body(form: Form) -> bytes:
    """The file of an action type."""
    return text_of(form, "document").encode()


def _preview_body(form: Form) -> object:
    """The body that previews a file, with details if given."""
    text = form.get("details")
    return {
        "document": text_of(form, "document"),
        "details": None if text is None else fields.as_json("details", text),
    }


def _preview_form(path: str, page: str) -> FormAction:
    """The button of a page that previews the file in the form."""
    return FormAction(
        path,
        "POST /api/actions/preview",
        "Preview the request",
        body=_preview_body,
        fields=client_fields.ACTION,
        page=page,
        shows_response=True,
    )


PAGES: Final = (
    Page(
        "/admin/policy",
        "policy/console_policy.html",
        "policy",
        (Read("policy", "GET /api/policy"),),
    ),
    console_list("policy/actions", "GET /api/actions"),
    new_page(
        "action",
        intro="An action type defines what agents can request and what approvers see.",
        template="policy/console_action_form.html",
    ),
    record_page("policy/action", _ACTION),
    edit_page(
        "action",
        _ACTION,
        intro="New requests use the new version. Pending requests keep the version they were "
        "shown with. Standing grants for this type end.",
        template="policy/console_action_form.html",
    ),
    delete_page(
        "action",
        _ACTION,
        intro="You cannot delete an action type while a scope needs it. Pending requests for it "
        "can no longer be approved, its standing grants end, and no agent can ask for it. The "
        "audit log keeps past requests.",
    ),
)

FORMS: Final = (
    FormAction(
        "/admin/policy/set",
        "POST /api/policy",
        "Activate these rules",
        body=_policy_body,
        fields=(Field("document", "Policy file (TOML)", "file"),),
        page="/admin/policy",
        values_from="policy",
        then="/admin/policy",
    ),
    *(
        FormAction(
            f"/admin/policy/{path}",
            f"POST /api/policy/{path}",
            label,
            body,
            (),
            page="/admin/policy",
            answer="policy/console_policy.html",
        )
        for path, label, body in (
            ("test", "Test these rules against cases", _test_body),
            ("dry-run", "Replay past requests against these rules", _replay_body),
        )
    ),
    FormAction(
        "/admin/explain",
        "POST /api/policy/explain",
        "Explain the decision",
        body=_explain_body,
        page="/admin/policy",
        answer="policy/console_explanation.html",
    ),
    creates(
        "action",
        "Register an action type",
        client_fields.ACTION,
        body=_action_body,
        then="/admin/actions",
    ),
    _preview_form("/admin/new/action/preview", "/admin/new/action"),
    FormAction(
        "/admin/actions/<id>/change",
        "PUT /api/actions/<id>",
        "Replace this action type with a new version",
        fields=client_fields.ACTION,
        page="/admin/actions/<id>/edit",
        values_from="action",
        merge=client_fields.file_of,
        then="/admin/actions/<id>",
    ),
    _preview_form("/admin/actions/<id>/preview", "/admin/actions/<id>/edit"),
    deletes("action", "Delete this action type"),
)
