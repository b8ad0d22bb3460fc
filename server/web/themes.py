"""How a person wants the pages to look in this browser: light, dark, high contrast, as the system.

Owns: the cookie that says it, which works without scripts and before the first line is drawn.
Never: anything of the person; whoever else uses the browser sees the same.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from server.http.site import Site

SYSTEM: Final = "system"
THEMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        SYSTEM: "System",
        "light": "Light",
        "dark": "Dark",
        "contrast": "High contrast",
    }
)
_COOKIE: Final = "sayso-theme"
_YEAR: Final = 365 * 24 * 60 * 60


def wanted() -> str:
    """The theme that this request's browser wants; anything unknown is the system's."""
    value = request.cookies.get(_COOKIE, "")
    return value if value in THEMES else SYSTEM


def with_theme(site: Site, response: AnyResponse, theme: str) -> AnyResponse:
    """Have the browser want this one for a year."""
    response.set_cookie(
        _COOKIE,
        theme,
        path="/",
        max_age=_YEAR,
        secure=site.rules.issuer.startswith("https:"),
        httponly=True,
        samesite="Lax",  # a link in a mail must not flash in another theme
    )
    return response
