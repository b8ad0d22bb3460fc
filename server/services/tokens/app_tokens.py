"""Issuing to people's apps: access token, ID token, refresh token, in one unit of work."""

import hashlib
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
from server.protocol import json_text, names
from server.protocol.tokens import app_tokens, tokens
from server.protocol.tokens.app_tokens import AppIssue
from server.protocol.users import claims
from server.services.approvals.app_actions import signed_details
from server.services.audit import audit
from server.services.server_policy import ServerPolicy
from server.services.tokens.issuing import answer_to

IDLE_MS: Final = 30 * 24 * 60 * 60 * 1000
"""How long a refresh token waits to be used."""


@dataclass(frozen=True, slots=True)
class AccessTokenTerms:
    """What of a grant one access token is for."""

    openid: tuple[str, ...]
    resource: str
    """"" for a token about the person alone."""
    scope: tuple[str, ...]
    signed: Approval | None = None
    """What the person signed for this token alone; without it, it stands on their consent."""

    @property
    def text(self) -> str:
        """All of it as a scope list."""
        return " ".join(sorted((*self.openid, *self.scope)))


@dataclass(frozen=True, slots=True)
class AppIssuing:
    """Makes what the token endpoint answers an app."""

    signer: Signer
    secrets: Secrets
    rules: ServerPolicy

    def issue(  # what one answer is made of
        self,
        tx: Unit,
        app: App,
        user: User,
        grant: Grant,
        part: AccessTokenTerms,
        *,
        jkt: str | None,
    ) -> tuple[dict[str, object], str]:
        """The answer without a refresh token, and the id of its access token."""
        consent = None
        if part.signed is None:
            audience = part.resource or self.rules.userinfo_audience
            consent = tx.consents.live(grant.user_id, app.id, audience, tx.now)
        issue = self._issue(tx, grant, part, consent, jkt=jkt)
        tx.delegations.add(_delegation(issue, consent))
        _record(tx, issue)
        keys = tx.directory.signing_keys()
        alg = self.rules.access_token_alg
        access_token = self.signer.sign(
            keys, alg, tokens.ACCESS_TOKEN_TYPE, app_tokens.access_token_claims(issue)
        )
        answer: dict[str, object] = {
            "access_token": access_token,
            "token_type": issue.token_type,
            "expires_in": issue.expires_at - issue.issued_at,
        }
        if part.text:
            answer["scope"] = part.text
        if issue.details:
            answer["authorization_details"] = list(issue.details)
        if part.openid:
            id_claims = app_tokens.id_token_claims(
                issue,
                nonce=grant.nonce,
                access_token=access_token,
                alg=app.id_token_alg,
                about=_about(user, grant, part),
            )
            answer["id_token"] = self.signer.sign(
                keys, app.id_token_alg, tokens.ID_TOKEN_TYPE, id_claims
            )
        return answer, issue.token_id

    def new_family(
        self, tx: Unit, grant: Grant, jti: str, *, jkt: str | None
    ) -> tuple[Family, str]:
        """The first refresh token of a code, bound to the key that was proved with it."""
        whole = replace(grant, jkt=jkt, nonce=None)
        family = Family(self.secrets.new_id(names.PREFIX_FAMILY), whole, tx.now, tx.now + IDLE_MS)
        token = self.secrets.new_secret(names.PREFIX_REFRESH_TOKEN)
        tx.code_grants.add_family(family)
        tx.code_grants.add_token(RefreshToken(token_hash(token), family.id, tx.now))
        tx.code_grants.came_with(family.id, jti, tx.now)
        return family, token

    def successor(self, token: str) -> str:
        """The refresh token that comes after this one: always the same one.

        So a client that lost its answer gets that answer again, and no second line of tokens
        begins.
        """
        return names.PREFIX_REFRESH_TOKEN + self.secrets.nonce("refresh", token)

    def _issue(
        self,
        tx: Unit,
        grant: Grant,
        part: AccessTokenTerms,
        consent: Consent | None,
        *,
        jkt: str | None,
    ) -> AppIssue:
        """What the access token says; it does not outlive the consent that it stands on."""
        now, signed = tx.now // 1000, part.signed
        resource = tx.directory.resource(part.resource)
        limit = None if resource is None else resource.token_seconds
        ends = now + (limit or self.rules.access_token_seconds)
        return AppIssue(
            issuer=self.rules.issuer,
            token_id=self.secrets.new_id(tokens.JTI),
            app=grant.app_id,
            user=grant.user_id,
            audience=part.resource or self.rules.userinfo_audience,
            scope=" ".join(part.scope) if part.resource else part.text,
            sign_in=grant.sign_in_id,
            acr=grant.acr,
            amr=_AMR[grant.acr],
            actor=grant.actor if part.resource else None,
            claims=() if part.resource else grant.userinfo_claims,
            jkt=jkt,
            auth_time=grant.auth_time // 1000,
            issued_at=now,
            expires_at=ends if consent is None else min(ends, consent.expires_at // 1000),
            details=() if signed is None else signed_details(signed),
            approved=None if signed is None else answer_to(tx, signed),
        )


_AMR: Final = {
    names.ACR_PASSWORD: ("pwd",),
    names.ACR_PASSKEY: ("pop", "user"),
    names.ACR_SIGNED: ("swk",),
    names.ACR_SIGNED_PIN: ("swk", "pin"),
}
"""RFC 8176 2."""


def token_hash(token: str) -> bytes:
    """What the database keeps of a refresh token."""
    return hashlib.sha256(token.encode()).digest()


def person(user: User) -> dict[str, object]:
    """Everything that may be said about a person; nobody here has verified an address."""
    return {
        "name": user.name,
        "preferred_username": user.name,
        "email": user.email,
        "email_verified": None if user.email is None else False,
    }


def _about(user: User, grant: Grant, part: AccessTokenTerms) -> dict[str, object]:
    """What the ID token says; with a token for a resource nobody can ask at /userinfo."""
    scopes = part.openid if part.resource else ()
    return claims.about(person(user), claims.names(scopes, grant.id_token_claims))


def _delegation(issue: AppIssue, consent: Consent | None) -> Delegation:
    return Delegation(
        id=issue.token_id,
        client_id=issue.app,
        user_id=issue.user,
        resource=issue.audience,
        scope=issue.scope,
        issued_at=issue.issued_at * 1000,
        expires_at=issue.expires_at * 1000,
        consent_id=None if consent is None else consent.id,
        jkt=issue.jkt,
        details=json_text.compact(list(issue.details)),
        approval_id=None if issue.approved is None else issue.approved.id,
    )


def _record(tx: Unit, issue: AppIssue) -> None:
    approved = issue.approved
    audit.record(
        tx,
        Entry(
            type=audit.Type.TOKEN_ISSUED,
            actor=audit.by_client(issue.app),
            agent_id=issue.actor,
            subject=issue.user,
            resource=issue.audience,
            action=None if approved is None else approved.granted_digest,
            decision="issued",
            posture=issue.acr if approved is None else approved.acr,
            approval_id=None if approved is None else approved.id,
            facts={
                "app": issue.app,
                "jti": issue.token_id,
                "scope": issue.scope,
                "expires_at": issue.expires_at * 1000,
            },
        ),
    )
