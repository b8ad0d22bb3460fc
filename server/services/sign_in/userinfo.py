"""What an app may know of the person who signed in (OpenID Connect Core 5.3)."""

from dataclasses import dataclass

from server.model.store import Store
from server.protocol import errors
from server.protocol.users import claims
from server.services.server_policy import ServerPolicy
from server.services.tokens.access_token_auth import AccessTokenAuth
from server.services.tokens.app_issuing import user_claims
from server.services.users.device_auth import DeviceCall


@dataclass(frozen=True, slots=True)
class UserInfo:
    """Answers with the claims that the token's scopes, and the request behind it, stand for."""

    store: Store
    access_tokens: AccessTokenAuth
    rules: ServerPolicy

    def about(self, call: DeviceCall) -> dict[str, object]:
        """The claims of the person whom this token is about.

        1. A token for this endpoint alone, in force, with the proof of its key if it is bound to
        one.  2. The person is there now. Raises errors.Problem with a challenge.
        """
        with self.store.write() as tx:
            found = self.access_tokens.authenticate(tx, call, audience=self.rules.userinfo_audience)
            user = tx.directory.user(found.row.user_id or "")
            if user is None:
                raise errors.Problem(401, "invalid_token", "This person is not here any more.")
            wanted = found.claims.get("claims")
            chosen = claims.names(
                found.row.scope.split(), wanted if isinstance(wanted, list) else ()
            )
            return {"sub": user.id, **claims.about(user_claims(user), chosen)}
