"""Consents, and what their rows promise."""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

PageOutcome: TypeAlias = Literal["waiting", "given", "denied", "over"]
"""How what a page asked a person for stands."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A user lets an agent or app have scopes at a resource; one at a time is in force."""

    id: str
    user_id: str
    client_id: str
    app_id: str | None
    """The app whose page asked for it; None when a request of the agent's own led to it."""
    resource: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int
    revoked_at: int | None
    approval_id: str | None
    """The approval that a device signed; None where a sign-in page took the answer."""

    def live(self, now: int) -> bool:
        """Reports whether it is in force at this moment."""
        return self.revoked_at is None and now < self.expires_at


class ConsentRows(Protocol):
    """Consents. `renew` and `revoke` MUST be one conditional UPDATE; None means: it is over."""

    def add(self, consent: Consent) -> None: ...
    def get(self, consent_id: str) -> Consent | None: ...
    def live(self, user_id: str, client_id: str, resource: str, now: int) -> Consent | None: ...
    def of_user(self, user_id: str, now: int, *, ended: bool) -> list[Consent]: ...
    def search(
        self,
        *,
        user_id: str | None,
        client_id: str | None,
        live_at: int | None,
        limit: int,
        before: tuple[int, str] | None,
    ) -> list[Consent]: ...
    def renew(self, consent: Consent, now: int) -> Consent | None:
        """Give one in force the scopes and the end of this record; created_at stays."""

    def revoke(self, consent_id: str, now: int) -> Consent | None: ...
    def revoke_client(self, client_id: str, now: int) -> list[Consent]: ...
    def revoke_at(self, resource: str, now: int) -> list[Consent]: ...
