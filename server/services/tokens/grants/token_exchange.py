"""A person's token becomes a narrower one in which an agent acts for them (RFC 8693)."""

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
from server.services.tokens.endpoint import TokenRequest
from server.services.tokens.exchanges import ExchangeRefused, Exchanges, Granted
from server.services.tokens.issuing import Issuing, Origin
from server.services.tokens.standing_exchanges import StandingExchanges

HintMaker: TypeAlias = Callable[
    [Unit, Agent, Delegation, str, Sequence[str], Sequence[Mapping[str, JsonValue]]], str
]
"""Signs a hint for this agent and parent: a resource, scopes and details."""


@dataclass(frozen=True, slots=True)
class _Found:
    """The tokens of a request, checked, and their rows."""

    said: Subject
    subject: Delegation | None
    actor: Delegation | None


@dataclass(frozen=True, slots=True)
class TokenExchangeGrant:
    """Exchanges access tokens of ours. Every refusal is an entry with its reason."""

    store: Store
    verifier: Verifier
    exchanges: Exchanges
    hint: HintMaker
    issuing: Issuing
    ahead: StandingExchanges
    rules: ServerPolicy

    def exchange(self, agent: Agent, request: TokenRequest) -> dict[str, object]:
        """The token answer of RFC 8693 2.2.1. Raises errors.ProtocolError."""
        with self.store.write() as tx:
            agent = client_auth.current(tx, agent)
            if names.GRANT_TOKEN_EXCHANGE not in agent.grant_types:
                raise errors.UnauthorizedClient("This client may not use this grant type.")
            result = self._exchange(tx, agent, request)
        if isinstance(result, errors.ProtocolError):
            raise result
        return result

    def _exchange(
        self, tx: Unit, agent: Agent, request: TokenRequest
    ) -> dict[str, object] | errors.ProtocolError:
        """Exchange, or say why not and write it down. The steps are those of `STEPS`."""
        asked, found = _NOTHING, None
        try:
            # 1. The request is well-formed.
            sent = _parsed(request)
            asked = _asked(sent)
            # 2. The subject token is one of our access tokens.
            said = self._said(tx, sent.subject_token, Reason.SUBJECT_INVALID)
            asked = replace(asked, subject=said.token_id, may_act=said.may_act)
            found = _Found(said, _held(tx, said), None)
            # 3. The actor token is the caller's own.
            found = replace(found, actor=self._actor(tx, agent, sent.actor_token))
            # 4. A bound token comes with a proof of its key.
            _check_proof(request.dpop_jkt, found)
            # 5 to 14. The ledger, the directory and the consents allow it.
            granted = self.exchanges.weigh(tx, agent, asked, found.subject)
        except ExchangeRefused as refused:
            if (ahead := self._ahead(tx, refused, found, request.dpop_jkt)) is not None:
                return ahead
            return self._refuse(tx, agent, asked, None if found is None else found.subject, refused)
        origin = _origin(found, granted)
        answer = self.issuing.for_exchange(
            tx, agent, granted.target, asked.details, origin, jkt=request.dpop_jkt
        )
        tx.delegations.used(asked.subject, tx.now)
        answer["issued_token_type"] = token_exchange.ACCESS_TOKEN
        return {**answer, "narrowed": True} if granted.narrowed else answer

    def _ahead(
        self, tx: Unit, refused: ExchangeRefused, found: _Found | None, jkt: str | None
    ) -> dict[str, object] | None:
        """What a standing grant of the person gives, where only their answer was lacking."""
        lacks = refused.lacks_answer
        if lacks is None or found is None or found.subject is None:
            return None
        until = _end(found, lacks.consent)
        answer = self.ahead.exchange(tx, lacks, found.subject, until=until, jkt=jkt)
        if answer is None:
            return None
        answer["issued_token_type"] = token_exchange.ACCESS_TOKEN
        return {**answer, "narrowed": True} if lacks.narrowed else answer

    def _said(self, tx: Unit, token: str, otherwise: Reason) -> Subject:
        """What an access token of ours says, whose signature and time are good."""
        keys = published(tx.directory.signing_keys(), tx.now)
        try:
            claims = self.verifier.own_token(token, tokens.ACCESS_TOKEN_TYPE, keys)
            return token_exchange.read_subject(claims, issuer=self.rules.issuer, now=tx.now)
        except (BadToken, errors.InvalidRequest) as error:
            raise ExchangeRefused(otherwise) from error

    def _actor(self, tx: Unit, agent: Agent, token: str | None) -> Delegation | None:
        """The row of the caller's own token, in which it acts for itself (RFC 8693 2.1)."""
        if token is None:
            return None
        said = self._said(tx, token, Reason.ACTOR_INVALID)
        if (said.user, said.client) != (agent.id, agent.id):
            raise ExchangeRefused(Reason.ACTOR_FOREIGN)
        actor = tx.delegations.get(said.token_id)
        if actor is None or actor.revoked_at is not None:
            raise ExchangeRefused(Reason.ACTOR_INVALID)
        return actor

    def _refuse(
        self,
        tx: Unit,
        agent: Agent,
        asked: LoggedExchange,
        subject: Delegation | None,
        refused: ExchangeRefused,
    ) -> errors.ProtocolError:
        """Write down why, and say as much of it as the agent may know."""
        _record(tx, agent, asked, subject, refused)
        if refused.error is not None:
            return refused.error
        means = REFUSALS[refused.reason]
        forbidden = refused.reason is Reason.POLICY_DENIED
        members: dict[str, object] = {"reason": str(Reason.POLICY_DENIED)} if forbidden else {}
        if refused.target is not None and subject is not None:
            members["login_hint_token"] = self.hint(
                tx, agent, subject, refused.target, tuple(refused.scope), asked.details
            )
        if refused.missing_types:
            members["authorization_details_types"] = list(refused.missing_types)
        return means.error(means.told, detail=refused.reason, members=members)


def facts(asked: LoggedExchange) -> dict[str, object]:
    """An exchange as the log keeps it."""
    return {
        "subject": asked.subject,
        "may_act": None if asked.may_act is None else dict(asked.may_act),
        "target": asked.target,
        "scope": scopes.text(asked.scope),
        "types": list(asked.types),
    }


def _parsed(request: TokenRequest) -> ExchangeRequest:
    try:
        return token_exchange.parse_request(request.form)
    except errors.ProtocolError as error:
        raise ExchangeRefused(Reason.MALFORMED, error=error) from error


def _asked(sent: ExchangeRequest) -> LoggedExchange:
    types = tuple(str(detail["type"]) for detail in sent.details)
    return LoggedExchange("", None, sent.target, sent.scope, sent.details, types)


def _held(tx: Unit, said: Subject) -> Delegation | None:
    """The token's row, in force until this unit of work is over; one that is over as it is.

    The row and the token must say the same.
    """
    row = tx.delegations.extend(said.token_id, tx.now) or tx.delegations.get(said.token_id)
    if row is not None and (row.user_id or row.client_id, row.resource, row.client_id) != (
        said.user,
        said.audience,
        said.client,
    ):
        raise ExchangeRefused(Reason.SUBJECT_INVALID)
    return row


def _check_proof(jkt: str | None, found: _Found) -> None:
    """A bound token is good only with its key, and never becomes an unbound one (RFC 9449 7)."""
    for token in (found.subject, found.actor):
        if token is not None and token.jkt not in {None, jkt}:
            raise ExchangeRefused(Reason.PROOF_MISSING)


def _origin(found: _Found, granted: Granted) -> Origin:
    """What the new token comes from: it outlives neither of the tokens, nor the consent."""
    consent = granted.consent
    return Origin(
        parent=found.subject,
        consent_id=None if consent is None else consent.id,
        until=_end(found, consent),
        signed=granted.approval,
        policy=granted.verdict.facts(),
        carried=found.said.carried,
    )


def _end(found: _Found, consent: Consent | None) -> int | None:
    """When what comes out ends at the latest, in seconds."""
    ends = [limit.expires_at // 1000 for limit in (consent, found.actor) if limit is not None]
    return min(ends, default=None)


def _record(
    tx: Unit,
    agent: Agent,
    asked: LoggedExchange,
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
            resource=asked.target,
            decision="refused",
            cause=reason,
            facts={"step": REFUSALS[reason].step, **facts(asked), **policy},
        ),
    )


_NOTHING = LoggedExchange("", None, None, ())
"""A request that could not be read."""
