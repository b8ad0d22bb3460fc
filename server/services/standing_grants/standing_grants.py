"""Standing grants: a person gives an answer ahead, sees what it would cover, and takes it back.

Giving adds power, so it is an approval that a device signs, one level of risk above what it covers.
Taking back removes power, so being signed in is enough. How one is used is `standing_uses.py`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from server.model import display_names
from server.model.approval_requests import SECONDS, OpenApproval, Opening
from server.model.approvals import Approval
from server.model.ports import Secrets
from server.model.standing_grants import GrantUse, StandingGrant
from server.model.store import Store, Unit, View
from server.protocol import errors, json_text
from server.protocol.approvals import ceremonies, kinds
from server.protocol.approvals.ceremonies import Step
from server.protocol.approvals.states import State
from server.protocol.json_text import JsonValue
from server.protocol.names import PREFIX_STANDING_GRANT
from server.protocol.policy.action_types import ActionType
from server.protocol.policy.risks import Risk
from server.protocol.standing_grants import standing_grants
from server.services.audit import audit
from server.services.clients import agent_names
from server.services.notifications import notices, request_limits
from server.services.policy.displays import rfc3339
from server.services.policy.judging import Judge
from server.services.policy.schemas import Schemas
from server.services.refusals import Conflict, NotFound
from server.services.server_policy import ServerPolicy
from server.services.standing_grants import ends
from server.services.standing_grants.displays import GrantAsked, grant_text
from server.services.standing_grants.proposals import (
    Proposal,
    Proposals,
    StandingGrantProposal,
    TriedRequest,
    tried,
)
from server.services.users import device_auth, users
from server.services.users.device_auth import Person

_MOST_FOUND: Final = 1_000


@dataclass(frozen=True, slots=True)
class NamedStandingGrant:
    """A grant with the names that belong to it."""

    grant: StandingGrant
    agent_name: str
    user_name: str
    action: ActionType | None
    uses: tuple[GrantUse, ...] = ()


@dataclass(frozen=True, slots=True)
class StandingGrants:
    """Previews, asks for, gives, lists and ends standing grants."""

    store: Store
    secrets: Secrets
    proposals: Proposals
    rules: ServerPolicy
    open_approval: OpenApproval

    def preview(
        self, person: Person, wish: StandingGrantProposal
    ) -> tuple[Proposal, list[TriedRequest]]:
        """What a grant would be, and which of the newest requests it would have covered.

        Nothing changes. Raises errors.Problem as `ask` does.
        """
        with self.store.read() as view:
            device_auth.current(view, person)
            proposal = self.proposals.of(view, person, wish)
            return proposal, tried(view, proposal)

    def ask(self, person: Person, wish: StandingGrantProposal, peer: str) -> Approval:
        """Open the approval that the person signs on a device of theirs.

        Raises errors.Problem: 404 for a request that is not theirs, 400 for what may not be given
        ahead, which names the cap, 409 while too much waits for their answer.
        """
        with self.store.write() as tx:
            device_auth.current(tx, person)
            tx.lock(f"asked {person.user.id}")
            proposal = self.proposals.of(tx, person, wish)
            refused = request_limits.page_refusal(
                tx,
                proposal.agent.id,
                proposal.user,
                "standing_grant",
                [kinds.STANDING_GRANT],
                self.rules,
            )
            if refused is not None:
                raise errors.Problem(409, "too_many_open", refused[1])
            return self._open(tx, proposal, peer)

    def give(self, tx: Unit, approval: Approval, ceremony: str) -> Approval:
        """Write the grant that this approved request is for; the approval is redeemed by it.

        In the unit of work that took the signed answer, so there is never one without the other.
        """
        moved = tx.approvals.move(approval, State.REDEEMED, now=tx.now)
        if moved is None:
            return approval
        grant = _grant(self.secrets, moved, ceremony, tx.now)
        tx.standing_grants.add(grant)
        actor = audit.by_user(grant.user_id)
        ends.record(tx, audit.Type.STANDING_GRANT_GIVEN, grant, actor)
        notices.standing_grant(tx, grant, "standing_grant.given")
        return moved

    def mine(self, person: Person, *, ended: bool) -> list[NamedStandingGrant]:
        """The person's grants, newest first; with `ended` those too that are over."""
        with self.store.read() as view:
            found = view.standing_grants.search(
                user_id=person.user.id,
                agent_ids=None,
                live_at=None if ended else view.now,
                limit=_MOST_FOUND,
            )
            return [self._held(view, grant) for grant in found]

    def show_mine(self, person: Person, grant_id: str) -> NamedStandingGrant:
        """One of the person's own with its uses. Raises errors.Problem 404."""
        with self.store.read() as view:
            grant = _own(view, person, grant_id)
            return self._held(view, grant, tuple(view.standing_grants.uses_of(grant_id)))

    def revoke_mine(self, person: Person, grant_id: str) -> NamedStandingGrant:
        """End one of one's own; one that is over stays as it is. Raises errors.Problem 404."""
        with self.store.write() as tx:
            device_auth.current(tx, person)
            grant = _own(tx, person, grant_id)
            actor = audit.by_user(person.user.id)
            ended = ends.end(tx, grant.id, because="revoked", actor=actor)
            return self._held(tx, ended or grant)

    def search(
        self,
        *,
        user: str | None,
        agent: str | None,
        ended: bool,
        only_of: str | None = None,
        limit: int = _MOST_FOUND,
        before: tuple[int, str] | None = None,
    ) -> list[NamedStandingGrant]:
        """Across people, newest first; of everybody's agents, or of those that one user owns.

        Raises `NotFound` for a user or agent.
        """
        with self.store.read() as view:
            found = view.standing_grants.search(
                user_id=None if user is None else users.find(view, user).id,
                agent_ids=_agents_of(view, agent, only_of),
                live_at=None if ended else view.now,
                limit=limit,
                before=before,
            )
            return [self._held(view, grant) for grant in found]

    def revoke(self, grant_id: str, *, by: str, only_of: str | None = None) -> NamedStandingGrant:
        """End anybody's, or one for an agent that this user owns.

        Raises `NotFound`, or `Conflict` when it has ended.
        """
        with self.store.write() as tx:
            grant = tx.standing_grants.get(grant_id)
            if grant is None or not _within(tx, grant, only_of):
                raise NotFound(
                    f"There is no standing grant {grant_id}. See them all with: sayso grants list"
                )
            ended = ends.end(tx, grant.id, because="revoked", actor=by)
            if ended is None:
                raise Conflict("This standing grant has ended.")
            return self._held(tx, ended)

    def _open(self, tx: Unit, proposal: Proposal, peer: str) -> Approval:
        party = display_names.find(tx.directory, proposal.agent.id, tx.now)
        assert party is not None  # noqa: S101  # the proposal has looked
        past = tried(tx, proposal)

        def display(approval_id: str, expires_at: int) -> str:
            return grant_text(
                GrantAsked(
                    approval_id=approval_id,
                    party=party,
                    user=proposal.user,
                    target=proposal.target,
                    pattern=proposal.pattern,
                    action=proposal.action,
                    bounds=proposal.bounds,
                    risk=proposal.risk,
                    given_at=proposal.given_at,
                    tell=proposal.tell,
                    covered=sum(one.misfit is None for one in past),
                    looked_at=len(past),
                    peer=peer,
                    asked_at=tx.now,
                    expires_at=expires_at,
                )
            )

        return self.open_approval(
            tx,
            Opening(
                kind="standing_grant",
                client_id=proposal.agent.id,
                user_id=proposal.user.id,
                phantom=False,
                resource=proposal.target.resource.uri,
                scope=proposal.target.scope,
                details=_terms(proposal),
                risk=proposal.given_at,
                actor=audit.by_user(proposal.user.id),
                peer=peer,
                display=display,
                no_later_than=min(tx.now + SECONDS * 1000, proposal.bounds.until),
                ceremony=frozenset({Step.PIN}) if proposal.pin else None,
            ),
        )

    def _held(
        self, view: View, grant: StandingGrant, uses: tuple[GrantUse, ...] = ()
    ) -> NamedStandingGrant:
        user = view.directory.user(grant.user_id)
        known = (
            () if grant.type is None else self.proposals.schemas.known(view.directory, [grant.type])
        )
        return NamedStandingGrant(
            grant=grant,
            agent_name=display_names.name_of(view.directory, grant.agent_id),
            user_name="" if user is None else user.name,
            action=known[0] if known else None,
            uses=uses,
        )


def _terms(proposal: Proposal) -> tuple[Mapping[str, JsonValue], ...]:
    total = proposal.bounds.sum
    terms = kinds.StandingGrantTerms(
        until=rfc3339(proposal.bounds.until),
        uses=proposal.bounds.uses,
        sum=None if total is None else {"minor": total.minor, "currency": total.currency},
        vary=standing_grants.as_json(proposal.pattern.vary),
        version=proposal.version,
        risk=str(proposal.risk),
        tell=proposal.tell,
    )
    return kinds.standing_grant_details(terms, proposal.pattern.details)


def _grant(secrets: Secrets, approval: Approval, ceremony: str, now: int) -> StandingGrant:
    """The grant as it was signed."""
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
        ceremony=_CEREMONIES[Step.PIN in ceremonies.read(ceremony)],
        uses=terms["uses"],
        sum_minor=total.get("minor"),
        sum_currency=total.get("currency"),
        tell=terms["tell"],
        used=0,
        spent_minor=0,
        numbered=0,
        approval_id=approval.id,
        created_at=now,
        expires_at=kinds.until(terms),
    )


def standing_grants_of(
    store: Store, secrets: Secrets, rules: ServerPolicy, open_approval: OpenApproval
) -> StandingGrants:
    """The service for whoever administers: an engine and schemas of its own."""
    proposals = Proposals(Schemas(), Judge(secrets))
    return StandingGrants(store, secrets, proposals, rules, open_approval)


_CEREMONIES: Final[tuple[Literal["confirm"], Literal["pin"]]] = ("confirm", "pin")


def _own(view: View, person: Person, grant_id: str) -> StandingGrant:
    grant = view.standing_grants.get(grant_id)
    if grant is None or grant.user_id != person.user.id:
        raise errors.Problem(404, "not_found", "You have no such standing grant.")
    return grant


def _agents_of(view: View, called: str | None, only_of: str | None) -> tuple[str, ...] | None:
    named = None if called is None else agent_names.find(view, called)
    if only_of is None:
        return None if named is None else (named.id,)
    owned = (one.id for one in view.agents.all() if only_of in one.owners)
    return tuple(one for one in owned if named is None or one == named.id)


def _within(view: View, grant: StandingGrant, only_of: str | None) -> bool:
    agent = view.directory.agent(grant.agent_id)
    return only_of is None or (agent is not None and only_of in agent.owners)
