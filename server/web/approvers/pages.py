"""The page and form rows about deputies and groups."""

from collections.abc import Callable
from typing import Final

from server.protocol.approvals import decisions
from server.protocol.forms import Form
from server.services.approvers import deputies
from server.services.approvers.group_members import GROUP_MEMBERS
from server.services.devices.statements import signed_subject
from server.web import days
from server.web.calls import Document
from server.web.choices import USERS
from server.web.console.member_fields import fields
from server.web.fields import Field
from server.web.form import FormAction, Signed, acts, changes, creates, deletes, statement
from server.web.page import Read, console_list, delete_page, new_page, record_page
from server.web.visit import Visit

_GROUP: Final = Read("group", "GET /api/groups/<id>")
_GROUP_FIELDS: Final = fields(GROUP_MEMBERS, "new")


def _deputy_body(form: Form) -> object:
    """The body that names a deputy from the start of one day to the end of another, in UTC."""
    return {
        "deputy": form.get("deputy") or "",
        "from": _moment("from", form, days.start_of_day),
        "to": _moment("to", form, days.start_of_next_day),
        **statement(form),
    }


def _deputy_statement(visit: Visit, body: Document) -> Signed:
    """The statement to sign for a deputy. Raises errors.Problem if the deputy is invalid."""
    requested_deputy = deputies.RequestedDeputy(body["deputy"], body["from"], body["to"])
    visit.site.approvers.deputies.check(visit.person, requested_deputy)
    nonce = visit.statement_nonce()
    subject = signed_subject(nonce, body["deputy"], body["from"], body["to"])
    return Signed(decisions.DEPUTY, subject, nonce)


def _moment(name: str, form: Form, convert: Callable[[str], str]) -> str:
    try:
        return convert(form.get(name) or "")
    except (ValueError, OverflowError):
        raise ValueError(f"`{name}` must be a date such as 2026-12-24") from None


PAGES: Final = (
    console_list("approvers/deputies", "GET /api/admin/deputies"),
    console_list("approvers/groups", "GET /api/groups"),
    new_page("group", USERS, intro="Policy rules and agents refer to a group by its name."),
    record_page("approvers/group", _GROUP, USERS),
    delete_page(
        "group",
        _GROUP,
        intro="You cannot delete a group while a policy rule or an agent names it. Its members "
        "keep their accounts.",
    ),
)

FORMS: Final = (
    FormAction(
        "/settings/deputies",
        "POST /api/deputies",
        "Add a deputy",
        body=_deputy_body,
        fields=(
            Field("deputy", "Deputy"),
            Field("from", "First day"),
            Field("to", "Last day"),
        ),
        page="/settings",
        signs=_deputy_statement,
        then="/settings?done=deputy",
    ),
    FormAction(
        "/settings/deputies/<id>/end", "DELETE /api/deputies/<id>", then="/settings?done=alone"
    ),
    acts("POST /api/admin/deputies/<id>/revoke", "Revoke this deputy", then="/admin/deputies"),
    creates("group", "Add a group", _GROUP_FIELDS, then="/admin/groups"),
    changes("group", "Change this group", _GROUP_FIELDS, page=""),
    deletes("group", "Delete this group"),
)
