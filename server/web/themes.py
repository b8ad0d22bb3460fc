"""The theme of the pages in a browser: light, dark, high contrast, or the system's.

Owns: the theme cookie, which works without scripts and before the first paint.
Never: a setting per person; everyone who uses the browser has the same theme.
"""

from collections.abc import Mapping
from typing import Final

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from server.http import cookies
from server.http.site import Site

SYSTEM: Final = "system"
THEMES: Final[Mapping[str, str]] = {
    SYSTEM: "System",
    "light": "Light",
    "dark": "Dark",
    "contrast": "High contrast",
}
_COOKIE: Final = "sayso-theme"
_YEAR: Final = 365 * 24 * 60 * 60


def wanted() -> str:
    """The theme in the request's cookie; the system's if it is missing or unknown."""
    value = request.cookies.get(_COOKIE, "")
    return value if value in THEMES else SYSTEM


def with_theme(site: Site, response: AnyResponse, theme: str) -> AnyResponse:
    """Set the theme cookie for a year."""
    response.set_cookie(
        _COOKIE,
        theme,
        path="/",
        max_age=_YEAR,
        secure=cookies.is_secure(site.server_policy),
        httponly=True,
        samesite="Lax",  # a page opened from a link in an email must have the theme immediately
    )
    return response
