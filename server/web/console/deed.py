"""One form of the console: what it sends, to which row of the API, and where that leads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from server.protocol.forms import Form
from server.web.console import fields
from server.web.console.fields import Field


@dataclass(frozen=True, slots=True)
class Deed:
    """One form."""

    path: str
    row: str
    words: str
    """What it does, for whoever is about to sign it."""
    body: Callable[[Form], object] | None = None
    """ValueError says what is wrong with the form."""
    then: str = ""
    """Where the browser goes when it is done; `<id>` is what the form was about."""
    told: str = ""
    """The template that shows what the API answered, where that is told once."""
    fields: tuple[Field, ...] = ()
    """What there is to fill in; the body is made of them, unless `body` makes it."""
    page: str = ""
    """Where its form stands; that page comes again, with what was typed, where it is refused."""
    shows: bool = False
    """What the API answered is shown on that page as `told`, beside what was typed."""
    of: str = ""
    """Under which name that page knows what the form is about, which fills the fields."""

    beside: Callable[[dict[str, Any], Mapping[str, Any]], object] | None = None
    """What the body becomes beside what is stored; the version keeps the two together."""

    def sends(self, form: Form, document: Mapping[str, Any] | None) -> object:
        """The body; None for none. Raises ValueError, of which fields.Wrong names its field."""
        if self.body is not None:
            return self.body(form)
        if not self.fields:
            return None
        sent = fields.body(self.fields, form, document)
        return sent if self.beside is None or document is None else self.beside(sent, document)
