"""Sign-out requested by an app (OpenID Connect RP-Initiated Logout 1.0)."""

from dataclasses import dataclass

from server.model.clients import App
from server.model.ports import Verifier
from server.model.store import Store, View
from server.protocol import errors
from server.protocol.clients import redirects
from server.protocol.forms import Form
from server.services.server_policy import ServerPolicy
from server.services.sign_in.sign_ins import SignIns
from server.services.tokens.keys import id_token_claims


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A valid request to sign out."""

    user_name: str | None
    """None if nobody is signed in."""
    app_name: str | None
    go_to: str | None
    """The URL that the browser opens afterwards, including `state`."""


@dataclass(frozen=True, slots=True)
class RpLogout:
    """Validates sign-out requests; the person confirms them on a page."""

    store: Store
    verifier: Verifier
    server_policy: ServerPolicy
    sign_ins: SignIns

    def check(self, form: Form, cookie: str) -> LogoutRequest:
        """Return the user who would sign out, and the URL that the browser opens afterwards.

        The URL must be registered for the requesting app. Raises errors.InvalidRequest.
        """
        with self.store.read() as view:
            signed_in = self.sign_ins.current(view, cookie)
            app = self._app(view, form)
            go_to = form.get("post_logout_redirect_uri")
            if go_to is not None:
                if app is None:
                    raise errors.InvalidRequest(
                        "Send id_token_hint or client_id with post_logout_redirect_uri."
                    )
                if not redirects.is_registered(go_to, app.post_logout_redirect_uris):
                    raise errors.InvalidRequest(
                        "post_logout_redirect_uri is not registered for this app."
                    )
                state = form.get("state")
                if state is not None:
                    go_to = redirects.with_parameters(go_to, [("state", state)])
            return LogoutRequest(
                user_name=None if signed_in is None else signed_in.user.name,
                app_name=None if app is None else app.name,
                go_to=go_to,
            )

    def _app(self, view: View, form: Form) -> App | None:
        client_id, hint = form.get("client_id"), form.get("id_token_hint")
        if hint is not None:
            audience = str(id_token_claims(self.verifier, view, hint).get("aud"))
            if client_id not in {None, audience}:
                raise errors.InvalidRequest("id_token_hint was issued to a different app.")
            client_id = audience
        if client_id is None:
            return None
        app = view.directory.app(client_id)
        if app is None:
            raise errors.InvalidRequest("Unknown client_id.")
        return app
