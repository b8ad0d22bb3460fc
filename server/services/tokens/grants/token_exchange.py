"""The token exchange grant: an agent exchanges a person's token for a narrower one (RFC 8693)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from server.model.audit import Entry
from server.model.clients import Agent
from server.model.consents import Consent
from server.model.ports import BadToken, Verifier
from server.model.store import Store, Unit
from server.model.tokens import Delegation, LoggedExchange, published
from server.protocol import errors, names
from server.protocol.json_text import JsonValue
from server.protocol.resources import scopes
from server.protocol.tokens import token_exchange, tokens
from server.protocol.tokens.exchange_refusals import REFUSALS, Reason
from server.protocol.tokens.token_exchange import ExchangeRequest, Subject
from server.services.audit import audit, floods
from server.services.clients import client_auth
from server.services.server_policy import ServerPolicy
from server.services.tokens.endpoint import TokenRequest, TokenResult
from server.services.tokens.exchange_checks import ExchangeChecks, ExchangeRefused
from server.services.tokens.issuing import TokenIssuer, TokenOrigin
from server.services.tokens.standing_grant_exchanges import StandingGrantExchanges

HintMaker: TypeAlias = Callable[
    [Unit, Agent, Delegation, str, Sequence[str], Sequence[Mapping[str, JsonValue]]], str
]
"""Signs a `login_hint_token`. Called with agent, parent token, resource, scopes and details."""


@dataclass(frozen=True, slots=True)
class TokenExchangeGrant:
    """Exchanges access tokens. Each refusal writes an audit entry with its reason."""

    store: Store
    verifier: Verifier
    checks: ExchangeChecks
    hint: HintMaker
    issuing: TokenIssuer
    standing: StandingGrantExchanges
    server_policy: ServerPolicy

    def exchange(self, agent: Agent, request: TokenRequest) -> TokenResult:
        """Return the token response of RFC 8693 2.2.1. Raises errors.ProtocolError."""
        with self.store.write() as tx:
            agent = client_auth.current_agent(tx, agent)
            if names.GRANT_TOKEN_EXCHANGE not in agent.grant_types:
                raise errors.UnauthorizedClient("This client cannot use this grant type.")
            self.checks.evaluator.lock_counts(tx, agent)
            return self._exchange(tx, agent, request)

    def _exchange(self, tx: Unit, agent: Agent, request: TokenRequest) -> TokenResult:
        """Exchange the token, or record a refusal and return its error. The steps are `STEPS`."""
        exchange, subject, actor = _UNREADABLE, None, None
        try:
            # 1. The request is well-formed.
            exchange_request = _parse_request(request)
            exchange = _to_logged_exchange(exchange_request)
            # 2. The subject token is one of our access tokens.
            claims = self._read_token(tx, exchange_request.subject_token, Reason.SUBJECT_INVALID)
            exchange = replace(exchange, subject=claims.token_id, may_act=claims.may_act)
            subject = _subject_row(tx, claims)
            # 3. The actor token is the caller's own.
            actor = self._actor(tx, agent, exchange_request.actor_token)
            # 4. A bound token comes with a DPoP proof of its key.
            _check_proof(request.dpop_jkt, subject, actor)
            # 5 to 14. Tokens, directory, consents and policy allow it.
            granted = self.checks.check(tx, agent, exchange, subject)
        except ExchangeRefused as refused:
            answer_by_grant = self._exchange_by_grant(
                tx, refused, subject, actor, jkt=request.dpop_jkt
            )
            return answer_by_grant or self._refuse(tx, agent, exchange, subject, refused)
        origin = TokenOrigin(
            parent=subject,
            consent_id=None if granted.consent is None else granted.consent.id,
            until=_latest_expiry(actor, granted.consent),
            approval=granted.approval,
            policy=granted.verdict.facts(),
            copied_claims=claims.copied_claims,
        )
        answer = self.issuing.for_target(
            tx, agent, granted.target, exchange.details, origin, jkt=request.dpop_jkt
        )
        tx.delegations.mark_used(exchange.subject, tx.now)
        return _complete(answer, narrowed=granted.narrowed)

    def _exchange_by_grant(
        self,
        tx: Unit,
        refused: ExchangeRefused,
        subject: Delegation | None,
        actor: Delegation | None,
        *,
        jkt: str | None,
    ) -> dict[str, object] | None:
        """Return the response if only an approval is missing and a standing grant provides it."""
        needed = refused.approval_needed
        if needed is None or subject is None:
            return None
        until = _latest_expiry(actor, needed.consent)
        answer = self.standing.exchange(tx, needed, subject, until=until, jkt=jkt)
        return None if answer is None else _complete(answer, narrowed=needed.narrowed)

    def _read_token(self, tx: Unit, token: str, reason: Reason) -> Subject:
        """Return the claims of a valid access token of this server."""
        keys = published(tx.directory.signing_keys(), tx.now)
        try:
            claims = self.verifier.own_token(token, tokens.ACCESS_TOKEN_TYPE, keys)
            return token_exchange.read_subject(claims, issuer=self.server_policy.issuer, now=tx.now)
        except (BadToken, errors.InvalidRequest) as error:
            raise ExchangeRefused(reason) from error

    def _actor(self, tx: Unit, agent: Agent, token: str | None) -> Delegation | None:
        """Return the row of the caller's own token, in which it acts for itself (RFC 8693 2.1)."""
        if token is None:
            return None
        claims = self._read_token(tx, token, Reason.ACTOR_INVALID)
        if (claims.user, claims.client) != (agent.id, agent.id):
            raise ExchangeRefused(Reason.ACTOR_FOREIGN)
        actor = tx.delegations.get(claims.token_id)
        if actor is None or actor.revoked_at is not None:
            raise ExchangeRefused(Reason.ACTOR_INVALID)
        return actor

    def _refuse(
        self,
        tx: Unit,
        agent: Agent,
        exchange: LoggedExchange,
        subject: Delegation | None,
        refused: ExchangeRefused,
    ) -> errors.ProtocolError:
        """Record the reason, and return the error for the agent."""
        _record(tx, agent, exchange, subject, refused)
        if refused.error is not None:
            return refused.error
        refusal = REFUSALS[refused.reason]
        is_denied = refused.reason is Reason.POLICY_DENIED
        members: dict[str, object] = {"reason": str(Reason.POLICY_DENIED)} if is_denied else {}
        if refused.target is not None and subject is not None:
            members["login_hint_token"] = self.hint(
                tx, agent, subject, refused.target, tuple(refused.scope), exchange.details
            )
        if refused.missing_types:
            members["authorization_details_types"] = list(refused.missing_types)
        return refusal.error(refusal.message, detail=refused.reason, members=members)


def facts(exchange: LoggedExchange) -> dict[str, object]:
    """Return the facts of an exchange for the audit log."""
    return {
        "subject": exchange.subject,
        "may_act": None if exchange.may_act is None else dict(exchange.may_act),
        "target": exchange.target,
        "scope": scopes.text(exchange.scope),
        "types": list(exchange.types),
    }


def _parse_request(request: TokenRequest) -> ExchangeRequest:
    try:
        return token_exchange.parse_request(request.form)
    except errors.ProtocolError as error:
        raise ExchangeRefused(Reason.MALFORMED, error=error) from error


def _to_logged_exchange(exchange_request: ExchangeRequest) -> LoggedExchange:
    types = tuple(str(detail["type"]) for detail in exchange_request.details)
    return LoggedExchange(
        "", None, exchange_request.target, exchange_request.scope, exchange_request.details, types
    )


def _subject_row(tx: Unit, claims: Subject) -> Delegation | None:
    """Return the token's row; if it is valid, lock it until this unit of work ends.

    The row and the token must match. Its consents are locked first, in the same order as
    revoking a consent.
    """
    tx.delegations.lock_consents(claims.token_id)
    row = tx.delegations.lock_live(claims.token_id, tx.now) or tx.delegations.get(claims.token_id)
    if row is not None and (row.user_id or row.client_id, row.resource, row.client_id) != (
        claims.user,
        claims.audience,
        claims.client,
    ):
        raise ExchangeRefused(Reason.SUBJECT_INVALID)
    return row


def _check_proof(jkt: str | None, *request_tokens: Delegation | None) -> None:
    """Check that a bound token comes with a proof, so it cannot become unbound (RFC 9449 7)."""
    for token in request_tokens:
        if token is not None and token.jkt not in {None, jkt}:
            raise ExchangeRefused(Reason.PROOF_MISSING)


def _latest_expiry(*limits: Delegation | Consent | None) -> int | None:
    """Return the latest time, in seconds, at which the new token may expire; None for no limit."""
    return min((limit.expires_at // 1000 for limit in limits if limit is not None), default=None)


def _complete(answer: dict[str, object], *, narrowed: bool) -> dict[str, object]:
    """Add the members that only the response to an exchange has."""
    answer["issued_token_type"] = token_exchange.ACCESS_TOKEN
    return {**answer, "narrowed": True} if narrowed else answer


def _record(
    tx: Unit,
    agent: Agent,
    exchange: LoggedExchange,
    subject: Delegation | None,
    refused: ExchangeRefused,
) -> None:
    reason, verdict = refused.reason, refused.verdict
    policy = {} if verdict is None else {"policy": verdict.facts()}
    floods.record_refusal(
        tx,
        Entry(
            type=audit.Type.EXCHANGE_REFUSED,
            actor=audit.by_agent(agent.id),
            agent_id=agent.id,
            subject=None if subject is None else subject.user_id,
            resource=exchange.target,
            decision="refused",
            cause=reason,
            facts={"step": REFUSALS[reason].step, **facts(exchange), **policy},
        ),
    )


_UNREADABLE = LoggedExchange("", None, None, ())
"""Logged instead of a request that cannot be parsed."""
