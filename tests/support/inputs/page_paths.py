"""The paths at which the application has pages, read from the application, and their templates."""

import re
from pathlib import Path
from typing import Final

from flask import Flask

from server import app
from server.http.routes import ROUTES

_TEMPLATES: Final = Path(app.__file__).parent / "web" / "templates"
_USED_TEMPLATE: Final = re.compile(r"""{% (?:extends|import|from|include) "([^"]+)" """)


def page_templates() -> set[str]:
    """Return the templates of pages, without those that other templates extend or import."""
    every = {str(path.relative_to(_TEMPLATES)) for path in _TEMPLATES.rglob("*.html")}
    return every - {
        name for page in every for name in _USED_TEMPLATE.findall((_TEMPLATES / page).read_text())
    }


def page_forms(served: Flask) -> list[str]:
    """Return the rules that take a form of a page, not those of the API."""
    rows = {route.name for route in ROUTES}
    return sorted(
        rule.rule
        for rule in served.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and rule.endpoint not in rows
    )


def pages(served: Flask) -> set[str]:
    """Return the rules that answer GET with a page.

    A rule with arguments is a page, because files have none. A rule without arguments is requested
    to see whether it answers with HTML.
    """
    rows, client = {route.name for route in ROUTES}, served.test_client()
    rules = {
        rule.rule: bool(rule.arguments)
        for rule in served.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint not in rows
    }
    return {
        rule
        for rule, has_arguments in rules.items()
        if has_arguments
        or client.get(rule, headers={"Accept": "text/html"}).mimetype == "text/html"
    }
