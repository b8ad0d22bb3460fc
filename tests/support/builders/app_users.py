"""People who sign in to apps, inside the test: an app, a password, a browser.

Owns: arranging them over the in-process site.
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
    """An app of people; its secret goes into the form, if it has one."""

    local: LocalSite
    app: App
    secret: str

    @property
    def id(self) -> str:
        """Its client_id."""
        return self.app.id

    @property
    def credentials(self) -> dict[str, str]:
        """The form members that authenticate it."""
        named = {"client_id": self.id}
        return {**named, "client_secret": self.secret} if self.secret else named

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
        """POST /token with a refresh token."""
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
    """An app with a secret, for the payment API."""
    if PAY not in {resource.uri for resource in local.admin.resources.all()}:
        local.admin.resources.add(PAY, PAY_SCOPES, {}, by=BY)
    whole: dict[str, Any] = {
        "redirect_uris": (CALLBACK,),
        "auth_method": "client_secret_post",
        "resources": (PAY,),
        "scopes": tuple(PAY_SCOPES),
        **members,
    }
    given = local.admin.apps.add(NewApp(name, **whole), by=BY)
    return LocalApp(local, given.app, given.secret)


def new_browser(local: LocalSite) -> Browser:
    """A browser without cookies."""
    transport = httpx.WSGITransport(app=local.app, remote_addr="192.0.2.9")
    return Browser(httpx.Client(transport=transport, base_url=ISSUER), ISSUER)


def give_password(local: LocalSite, user: str, password: str = PASSWORD) -> None:
    """Set somebody's password."""
    passwords(local).set(user, password, by=BY)


def passwords(local: LocalSite) -> Passwords:
    """Administration of passwords."""
    return Passwords(local.services.store, local.services.passwords)
