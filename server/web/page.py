"""A page as a table row: its path, template, access and data.

Owns: what a row declares. Never: the response; `serving.py` makes it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from werkzeug.wrappers import Response as AnyResponse

if TYPE_CHECKING:
    from server.web.visit import Visit

Facts: TypeAlias = dict[str, Any]
"""The variables of a template."""
Sentence: TypeAlias = tuple[str | int, ...]
"""Text for a template; numbers in it are times, in milliseconds."""
CONSOLE: Final = "/admin"
TEN: Final = (("limit", "10"),)
"""The parameters of a short list."""


@dataclass(frozen=True, slots=True)
class Read:
    """One API call of a page."""

    fact: str
    """The template variable for the response."""
    route: str
    query: tuple[str, ...] = ()
    """The query parameters of the page that are passed to the API; `from` and `to` are days."""
    fixed_parameters: tuple[tuple[str, str], ...] = ()
    id_parameter: str = ""
    """The query parameter for the page's `<id>`, if the route's path has no `<id>`."""
    optional: bool = False
    """If the person may not call it, the page is shown without it."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a signed-in person."""

    path: str
    template: str
    menu_key: str = ""
    """Its menu entry."""
    reads: tuple[Read, ...] = ()
    """The API calls. The first one decides who may see the page."""
    load: "Callable[[Visit], Facts | AnyResponse] | None" = None
    """Loads data that no API route returns. A response that it returns replaces the page."""
    draw: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    """Makes more variables from the responses, such as charts."""
    form: str = ""
    """The path of the form, for a page that is only a form."""
    intro: str = ""
    """The text above the form."""

    @property
    def in_console(self) -> bool:
        """Whether the page belongs to the console."""
        return in_console(self.path)


def in_console(path: str) -> bool:
    """Return whether a path belongs to the console."""
    return path == CONSOLE or path.startswith(f"{CONSOLE}/")


def console_list(name: str, route: str, *query: str) -> Page:
    """A console page with one paginated list. `name` is its template's folder and its own name."""
    folder, at = name.split("/")
    template = f"{folder}/console_{at}.html"
    return Page(f"{CONSOLE}/{at}", template, at, (Read(at, route, (*query, "cursor")),))


def record_page(
    name: str, *reads: Read, draw: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
) -> Page:
    """The console page of one record. `name` is its template's folder and the record's noun."""
    folder, noun = name.split("/")
    template = f"{folder}/console_{noun}.html"
    return Page(f"{CONSOLE}/{noun}s/<id>", template, f"{noun}s", reads, draw=draw)


def recent_approvals(id_parameter: str) -> Read:
    """The ten newest requests of the page's agent or user."""
    return Read(
        "recent", "GET /api/admin/approvals", fixed_parameters=TEN, id_parameter=id_parameter
    )


def form_page(
    path: str, form: str, menu: str, *reads: Read, intro: str = "", template: str = ""
) -> Page:
    """A console page with only a form."""
    return Page(path, template or "console_form.html", menu, reads, form=form, intro=intro)


def confirmation(path: str, form: str, menu: str, *reads: Read, intro: str) -> Page:
    """A console page that asks for confirmation before a form is sent."""
    return form_page(path, form, menu, *reads, intro=intro, template="console_confirmation.html")


def new_page(noun: str, *reads: Read, intro: str, template: str = "") -> Page:
    """The console page with the form that creates a record."""
    path = f"{CONSOLE}/new/{noun}"
    return form_page(path, f"{path}/add", f"{noun}s", *reads, intro=intro, template=template)


def edit_page(noun: str, *reads: Read, part: str = "", intro: str = "", template: str = "") -> Page:
    """The console page with the form that changes a record, or a `part` of it."""
    path, form = f"{CONSOLE}/{noun}s/<id>{part or '/edit'}", f"{CONSOLE}/{noun}s/<id>{part}/change"
    return form_page(path, form, f"{noun}s", *reads, intro=intro, template=template)


def delete_page(noun: str, read: Read, *, intro: str) -> Page:
    """The console page that asks before a record is deleted."""
    path = f"{CONSOLE}/{noun}s/<id>/delete"
    return confirmation(path, path, f"{noun}s", read, intro=intro)
