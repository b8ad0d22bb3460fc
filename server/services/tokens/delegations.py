"""Lists, shows and revokes issued tokens.

Owns: finding tokens by ID, and revoking a token with its descendants. Never: the tokens
themselves, which are not stored.
"""

import json
from dataclasses import dataclass
from functools import partial

from server.model import display_names
from server.model.audit import Entry
from server.model.store import Directory, Store, Unit, View
from server.model.tokens import Delegation, NamedDelegation
from server.protocol import errors
from server.protocol.names import PREFIX_AGENT
from server.protocol.tokens import token_exchange
from server.services.audit import audit
from server.services.clients import client_names
from server.services.refusals import NotFound
from server.services.users import device_auth, user_checks
from server.services.users.device_auth import Person


@dataclass(frozen=True, slots=True)
class DelegationChain:
    """A delegation, its ancestors (its parent first) and its descendants."""

    delegation: NamedDelegation
    ancestors: tuple[NamedDelegation, ...]
    descendants: tuple[NamedDelegation, ...]


@dataclass(frozen=True, slots=True)
class DelegationService:
    """Lists, shows and revokes delegations."""

    store: Store

    def search(
        self,
        *,
        client: str | None = None,
        user: str | None = None,
        resource: str | None = None,
        ended: bool,
        limit: int,
        before: tuple[int, str] | None = None,
    ) -> list[NamedDelegation]:
        """Return the newest delegations that match. Raises `NotFound`.

        `ended` includes those that are no longer valid. `before` is the time and ID of the last
        delegation on the previous page.
        """
        with self.store.read() as view:
            delegations = view.delegations.search(
                client_id=None if client is None else client_names.find_client_id(view, client),
                user_id=None if user is None else user_checks.find(view, user).id,
                resource=resource,
                live_at=None if ended else view.now,
                limit=limit,
                before=before,
            )
            return [with_names(view.directory, delegation) for delegation in delegations]

    def of_approval(self, person: Person, approval_id: str) -> NamedDelegation | None:
        """Return the token of an approval if it acts for this person."""
        with self.store.read() as view:
            delegation = view.delegations.of_approval(approval_id)
            if delegation is None or delegation.user_id != person.user.id:
                return None
            return with_names(view.directory, delegation)

    def show(self, jti: str) -> DelegationChain:
        """Return a delegation with its chain. Raises `NotFound`."""
        with self.store.read() as view:
            delegation = _find(view, jti)
            add_names = partial(with_names, view.directory)
            return DelegationChain(
                add_names(delegation),
                tuple(map(add_names, view.delegations.ancestors(jti))),
                tuple(map(add_names, view.delegations.descendants(jti))),
            )

    def revoke(self, jti: str, *, by: str) -> tuple[NamedDelegation, int]:
        """Revoke a token and its descendants; return how many were live. Raises `NotFound`.

        Idempotent.
        """
        with self.store.write() as tx:
            return revoke_tree(tx, _find(tx, jti), by, "by an administrator")

    def revoke_mine(self, person: Person, jti: str) -> tuple[NamedDelegation, int]:
        """Revoke a token that acts for this person. Raises errors.Problem 404."""
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            row = tx.delegations.get(jti)
            if row is None or row.user_id != person.user.id:
                raise errors.Problem(404, "not_found", "Token not found.")
            return revoke_tree(tx, row, audit.by_user(person.user.id), "by the person")


def with_names(directory: Directory, delegation: Delegation) -> NamedDelegation:
    """Return a delegation with names."""
    user = None if delegation.user_id is None else directory.user(delegation.user_id)
    chain = json.loads(delegation.chain) if delegation.chain else None
    actors = token_exchange.actors(chain)
    return NamedDelegation(
        delegation,
        display_names.name_of(directory, delegation.client_id),
        user,
        tuple((actor, display_names.name_of(directory, actor)) for actor in actors),
    )


def revoke_tree(tx: Unit, row: Delegation, by: str, cause: str) -> tuple[NamedDelegation, int]:
    """Revoke a token and its descendants; return how many were live."""
    revoked_ids = tx.delegations.revoke_tree(row.id, tx.now)
    if revoked_ids:
        tx.audit.add(_entry(row, by, cause, len(revoked_ids)))
    return with_names(tx.directory, _find(tx, row.id)), len(revoked_ids)


def actors(view: View, jti: str) -> tuple[str, ...]:
    """Return the names of a token's actors, nearest first; empty if the token is not stored."""
    delegation = view.delegations.get(jti)
    if delegation is None:
        return ()
    named_delegation = with_names(view.directory, delegation)
    return tuple(
        dict.fromkeys(
            (named_delegation.client_name, *(name for _, name in named_delegation.actors))
        )
    )


def _find(view: View, jti: str) -> Delegation:
    delegation = view.delegations.get(jti)
    if delegation is None:
        raise NotFound("delegation", jti)
    return delegation


def _entry(row: Delegation, by: str, cause: str, revoked: int) -> Entry:
    return Entry(
        type=audit.Type.TOKEN_REVOKED,
        actor=by,
        agent_id=row.client_id if row.client_id.startswith(PREFIX_AGENT) else None,
        subject=row.user_id,
        resource=row.resource,
        decision="revoked",
        cause=cause,
        approval_id=row.approval_id,
        facts={"jti": row.id, "client": row.client_id, "tokens_revoked": revoked},
    )
