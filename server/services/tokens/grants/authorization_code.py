"""The authorization code grant: an app exchanges a code for tokens, once.

RFC 6749 4.1.3, RFC 7636 4.6, OpenID Connect Core 3.1.3.
"""

from dataclasses import dataclass

from server.model.approvals import Approval
from server.model.clients import App
from server.model.sign_in import AuthorizationCode, Family, Grant
from server.model.store import Unit
from server.protocol import errors, names
from server.protocol.approvals.states import State
from server.protocol.ciba import requests
from server.protocol.clients import redirects
from server.protocol.forms import Form
from server.protocol.names import handle_hash
from server.protocol.resources import uris
from server.protocol.sign_in import pkce
from server.services.approvals.app_actions import signed_details
from server.services.approvals.current_checks import ApprovalChecks
from server.services.notifications import notices
from server.services.tokens import refresh_families
from server.services.tokens.app_issuing import AccessTokenTerms, AppTokenIssuer
from server.services.tokens.endpoint import TokenRequest, TokenResult

_ACCESS_ENDED = "The access that the person approved has ended. Start again."
_REFUSED = "The code is unknown, used, expired, or belongs to a different app. Start again."


@dataclass(frozen=True, slots=True)
class AuthorizationCodeGrant:
    """Exchanges codes for tokens."""

    issuing: AppTokenIssuer
    checks: ApprovalChecks

    def exchange(self, tx: Unit, app: App, request: TokenRequest) -> TokenResult:
        """Return the token response. Raises errors.ProtocolError.

        If the code was used before, its tokens are revoked.
        """
        code = tx.code_grants.code(handle_hash(request.form.require("code")))
        if code is None or code.grant.app_id != app.id:
            raise errors.InvalidGrant(_REFUSED)
        if code.used_at is not None:
            _end_reused_code(tx, code)
            return errors.InvalidGrant(_REFUSED)
        return self._redeem(tx, app, code, request)

    def _redeem(
        self, tx: Unit, app: App, code: AuthorizationCode, request: TokenRequest
    ) -> dict[str, object]:
        """Issue the tokens for the code.

        Rules, in order: 1. Redirect URI, verifier and key match. 2. One conditional UPDATE marks
        the code as used; a second one redeems the approval that was signed for it, if any. 3. The
        person and their consents are still valid.
        """
        grant = code.grant
        _check_redirect_uri(app, grant, request.form)
        pkce.check_verifier(request.form.get("code_verifier"), code.challenge)
        if grant.jkt not in {None, request.dpop_jkt}:
            raise errors.InvalidGrant("The code is bound to a different key.")
        resource = uris.only_resource(request.form.every("resource"))
        userinfo = self.issuing.server_policy.userinfo_audience
        if not uris.may_name(resource, grant.resource or userinfo):
            raise errors.InvalidTarget("The code is for a different resource.")
        approval = self._signed_approval(tx, grant)
        _check_details(request.form, approval)
        if not tx.code_grants.use_code(code.hash, tx.now):
            raise errors.InvalidGrant(_REFUSED)
        if approval is not None:
            _redeem_approval(tx, approval)
        jkt = request.dpop_jkt
        answer, jti = self.issuing.issue(tx, app, grant, _terms(grant, approval), jkt=jkt)
        if approval is None and names.GRANT_REFRESH_TOKEN in app.grant_types:
            family, answer["refresh_token"] = self.issuing.new_family(tx, grant, jti, jkt=jkt)
        else:
            seconds = int(str(answer["expires_in"]))
            family = self.issuing.new_empty_family(tx, grant, jti, 1000 * seconds, jkt=jkt)
        tx.code_grants.set_code_tokens(code.hash, jti, family.id)
        if not app.verified:
            tx.app_uses.use(app.id, tx.now)
        return answer

    def _signed_approval(self, tx: Unit, grant: Grant) -> Approval | None:
        """Return the approval signed for this code, if it is still valid."""
        if grant.approval_id is None:
            return None
        approval = tx.approvals.get(grant.approval_id)
        if (
            approval is None
            or approval.state is not State.APPROVED
            or approval.is_overdue(tx.now)
            or self.checks.invalid_reason(tx, approval) is not None
        ):
            raise errors.InvalidGrant(_ACCESS_ENDED)
        return approval


def _redeem_approval(tx: Unit, approval: Approval) -> None:
    """Redeem the approval with one conditional UPDATE, so that it allows only one token.

    Raises errors.InvalidGrant.
    """
    redeemed_approval = tx.approvals.transition(approval, State.REDEEMED, now=tx.now)
    if redeemed_approval is None:
        raise errors.InvalidGrant(_ACCESS_ENDED)
    notices.approval(tx, redeemed_approval, "approval.redeemed")


def _terms(grant: Grant, approval: Approval | None) -> AccessTokenTerms:
    """Return the approval's scopes, or else the grant's."""
    if approval is None:
        return AccessTokenTerms(grant.openid, grant.resource, grant.scope)
    return AccessTokenTerms(
        grant.openid, approval.resource, tuple(approval.scope.split()), approval
    )


def _check_redirect_uri(app: App, grant: Grant, form: Form) -> None:
    """Check that the redirect URI equals that of the authorization request, and is registered.

    Raises errors.InvalidGrant.
    """
    if form.require("redirect_uri") != grant.redirect_uri:
        raise errors.InvalidGrant("redirect_uri differs from the authorization request.")
    if not redirects.is_registered(grant.redirect_uri, app.redirect_uris):
        raise errors.InvalidGrant("redirect_uri is no longer registered for this app.")


def _check_details(form: Form, approval: Approval | None) -> None:
    """Check that the details equal the approved ones, if the app sends details (RFC 9396 6)."""
    details = form.get("authorization_details")
    if details is None:
        return
    approved = () if approval is None else signed_details(approval)
    if list(requests.read_details(details)) != list(approved):
        raise errors.InvalidAuthorizationDetails(
            "authorization_details differ from those of the code."
        )


def _end_reused_code(tx: Unit, code: AuthorizationCode) -> None:
    """Revoke the tokens of a code that was used twice, because it may be stolen (RFC 6749 10.5)."""
    tx.delegations.revoke_tree(code.jti or "", tx.now)
    if code.family_id is not None:
        refresh_families.end(tx, code.family_id)
    family = Family(code.family_id or "", code.grant, tx.now, tx.now)
    refresh_families.record_reuse(tx, family, kind="authorization code")
