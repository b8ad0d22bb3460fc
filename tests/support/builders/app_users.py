"""The objects that a test needs when people sign in to apps: an app, a password, a browser.

Owns: creating them on the in-process site.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from server.model.clients import App
from server.services.clients.app_forms import NewApp
from server.services.users.passwords import Passwords
from tests.support.browsers.browser import CALLBACK, PASSWORD, VERIFIER, Browser
from tests.support.builders.installation import BY, PAY, PAY_SCOPES
from tests.support.builders.site import ISSUER, Answer, LocalSite


@dataclass(frozen=True, slots=True)
class LocalApp:
    """An app that people sign in to; if it has a secret, it sends it in the form."""

    local: LocalSite
    app: App
    secret: str

    @property
    def id(self) -> str:
        """Return its client_id."""
        return self.app.id

    @property
    def credentials(self) -> dict[str, str]:
        """Return the form members that authenticate it."""
        client = {"client_id": self.id}
        return {**client, "client_secret": self.secret} if self.secret else client

    def redeem(self, code: str, **changes: Any) -> Answer:
        """POST /token with a code; `proofs` are DPoP headers."""
        proofs = changes.pop("proofs", ())
        form: Mapping[str, Any] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            **self.credentials,
            **changes,
        }
        return self.local.post_form("/token", form, proofs=proofs)

    def refresh(self, refresh_token: str, **changes: Any) -> Answer:
        """POST /token with a refresh token; `proofs` are DPoP headers."""
        proofs = changes.pop("proofs", ())
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            **self.credentials,
            **changes,
        }
        return self.local.post_form("/token", form, proofs=proofs)

    def userinfo(self, token: str, scheme: str = "Bearer", proofs: tuple[str, ...] = ()) -> Answer:
        """GET /userinfo."""
        headers = {"authorization": f"{scheme} {token}"}
        return self.local.send("GET", "/userinfo", headers=headers, proofs=proofs)


def new_app(local: LocalSite, name: str = "chat", **members: Any) -> LocalApp:
    """Register an app with a secret for the payment API; `members` change its registration."""
    if PAY not in {resource.uri for resource in local.admin.resources.all()}:
        local.admin.resources.add(PAY, PAY_SCOPES, {}, by=BY)
    registration: dict[str, Any] = {
        "redirect_uris": (CALLBACK,),
        "auth_method": "client_secret_post",
        "resources": (PAY,),
        "scopes": tuple(PAY_SCOPES),
        **members,
    }
    added = local.admin.apps.add(NewApp(name, **registration), by=BY)
    return LocalApp(local, added.app, added.secret)


def new_browser(local: LocalSite) -> Browser:
    """Return a browser without cookies."""
    transport = httpx.WSGITransport(app=local.app, remote_addr="192.0.2.9")
    return Browser(httpx.Client(transport=transport, base_url=ISSUER), ISSUER)


def give_password(local: LocalSite, user: str, password: str = PASSWORD) -> None:
    """Set the password of this user."""
    passwords(local).set(user, password, by=BY)


def passwords(local: LocalSite) -> Passwords:
    """Return the service that sets passwords."""
    return Passwords(local.services.store, local.services.passwords)
