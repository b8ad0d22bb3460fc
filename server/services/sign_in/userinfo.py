"""The userinfo endpoint: claims about the signed-in person (OpenID Connect Core 5.3)."""

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
    """Returns the claims that the token's scopes and request allow."""

    store: Store
    access_tokens: AccessTokenAuth
    server_policy: ServerPolicy

    def claims(self, call: DeviceCall) -> dict[str, object]:
        """Return the claims about the person that this token acts for.

        Checks, in order, that: 1. the token is valid for this endpoint, with a DPoP proof if it is
        bound; 2. the person exists. Raises errors.Problem with a challenge.
        """
        with self.store.write() as tx:
            token = self.access_tokens.authenticate(
                tx, call, audience=self.server_policy.userinfo_audience
            )
            user = tx.directory.user(token.row.user_id or "")
            if user is None:
                raise errors.Problem(401, "invalid_token", "This user no longer exists.")
            requested_claims = token.claims.get("claims")
            claim_names = claims.names(
                token.row.scope.split(),
                requested_claims if isinstance(requested_claims, list) else (),
            )
            return {"sub": user.id, **claims.select_claims(user_claims(user), claim_names)}
