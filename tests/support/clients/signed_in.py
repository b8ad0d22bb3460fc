"""A person who has signed in to an app at a browser, up to the app's token."""

from server.crypto.passwords import Argon2Passwords
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from server.services.users.passwords import Passwords
from tests.support.browsers.browser import CALLBACK, PASSWORD, VERIFIER, Browser
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import BY, LiveServer


def signed_in(server: LiveServer, person: Terminal, resource: str, scope: str) -> str:
    """The token of an app in which this person signed in."""
    services = server.services
    Passwords(services.store, Argon2Passwords()).set(person.user, PASSWORD, by=BY)
    more = {"resources": (resource,), "scopes": tuple(scope.split()), "auth_method": "none"}
    asked = NewApp(server._fresh("chat"), (CALLBACK,), **more)
    app = Apps(services.store, services.secrets).add(asked, by=BY).app
    http = server.client()
    browser = Browser(http, server.url)
    browser.authorize(app.id, scope=scope, resource=resource)
    browser.sign_in(person.user)
    browser.answer("allow")
    person.approve(person.only())
    form = {"grant_type": "authorization_code", "client_id": app.id, "redirect_uri": CALLBACK}
    sent = {**form, "code": browser.again().answer["code"], "code_verifier": VERIFIER}
    return str(http.post("/token", data=sent).json()["access_token"])
