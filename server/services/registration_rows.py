"""What the services need of the rows of invitations and registrations; see `rows.py`."""

from typing import Protocol

from server.services.registration_records import Invitation, Registration


class InvitationRows(Protocol):
    """Rights to register agents."""

    def add(self, invitation: Invitation) -> None: ...
    def get(self, invitation_id: str) -> Invitation | None: ...
    def by_token(self, token_hash: bytes) -> Invitation | None: ...
    def page(self, after: str, limit: int) -> list[Invitation]:
        """Those whose ids come after this one, ended ones too."""

    def spend(self, invitation_id: str, now: int) -> bool:
        """Use it once; MUST be one statement. Reports whether it still had a use."""

    def revoke(self, invitation_id: str, now: int) -> bool:
        """Reports whether this call ended it."""


class RegistrationRows(Protocol):
    """Agents that registered themselves."""

    def add(self, registration: Registration) -> None: ...
    def of_agent(self, agent_id: str) -> Registration | None: ...
    def end(self, agent_id: str) -> None:
        """Its token opens nothing any more."""
