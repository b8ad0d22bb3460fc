"""The pages of this folder in Flask.

Owns: their table. Never: what stands on them.
"""

from typing import Final

from flask import Flask

from server.http.site import Site
from server.web.own import agents, devices, install, leaving, rights, settings
from server.web.own.deeds import add_deeds
from server.web.person_pages import add_page

_PAGES: Final = (
    ("/agents", agents.every),
    ("/agents/<id>", agents.one),
    ("/agents/<id>/suspend", agents.to_suspend),
    ("/grants", rights.grants),
    ("/consents", rights.consents),
    ("/delegations", rights.delegations),
    ("/devices", devices.every),
    ("/devices/<id>", devices.one),
    ("/settings", settings.every),
    ("/install", install.steps),
)


def add_own_pages(app: Flask, site: Site) -> None:
    """Give the pages and their forms to Flask."""
    for path, view in _PAGES:
        add_page(app, site, "GET", path, view)
    add_page(app, site, "POST", "/agents/<id>/stop", agents.stop)
    add_page(app, site, "POST", "/settings/theme", settings.choose_theme)
    add_page(app, site, "POST", "/leave", leaving.leave)
    add_deeds(app, site)
