"""The WSGI application: the API, its feed and every page."""

from flask import Flask

from server.http.feed import add_feed
from server.http.site import Site
from server.http.views import PlainFlask, add_routes
from server.web.agent_icons import add_agent_icons
from server.web.answer_pages import add_answer_pages
from server.web.console.console import add_console
from server.web.device_page import add_device_page
from server.web.installable import add_installable
from server.web.own.own_pages import add_own_pages
from server.web.pages import add_pages
from server.web.person_pages import add_person_pages
from server.web.sign_in import add_sign_in


def application(site: Site) -> Flask:
    """What a server of HTTP runs."""
    app = PlainFlask("server.web", static_folder=None)
    add_routes(app, site)
    add_feed(app, site)
    add_pages(app, site)
    add_installable(app)
    add_agent_icons(app, site)
    add_person_pages(app, site)
    add_answer_pages(app, site)
    add_own_pages(app, site)
    add_console(app, site)
    add_device_page(app, site)
    add_sign_in(app, site)
    return app
