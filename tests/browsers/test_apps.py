"""Signing in to an app with a passkey in stock Chromium: no name, no password."""

import base64
import json
from urllib.parse import parse_qs, urlencode

from server.protocol.names import ACR_PASSKEY
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from tests.support.browsers.browser import VERIFIER, request_of
from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import newcomer
from tests.support.servers.server import BY, LiveServer


def test_a_passkey_signs_in_to_an_app(server: LiveServer, tab: Chromium) -> None:
    """Two clicks lead from the app's link to an ID token."""
    name = newcomer(tab, server)
    home = f"{server.url}/"
    services = server.services
    new = NewApp("chat", (home,), auth_method="none")
    app = Apps(services.store, services.secrets).add(new, by=BY).app
    link = f"/authorize?{urlencode(request_of(app.id, redirect_uri=home))}"
    tab.leave(f"location.assign({json.dumps(link)})")
    tab.see("document.getElementById('passkey')?.disabled === false")
    tab.click("#passkey")
    tab.wait_for_text("Tell")
    assert name in tab.text("main")
    tab.click("button[value=allow]")
    tab.see("location.search.includes('code=')")
    answer = parse_qs(tab.ask("location.search.slice(1)"))
    with server.client() as http:
        form = {
            "grant_type": "authorization_code",
            "client_id": app.id,
            "code": answer["code"][0],
            "redirect_uri": home,
            "code_verifier": VERIFIER,
        }
        tokens = http.post("/token", data=form)
    assert tokens.status_code == 200, tokens.text
    body = tokens.json()["id_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert (claims["acr"], claims["amr"]) == (ACR_PASSKEY, ["pop", "user"])
