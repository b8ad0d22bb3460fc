"""A form as a table row: the API route that it calls, its body, and what is shown afterwards.

Owns: what a row declares. Never: business rules; the API has them, and `serving.py` makes the
calls.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from werkzeug.wrappers import Response as AnyResponse

from server.protocol.forms import Form
from server.web import fields
from server.web.calls import Document
from server.web.fields import Field
from server.web.page import Facts, in_console

if TYPE_CHECKING:
    from server.web.visit import Visit


@dataclass(frozen=True, slots=True)
class Signed:
    """The contents of a statement, besides its signer and time."""

    purpose: str
    subject: str
    nonce: str


@dataclass(frozen=True, slots=True)
class FormAction:
    """One form."""

    path: str
    route: str = ""
    """The API route that it calls."""
    label: str = ""
    """The text of its heading and button."""
    body: Callable[[Form], object] | None = None
    """Makes the request body. Raises ValueError if the form is invalid."""
    fields: tuple[Field, ...] = ()
    """Its fields, which make the request body unless there is a `body`."""
    signs: "Callable[[Visit, Document], Signed] | None" = None
    """Makes the `statement` that the passkey signs. Other routes request it themselves."""
    then: str = ""
    """Where the browser goes after success; `<id>` is the id in the form's path."""
    answer: str = ""
    """The template that shows the API's response, for a response that is shown only once."""
    draw: Callable[[Mapping[str, Any]], Facts] | None = None
    """Makes more variables for that template from the response."""
    page: str = ""
    """The page with the form, which is shown again if the form is refused."""
    shows_response: bool = False
    """If true, that page shows the API's response, in the variable `told`."""
    values_from: str = ""
    """The page's variable with the stored values of the fields."""
    merge: Callable[[dict[str, Any], Mapping[str, Any]], object] | None = None
    """Merges the body with the stored values. `If-Match` protects against concurrent changes."""
    handler: "Callable[[Visit, Form], Facts | AnyResponse] | None" = None
    """Runs instead of an API call. Variables that it returns are passed to `page`."""

    @property
    def in_console(self) -> bool:
        """Whether it is a form of the console."""
        return in_console(self.path)

    def request_body(self, form: Form, document: Mapping[str, Any] | None) -> object:
        """The request body, or None. Raises ValueError; `InvalidField` names the field."""
        if self.body is not None:
            return self.body(form)
        if not self.fields:
            return None
        members = fields.body(self.fields, form, document)
        return members if self.merge is None or document is None else self.merge(members, document)


def text_of(form: Form, name: str) -> str:
    """The submitted text of a field, with Unix line breaks."""
    return (form.get(name) or "").replace("\r\n", "\n")


def number_of(form: Form, name: str, label: str = "") -> int | None:
    """The whole number in a field; None if it is empty. Raises ValueError."""
    text = form.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > fields.MAX_DIGITS:
        raise ValueError(f"{label or name.replace('_', ' ')} must be a whole number")
    return int(text)


def texts(*names: str) -> Callable[[Form], dict[str, str]]:
    """Makes a body with the texts of these fields; an empty field is an empty string."""
    return lambda form: {name: form.get(name) or "" for name in names}


statement: Final = texts("statement")
"""Makes a body with only the signed statement."""


def creates(  # one parameter for each column
    noun: str,
    label: str,
    fields: tuple[Field, ...],
    *,
    body: Callable[[Form], object] | None = None,
    answer: str = "",
    then: str = "",
) -> FormAction:
    """The form of the console that creates a record."""
    page = f"/admin/new/{noun}"
    route = f"POST /api/{noun}s"
    return FormAction(
        f"{page}/add", route, label, body, fields, page=page, answer=answer, then=then
    )


def changes(  # one parameter for each column
    noun: str,
    label: str,
    fields: tuple[Field, ...],
    *,
    part: str = "",
    page: str = "/edit",
    merge: Callable[[dict[str, Any], Mapping[str, Any]], object] | None = None,
) -> FormAction:
    """The form of the console that changes a record, or a `part` of it that has its own page."""
    record = f"/admin/{noun}s/<id>"
    return FormAction(
        f"{record}{part}/change",
        f"PATCH /api/{noun}s/<id>",
        label,
        fields=fields,
        page=record + (part or page),
        values_from=noun,
        merge=merge,
        then=record,
    )


def deletes(noun: str, label: str, *, answer: str = "") -> FormAction:
    """The form of the console that deletes a record."""
    path = f"/admin/{noun}s/<id>/delete"
    return FormAction(
        path,
        f"DELETE /api/{noun}s/<id>",
        label,
        page=path,
        values_from=noun,
        answer=answer,
        then="" if answer else f"/admin/{noun}s",
    )


def acts(  # noqa: PLR0913  # one parameter for each column
    route: str,
    label: str,
    *,
    body: Callable[[Form], object] | None = None,
    fields: tuple[Field, ...] = (),
    page: bool = False,
    answer: str = "",
    then: str = "",
) -> FormAction:
    """A button of the console for one API route; `page` if the record's page has its form."""
    path = "/admin" + route.partition("/api")[2].removeprefix("/admin")
    record = path.rpartition("/")[0]
    return FormAction(
        path,
        route,
        label,
        body,
        fields,
        page=record if page else "",
        answer=answer,
        then="" if answer else then or record,
    )
