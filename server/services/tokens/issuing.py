"""Issues tokens to agents: the token, its row and its audit entry, in one unit of work."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from server.model.approvals import Approval, Decision, automatic_decision
from server.model.audit import Entry
from server.model.clients import Agent
from server.model.devices import BROWSER, Session
from server.model.granted import effective_digest, effective_terms
from server.model.ports import Secrets, Signer
from server.model.store import Unit
from server.model.tokens import Delegation
from server.protocol import json_text, names
from server.protocol.policy import uses
from server.protocol.resources import scopes
from server.protocol.tokens import tokens
from server.protocol.tokens.tokens import Approved, TokenContents
from server.services.approvals.votes import valid_approvals
from server.services.approvers import answer_sources
from server.services.audit import audit
from server.services.resources import targets
from server.services.resources.targets import TokenTarget
from server.services.server_policy import ServerPolicy


@dataclass(frozen=True, slots=True)
class TokenOrigin:
    """The origin of a token, and the latest time at which it may expire."""

    approval_id: str | None = None
    parent: Delegation | None = None
    """The token that was exchanged for it, or whose exchange led to the approval."""
    consent_id: str | None = None
    until: int | None = None
    """The latest time at which it may expire, in seconds."""
    approval: Approval | None = None
    """The approval at the start of the chain, if it is the basis of an exchange."""
    copied_claims: Mapping[str, object] = field(default_factory=dict)
    """Claims copied from the parent, unless the signed approval sets them."""
    policy: Mapping[str, object] = field(default_factory=dict)
    """The policy verdict, for the audit log."""
    caller_id: str | None = None
    """The client whose call led to the approval, for the audit log."""

    @property
    def parent_act(self) -> Mapping[str, object] | None:
        """The parent's `act` claim."""
        chain = "" if self.parent is None else self.parent.chain
        return json.loads(chain) if chain else None

    @property
    def caller(self) -> str | None:
        """The parent token's client, or else the client whose call led to the approval."""
        return self.caller_id if self.parent is None else self.parent.client_id

    def expiry(self, seconds: int) -> int:
        """Return when a token expires: at `seconds`, or at an earlier limit."""
        limits = [seconds]
        if self.parent is not None:
            limits.append(self.parent.expires_at // 1000)
        if self.until is not None:
            limits.append(self.until)
        return min(limits)


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """Issues tokens to agents, and to the terminal app."""

    signer: Signer
    secrets: Secrets
    server_policy: ServerPolicy

    def for_approval(
        self, tx: Unit, agent: Agent, approval: Approval, handle: str, *, jkt: str | None = None
    ) -> dict[str, object]:
        """Return the token response for an approved request (CIBA 10.1.1).

        `handle` is its `auth_req_id`.
        """
        terms = effective_terms(approval)
        details = [dict(detail) for detail in terms.details]
        parent = None if approval.parent_id is None else tx.delegations.get(approval.parent_id)
        if parent is not None:
            tx.delegations.mark_used(parent.id, tx.now)
        consent = answer_sources.deciding_consent(tx, approval)
        until = None if terms.seconds is None else tx.now // 1000 + terms.seconds
        policy = json.loads(approval.policy)
        origin = TokenOrigin(
            approval.id,
            parent,
            consent_id=None if consent is None else consent.id,
            until=until if consent is None else consent.expires_at // 1000,
            policy=policy,
            caller_id=approval.caller_id,
        )
        contents = self._contents(
            tx,
            agent,
            resource=approval.resource,
            scope=scopes.text(terms.scope),
            user=approval.user_id,
            details=tuple(details),
            approved=approved_from(tx, approval),
            jkt=jkt,
            origin=origin,
        )
        response = self._sign(tx, contents, origin)
        alg = agent.id_token_alg
        claims = tokens.id_token_claims(
            contents, auth_req_id=handle, access_token=str(response["access_token"]), alg=alg
        )
        response["id_token"] = self.signer.sign(
            tx.directory.signing_keys(), alg, tokens.ID_TOKEN_TYPE, claims
        )
        is_about_person = scopes.about_person(terms.scope)
        openid = "" if is_about_person else approval.openid_scope
        response["scope"] = " ".join(filter(None, [openid, contents.scope]))
        if details:
            response["authorization_details"] = details
        return response if approval.granted is None else {**response, "narrowed": True}

    def for_target(
        self,
        tx: Unit,
        agent: Agent,
        target: TokenTarget,
        details: Sequence[Mapping[str, object]],
        origin: TokenOrigin,
        *,
        jkt: str | None,
    ) -> dict[str, object]:
        """Return the token response for an exchange (RFC 8693 2.2.1).

        Without a parent token, the agent acts for itself (RFC 6749 4.4).
        """
        contents = self._contents(
            tx,
            agent,
            resource=target.resource.uri,
            scope=scopes.text(target.scope),
            user=None if origin.parent is None else origin.parent.user_id,
            details=tuple(details),
            approved=None if origin.approval is None else approved_from(tx, origin.approval),
            jkt=jkt,
            origin=origin,
        )
        response = self._sign(tx, contents, origin)
        if contents.scope:
            response["scope"] = contents.scope
        return {**response, "authorization_details": list(details)} if details else response

    def for_session(self, tx: Unit, session: Session, refresh_token: str) -> dict[str, object]:
        """Return the token response for a terminal (RFC 9449 5).

        The access token is for our own API and bound to the key of the terminal.
        """
        now = tx.now // 1000
        claims = {
            "iss": self.server_policy.issuer,
            "sub": session.user_id,
            "sub_profile": names.SUB_PROFILE_USER,
            "aud": self.server_policy.api_audience,
            "client_id": names.APPROVER_CLIENT,
            "sid": session.id,
            "cnf": {"jkt": session.jkt},
            "jti": self.secrets.new_id(tokens.JTI),
            "iat": now,
            "exp": now + tokens.API_TOKEN_SECONDS,
        }
        keys = tx.directory.signing_keys()
        return {
            "access_token": self.signer.sign(keys, "ES256", tokens.ACCESS_TOKEN_TYPE, claims),
            "token_type": "DPoP",
            "expires_in": tokens.API_TOKEN_SECONDS,
            "refresh_token": refresh_token,
        }

    def _contents(  # noqa: PLR0913  # the contents of one token
        self,
        tx: Unit,
        agent: Agent,
        *,
        resource: str,
        scope: str,
        user: str | None,
        details: tuple[Mapping[str, object], ...],
        approved: Approved | None,
        jkt: str | None,
        origin: TokenOrigin,
    ) -> TokenContents:
        now = tx.now // 1000
        registered = tx.directory.resource(resource)
        seconds = targets.lifetime(agent, registered, self.server_policy.access_token_seconds)
        return TokenContents(
            issuer=self.server_policy.issuer,
            token_id=self.secrets.new_id(tokens.JTI),
            agent=agent.id,
            user=user,
            resource=resource,
            scope=scope,
            details=details,  # type: ignore[arg-type]  # it was read as JSON
            issued_at=now,
            expires_at=origin.expiry(_agent_limit(now + seconds, agent)),
            approved=approved,
            jkt=jkt,
            parent_act=origin.parent_act,
            copied_claims=origin.copied_claims,
        )

    def _sign(self, tx: Unit, contents: TokenContents, origin: TokenOrigin) -> dict[str, object]:
        """Sign the access token, and store its row and audit entry."""
        tx.delegations.add(_delegation(contents, origin))
        token_uses = uses.of_token(contents.resource, contents.scope.split(), contents.details)
        tx.uses.add(contents.agent, contents.token_id, token_uses, tx.now)
        _record(tx, contents, origin)
        token = self.signer.sign(
            tx.directory.signing_keys(),
            self.server_policy.access_token_alg,
            tokens.ACCESS_TOKEN_TYPE,
            tokens.access_token_claims(contents),
        )
        return {
            "access_token": token,
            "token_type": tokens.token_type(contents.jkt),
            "expires_in": contents.expires_at - contents.issued_at,
        }


def _agent_limit(seconds: int, agent: Agent) -> int:
    """Return this time, or the agent's expiry if that is earlier."""
    return seconds if agent.expires_at is None else min(seconds, agent.expires_at // 1000)


def approved_from(tx: Unit, approval: Approval) -> Approved:
    """Return how the person answered, or what decided for them."""
    approved = Approved(
        id=approval.id,
        action_digest=approval.action_digest,
        granted_digest=effective_digest(approval),
        single_use=approval.details != "[]",
        decided_by=automatic_decision(approval),
    )
    return approved if approval.decided_by is not None else _with_answers(tx, approval, approved)


def _with_answers(tx: Unit, approval: Approval, approved: Approved) -> Approved:
    """Add how the person authenticated, or who answered if other people answered for them."""
    approvals = valid_approvals(tx.decisions.of_approval(approval.id))
    decision = next((answer for answer in approvals if answer.user_id == approval.user_id), None)
    if decision is None:
        return replace(approved, decided_by={"users": [answer.user_id for answer in approvals]})
    acr = decision_acr(decision)
    return replace(approved, acr=acr, amr=AMR[acr], auth_time=decision.at // 1000)


AMR: Final = {
    names.ACR_PASSWORD: ("pwd",),
    names.ACR_PASSKEY: ("pop", "user"),
    names.ACR_SIGNED: ("swk",),
    names.ACR_SIGNED_PIN: ("swk", "pin"),
}
"""The `amr` values (RFC 8176 2) of each `acr`.

Sayso does not know where a passkey is stored, only that the passkey proved its key and the user.
"""


def decision_acr(decision: Decision) -> str:
    """Return the `acr` of a decision, as verified when it arrived.

    A stored decision has `used_pin` only if the high-risk key signed it after a PIN call.
    """
    if decision.channel == BROWSER:
        return names.ACR_PASSKEY
    return names.ACR_SIGNED_PIN if decision.used_pin else names.ACR_SIGNED


def _delegation(contents: TokenContents, origin: TokenOrigin) -> Delegation:
    chain = tokens.actor(contents)
    parent_depth = 0 if origin.parent is None else origin.parent.depth
    return Delegation(
        id=contents.token_id,
        client_id=contents.agent,
        user_id=contents.user,
        resource=contents.resource,
        scope=contents.scope,
        issued_at=contents.issued_at * 1000,
        expires_at=contents.expires_at * 1000,
        chain="" if chain is None else json.dumps(chain, sort_keys=True),
        depth=0 if chain is None else parent_depth + 1,
        details=json_text.compact(list(contents.details)),
        parent_id=None if origin.parent is None else origin.parent.id,
        approval_id=origin.approval_id,
        consent_id=origin.consent_id,
        jkt=contents.jkt,
    )


def _record(tx: Unit, contents: TokenContents, origin: TokenOrigin) -> None:
    approved = contents.approved
    facts: dict[str, object] = {
        "jti": contents.token_id,
        "scope": contents.scope,
        "expires_at": contents.expires_at * 1000,
        "policy": dict(origin.policy),
    }
    if origin.parent is not None:
        facts |= {"parent": origin.parent.id, "act": tokens.actor(contents)}
    tx.audit.add(
        Entry(
            type=audit.Type.TOKEN_ISSUED,
            actor=audit.by_agent(contents.agent),
            agent_id=contents.agent,
            subject=contents.user,
            resource=contents.resource,
            action=None if approved is None else approved.granted_digest,
            decision="issued",
            posture=None if approved is None else approved.acr,
            approval_id=None if approved is None else approved.id,
            caller_id=origin.caller,
            facts=facts,
        ),
    )
