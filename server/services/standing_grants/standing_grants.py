"""Standing grants: preview, propose, create, list and revoke.

Creating a grant requires a signed approval, one risk level above the requests that it covers.
Revoking one requires only a session. `uses.py` uses grants.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from server.lazy_imports import lazily
from server.model.ports import Secrets
from server.model.standing_grants import GrantUse, StandingGrant
from server.model.store import Store, Unit, View
from server.protocol import errors, json_text
from server.protocol.approvals.states import State
from server.protocol.json_text import JsonValue
from server.protocol.names import PREFIX_STANDING_GRANT
from server.protocol.policy.risks import Risk
from server.protocol.times import rfc3339
from server.services.audit import audit
from server.services.clients import client_names
from server.services.refusals import Conflict, NotFound
from server.services.server_policy import ServerPolicy
from server.services.users import user_checks

with lazily():
    from server.model import approval_requests, display_names
    from server.model.approval_requests import CreateApproval, NewApproval
    from server.model.approvals import Approval
    from server.protocol.approvals import ceremonies, kinds
    from server.protocol.approvals.ceremonies import Step
    from server.protocol.policy.action_types import ActionType
    from server.protocol.standing_grants import standing_grants
    from server.services.notifications import notices, request_limits
    from server.services.standing_grants import ends
    from server.services.standing_grants.displays import standing_grant_display
    from server.services.standing_grants.proposals import (
        CheckedProposal,
        Proposals,
        SubmittedProposal,
        TriedRequest,
        try_on_past_requests,
    )
    from server.services.users import device_auth
    from server.services.users.device_auth import Person

_MAX_RESULTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class NamedStandingGrant:
    """A grant with the names of its agent and user."""

    grant: StandingGrant
    agent_name: str
    user_name: str
    action: ActionType | None
    uses: tuple[GrantUse, ...] = ()


@dataclass(frozen=True, slots=True)
class StandingGrants:
    """Previews, proposes, creates, lists and revokes standing grants."""

    store: Store
    secrets: Secrets
    proposals: Callable[[], Proposals]
    """A function, because lists without grants do not need it."""
    server_policy: ServerPolicy
    create_approval: CreateApproval

    def preview(
        self, person: Person, submitted_proposal: SubmittedProposal
    ) -> tuple[CheckedProposal, list[TriedRequest]]:
        """Preview a grant and the past requests that it would have covered.

        Changes nothing. Raises errors.Problem as `ask` does.
        """
        with self.store.read() as view:
            device_auth.current_device(view, person)
            proposal = self.proposals().check(view, person, submitted_proposal)
            return proposal, try_on_past_requests(view, proposal)

    def ask(self, person: Person, submitted_proposal: SubmittedProposal, peer: str) -> Approval:
        """Create the approval that the person signs on a device.

        Raises errors.Problem: 404 for another person's request, 400 for a proposal that is not
        allowed, 409 if too many of their requests are pending.
        """
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            tx.lock(f"asked {person.user.id}")
            proposal = self.proposals().check(tx, person, submitted_proposal)
            limit = request_limits.page_refusal(
                tx,
                proposal.example.agent.id,
                proposal.example.user,
                "standing_grant",
                [kinds.STANDING_GRANT],
                self.server_policy,
            )
            if limit is not None:
                raise errors.Problem(409, "too_many_open", limit[1])
            return self._create_approval(tx, proposal, peer)

    def give(self, tx: Unit, approval: Approval, ceremony: str) -> Approval:
        """Store the grant of an approved proposal, which redeems the approval.

        It runs in the unit of work of the signed answer, so neither exists without the other.
        """
        redeemed = tx.approvals.transition(approval, State.REDEEMED, now=tx.now)
        if redeemed is None:
            return approval
        grant = _grant(self.secrets, redeemed, ceremony, tx.now)
        tx.standing_grants.add(grant)
        actor = audit.by_user(grant.user_id)
        ends.record(tx, audit.Type.STANDING_GRANT_GIVEN, grant, actor)
        notices.standing_grant(tx, grant, "standing_grant.given")
        return redeemed

    def mine(self, person: Person, *, ended: bool) -> list[NamedStandingGrant]:
        """Return the person's grants, newest first; `ended` adds expired and revoked ones."""
        with self.store.read() as view:
            grants = view.standing_grants.search(
                user_id=person.user.id,
                agent_ids=None,
                live_at=None if ended else view.now,
                limit=_MAX_RESULTS,
            )
            return [self._with_names(view, grant) for grant in grants]

    def show_mine(self, person: Person, grant_id: str) -> NamedStandingGrant:
        """Return one of the person's grants with its uses. Raises errors.Problem 404."""
        with self.store.read() as view:
            grant = _own_grant(view, person, grant_id)
            return self._with_names(view, grant, tuple(view.standing_grants.uses_of(grant_id)))

    def revoke_mine(self, person: Person, grant_id: str) -> NamedStandingGrant:
        """Revoke one of the person's grants. Idempotent. Raises errors.Problem 404."""
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            grant = _own_grant(tx, person, grant_id)
            actor = audit.by_user(person.user.id)
            standing_grant = ends.end(tx, grant.id, reason="revoked", actor=actor)
            return self._with_names(tx, standing_grant or grant)

    def search(
        self,
        *,
        user: str | None,
        agent: str | None,
        ended: bool,
        owner_id: str | None = None,
        limit: int = _MAX_RESULTS,
        before: tuple[int, str] | None = None,
    ) -> list[NamedStandingGrant]:
        """Return all users' grants, newest first; `owner_id` limits them to agents this user owns.

        Raises `NotFound` for an unknown user or agent.
        """
        with self.store.read() as view:
            grants = view.standing_grants.search(
                user_id=None if user is None else user_checks.find(view, user).id,
                agent_ids=_agents_of(view, agent, owner_id),
                live_at=None if ended else view.now,
                limit=limit,
                before=before,
            )
            return [self._with_names(view, grant) for grant in grants]

    def revoke(self, grant_id: str, *, by: str, owner_id: str | None = None) -> NamedStandingGrant:
        """Revoke any user's grant; `owner_id` limits it to agents that this user owns.

        Raises `NotFound`, or `Conflict` if it is no longer in force.
        """
        with self.store.write() as tx:
            grant = tx.standing_grants.get(grant_id)
            if grant is None or not _is_owned_by(tx, grant, owner_id):
                raise NotFound("standing grant", grant_id)
            standing_grant = ends.end(tx, grant.id, reason="revoked", actor=by)
            if standing_grant is None:
                raise Conflict("This standing grant has already ended.")
            return self._with_names(tx, standing_grant)

    def _create_approval(self, tx: Unit, proposal: CheckedProposal, peer: str) -> Approval:
        party = display_names.find(tx.directory, proposal.example.agent.id, tx.now)
        assert party is not None  # noqa: S101  # the proposal checked it
        past = try_on_past_requests(tx, proposal)
        return self.create_approval(
            tx,
            NewApproval(
                client_id=proposal.example.agent.id,
                scope=proposal.example.target.scope,
                details=_terms(proposal),
                actor=audit.by_user(proposal.example.user.id),
                display=standing_grant_display(proposal, party, past, peer),
                no_later_than=min(
                    tx.now + approval_requests.LIFETIME_SECONDS * 1000, proposal.bounds.until
                ),
                ceremony=frozenset({Step.PIN}) if proposal.example.pin else None,
            ),
        )

    def _with_names(
        self, view: View, grant: StandingGrant, uses: tuple[GrantUse, ...] = ()
    ) -> NamedStandingGrant:
        user = view.directory.user(grant.user_id)
        types = [] if grant.type is None else [grant.type]
        action_types = self.proposals().evaluator.schemas.registered_types(view.directory, types)
        return NamedStandingGrant(
            grant=grant,
            agent_name=display_names.name_of(view.directory, grant.agent_id),
            user_name="" if user is None else user.name,
            action=action_types[0] if action_types else None,
            uses=uses,
        )


def _terms(proposal: CheckedProposal) -> tuple[Mapping[str, JsonValue], ...]:
    total = proposal.bounds.sum
    terms = kinds.StandingGrantTerms(
        until=rfc3339(proposal.bounds.until),
        uses=proposal.bounds.uses,
        sum=None if total is None else {"minor": total.minor, "currency": total.currency},
        vary=standing_grants.as_json(proposal.pattern.vary),
        version=proposal.example.version,
        risk=str(proposal.example.risk),
        notify=proposal.notify,
    )
    return kinds.standing_grant_details(terms, proposal.pattern.details)


def _grant(secrets: Secrets, approval: Approval, ceremony: str, now: int) -> StandingGrant:
    """Create the grant from the signed terms."""
    terms, *example = json.loads(approval.details)
    total = terms["sum"] or {}
    return StandingGrant(
        id=secrets.new_id(PREFIX_STANDING_GRANT),
        user_id=approval.user_id or "",
        agent_id=approval.agent_id,
        resource=approval.resource,
        scopes=tuple(approval.scope.split()),
        details=json_text.compact(example),
        vary=json_text.compact(terms["vary"]),
        type=example[0]["type"] if example else None,
        version=terms["version"],
        risk=Risk(terms["risk"]),
        ceremony="pin" if Step.PIN in ceremonies.parse_ceremony(ceremony) else "confirm",
        uses=terms["uses"],
        sum_minor=total.get("minor"),
        sum_currency=total.get("currency"),
        notify=terms["notify"],
        used=0,
        spent_minor=0,
        numbered=0,
        approval_id=approval.id,
        created_at=now,
        expires_at=kinds.signed_end(terms),
    )


def _own_grant(view: View, person: Person, grant_id: str) -> StandingGrant:
    grant = view.standing_grants.get(grant_id)
    if grant is None or grant.user_id != person.user.id:
        raise errors.Problem(404, "not_found", "Standing grant not found.")
    return grant


def _agents_of(view: View, name_or_id: str | None, owner_id: str | None) -> tuple[str, ...] | None:
    requested_agent = None if name_or_id is None else client_names.find_agent(view, name_or_id)
    if owner_id is None:
        return None if requested_agent is None else (requested_agent.id,)
    owned = (agent.id for agent in view.agents.all() if owner_id in agent.owners)
    return tuple(
        agent_id for agent_id in owned if requested_agent is None or agent_id == requested_agent.id
    )


def _is_owned_by(view: View, grant: StandingGrant, owner_id: str | None) -> bool:
    agent = view.directory.agent(grant.agent_id)
    return owner_id is None or (agent is not None and owner_id in agent.owners)
