"""What the services need of the rows of deputies."""

from typing import Protocol

from server.services.deputy_records import Deputy


class DeputyRows(Protocol):
    """Deputies. Every step MUST be one conditional UPDATE; False means: somebody was first."""

    def add(self, deputy: Deputy) -> None: ...
    def get(self, deputy_id: str) -> Deputy | None: ...
    def of_user(self, user_id: str, now: int) -> list[Deputy]:
        """Those whom this person named and who are not over."""

    def of_deputy(self, deputy_id: str, now: int) -> list[Deputy]:
        """Those for whom this person decides or will."""

    def live(self, now: int) -> list[Deputy]:
        """All that are not over, by their end."""

    def deciding(self, user_id: str, deputy_id: str, now: int) -> Deputy | None:
        """The one by which this person decides for that one at this moment."""

    def due(self, now: int, limit: int) -> list[Deputy]:
        """Those that begin or end by the clock."""

    def begin(self, deputy_id: str) -> bool: ...
    def end(self, deputy_id: str, *, revoked_at: int | None) -> bool: ...
    def leave(self, user_id: str, deputy_id: str) -> None:
        """Their waiting requests ask this deputy no more."""
