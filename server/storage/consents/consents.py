"""Stores, finds, renews and revokes consents."""

from sqlalchemy import bindparam, or_, select, tuple_, update

from server.model.consents import Consent
from server.storage.codec import dump, load_tuple
from server.storage.consents.tables import consents as c
from server.storage.prepared import Prepared, RecordRows, RecordTable, matches

_IN_FORCE = (c.c.revoked_at.is_(None), c.c.expires_at > bindparam("now"))
_NEWEST = (c.c.created_at.desc(), c.c.id.desc())
_LIVE = Prepared(
    select(c)
    .where(
        c.c.user_id == bindparam("user"),
        c.c.client_id == bindparam("client"),
        c.c.resource == bindparam("resource"),
        *_IN_FORCE,
    )
    .order_by(*_NEWEST)
    .limit(1)
    .with_for_update(read=True)
)
"""On PostgreSQL, this locks the row, so that a revocation waits until the unit of work ends."""
_LOCK = Prepared(
    select(c.c.id)
    .where(
        c.c.user_id == bindparam("user"),
        c.c.client_id == bindparam("client"),
        *_IN_FORCE,
    )
    .order_by(c.c.id)
    .with_for_update()
)
_BY_USER = select(c).where(c.c.user_id == bindparam("user")).order_by(*_NEWEST)
_LIVE_OF_USER = _BY_USER.where(*_IN_FORCE)
_END = update(c).where(*_IN_FORCE).values(revoked_at=bindparam("now")).returning(c)


class Consents(RecordRows[Consent, str]):
    """Consents in the database."""

    records = RecordTable(Consent, c, scopes=load_tuple)

    def live(self, user_id: str, client_id: str, resource: str, now: int) -> Consent | None:
        """Return the user's consent for this client at this resource, if one is in force."""
        return self._find(_LIVE, user=user_id, client=client_id, resource=resource, now=now)

    def lock(self, user_id: str, client_id: str, now: int) -> None:
        """Lock the user's consents for this client, by ID, until the unit of work ends."""
        self._any(_LOCK, user=user_id, client=client_id, now=now)

    def of_user(self, user_id: str, now: int, *, ended: bool) -> list[Consent]:
        """Return the user's consents, newest first; `ended` adds expired and revoked ones."""
        statement = _BY_USER if ended else _LIVE_OF_USER
        return self._list(statement, user=user_id, now=now)

    def search(
        self,
        *,
        user_id: str | None,
        client_id: str | None,
        live_at: int | None,
        limit: int,
        before: tuple[int, str] | None,
    ) -> list[Consent]:
        """Return the newest consents that match all filters; `live_at` selects those in force then.

        `before` is the (created_at, id) of the last consent on the previous page.
        """
        statement = select(c).order_by(*_NEWEST).limit(limit)
        statement = statement.where(*matches(c, user_id=user_id, client_id=client_id))
        if live_at is not None:
            statement = statement.where(c.c.revoked_at.is_(None), c.c.expires_at > live_at)
        if before is not None:
            statement = statement.where(tuple_(c.c.created_at, c.c.id) < tuple_(*before))
        return self._list(statement)

    def renew(self, consent: Consent, now: int) -> Consent | None:
        """Replace the scopes and expiry of a consent; None if it is not in force."""
        renewed = self.records.update(
            consent.id,
            *_IN_FORCE,
            scopes=dump(consent.scopes),
            expires_at=consent.expires_at,
            approval_id=consent.approval_id,
            app_id=consent.app_id,
        )
        return self._find(renewed.returning(c), now=now)

    def revoke(self, consent_id: str, now: int) -> Consent | None:
        """Revoke a consent; None if it was already revoked."""
        return self._find(_END.where(c.c.id == consent_id), now=now)

    def revoke_client(self, client_id: str, now: int) -> list[Consent]:
        """Revoke all consents of this client; return those that were in force."""
        is_of_client = or_(c.c.client_id == client_id, c.c.app_id == client_id)
        return self._list(_END.where(is_of_client), now=now)

    def revoke_at(self, resource: str, now: int) -> list[Consent]:
        """Revoke all consents at this resource; return those that were in force."""
        return self._list(_END.where(c.c.resource == resource), now=now)
