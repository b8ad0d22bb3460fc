"""Rows of issued access tokens."""

from sqlalchemy import ColumnElement, Select, bindparam, literal, or_, select, tuple_, update
from sqlalchemy.sql.dml import ReturningUpdate

from server.model.tokens import Delegation
from server.storage.consents.tables import consents as c
from server.storage.prepared import Prepared, RecordRows, RecordTable, matches
from server.storage.tokens.tables import delegations as d

_USE_INTERVAL_MS = 60_000

_BY_APPROVAL = Prepared(select(d).where(d.c.approval_id == bindparam("approval")))
_LOCK_LIVE = Prepared(
    update(d)
    .where(
        d.c.id == bindparam("token"), d.c.revoked_at.is_(None), d.c.expires_at > bindparam("now")
    )
    .values(last_used_at=d.c.last_used_at)  # changes nothing; locks the row
    .returning(d)
)
_MARK_USED = Prepared(
    update(d)
    .where(
        d.c.id == bindparam("token"),
        or_(d.c.last_used_at.is_(None), d.c.last_used_at < bindparam("before")),
    )
    .values(last_used_at=bindparam("now"))
)


def _ancestors() -> Select[tuple[object, ...]]:
    walk = (
        select(d.c.parent_id, literal(1).label("distance"))
        .where(d.c.id == bindparam("token"))
        .cte("walk", recursive=True)
    )
    next_parents = select(d.c.parent_id, walk.c.distance + 1).join(walk, d.c.id == walk.c.parent_id)
    walk = walk.union_all(next_parents)
    return select(d).join(walk, d.c.id == walk.c.parent_id).order_by(walk.c.distance)


def _tree(roots: ColumnElement[bool], since: str = "now") -> Select[str]:
    """Select these tokens and their descendants, if they expire after the parameter `since`."""
    alive = d.c.expires_at > bindparam(since)
    tree = select(d.c.id).where(roots, alive).cte("tree", recursive=True)
    tree = tree.union(select(d.c.id).join(tree, d.c.parent_id == tree.c.id).where(alive))
    return select(tree.c.id)


def _select_resources(roots: ColumnElement[bool]) -> Select[str]:
    """Select the resources of these tokens and of their descendants."""
    return select(d.c.resource).distinct().where(d.c.id.in_(_tree(roots, "since")))


def _revocation(roots: ColumnElement[bool]) -> ReturningUpdate[str]:
    """Return the UPDATE that revokes these tokens and all descendants, even of a revoked token.

    No token outlives its parent, so expired tokens are skipped.
    """
    return (
        update(d)
        .where(d.c.id.in_(_tree(roots)), d.c.revoked_at.is_(None))
        .values(revoked_at=bindparam("now"))
        .returning(d.c.id)
    )


def _descendants() -> Select[tuple[object, ...]]:
    below = select(d.c.id).where(d.c.parent_id == bindparam("token")).cte("below", recursive=True)
    below = below.union(select(d.c.id).join(below, d.c.parent_id == below.c.id))
    return select(d).where(d.c.id.in_(select(below.c.id))).order_by(d.c.issued_at, d.c.id)


def _consents() -> Select[tuple[str | None]]:
    """Select the consents that allow a token or one of its ancestors."""
    start = select(d.c.parent_id, d.c.consent_id).where(d.c.id == bindparam("token"))
    walk = start.cte("walk", recursive=True)
    parents = select(d.c.parent_id, d.c.consent_id).join(walk, d.c.id == walk.c.parent_id)
    walk = walk.union_all(parents)
    return select(walk.c.consent_id).where(walk.c.consent_id.is_not(None))


_ANCESTORS = Prepared(_ancestors())
_LOCK_CONSENTS = Prepared(
    select(c.c.id).where(c.c.id.in_(_consents())).order_by(c.c.id).with_for_update(read=True, of=c)
)
"""On PostgreSQL, this locks the rows, so that a revocation waits until the unit of work ends."""
_DESCENDANTS = Prepared(_descendants())
_REVOKE_TREE = _revocation(d.c.id == bindparam("subject"))
_REVOKE_CONSENT = _revocation(d.c.consent_id == bindparam("subject"))
_REVOKE_CLIENT = _revocation(d.c.client_id == bindparam("subject"))
_REVOKE_RESOURCE = _revocation(d.c.resource == bindparam("subject"))
_REVOKE_USER = _revocation(d.c.user_id == bindparam("subject"))
_RESOURCES_OF_CLIENT = _select_resources(d.c.client_id == bindparam("subject"))
_RESOURCES_OF_USER = _select_resources(d.c.user_id == bindparam("subject"))


class Delegations(RecordRows[Delegation, str]):
    """Issued access tokens in the database."""

    records = RecordTable(Delegation, d)

    def of_approval(self, approval_id: str) -> Delegation | None:
        """Return the token of an approval."""
        return self._find(_BY_APPROVAL, approval=approval_id)

    def lock_live(self, jti: str, now: int) -> Delegation | None:
        """Return the token if it is valid now.

        PostgreSQL locks the row, so a revocation waits and then also revokes the derived token.
        """
        return self._find(_LOCK_LIVE, token=jti, now=now)

    def lock_consents(self, jti: str) -> None:
        """Lock the consents that allow this token and its ancestors."""
        self._any(_LOCK_CONSENTS, token=jti)

    def mark_used(self, jti: str, now: int) -> None:
        """Record that the token was used, at most once a minute."""
        values = {"token": jti, "now": now, "before": now - _USE_INTERVAL_MS}
        _MARK_USED.run(self._db, values)

    def ancestors(self, jti: str) -> list[Delegation]:
        """Return the tokens that this token was derived from, starting with its parent."""
        return self._list(_ANCESTORS, token=jti)

    def live_of_client(self, client_id: str, now: int) -> tuple[int, int]:
        """Count the client's own live tokens, and other clients' live tokens derived from them."""
        is_live = d.c.id.in_(_tree(d.c.client_id == client_id)), d.c.revoked_at.is_(None)
        rows = self._db.execute(select(d.c.client_id).where(*is_live), {"now": now}).all()
        own = sum(row.client_id == client_id for row in rows)
        return own, len(rows) - own

    def descendants(self, jti: str) -> list[Delegation]:
        """Return the tokens derived from this token, oldest first."""
        return self._list(_DESCENDANTS, token=jti)

    def search(
        self,
        *,
        client_id: str | None,
        user_id: str | None,
        resource: str | None,
        live_at: int | None,
        limit: int,
        before: tuple[int, str] | None = None,
    ) -> list[Delegation]:
        """Return the newest tokens that match all filters; `live_at` selects tokens valid then."""
        # + 0 prevents the databases from reading all tokens by time to find a few live ones.
        newest = d.c.issued_at if live_at is None else d.c.issued_at + 0
        statement = select(d).order_by(newest.desc(), d.c.id.desc()).limit(limit)
        filters = {"client_id": client_id, "user_id": user_id, "resource": resource}
        statement = statement.where(*matches(d, **filters))
        if live_at is not None:
            statement = statement.where(d.c.revoked_at.is_(None), d.c.expires_at > live_at)
        if before is not None:
            statement = statement.where(tuple_(newest, d.c.id) < before)
        return self._list(statement)

    def clients_for(self, user_id: str, now: int) -> list[str]:
        """Return the clients with a live token that acts for this user."""
        is_live = d.c.user_id == user_id, d.c.revoked_at.is_(None), d.c.expires_at > now
        return sorted(self._column(select(d.c.client_id).distinct().where(*is_live)))

    def resources_of_client(self, client_id: str, since: int) -> list[str]:
        """Return the resources of a client's tokens, and of tokens derived from them.

        Includes tokens that expire after `since`, even if they are revoked.
        """
        return sorted(self._column(_RESOURCES_OF_CLIENT, subject=client_id, since=since))

    def resources_of_user(self, user_id: str, since: int) -> list[str]:
        """Return the resources of the tokens that act for a user."""
        return sorted(self._column(_RESOURCES_OF_USER, subject=user_id, since=since))

    def revoke_tree(self, jti: str, now: int) -> list[str]:
        """Revoke a token and its descendants; return the IDs of those that were live."""
        return self._revoke(_REVOKE_TREE, jti, now)

    def revoke_consent(self, consent_id: str, now: int) -> list[str]:
        """Revoke the tokens that a consent allows, and their descendants."""
        return self._revoke(_REVOKE_CONSENT, consent_id, now)

    def revoke_client(self, client_id: str, now: int) -> list[str]:
        """Revoke an agent's or app's live tokens, and their descendants."""
        return self._revoke(_REVOKE_CLIENT, client_id, now)

    def revoke_resource(self, resource: str, now: int) -> list[str]:
        """Revoke the live tokens for this resource, and their descendants."""
        return self._revoke(_REVOKE_RESOURCE, resource, now)

    def revoke_user(self, user_id: str, now: int) -> list[str]:
        """Revoke the live tokens that act for this user."""
        return self._revoke(_REVOKE_USER, user_id, now)

    def _revoke(self, statement: ReturningUpdate[str], subject: str, now: int) -> list[str]:
        """Run the UPDATE until it does not revoke any more tokens.

        While the first UPDATE waits for a parent's row, another transaction may commit a child,
        which this UPDATE misses. After that, the parent is revoked, so no further child can follow.
        """
        revoked: list[str] = []
        while new := self._column(statement, subject=subject, now=now):
            revoked.extend(new)
        return revoked
