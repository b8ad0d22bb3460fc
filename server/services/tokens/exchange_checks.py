"""The checks of a token exchange (steps 5 to 14 of `exchange_refusals.STEPS`).

Owns: the steps that start from the subject token's row. They do not need a token, so refusals can
be replayed from the audit log. Never: verifying tokens and signatures, or writing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from server.model import display_names
from server.model.approvals import Approval
from server.model.clients import Agent
from server.model.consents import Consent
from server.model.resources import Resource
from server.model.store import View
from server.model.tokens import Delegation, LoggedExchange
from server.protocol import errors, names
from server.protocol.policy.action_types import ActionType
from server.protocol.policy.questions import Approvals, Verdict
from server.protocol.tokens import token_exchange, tokens
from server.protocol.tokens.exchange_refusals import Reason
from server.protocol.tokens.token_exchange import DelegationBasis, Link
from server.services.approvals import votes
from server.services.clients import client_auth
from server.services.notifications import request_limits
from server.services.policy.evaluation import Evaluator, PolicyRequest
from server.services.resources.targets import TokenTarget
from server.services.server_policy import ServerPolicy


@dataclass(frozen=True, slots=True)
class GrantedExchange:
    """The result of an allowed exchange."""

    target: TokenTarget
    consent: Consent | None
    """The consent that allows it; None if a person signed for the target."""
    approval: Approval | None
    """The approval that the person signed."""
    verdict: Verdict
    narrowed: bool


@dataclass(frozen=True, slots=True)
class ApprovalNeeded:
    """An exchange for which only a person's approval is missing."""

    case: PolicyRequest
    verdict: Verdict
    consent: Consent | None
    narrowed: bool


@dataclass(eq=False)
class ExchangeRefused(Exception):
    """A refused exchange, with its reason."""

    reason: Reason
    error: errors.ProtocolError | None = None
    target: str | None = None
    """The resource for which the agent can ask the person for approval, if any."""
    scope: frozenset[str] = frozenset()
    missing_types: Sequence[str] = ()
    verdict: Verdict | None = None
    """The verdict, if policy refused."""
    approval_needed: ApprovalNeeded | None = None
    """The rest of the exchange, if only the person's approval is missing."""


@dataclass(frozen=True, slots=True)
class ScopeBound:
    """The scopes that one limit of an exchange allows."""

    source: str
    """A description of what sets the limit."""
    scope: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExchangeChecks:
    """Steps 5 to 14 of an exchange."""

    evaluator: Evaluator
    server_policy: ServerPolicy

    def check(
        self, view: View, agent: Agent, exchange: LoggedExchange, subject: Delegation | None
    ) -> GrantedExchange:
        """Return the exchange that steps 5 to 14 allow. Raises `ExchangeRefused`."""
        # 5. The subject token and its ancestors are valid.
        lineage = _live_lineage(view, subject)
        subject = lineage[0]
        # 6. It acts for an enabled user.
        _check_person(view, subject)
        # 7. The caller may exchange it.
        self._check_caller(agent, exchange, subject)
        # 8. Every actor in the chain, and the app that the person used, is enabled.
        _check_actors(view, lineage)
        # 9. The chain is short enough.
        self._check_chain(agent, subject)
        # 10. The caller may request the target.
        resource = _resolve_target(view, agent, exchange)
        # 11. Every limit allows at least one of the scopes.
        basis = token_exchange.delegation_basis(
            [_link(view, token, resource) for token in lineage], resource.uri, agent.id
        )
        allowed = _allowed_scopes(agent, exchange, resource, basis)
        # 12. The details match their types.
        actions = self._check_details(view, agent, exchange)
        # 13. The person consented, unless they signed for this resource.
        user = view.directory.user(subject.user_id or "")
        full_request = PolicyRequest(
            "exchange",
            agent,
            user,
            TokenTarget(resource, tuple(sorted(allowed))),
            exchange.details,
            actions,
        )
        try:
            granted, consent = _consented_scopes(view, subject, resource, basis, allowed)
        except ExchangeRefused:
            self._decide(view, full_request)  # no one is asked to consent to what policy denies
            self._check_pause(view, full_request)
            raise
        # 14. Policy allows it with the approvals so far, and the person did not just deny the same.
        target = TokenTarget(resource, tuple(sorted(granted)))
        approval = _signed_approval(view, lineage, basis)
        _check_types(target, exchange, allowed)
        case = replace(full_request, target=target)
        approvals = _covering_approvals(view, exchange, basis, approval)
        narrowed = granted != frozenset(exchange.scope)
        verdict = self._check_policy(view, case, approvals, allowed, consent, narrowed=narrowed)
        if exchange.types and approvals is None:
            consent = consent or _consent_to_act(view, subject, resource, basis)
            self._check_pause(view, case)
        return GrantedExchange(target, consent, approval, verdict, narrowed=narrowed)

    def bounds(
        self, view: View, agent: Agent, resource: Resource, lineage: Sequence[Delegation]
    ) -> tuple[ScopeBound, ...]:
        """Return the limits that apply if the agent exchanges `lineage[0]` for this resource."""
        links = [_link(view, token, resource) for token in lineage]
        basis = token_exchange.delegation_basis(links, resource.uri, agent.id)
        limits = [("the resource", resource.scopes), (agent.name, _ceiling(agent, resource))]
        for link in basis.links:
            if link.depth:
                limits.append((display_names.name_of(view.directory, link.client), link.ceiling))
            if link.resource == resource.uri:
                limits.append(("a token for the resource", link.scope))
        if not basis.approved:
            user = lineage[0].user_id or ""
            consent = view.consents.live(user, basis.first, resource.uri, view.now)
            name = display_names.name_of(view.directory, basis.first)
            limits.append((f"the consent to {name}", () if consent is None else consent.scopes))
        return tuple(ScopeBound(source, tuple(sorted(scope))) for source, scope in limits)

    def _decide(self, view: View, case: PolicyRequest) -> Verdict:
        """Return the verdict. Raises `ExchangeRefused` if policy denies the case."""
        verdict = self.evaluator.decide(view, case)
        if verdict.outcome == "deny":
            raise ExchangeRefused(Reason.POLICY_DENIED, verdict=verdict)
        return verdict

    def _check_policy(
        self,
        view: View,
        case: PolicyRequest,
        approvals: Approvals | None,
        allowed: frozenset[str],
        consent: Consent | None,
        *,
        narrowed: bool,
    ) -> Verdict:
        """Return the verdict if policy allows the case, with or without the approvals.

        An approval at a lower risk does not count. Raises `ExchangeRefused`.
        """
        verdict = self._decide(view, case)
        if verdict.outcome == "ask" and (
            approvals is None or not self.evaluator.holds(view, case, approvals)
        ):
            self._check_pause(view, case)
            uri = case.target.resource.uri
            needed = ApprovalNeeded(case, verdict, consent, narrowed)
            raise ExchangeRefused(
                Reason.NEEDS_PERSON,
                target=uri,
                scope=allowed,
                verdict=verdict,
                approval_needed=needed,
            )
        return verdict

    def _check_pause(self, view: View, case: PolicyRequest) -> None:
        """Refuse a kind of request that the person has recently denied repeatedly.

        An exchange that the person's own approval covers is not affected.
        """
        agent, types = case.agent, [action.type for action in case.actions]
        if case.user is not None and isinstance(agent, Agent):
            limit = request_limits.pause(view, agent, case.user, types, self.server_policy)
            if limit is not None:
                error = errors.RequestRefused(
                    limit.text, detail=limit.reason, members=limit.members
                )
                raise ExchangeRefused(Reason.DENIED_REPEATEDLY, error=error)

    def _check_caller(self, agent: Agent, exchange: LoggedExchange, subject: Delegation) -> None:
        """Check that `may_act` names the caller; without it, that the caller serves the audience.

        Therefore, a client that only received the token cannot exchange it.
        """
        may_act, issuer = exchange.may_act, self.server_policy.issuer
        if may_act is not None:
            if not token_exchange.names_agent(may_act, agent.id, issuer):
                raise ExchangeRefused(Reason.MAY_ACT_FOREIGN)
        elif subject.resource not in agent.serves:
            raise ExchangeRefused(Reason.NOT_SERVED)

    def _check_chain(self, agent: Agent, subject: Delegation) -> None:
        if subject.depth >= token_exchange.MAX_DEPTH:
            raise ExchangeRefused(Reason.TOO_DEEP)
        chain = json.loads(subject.chain) if subject.chain else None
        if token_exchange.too_large(tokens.act_claim(self.server_policy.issuer, agent.id, chain)):
            raise ExchangeRefused(Reason.CHAIN_TOO_LARGE)

    def _check_details(
        self, view: View, agent: Agent, exchange: LoggedExchange
    ) -> Sequence[ActionType]:
        if exchange.types and not exchange.details:  # replayed from the log, which has no details
            return self.evaluator.schemas.registered_types(view.directory, exchange.types)
        try:
            schemas = self.evaluator.schemas
            return schemas.check(view.directory, exchange.details, agent.action_types)
        except errors.InvalidAuthorizationDetails as error:
            raise ExchangeRefused(Reason.DETAILS_INVALID, error=error) from error


def _live_lineage(view: View, subject: Delegation | None) -> list[Delegation]:
    """Return the token and its ancestors, newest first."""
    if subject is None:
        raise ExchangeRefused(Reason.SUBJECT_UNKNOWN)
    if subject.revoked_at is not None:
        raise ExchangeRefused(Reason.SUBJECT_REVOKED)
    if subject.expires_at <= view.now:
        raise ExchangeRefused(Reason.SUBJECT_EXPIRED)
    ancestors = view.delegations.ancestors(subject.id) if subject.parent_id else []
    if any(token.revoked_at is not None for token in ancestors):
        raise ExchangeRefused(Reason.ANCESTOR_REVOKED)
    return [subject, *ancestors]


def _check_person(view: View, subject: Delegation) -> None:
    if subject.user_id is None:
        raise ExchangeRefused(Reason.NO_PERSON)
    user = view.directory.user(subject.user_id)
    if user is None or not user.enabled:
        raise ExchangeRefused(Reason.USER_DISABLED)


def _check_actors(view: View, lineage: Sequence[Delegation]) -> None:
    """Check the actors of the `act` claim, and the clients to which each token was issued."""
    chain = json.loads(lineage[0].chain) if lineage[0].chain else None
    client_ids = {*token_exchange.actors(chain), *(token.client_id for token in lineage)}
    for client_id in sorted(client_ids):
        client = client_auth.find(view.directory, client_id)
        if client is None or not client.active(view.now):
            is_app = names.is_app(client_id)
            raise ExchangeRefused(Reason.APP_DISABLED if is_app else Reason.ACTOR_DISABLED)


def _resolve_target(view: View, agent: Agent, exchange: LoggedExchange) -> Resource:
    """Return the named resource, or else the agent's only one, or the only one with all scopes."""
    if exchange.target is not None:
        resource = view.directory.resource(exchange.target)
        if resource is None or resource.uri not in agent.resources:
            _refuse_target()
        return resource
    resources = [r for uri in agent.resources if (r := view.directory.resource(uri)) is not None]
    if len(resources) != 1:
        scopes = set(exchange.scope)
        resources = [r for r in resources if scopes and scopes <= set(r.scopes)]
    return resources[0] if len(resources) == 1 else _refuse_target()


def _refuse_target() -> NoReturn:
    raise ExchangeRefused(Reason.TARGET_BEYOND)


def _link(view: View, token: Delegation, resource: Resource) -> Link:
    agent = view.directory.agent(token.client_id)
    return Link(
        client=token.client_id,
        resource=token.resource,
        scope=frozenset(token.scope.split()),
        depth=token.depth,
        ceiling=frozenset() if agent is None else _ceiling(agent, resource),
        details=tuple(token_exchange.canonical(detail) for detail in json.loads(token.details)),
        approved=token.approval_id is not None and token.consent_id is None,
    )


def _ceiling(agent: Agent, resource: Resource) -> frozenset[str]:
    """Return the scopes of this resource within the agent's permissions."""
    return frozenset(name for name in resource.scopes if agent.allows(resource.uri, name))


def _allowed_scopes(
    agent: Agent, exchange: LoggedExchange, resource: Resource, basis: DelegationBasis
) -> frozenset[str]:
    ceiling = _ceiling(agent, resource)
    allowed = token_exchange.allowed_scopes(frozenset(exchange.scope), resource.uri, ceiling, basis)
    if exchange.scope and not allowed:
        raise ExchangeRefused(Reason.SCOPE_BEYOND)
    return allowed


def _consented_scopes(
    view: View,
    subject: Delegation,
    resource: Resource,
    basis: DelegationBasis,
    allowed: frozenset[str],
) -> tuple[frozenset[str], Consent | None]:
    """Return the scopes that the person's consent covers, and that consent."""
    if basis.approved or not allowed:
        return allowed, None
    consent = view.consents.live(subject.user_id or "", basis.first, resource.uri, view.now)
    granted = allowed & frozenset(() if consent is None else consent.scopes)
    if not granted:
        raise ExchangeRefused(Reason.CONSENT_MISSING, target=resource.uri, scope=allowed)
    return granted, consent


def _consent_to_act(
    view: View, subject: Delegation, resource: Resource, basis: DelegationBasis
) -> Consent:
    """Return the consent that is still needed for an action that policy allows."""
    consent = view.consents.live(subject.user_id or "", basis.first, resource.uri, view.now)
    if consent is None:
        raise ExchangeRefused(Reason.CONSENT_MISSING, target=resource.uri)
    return consent


def _signed_approval(
    view: View, lineage: Sequence[Delegation], basis: DelegationBasis
) -> Approval | None:
    """Return the approval at the start of the chain, if the exchange is based on it."""
    if not basis.approved:
        return None
    signed = lineage[len(basis.links) - 1].approval_id
    return None if signed is None else view.approvals.get(signed)


def _covering_approvals(
    view: View, exchange: LoggedExchange, basis: DelegationBasis, signed: Approval | None
) -> Approvals | None:
    """Return the approvals of the signed request, if it covers the details of this exchange."""
    covers = exchange.signed_for
    if covers is None:
        covers = token_exchange.details_approved(exchange.details, basis)
    if signed is None or (exchange.types and not covers):
        return None
    return votes.cast_approvals(view, signed)


def _check_types(target: TokenTarget, exchange: LoggedExchange, allowed: frozenset[str]) -> None:
    """Refuse a scope that requires an action type that the request does not contain."""
    requires = target.resource.requires
    needed = {requires[name] for name in target.scope if name in requires}
    if missing := sorted(needed - set(exchange.types)):
        uri = target.resource.uri
        raise ExchangeRefused(
            Reason.DETAILS_MISSING, target=uri, scope=allowed, missing_types=missing
        )
