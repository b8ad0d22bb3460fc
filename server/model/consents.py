"""Consents, and the contract of their rows."""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

PageOutcome: TypeAlias = Literal["waiting", "given", "denied", "over"]
"""The state of an approval that a page asked for."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A user lets a client use scopes at a resource; at most one is in force at a time."""

    id: str
    user_id: str
    client_id: str
    app_id: str | None
    """The app whose page asked for it; None if the agent asked itself."""
    resource: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int
    revoked_at: int | None
    approval_id: str | None
    """The signed approval; None if the user consented on a sign-in page."""

    def live(self, now: int) -> bool:
        """Return whether it is in force at this time."""
        return self.revoked_at is None and now < self.expires_at


class ConsentRows(Protocol):
    """Consents. `renew` and `revoke` MUST be one conditional UPDATE; None means it has ended."""

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
        """Replace the scopes and the end of a consent in force; `created_at` stays."""

    def revoke(self, consent_id: str, now: int) -> Consent | None: ...
    def revoke_client(self, client_id: str, now: int) -> list[Consent]: ...
    def revoke_at(self, resource: str, now: int) -> list[Consent]: ...
