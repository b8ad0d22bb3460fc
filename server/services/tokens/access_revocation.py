"""Who acts for a person: stopping one ends all that it has of them, and nothing of others.

Owns: what "stop it acting for me" means, on every screen. Never: stops it for others; that is the
kill switch, or a report.
"""

from dataclasses import dataclass
from typing import Final

from server.model.store import Store, Unit
from server.services.audit import audit
from server.services.consents import revocations
from server.services.standing_grants import ends
from server.services.tokens import delegations
from server.services.users import device_auth
from server.services.users.device_auth import Person

_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class RevokedAccess:
    """What ended with it."""

    grants: int
    consents: int
    tokens: int


@dataclass(frozen=True, slots=True)
class AccessRevocation:
    """Ends what agents and apps have of a person."""

    store: Store

    def stop(self, person: Person, client_id: str) -> RevokedAccess:
        """End all that a client has of this person, or nothing; it may ask them again.

        What could give it a new token ends before the tokens. Who has nothing loses nothing.
        """
        with self.store.write() as tx:
            device_auth.current(tx, person)
            held = _Held(tx, person.user.id, client_id)
            grants = held.end_grants()
            consents, stood_on_them = held.end_consents()
            return RevokedAccess(grants, consents, stood_on_them + held.end_tokens())


@dataclass(frozen=True, slots=True)
class _Held:
    """What a client has of a person now, in parts; what has ended is not found again."""

    tx: Unit
    user_id: str
    client_id: str

    def end_grants(self) -> int:
        ended = 0
        while found := self.tx.standing_grants.search(
            user_id=self.user_id, agent_ids=(self.client_id,), live_at=self.tx.now, limit=_AT_ONCE
        ):
            for one in found:
                ends.end(self.tx, one.id, because="revoked", actor=self._actor)
            ended += len(found)
        return ended

    def end_consents(self) -> tuple[int, int]:
        """How many, and how many tokens stood on them."""
        ended = tokens = 0
        while found := self.tx.consents.search(
            user_id=self.user_id,
            client_id=self.client_id,
            live_at=self.tx.now,
            limit=_AT_ONCE,
            before=None,
        ):
            for one in found:
                tokens += (
                    revocations.revoke_consent(self.tx, one, actor=self._actor, cause="revoked")
                    or 0
                )
            ended += len(found)
        return ended, tokens

    def end_tokens(self) -> int:
        ended = 0
        while found := self.tx.delegations.search(
            client_id=self.client_id,
            user_id=self.user_id,
            resource=None,
            live_at=self.tx.now,
            limit=_AT_ONCE,
        ):
            for one in found:
                ended += delegations.end(self.tx, one, self._actor, "by the person")[1]
        return ended

    @property
    def _actor(self) -> str:
        return audit.by_user(self.user_id)
