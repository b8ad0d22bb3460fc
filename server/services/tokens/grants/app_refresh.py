"""The refresh token grant for apps: rotation, and detection of reuse (RFC 6749 6, RFC 9700 4.14).

A refresh token can be used once. A client that lost the response can send it again within one
minute and gets the same successor. Reuse after that minute, or after the successor was used, is
treated as theft and revokes the family.
"""

from dataclasses import dataclass
from typing import Final

from server.model.clients import App
from server.model.sign_in import Family, Grant, RefreshToken
from server.model.store import Unit
from server.protocol import errors, names
from server.protocol.names import handle_hash
from server.protocol.resources import scopes, uris
from server.services.notifications import notices
from server.services.tokens import refresh_families
from server.services.tokens.app_issuing import IDLE_MS, AccessTokenTerms, AppTokenIssuer
from server.services.tokens.endpoint import TokenRequest, TokenResult

GRACE_MS: Final = 60_000
_REFUSED: Final = "The refresh token is unknown, used, or expired. Have the person sign in again."


@dataclass(frozen=True, slots=True)
class AppRefreshGrant:
    """Rotates apps' refresh tokens."""

    issuing: AppTokenIssuer

    def exchange(self, tx: Unit, app: App, request: TokenRequest) -> TokenResult:
        """Return the next tokens. Raises errors.ProtocolError.

        If the token is treated as stolen, its family is revoked.
        """
        refresh_token = request.form.require("refresh_token")
        token = tx.code_grants.token(handle_hash(refresh_token))
        family = None if token is None else tx.code_grants.family(token.family_id)
        if token is None or family is None or family.grant.app_id != app.id:
            raise errors.InvalidGrant(_REFUSED)
        if family.ended_at is not None or tx.now >= family.expires_at:
            raise errors.InvalidGrant(_REFUSED)
        if self._is_stolen(tx, token, refresh_token):
            _end_family(tx, family)
            return errors.InvalidGrant(_REFUSED)
        return self._rotate(tx, app, family, request)

    def _is_stolen(self, tx: Unit, token: RefreshToken, refresh_token: str) -> bool:
        if token.used_at is None:
            return False
        successor = tx.code_grants.token(handle_hash(self.issuing.successor(refresh_token)))
        is_late = tx.now >= token.used_at + GRACE_MS
        return is_late or successor is None or successor.used_at is not None

    def _rotate(
        self, tx: Unit, app: App, family: Family, request: TokenRequest
    ) -> dict[str, object]:
        """Issue the next tokens.

        Rules, in order: 1. A bound token comes with a DPoP proof. 2. The request stays within the
        grant. 3. The person and their consents are still valid. 4. The family is not revoked; a
        revocation at the same time also revokes these tokens. 5. The token is marked as used.

        Rule 3 locks consents, and rule 4 the family, in the same order as revoking a consent.
        """
        refresh_token, grant = request.form.require("refresh_token"), family.grant
        _check_key(app, grant.jkt, request.dpop_jkt)
        terms = _requested_terms(grant, request, self.issuing.server_policy.userinfo_audience)
        answer, jti = self.issuing.issue(tx, app, grant, terms, jkt=request.dpop_jkt)
        if not tx.code_grants.extend_family(family.id, tx.now + IDLE_MS):
            raise errors.InvalidGrant(_REFUSED)
        successor = self.issuing.successor(refresh_token)
        if tx.code_grants.use_token(handle_hash(refresh_token), tx.now):
            tx.code_grants.add_token(RefreshToken(handle_hash(successor), family.id, tx.now))
        tx.code_grants.add_access_token(family.id, jti, tx.now)
        if not app.verified:
            tx.app_uses.use(app.id, tx.now)
        return answer | {"refresh_token": successor}


def _check_key(app: App, bound_jkt: str | None, proved_jkt: str | None) -> None:
    """Check the key of a bound refresh token (RFC 9449 5).

    A public app's refresh token stays bound to its key; an app that authenticates may change keys.
    Raises errors.InvalidDpopProof.
    """
    may_change = app.auth_method != names.AUTH_NONE and proved_jkt is not None
    if bound_jkt is not None and bound_jkt != proved_jkt and not may_change:
        raise errors.InvalidDpopProof("The refresh token is bound to a key. Send a DPoP proof.")


def _requested_terms(grant: Grant, request: TokenRequest, userinfo: str) -> AccessTokenTerms:
    """Return the requested part of the grant; the grant itself is not narrowed (RFC 6749 6).

    Raises errors.InvalidScope or errors.InvalidTarget.
    """
    openid, scope = grant.openid, grant.scope
    if (scope_text := request.form.get("scope")) is not None:
        requested_scopes = set(scopes.parse(scope_text))
        if not requested_scopes <= {*openid, *scope}:
            raise errors.InvalidScope("The person did not allow all of these scopes.")
        openid = tuple(name for name in openid if name in requested_scopes)
        scope = tuple(name for name in scope if name in requested_scopes)
    resource = uris.only_resource(request.form.every("resource"))
    if openid and resource is not None and uris.is_same(resource, userinfo):
        scope = ()
    elif not uris.may_name(resource, grant.resource or userinfo):
        raise errors.InvalidTarget("The person allowed a different resource.")
    return AccessTokenTerms(openid, grant.resource if scope else "", scope)


def _end_family(tx: Unit, family: Family) -> None:
    refresh_families.end(tx, family.id)
    refresh_families.record_reuse(tx, family, kind="refresh token")
    notices.alarm(tx, "alarm.refresh_reused", user_id=family.grant.user_id, app=family.grant.app_id)
