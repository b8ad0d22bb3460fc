"""The ledger: who acts for whom, where, through which chain, until when; and ending it.

Owns: looking at issued tokens by their ids, revoking one with all that came from it. Never: the
texts of tokens, which nobody keeps.
"""

import json
from dataclasses import dataclass

from server.model import display_names
from server.model.audit import Entry
from server.model.store import Directory, Store, Unit, View
from server.model.tokens import Delegation, NamedDelegation
from server.protocol import errors
from server.protocol.names import PREFIX_AGENT
from server.protocol.tokens import token_exchange
from server.services.audit import audit
from server.services.clients import agent_names
from server.services.refusals import NotFound
from server.services.users import device_auth, users
from server.services.users.device_auth import Person


@dataclass(frozen=True, slots=True)
class Chain:
    """A delegation, what it came from (its parent first) and what came from it."""

    held: NamedDelegation
    before: tuple[NamedDelegation, ...]
    after: tuple[NamedDelegation, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Looks at delegations, and ends them."""

    store: Store

    def search(
        self,
        *,
        client: str | None,
        user: str | None,
        resource: str | None,
        ended: bool,
        limit: int,
        before: tuple[int, str] | None = None,
    ) -> list[NamedDelegation]:
        """The newest that match; `ended` brings those too that are over. Raises `NotFound`.

        `before` is when the last one of an earlier part was issued, and its id.
        """
        with self.store.read() as view:
            found = view.delegations.search(
                client_id=None if client is None else _client(view, client),
                user_id=None if user is None else users.find(view, user).id,
                resource=resource,
                live_at=None if ended else view.now,
                limit=limit,
                before=before,
            )
            return [held(view.directory, one) for one in found]

    def mine(
        self, person: Person, *, ended: bool, limit: int, before: tuple[int, str] | None = None
    ) -> list[NamedDelegation]:
        """The newest in which somebody acts for this person; the rest as for `search`."""
        with self.store.read() as view:
            found = view.delegations.search(
                client_id=None,
                user_id=person.user.id,
                resource=None,
                live_at=None if ended else view.now,
                limit=limit,
                before=before,
            )
            return [held(view.directory, one) for one in found]

    def of_approval(self, person: Person, approval_id: str) -> NamedDelegation | None:
        """The token that came of a request, if it is one by which somebody acts for this person."""
        with self.store.read() as view:
            found = view.delegations.of_approval(approval_id)
            if found is None or found.user_id != person.user.id:
                return None
            return held(view.directory, found)

    def show(self, jti: str) -> Chain:
        """One with its chain. Raises `NotFound`."""
        with self.store.read() as view:
            found = _find(view, jti)
            return Chain(
                held(view.directory, found),
                tuple(held(view.directory, one) for one in view.delegations.ancestors(jti)),
                tuple(held(view.directory, one) for one in view.delegations.descendants(jti)),
            )

    def revoke(self, jti: str, *, by: str) -> tuple[NamedDelegation, int]:
        """End one and all that came from it; how many were in force. Raises `NotFound`.

        Doing it again changes nothing.
        """
        with self.store.write() as tx:
            return end(tx, _find(tx, jti), by, "by an administrator")

    def revoke_mine(self, person: Person, jti: str) -> tuple[NamedDelegation, int]:
        """End one of one's own likewise. Raises errors.Problem 404."""
        with self.store.write() as tx:
            device_auth.current(tx, person)
            row = tx.delegations.get(jti)
            if row is None or row.user_id != person.user.id:
                raise errors.Problem(404, "not_found", "Nobody acts for you by such a token.")
            return end(tx, row, audit.by_user(person.user.id), "by the person")


def held(directory: Directory, delegation: Delegation) -> NamedDelegation:
    """A delegation with its names."""
    user = None if delegation.user_id is None else directory.user(delegation.user_id)
    chain = json.loads(delegation.chain) if delegation.chain else None
    actors = token_exchange.actors(chain)
    return NamedDelegation(
        delegation,
        display_names.name_of(directory, delegation.client_id),
        user,
        tuple((actor, display_names.name_of(directory, actor)) for actor in actors),
    )


def end(tx: Unit, row: Delegation, by: str, cause: str) -> tuple[NamedDelegation, int]:
    """End one and all that came from it; how many were in force."""
    ended = tx.delegations.revoke_tree(row.id, tx.now)
    if ended:
        audit.record(tx, _entry(row, by, cause, len(ended)))
    return held(tx.directory, _find(tx, row.id)), len(ended)


def actors(view: View, jti: str) -> tuple[str, ...]:
    """The names of everybody who acts by a token, nearest first; none for one that is gone."""
    found = view.delegations.get(jti)
    if found is None:
        return ()
    named = held(view.directory, found)
    return tuple(dict.fromkeys((named.client_name, *(name for _, name in named.actors))))


def _client(view: View, called: str) -> str:
    """The id of an agent or app of this name or id."""
    app = view.directory.app_called(called)
    return agent_names.find(view, called).id if app is None else app.id


def _find(view: View, jti: str) -> Delegation:
    found = view.delegations.get(jti)
    if found is None:
        raise NotFound(f"There is no delegation {jti}. See them with: sayso delegations list")
    return found


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
