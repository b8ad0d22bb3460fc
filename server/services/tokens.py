"""Issuing: a token, its delegation and its entry, in the unit of work that allows it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from server.protocol import names, scopes, tokens
from server.protocol.tokens import Approved, Issue
from server.services import audit, targets
from server.services.ports import Secrets, Signer, Unit
from server.services.records import Agent, Approval, Decision, Delegation, Entry, Session
from server.services.rules import Rules
from server.services.targets import Target

_JTI = "sayso_at_"


@dataclass(frozen=True, slots=True)
class Issuing:
    """Makes what the token endpoint answers."""

    signer: Signer
    secrets: Secrets
    rules: Rules

    def for_approval(
        self,
        tx: Unit,
        agent: Agent,
        approval: Approval,
        decision: Decision,
        *,
        jkt: str | None = None,
    ) -> dict[str, object]:
        """The token set of an approved request (CIBA 10.1.1)."""
        details = json.loads(approval.details)
        issue = self._issue(
            tx,
            agent,
            resource=approval.resource,
            scope=approval.scope,
            user=approval.user_id,
            details=tuple(details),
            approved=_approved(approval, decision),
            jkt=jkt,
        )
        answer = self._answer(tx, issue, approval.id)
        alg = agent.id_token_alg
        claims = tokens.id_token_claims(
            issue,
            auth_req_id=self.secrets.auth_req_id(approval.id),
            access_token=str(answer["access_token"]),
            alg=alg,
        )
        answer["id_token"] = self.signer.sign(
            tx.directory.signing_keys(), alg, tokens.ID_TOKEN_TYPE, claims
        )
        answer["scope"] = " ".join(filter(None, [approval.openid_scope, approval.scope]))
        if details:
            answer["authorization_details"] = details
        return answer

    def for_agent(
        self, tx: Unit, agent: Agent, target: Target, *, jkt: str | None = None
    ) -> dict[str, object]:
        """The token of an agent that acts for itself (RFC 6749 4.4)."""
        issue = self._issue(
            tx,
            agent,
            resource=target.resource.uri,
            scope=scopes.text(target.scope),
            user=None,
            details=(),
            approved=None,
            jkt=jkt,
        )
        return self._answer(tx, issue, None) | {"scope": issue.scope}

    def for_session(self, tx: Unit, session: Session) -> str:
        """A person's access token for our own API, bound to their terminal's key."""
        now = tx.now // 1000
        claims = {
            "iss": self.rules.issuer,
            "sub": session.user_id,
            "sub_profile": names.SUB_PROFILE_USER,
            "aud": self.rules.api_audience,
            "client_id": names.APPROVER_CLIENT,
            "sid": session.id,
            "cnf": {"jkt": session.jkt},
            "jti": self.secrets.new_id(_JTI),
            "iat": now,
            "exp": now + tokens.API_TOKEN_SECONDS,
        }
        keys = tx.directory.signing_keys()
        return self.signer.sign(keys, "ES256", tokens.ACCESS_TOKEN_TYPE, claims)

    def _issue(  # noqa: PLR0913  # what one token says
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
    ) -> Issue:
        now = tx.now // 1000
        known = tx.directory.resource(resource)
        seconds = targets.lifetime(agent, known, self.rules.access_token_seconds)
        return Issue(
            issuer=self.rules.issuer,
            token_id=self.secrets.new_id(_JTI),
            agent=agent.id,
            user=user,
            resource=resource,
            scope=scope,
            details=details,  # type: ignore[arg-type]  # it was read as JSON
            issued_at=now,
            expires_at=_end(now + seconds, agent),
            approved=approved,
            jkt=jkt,
        )

    def _answer(self, tx: Unit, issue: Issue, approval_id: str | None) -> dict[str, object]:
        """Sign the access token and write its delegation and entry."""
        tx.delegations.add(_delegation(issue, approval_id))
        _record(tx, issue, approval_id)
        token = self.signer.sign(
            tx.directory.signing_keys(),
            self.rules.access_token_alg,
            tokens.ACCESS_TOKEN_TYPE,
            tokens.access_token_claims(issue),
        )
        return {
            "access_token": token,
            "token_type": issue.token_type,
            "expires_in": issue.expires_at - issue.issued_at,
        }


def _end(seconds: int, agent: Agent) -> int:
    """No token outlives its agent."""
    return seconds if agent.expires_at is None else min(seconds, agent.expires_at // 1000)


def _approved(approval: Approval, decision: Decision) -> Approved:
    """How the person themselves answered; the word for a software key is RFC 8176's."""
    with_pin = decision.ceremony == "pin"
    return Approved(
        id=approval.id,
        action_digest=approval.action_digest,
        granted_digest=approval.action_digest,
        single_use=approval.details != "[]",
        acr=names.ACR_SIGNED_PIN if with_pin else names.ACR_SIGNED,
        amr=("swk", "pin") if with_pin else ("swk",),
        auth_time=decision.at // 1000,
    )


def _delegation(issue: Issue, approval_id: str | None) -> Delegation:
    chain = tokens.actor(issue)
    return Delegation(
        id=issue.token_id,
        client_id=issue.agent,
        user_id=issue.user,
        resource=issue.resource,
        scope=issue.scope,
        issued_at=issue.issued_at * 1000,
        expires_at=issue.expires_at * 1000,
        chain="" if chain is None else json.dumps(chain, sort_keys=True),
        depth=0 if chain is None else 1,
        details=json.dumps(list(issue.details), separators=(",", ":"), ensure_ascii=False),
        approval_id=approval_id,
        jkt=issue.jkt,
    )


def _record(tx: Unit, issue: Issue, approval_id: str | None) -> None:
    approved = issue.approved
    audit.record(
        tx,
        Entry(
            type=audit.Type.TOKEN_ISSUED,
            actor=audit.by_agent(issue.agent),
            agent_id=issue.agent,
            subject=issue.user,
            resource=issue.resource,
            action=None if approved is None else approved.granted_digest,
            decision="issued",
            posture=None if approved is None else approved.acr,
            approval_id=approval_id,
            facts={
                "jti": issue.token_id,
                "scope": issue.scope,
                "expires_at": issue.expires_at * 1000,
            },
        ),
    )
