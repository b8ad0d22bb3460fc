"""Issues access, ID and refresh tokens to apps, in one unit of work."""

from dataclasses import dataclass, replace
from typing import Final

from server.model.approvals import Approval
from server.model.audit import Entry
from server.model.clients import App
from server.model.consents import Consent
from server.model.ports import Secrets, Signer
from server.model.sign_in import Family, Grant, RefreshToken
from server.model.store import Unit
from server.model.tokens import Delegation
from server.model.users import User
from server.protocol import errors, json_text, names
from server.protocol.names import handle_hash
from server.protocol.tokens import app_tokens, tokens
from server.protocol.tokens.app_tokens import AppTokenContents
from server.protocol.users import claims
from server.services.approvals.app_actions import signed_details
from server.services.audit import audit
from server.services.resources import targets
from server.services.server_policy import ServerPolicy
from server.services.tokens.issuing import AMR, approved_from

IDLE_MS: Final = 30 * 24 * 60 * 60 * 1000
"""An unused refresh token expires after this time."""


@dataclass(frozen=True, slots=True)
class AccessTokenTerms:
    """The part of a grant covered by one access token."""

    openid: tuple[str, ...]
    resource: str
    """An empty string for a token about the person only."""
    scope: tuple[str, ...]
    approval: Approval | None = None
    """The approval that the person signed for this token; None if their consent allows it."""

    @property
    def text(self) -> str:
        """All scopes as a scope list."""
        return " ".join(sorted((*self.openid, *self.scope)))


@dataclass(frozen=True, slots=True)
class AppTokenIssuer:
    """Issues tokens to apps."""

    signer: Signer
    secrets: Secrets
    server_policy: ServerPolicy

    def issue(
        self, tx: Unit, app: App, grant: Grant, terms: AccessTokenTerms, *, jkt: str | None
    ) -> tuple[dict[str, object], str]:
        """Return the token response without a refresh token, and the ID of its access token.

        Raises errors.InvalidGrant if the person or the app no longer has this access.
        """
        user, userinfo = _check_user(tx, grant), self.server_policy.userinfo_audience
        _check_access(tx, app, grant, terms, userinfo=userinfo)
        consent = None
        if terms.approval is None:
            consent = tx.consents.live(grant.user_id, app.id, terms.resource or userinfo, tx.now)
        contents = self._contents(tx, grant, terms, consent, jkt=jkt)
        tx.delegations.add(_delegation(contents, consent))
        _record(tx, contents)
        keys = tx.directory.signing_keys()
        alg = self.server_policy.access_token_alg
        access_token = self.signer.sign(
            keys, alg, tokens.ACCESS_TOKEN_TYPE, app_tokens.access_token_claims(contents)
        )
        answer: dict[str, object] = {
            "access_token": access_token,
            "token_type": tokens.token_type(contents.jkt),
            "expires_in": contents.expires_at - contents.issued_at,
        }
        if terms.text:
            answer["scope"] = terms.text
        if contents.details:
            answer["authorization_details"] = list(contents.details)
        if terms.openid:
            id_claims = app_tokens.id_token_claims(
                contents,
                nonce=grant.nonce,
                access_token=access_token,
                alg=app.id_token_alg,
                about=_id_claims(user, grant, terms),
            )
            answer["id_token"] = self.signer.sign(
                keys, app.id_token_alg, tokens.ID_TOKEN_TYPE, id_claims
            )
        return answer, contents.token_id

    def new_family(
        self, tx: Unit, grant: Grant, jti: str, *, jkt: str | None
    ) -> tuple[Family, str]:
        """Create the first refresh token of a grant, bound to the proved key."""
        family = self.new_empty_family(tx, grant, jti, IDLE_MS, jkt=jkt)
        token = self.secrets.new_secret(names.PREFIX_REFRESH_TOKEN)
        tx.code_grants.add_token(RefreshToken(handle_hash(token), family.id, tx.now))
        return family, token

    def new_empty_family(
        self, tx: Unit, grant: Grant, jti: str, lifetime_ms: int, *, jkt: str | None
    ) -> Family:
        """Create a family without a refresh token, so that a sign-out revokes the access token."""
        family_grant, expires_at = replace(grant, jkt=jkt, nonce=None), tx.now + lifetime_ms
        family = Family(self.secrets.new_id(names.PREFIX_FAMILY), family_grant, tx.now, expires_at)
        tx.code_grants.add_family(family)
        tx.code_grants.add_access_token(family.id, jti, tx.now)
        return family

    def successor(self, token: str) -> str:
        """Return the refresh token that follows this one, which is always the same.

        Therefore, a client that lost the response gets the same token again, and no second chain
        of tokens starts.
        """
        return names.PREFIX_REFRESH_TOKEN + self.secrets.nonce("refresh", token)

    def _contents(
        self,
        tx: Unit,
        grant: Grant,
        terms: AccessTokenTerms,
        consent: Consent | None,
        *,
        jkt: str | None,
    ) -> AppTokenContents:
        """Return the access token's contents. It expires no later than its consent."""
        now, approval = tx.now // 1000, terms.approval
        resource = tx.directory.resource(terms.resource)
        resource_limit = None if resource is None else resource.token_seconds
        expires_at = now + (resource_limit or self.server_policy.access_token_seconds)
        if consent is not None:
            expires_at = min(expires_at, consent.expires_at // 1000)
        return AppTokenContents(
            issuer=self.server_policy.issuer,
            token_id=self.secrets.new_id(tokens.JTI),
            app=grant.app_id,
            user=grant.user_id,
            audience=terms.resource or self.server_policy.userinfo_audience,
            scope=" ".join(terms.scope) if terms.resource else terms.text,
            sign_in=grant.sign_in_id,
            acr=grant.acr,
            amr=AMR[grant.acr],
            actor=grant.actor if terms.resource else None,
            claims=() if terms.resource else grant.userinfo_claims,
            jkt=jkt,
            auth_time=grant.auth_time // 1000,
            issued_at=now,
            expires_at=expires_at,
            details=() if approval is None else signed_details(approval),
            approved=None if approval is None else approved_from(tx, approval),
        )


_ACCESS_ENDED: Final = "The person's access has ended. Have them sign in again."


def _check_user(tx: Unit, grant: Grant) -> User:
    """Return the user, if they and their sign-in are still active. Raises errors.InvalidGrant.

    A sign-out at the same time waits, and then also revokes the new tokens.
    """
    user = tx.directory.user(grant.user_id)
    sign_in = tx.sign_ins.lock(grant.sign_in_id)
    is_signed_out = sign_in is not None and sign_in.ended_at is not None
    if user is None or not user.enabled or is_signed_out:
        raise errors.InvalidGrant(_ACCESS_ENDED)
    return user


def _check_access(
    tx: Unit, app: App, grant: Grant, terms: AccessTokenTerms, *, userinfo: str
) -> None:
    """Check that the app, its agent and the consents still allow this. Raises errors.InvalidGrant.

    Checks, in order, that: 1. the app's permissions include the scopes; 2. the agent that may act
    is enabled; 3. every consent is valid. For a grant with an approval, `ApprovalChecks` replaces
    step 1.
    """
    required_consents = []
    if terms.openid:
        required_consents.append((app.id, userinfo, terms.openid))
    if terms.scope and grant.approval_id is None:
        try:
            target = targets.resolve(tx.directory, app, terms.resource, terms.scope)
            targets.check_required_types(target, frozenset())
        except errors.ProtocolError as error:
            raise errors.InvalidGrant(_ACCESS_ENDED, detail=error.description) from error
        required_consents.append((app.id, terms.resource, terms.scope))
    if grant.actor is not None and terms.scope:
        agent = tx.directory.agent(grant.actor)
        if agent is None or not agent.active(tx.now):
            raise errors.InvalidGrant(_ACCESS_ENDED, detail="the agent is missing or disabled")
        required_consents.append((grant.actor, terms.resource, terms.scope))
    for client, resource, scope in required_consents:
        consent = tx.consents.live(grant.user_id, client, resource, tx.now)
        if consent is None or not set(scope) <= set(consent.scopes):
            raise errors.InvalidGrant(_ACCESS_ENDED, detail="a consent has ended")


def user_claims(user: User) -> dict[str, object]:
    """Return every claim about a person. Email addresses are not verified."""
    return {
        "name": user.name,
        "preferred_username": user.name,
        "email": user.email,
        "email_verified": None if user.email is None else False,
    }


def _id_claims(user: User, grant: Grant, terms: AccessTokenTerms) -> dict[str, object]:
    """Return the ID token's claims about the person.

    A token for a resource cannot be used at /userinfo, so the ID token contains the claims instead.
    """
    scopes = terms.openid if terms.resource else ()
    return claims.select_claims(user_claims(user), claims.names(scopes, grant.id_token_claims))


def _delegation(contents: AppTokenContents, consent: Consent | None) -> Delegation:
    return Delegation(
        id=contents.token_id,
        client_id=contents.app,
        user_id=contents.user,
        resource=contents.audience,
        scope=contents.scope,
        issued_at=contents.issued_at * 1000,
        expires_at=contents.expires_at * 1000,
        consent_id=None if consent is None else consent.id,
        jkt=contents.jkt,
        details=json_text.compact(list(contents.details)),
        approval_id=None if contents.approved is None else contents.approved.id,
    )


def _record(tx: Unit, contents: AppTokenContents) -> None:
    approved = contents.approved
    tx.audit.add(
        Entry(
            type=audit.Type.TOKEN_ISSUED,
            actor=audit.by_client(contents.app),
            agent_id=contents.actor,
            subject=contents.user,
            resource=contents.audience,
            action=None if approved is None else approved.granted_digest,
            decision="issued",
            posture=contents.acr if approved is None else approved.acr,
            approval_id=None if approved is None else approved.id,
            facts={
                "app": contents.app,
                "jti": contents.token_id,
                "scope": contents.scope,
                "expires_at": contents.expires_at * 1000,
            },
        ),
    )
