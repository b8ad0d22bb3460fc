"""Serves the icons of agents, under their hash.

Owns: the address of an icon, and the headers that keep it an image. Never: the agent's name, which
is shown with its icon.
"""

from functools import partial
from typing import Final

from flask import Flask, Response

from server.http.site import Site
from server.protocol.names import PREFIX_AGENT
from server.web.browser import HEADERS

_POLICY: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"
_CACHE_FOREVER: Final = "public, max-age=31536000, immutable"


def add_agent_icons(app: Flask, site: Site) -> None:
    """Add the icon route and the `icon` template filter to Flask."""
    app.jinja_env.filters["icon"] = partial(_address, site)

    @app.get("/icons/<digest>")
    def icon(digest: str) -> Response:
        """The headers keep browsers from interpreting it as anything but an image."""
        icon = site.clients.icons.get(digest)
        if icon is None:
            response = Response("No such icon.", 404, mimetype="text/plain")
        else:
            response = Response(icon.body, mimetype=icon.media_type)
        response.headers.extend({**HEADERS, "Content-Security-Policy": _POLICY})
        if icon is not None:
            response.headers["Cache-Control"] = _CACHE_FOREVER
        return response


def _address(site: Site, agent_id: str) -> str:
    """Return the address of an agent's icon; "" if it has none or is not an agent."""
    return site.clients.icons.path_for(agent_id) if agent_id.startswith(PREFIX_AGENT) else ""
