"""The WSGI application: the API, its feed and all pages."""

from flask import Flask
from jinja2 import StrictUndefined

from server.http.feed import add_feed
from server.http.site import Site
from server.http.views import PlainFlask, add_routes
from server.web.clients.icons import add_agent_icons
from server.web.devices.code_page import add_device_pages
from server.web.installable import add_installable
from server.web.serving import add_pages
from server.web.sign_in.sign_in import add_sign_in
from server.web.static import add_static


def application(site: Site) -> Flask:
    """Create the Flask application."""
    app = PlainFlask("server.web", static_folder=None)
    app.jinja_env.undefined = StrictUndefined  # a misspelled name in a template is an error
    add_routes(app, site)
    add_feed(app, site)
    add_static(app)
    add_installable(app)
    add_agent_icons(app, site)
    add_pages(app, site)
    add_device_pages(app, site)
    add_sign_in(app, site)
    return app
