"""A form as a row: what it sends to which row of the API, and what it says afterwards.

Owns: what a row says. Never: a rule; the API has those, and `serving.py` sends.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    """What a statement must say, besides who says it and when."""

    purpose: str
    subject: str
    nonce: str


@dataclass(frozen=True, slots=True)
class FormAction:
    """One form."""

    path: str
    row: str = ""
    """The row of the API that it calls."""
    label: str = ""
    """What it does, as its heading and its button say."""
    body: Callable[[Form], object] | None = None
    """Makes the body. ValueError says what is wrong with the form."""
    fields: tuple[Field, ...] = ()
    """What there is to fill in; the body is made from it, unless `body` makes it."""
    signs: "Callable[[Visit, Document], Signed] | None" = None
    """What the passkey signs into the body's `statement`; other rows say that themselves."""
    then: str = ""
    """Where the browser goes when it is done; `<id>` is what the form was about."""
    answer: str = ""
    """The template that shows the API's answer, where that is shown once."""
    draw: Callable[[Mapping[str, Any]], Facts] | None = None
    """Makes more facts for that template from the answer."""
    page: str = ""
    """The page that has the form, which is shown again with what was typed when it is refused."""
    shows: bool = False
    """The API's answer is shown on that page as `told`, beside what was typed."""
    of: str = ""
    """The page's fact that the form changes, which fills the fields."""
    merge: Callable[[dict[str, Any], Mapping[str, Any]], object] | None = None
    """Merges the body with what is stored; the version keeps the two together."""
    does: "Callable[[Visit, Form], Facts | AnyResponse] | None" = None
    """In place of one call of a row: facts are shown on `page`."""

    @property
    def in_console(self) -> bool:
        """Reports whether it is a form of the console."""
        return in_console(self.path)

    def sends(self, form: Form, document: Mapping[str, Any] | None) -> object:
        """The body; None for none. Raises ValueError, of which fields.Wrong names its field."""
        if self.body is not None:
            return self.body(form)
        if not self.fields:
            return None
        sent = fields.body(self.fields, form, document)
        return sent if self.merge is None or document is None else self.merge(sent, document)


def text_of(form: Form, name: str) -> str:
    """What was typed in a field, with the line ends of files."""
    return (form.get(name) or "").replace("\r\n", "\n")


def number_of(form: Form, name: str, label: str = "") -> int | None:
    """A whole number; None where nothing was typed. Raises ValueError."""
    text = form.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal():
        raise ValueError(f"{label or name.replace('_', ' ')} must be a whole number")
    return int(text)


def statement(form: Form) -> dict[str, str]:
    """A body that is nothing but what the passkey signed."""
    return {"statement": form.get("statement") or ""}


def overlap(form: Form) -> object:
    """How long old secrets go on working."""
    return {"overlap": number_of(form, "overlap") or 0}
