"""A page as a row: where it is, what draws it, who may see it, and how it loads.

Owns: what a row says. Never: how it becomes an answer to a browser; `serving.py` does that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from werkzeug.wrappers import Response as AnyResponse

if TYPE_CHECKING:
    from server.web.visit import Visit

Facts: TypeAlias = dict[str, Any]
"""What a template is drawn from, by name."""
CONSOLE: Final = "/admin"


@dataclass(frozen=True, slots=True)
class Read:
    """One question of a page to the API."""

    fact: str
    """Under which name the template has the answer."""
    row: str
    query: tuple[str, ...] = ()
    """Which of the page's own parameters are sent."""
    fixed: tuple[tuple[str, str], ...] = ()
    about: str = ""
    """The parameter for the page's `<id>`, where the row's path has no `<id>`."""
    optional: bool = False
    """A person who may not read it sees the page without it."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a signed-in person."""

    path: str
    template: str
    at: str = ""
    """The menu entry it belongs to."""
    reads: tuple[Read, ...] = ()
    """The first one decides who sees the page."""
    load: "Callable[[Visit], Facts | AnyResponse] | None" = None
    """Loads what no row of the API has; a response sends the browser elsewhere."""
    draw: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    """Makes more facts, such as charts, from what was read."""
    form: str = ""
    """The path of the form that the page is."""
    intro: str = ""
    """What a person should know before they fill it in."""

    @property
    def in_console(self) -> bool:
        """Reports whether it has the console's frame and menu."""
        return in_console(self.path)


def in_console(path: str) -> bool:
    """Reports whether a path is one of the console's."""
    return path == CONSOLE or path.startswith(f"{CONSOLE}/")


def console_list(at: str, template: str, row: str, *query: str) -> Page:
    """A page of the console that is one list, page by page."""
    return Page(f"{CONSOLE}/{at}", template, at, (Read(at, row, (*query, "cursor")),))


def form_page(
    path: str, form: str, at: str, *reads: Read, intro: str = "", template: str = ""
) -> Page:
    """A page of the console that is one form."""
    return Page(path, template or "console_form.html", at, reads, form=form, intro=intro)


def confirmation(path: str, form: str, at: str, *reads: Read, intro: str) -> Page:
    """A page of the console that says what a form ends, before it is sent."""
    return form_page(path, form, at, *reads, intro=intro, template="console_confirmation.html")
