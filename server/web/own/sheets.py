"""What a page of this folder is made of: its template, its place in the menu, what it may ask.

Owns: what all of them have alike. Never: what one of them is about.
"""

from typing import Any, Final

from flask import request

from server.http import cookies
from server.http.site import Site
from server.protocol import errors
from server.web.calls import Document
from server.web.person_forms import Sent, calls_of
from server.web.person_pages import Sheet

ENDED: Final = "ended"
"""The parameter with which a list shows what is over too."""
_DONE: Final = "done"


def sheet(template: str, at: str, **facts: object) -> Sheet:
    """A page with forms that lead to this server and nowhere else."""
    shown: dict[str, Any] = {
        "at": at,
        "done": request.args.get(_DONE, ""),
        "ended": is_ended(),
        **facts,
    }
    return f"own/{template}", shown


def is_ended() -> bool:
    """Reports whether the page is asked for what is over too."""
    return request.args.get(ENDED) == "true"


def listed(site: Site, row: str, *parameters: str, **fixed: str) -> Document:
    """What a row of the API lists, with those of the page's own parameters. Raises Problem."""
    own = {name: value for name in parameters if (value := request.args.get(name, "").strip())}
    return calls_of(site).read(row, query={**fixed, **own})


def check_origin(site: Site, sent: Sent) -> None:
    """Refuse what another site sent, where no row of the API does. Raises errors.Problem 403."""
    cookie = cookies.known(request.cookies.get(cookies.name(site.rules), ""))
    ours = cookies.is_from_here(site.rules, sent.calls.headers)
    if not ours or not site.browsers.is_from_page(cookie, sent.form.get("csrf")):
        raise errors.Problem(403, "stale_page", "This page is out of date. Load it again.")
