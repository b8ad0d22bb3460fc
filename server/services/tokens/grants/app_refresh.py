"""An app's refresh token (RFC 6749 6, RFC 9700 4.14): rotation, and what reuse means.

A token is good once. Who brings it again within a minute, because the answer got lost, gets the
same successor; after that, or once the successor was used, somebody else has it: the family ends.
"""

from dataclasses import dataclass
from typing import Final

from server.model.clients import App
from server.model.sign_in import Family, Grant, RefreshToken
from server.model.store import Store, Unit
from server.protocol import errors, names
from server.protocol.resources import scopes
from server.services.clients import client_auth
from server.services.notifications import notices
from server.services.tokens import refresh_families
from server.services.tokens.app_tokens import IDLE_MS, AccessTokenTerms, AppIssuing, token_hash
from server.services.tokens.endpoint import TokenRequest
from server.services.tokens.flow_checks import person_now, rights_now

GRACE_MS: Final = 60_000
_REFUSED: Final = "The refresh token is unknown, used, or over. Let the person sign in again."


@dataclass(frozen=True, slots=True)
class AppRefreshGrant:
    """Rotates refresh tokens of apps."""

    store: Store
    issuing: AppIssuing

    def exchange(self, app: App, request: TokenRequest) -> dict[str, object]:
        """The next tokens. Raises errors.ProtocolError; what reuse ends is stored before."""
        sent = request.form.require("refresh_token")
        with self.store.write() as tx:
            app = client_auth.current_app(tx, app)
            token = tx.code_grants.token(token_hash(sent))
            family = None if token is None else tx.code_grants.family(token.family_id)
            if token is None or family is None or family.grant.app_id != app.id:
                raise errors.InvalidGrant(_REFUSED)
            if family.ended_at is not None or tx.now >= family.expires_at:
                raise errors.InvalidGrant(_REFUSED)
            if self._stolen(tx, token, sent):
                _stop(tx, family)
                answer = None
            else:
                answer = self._rotate(tx, app, family, request)
        if answer is None:
            raise errors.InvalidGrant(_REFUSED)
        return answer

    def _stolen(self, tx: Unit, token: RefreshToken, sent: str) -> bool:
        if token.used_at is None:
            return False
        after = tx.code_grants.token(token_hash(self.issuing.successor(sent)))
        late = tx.now >= token.used_at + GRACE_MS
        return late or after is None or after.used_at is not None

    def _rotate(
        self, tx: Unit, app: App, family: Family, request: TokenRequest
    ) -> dict[str, object]:
        """Give the next tokens.

        1. What came of a proof comes with one.  2. What is asked for is part of what was allowed.
        3. The person and what they allowed are there now.  4. The token is used up.
        """
        sent, grant = request.form.require("refresh_token"), family.grant
        _check_key(app, grant.jkt, request.dpop_jkt)
        part = _part(grant, request, self.issuing.rules.userinfo_audience)
        user = person_now(tx, grant)
        rights_now(tx, app, grant, part, userinfo=self.issuing.rules.userinfo_audience)
        answer, jti = self.issuing.issue(tx, app, user, grant, part, jkt=request.dpop_jkt)
        after = self.issuing.successor(sent)
        if tx.code_grants.use_token(token_hash(sent), tx.now):
            tx.code_grants.add_token(RefreshToken(token_hash(after), family.id, tx.now))
        tx.code_grants.came_with(family.id, jti, tx.now)
        tx.code_grants.extend_family(family.id, tx.now + IDLE_MS)
        return answer | {"refresh_token": after}


def _check_key(app: App, bound: str | None, proved: str | None) -> None:
    """What came of a proof never goes on without one (RFC 9449 5).

    A public app's refresh token is bound to its key; an app that authenticates may change keys.
    Raises errors.InvalidDpopProof.
    """
    may_change = app.auth_method != names.AUTH_NONE and proved is not None
    if bound is not None and bound != proved and not may_change:
        raise errors.InvalidDpopProof("The refresh token is bound to a key; prove it.")


def _part(grant: Grant, request: TokenRequest, userinfo: str) -> AccessTokenTerms:
    """What of the grant this token shall be for; the grant itself stays whole (RFC 6749 6).

    Raises errors.InvalidScope or errors.InvalidTarget.
    """
    openid, scope = grant.openid, grant.scope
    if (asked := request.form.get("scope")) is not None:
        wanted = set(scopes.parse(asked))
        if not wanted <= {*openid, *scope}:
            raise errors.InvalidScope("The person did not allow every one of these scopes.")
        openid = tuple(name for name in openid if name in wanted)
        scope = tuple(name for name in scope if name in wanted)
    named = request.form.every("resource")
    if named == (userinfo,) and openid:
        scope = ()
    elif named and named != (grant.resource or userinfo,):
        raise errors.InvalidTarget("The person allowed another resource.")
    return AccessTokenTerms(openid, grant.resource if scope else "", scope)


def _stop(tx: Unit, family: Family) -> None:
    refresh_families.end(tx, family.id)
    refresh_families.note_reuse(tx, family, what="refresh token")
    notices.alarm(tx, "alarm.refresh_reused", user_id=family.grant.user_id, app=family.grant.app_id)
