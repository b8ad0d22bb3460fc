"""Judging an exchange by what the ledger, the directory and the consents say now.

Owns: the steps from the ledger to the answer, on facts that hold no token, so that a refusal can be
replayed from the log. Never: tokens, signatures, writes.
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
from server.protocol.tokens.token_exchange import DelegationGround, Link
from server.services.approvals import votes
from server.services.notifications import request_limits
from server.services.policy.judging import Judge, JudgedRequest
from server.services.policy.schemas import Schemas
from server.services.resources.targets import TokenTarget
from server.services.server_policy import ServerPolicy


@dataclass(frozen=True, slots=True)
class Granted:
    """What may come out."""

    target: TokenTarget
    consent: Consent | None
    """What it stands on; None when a person signed for the target itself."""
    approval: Approval | None
    """What that person signed."""
    verdict: Verdict
    narrowed: bool


@dataclass(frozen=True, slots=True)
class LacksAnswer:
    """An exchange that only lacks a person's answer."""

    case: JudgedRequest
    verdict: Verdict
    consent: Consent | None
    narrowed: bool


class ExchangeRefused(Exception):
    """An exchange that is refused, and where."""

    def __init__(
        self,
        reason: Reason,
        *,
        error: errors.ProtocolError | None = None,
        target: str | None = None,
        scope: frozenset[str] = frozenset(),
        missing_types: Sequence[str] = (),
        verdict: Verdict | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error
        """The refusal of a rule that says it itself."""
        self.target = target
        """What a person would be asked for, when one can be."""
        self.scope = scope
        self.missing_types = tuple(missing_types)
        self.verdict = verdict
        """What policy said, when it was that."""
        self.lacks_answer: LacksAnswer | None = None
        """What would come out if the person had said yes, when that is all that is lacking."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What one bound leaves of the scopes of a target, for whoever asks why."""

    whose: str
    """In words."""
    scope: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exchanges:
    """Judges exchanges."""

    schemas: Schemas
    judge: Judge
    rules: ServerPolicy

    def weigh(
        self, view: View, agent: Agent, asked: LoggedExchange, subject: Delegation | None
    ) -> Granted:
        """What may come out of the subject token for this agent, by steps 5 to 14.

        Raises `Refused`.
        """
        # 5. The subject token and all that it came from are in force.
        lineage = _in_force(view, subject)
        subject = lineage[0]
        # 6. It is about a person who is enabled.
        _check_person(view, subject)
        # 7. The caller may act on it.
        self._check_caller(agent, asked, subject)
        # 8. Every actor of the chain is enabled, and the app that the person used.
        _check_actors(view, lineage)
        # 9. The chain is short enough.
        self._check_chain(agent, subject)
        # 10. The target is one that the caller may ask for.
        resource = _target(view, agent, asked)
        # 11. Something of the scopes is left within every bound.
        ground = token_exchange.ground(
            [_link(view, token, resource) for token in lineage], resource.uri, agent.id
        )
        left = _left(agent, asked, resource, ground)
        # 12. The details fit their types.
        actions = self._check_details(view, agent, asked)
        # 13. The person consented, unless they signed for this very resource.
        user = view.directory.user(subject.user_id or "")
        whole = JudgedRequest(
            "exchange",
            agent,
            user,
            TokenTarget(resource, tuple(sorted(left))),
            asked.details,
            actions,
        )
        try:
            granted, consent = _consented(view, subject, resource, ground, left)
        except ExchangeRefused:
            self._check_forbidden(view, whole)
            self._check_pause(view, whole)
            raise
        # 14. No person has to be asked about this very thing, nor has denied such things of late.
        target = TokenTarget(resource, tuple(sorted(granted)))
        approval = _signed(view, lineage, ground)
        _check_types(target, asked, left)
        case = replace(whole, target=target)
        said = _said(view, asked, ground, approval)
        narrowed = granted != frozenset(asked.scope)
        verdict = self._check_policy(view, case, said, left, consent, narrowed=narrowed)
        if asked.types and said is None:
            consent = consent or _consent_to_act(view, subject, resource, ground)
            self._check_pause(view, case)
        return Granted(target, consent, approval, verdict, narrowed=narrowed)

    def bounds(
        self, view: View, agent: Agent, resource: Resource, lineage: Sequence[Delegation]
    ) -> tuple[Bound, ...]:
        """Everything that bounds an exchange of the first of these tokens for the resource."""
        links = [_link(view, token, resource) for token in lineage]
        ground = token_exchange.ground(links, resource.uri, agent.id)
        found = [("the resource has", resource.scopes), (agent.name, _ceiling(agent, resource))]
        for link in ground.links:
            if link.depth:
                found.append((display_names.name_of(view.directory, link.client), link.ceiling))
            if link.resource == resource.uri:
                found.append(("a token of the resource has", link.scope))
        if not ground.approved:
            user = lineage[0].user_id or ""
            consent = view.consents.live(user, ground.first, resource.uri, view.now)
            name = display_names.name_of(view.directory, ground.first)
            found.append((f"the consent to {name}", () if consent is None else consent.scopes))
        return tuple(Bound(whose, tuple(sorted(scope))) for whose, scope in found)

    def _check_forbidden(self, view: View, case: JudgedRequest) -> None:
        """Nobody is asked to consent to what policy forbids."""
        verdict = self.judge.decide(view, case)
        if verdict.outcome == "deny":
            raise ExchangeRefused(Reason.POLICY_DENIED, verdict=verdict)

    def _check_policy(
        self,
        view: View,
        case: JudgedRequest,
        said: Approvals | None,
        left: frozenset[str],
        consent: Consent | None,
        *,
        narrowed: bool,
    ) -> Verdict:
        """Policy allows it at once, or with the answer that stands behind the chain.

        One that was given when less was at risk counts no more.
        """
        verdict = self.judge.decide(view, case)
        if verdict.outcome == "deny":
            raise ExchangeRefused(Reason.POLICY_DENIED, verdict=verdict)
        if verdict.outcome == "ask" and (said is None or not self.judge.holds(view, case, said)):
            self._check_pause(view, case)
            uri = case.target.resource.uri
            refused = ExchangeRefused(Reason.NEEDS_PERSON, target=uri, scope=left, verdict=verdict)
            refused.lacks_answer = LacksAnswer(case, verdict, consent, narrowed)
            raise refused
        return verdict

    def _check_pause(self, view: View, case: JudgedRequest) -> None:
        """Nothing is answered in the place of a person who denied such things of late.

        Nor is anybody sent to ask them; what they said yes to themselves stays.
        """
        agent, types = case.agent, [action.type for action in case.actions]
        if case.user is not None and isinstance(agent, Agent):
            cap = request_limits.pause(view, agent, case.user, types, self.rules)
            if cap is not None:
                told = errors.RequestRefused(cap.text, detail=cap.reason, members=cap.members)
                raise ExchangeRefused(Reason.DENIED_REPEATEDLY, error=told)

    def _check_caller(self, agent: Agent, asked: LoggedExchange, subject: Delegation) -> None:
        """`may_act` names the caller where it is there; else the caller serves the audience.

        A token that merely passes somebody's hands can be exchanged by nobody.
        """
        if asked.may_act is not None:
            if not token_exchange.names_agent(asked.may_act, agent.id, self.rules.issuer):
                raise ExchangeRefused(Reason.MAY_ACT_FOREIGN)
        elif subject.resource not in agent.serves:
            raise ExchangeRefused(Reason.NOT_SERVED)

    def _check_chain(self, agent: Agent, subject: Delegation) -> None:
        if subject.depth >= token_exchange.MOST_DEPTH:
            raise ExchangeRefused(Reason.TOO_DEEP)
        under = json.loads(subject.chain) if subject.chain else None
        if token_exchange.too_large(tokens.act_claim(self.rules.issuer, agent.id, under)):
            raise ExchangeRefused(Reason.CHAIN_TOO_LARGE)

    def _check_details(
        self, view: View, agent: Agent, asked: LoggedExchange
    ) -> Sequence[ActionType]:
        if asked.types and not asked.details:  # it is told from the log, which keeps none
            return self.schemas.known(view.directory, asked.types)
        try:
            return self.schemas.check(view.directory, asked.details, agent.action_types)
        except errors.InvalidAuthorizationDetails as error:
            raise ExchangeRefused(Reason.DETAILS_INVALID, error=error) from error


def _in_force(view: View, subject: Delegation | None) -> list[Delegation]:
    """The token and what it came from, nearest first."""
    if subject is None:
        raise ExchangeRefused(Reason.SUBJECT_UNKNOWN)
    if subject.revoked_at is not None:
        raise ExchangeRefused(Reason.SUBJECT_REVOKED)
    if subject.expires_at <= view.now:
        raise ExchangeRefused(Reason.SUBJECT_EXPIRED)
    before = view.delegations.ancestors(subject.id) if subject.parent_id else []
    if any(token.revoked_at is not None for token in before):
        raise ExchangeRefused(Reason.ANCESTOR_REVOKED)
    return [subject, *before]


def _check_person(view: View, subject: Delegation) -> None:
    if subject.user_id is None:
        raise ExchangeRefused(Reason.NO_PERSON)
    user = view.directory.user(subject.user_id)
    if user is None or not user.enabled:
        raise ExchangeRefused(Reason.USER_DISABLED)


def _check_actors(view: View, lineage: Sequence[Delegation]) -> None:
    """The chain says who acted; the ledger says to whom every token went."""
    chain = json.loads(lineage[0].chain) if lineage[0].chain else None
    acting = {*token_exchange.actors(chain), *(token.client_id for token in lineage)}
    for client_id in sorted(acting):
        if client_id.startswith(names.PREFIX_APP):
            app = view.directory.app(client_id)
            if app is None or not app.active(view.now):
                raise ExchangeRefused(Reason.APP_DISABLED)
        else:
            agent = view.directory.agent(client_id)
            if agent is None or not agent.active(view.now):
                raise ExchangeRefused(Reason.ACTOR_DISABLED)


def _target(view: View, agent: Agent, asked: LoggedExchange) -> Resource:
    """The named resource; else the agent's only one, else the only one with all the scopes."""
    if asked.target is not None:
        found = view.directory.resource(asked.target) if asked.target in agent.resources else None
        return found or _beyond()
    known = [r for uri in agent.resources if (r := view.directory.resource(uri)) is not None]
    if len(known) != 1:
        known = [r for r in known if asked.scope and set(asked.scope) <= set(r.scopes)]
    return known[0] if len(known) == 1 else _beyond()


def _beyond() -> NoReturn:
    raise ExchangeRefused(Reason.TARGET_BEYOND)


def _link(view: View, token: Delegation, resource: Resource) -> Link:
    agent = view.directory.agent(token.client_id)
    return Link(
        client=token.client_id,
        resource=token.resource,
        scope=frozenset(token.scope.split()),
        depth=token.depth,
        ceiling=frozenset() if agent is None else _ceiling(agent, resource),
        details=tuple(token_exchange.canonical(one) for one in json.loads(token.details)),
        approved=token.approval_id is not None and token.consent_id is None,
    )


def _ceiling(agent: Agent, resource: Resource) -> frozenset[str]:
    """The scopes of this resource that are within what the agent may ever have."""
    return frozenset(name for name in resource.scopes if agent.may(resource.uri, name))


def _left(
    agent: Agent, asked: LoggedExchange, resource: Resource, ground: DelegationGround
) -> frozenset[str]:
    ceiling = _ceiling(agent, resource)
    left = token_exchange.bounded(frozenset(asked.scope), resource.uri, ceiling, ground)
    if asked.scope and not left:
        raise ExchangeRefused(Reason.SCOPE_BEYOND)
    return left


def _consented(
    view: View,
    subject: Delegation,
    resource: Resource,
    ground: DelegationGround,
    left: frozenset[str],
) -> tuple[frozenset[str], Consent | None]:
    """What of it the person let the first agent have, and the consent that says so."""
    if ground.approved or not left:
        return left, None
    consent = view.consents.live(subject.user_id or "", ground.first, resource.uri, view.now)
    granted = left & frozenset(() if consent is None else consent.scopes)
    if not granted:
        raise ExchangeRefused(Reason.CONSENT_MISSING, target=resource.uri, scope=left)
    return granted, consent


def _consent_to_act(
    view: View, subject: Delegation, resource: Resource, ground: DelegationGround
) -> Consent:
    """What an action stands on that policy allows: nobody acts for a person who let them not."""
    consent = view.consents.live(subject.user_id or "", ground.first, resource.uri, view.now)
    if consent is None:
        raise ExchangeRefused(Reason.CONSENT_MISSING, target=resource.uri)
    return consent


def _signed(view: View, lineage: Sequence[Delegation], ground: DelegationGround) -> Approval | None:
    """What the person signed at whose end the chain begins, where that is what it stands on."""
    if not ground.approved:
        return None
    signed = lineage[len(ground.links) - 1].approval_id
    return None if signed is None else view.approvals.get(signed)


def _said(
    view: View, asked: LoggedExchange, ground: DelegationGround, signed: Approval | None
) -> Approvals | None:
    """Who said yes to it, when what they said yes to covers what is asked for now."""
    known = asked.signed_for
    covers = token_exchange.covered(asked.details, ground) if known is None else known
    if signed is None or (asked.types and not covers):
        return None
    return votes.cast_approvals(view, signed)


def _check_types(target: TokenTarget, asked: LoggedExchange, left: frozenset[str]) -> None:
    """A scope that needs an action is not given without one."""
    requires = target.resource.requires
    needed = {requires[name] for name in target.scope if name in requires}
    if missing := sorted(needed - set(asked.types)):
        uri = target.resource.uri
        raise ExchangeRefused(Reason.DETAILS_MISSING, target=uri, scope=left, missing_types=missing)
