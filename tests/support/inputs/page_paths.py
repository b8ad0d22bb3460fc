"""The addresses at which the application has pages, asked of it itself, and what draws them."""

import re
from pathlib import Path
from typing import Final

from flask import Flask

from server import app
from server.http.routes import ROUTES

_TEMPLATES: Final = Path(app.__file__).parent / "web" / "templates"
_USED: Final = re.compile(r"""{% (?:extends|import|from|include) "([^"]+)" """)


def page_templates() -> set[str]:
    """The templates that are pages; what others extend or import is no page of its own."""
    every = {str(path.relative_to(_TEMPLATES)) for path in _TEMPLATES.rglob("*.html")}
    return every - {name for one in every for name in _USED.findall((_TEMPLATES / one).read_text())}


def page_forms(served: Flask) -> list[str]:
    """The rules that take a form of a page, and nothing of a program."""
    rows = {route.name for route in ROUTES}
    return sorted(
        rule.rule
        for rule in served.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and rule.endpoint not in rows
    )


def pages(served: Flask) -> set[str]:
    """The rules that answer GET with a page; which do is known by asking, where nothing is named.

    Whatever names something is a page, for files and the rows of the API do not.
    """
    rows, client = {route.name for route in ROUTES}, served.test_client()
    rules = {
        rule.rule: bool(rule.arguments)
        for rule in served.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint not in rows
    }
    return {
        rule
        for rule, named in rules.items()
        if named or client.get(rule, headers={"Accept": "text/html"}).mimetype == "text/html"
    }
