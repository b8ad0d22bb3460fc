"""The pages beside a request on which a person says more than yes or no, and those of what is over.

Owns: their table. Never: what stands on them.
"""

from typing import Final

from flask import Flask

from server.http.site import Site
from server.web import (
    done_page,
    history_page,
    limit_page,
    receipt_page,
    report_page,
    similar_page,
)
from server.web.person_pages import add_page

_PAGES: Final = (
    ("GET", "/r/<id>/limit", limit_page.show),
    ("POST", "/r/<id>/limit", limit_page.compare),
    ("GET", "/r/<id>/similar", similar_page.show),
    ("POST", "/r/<id>/similar", similar_page.ask),
    ("GET", "/r/<id>/report", report_page.show),
    ("GET", "/done/<id>", done_page.show),
    ("POST", "/done/<id>/revoke", done_page.revoke),
    ("GET", "/history", history_page.show),
    ("GET", "/receipt/<id>", receipt_page.show),
)


def add_answer_pages(app: Flask, site: Site) -> None:
    """Give the pages and their forms to Flask."""
    for method, path, view in _PAGES:
        add_page(app, site, method, path, view)
