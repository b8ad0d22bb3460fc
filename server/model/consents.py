"""Consents."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

PageOutcome: TypeAlias = Literal["waiting", "given", "denied", "over"]
"""The state of an approval that a page requested."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A user lets a client use scopes at a resource; at most one is in force at a time."""

    id: str
    user_id: str
    client_id: str
    app_id: str | None
    """The app whose page requested it; None if the agent itself requested it."""
    resource: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int
    revoked_at: int | None = None
    approval_id: str | None = None
    """The signed approval; None if the user consented on a sign-in page."""

    def live(self, now: int) -> bool:
        """Return whether it is in force at this time."""
        return self.revoked_at is None and now < self.expires_at
