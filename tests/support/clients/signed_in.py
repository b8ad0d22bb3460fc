"""A person who signs in to an app in a browser, and the app's token."""

from server.crypto.passwords import Argon2Passwords
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from server.services.users.passwords import Passwords
from tests.support.browsers.browser import CALLBACK, PASSWORD, VERIFIER, Browser
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import BY, LiveServer


def signed_in(server: LiveServer, person: Terminal, resource: str, scope: str) -> str:
    """Sign this person in to a new app; return the app's token."""
    services = server.services
    Passwords(services.store, Argon2Passwords()).set(person.user, PASSWORD, by=BY)
    members = {"resources": (resource,), "scopes": tuple(scope.split()), "auth_method": "none"}
    new_app = NewApp(server._fresh("chat"), (CALLBACK,), **members)
    app = Apps(services.store, services.secrets).add(new_app, by=BY).app
    http = server.client()
    browser = Browser(http, server.url)
    browser.authorize(app.id, scope=scope, resource=resource)
    browser.sign_in(person.user)
    browser.answer("allow")
    person.approve(person.only_request())
    form = {"grant_type": "authorization_code", "client_id": app.id, "redirect_uri": CALLBACK}
    parameters = {**form, "code": browser.again().answer["code"], "code_verifier": VERIFIER}
    return str(http.post("/token", data=parameters).json()["access_token"])
