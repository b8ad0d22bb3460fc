"""The pictures of agents, handed out under their hash, from this server and no other.

Owns: the address of a picture, and the headers that keep it a picture. Never: a word; its agent's
name stands beside it wherever it is shown.
"""

from functools import partial
from typing import Final

from flask import Flask, Response

from server.http.site import Site
from server.protocol.names import PREFIX_AGENT
from server.web.browser import HEADERS

_POLICY: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"
_KEPT: Final = "public, max-age=31536000, immutable"


def add_agent_icons(app: Flask, site: Site) -> None:
    """Give them to Flask, and the filter `icon` to every page."""
    app.jinja_env.filters["icon"] = partial(_address, site)

    @app.get("/icons/<digest>")
    def icon(digest: str) -> Response:
        """It is what it says it is, whatever a browser would rather make of it."""
        found = site.clients.icons.get(digest)
        if found is None:
            response = Response("There is no such icon.", 404, mimetype="text/plain")
        else:
            response = Response(found.body, mimetype=found.media_type)
        response.headers.extend({**HEADERS, "Content-Security-Policy": _POLICY})
        if found is not None:
            response.headers["Cache-Control"] = _KEPT
        return response


def _address(site: Site, agent_id: str) -> str:
    """Where the picture of an agent lies; "" for one that has none, and for everybody else."""
    return site.clients.icons.of(agent_id) if agent_id.startswith(PREFIX_AGENT) else ""
