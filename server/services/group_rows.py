"""What the services need of the rows of groups. MUST is a promise of storage."""

from typing import Protocol

from server.services.records import Group


class GroupRows(Protocol):
    """Groups with their members. `add` and `replace` MUST raise `Taken` for a used name."""

    def add(self, group: Group) -> None: ...
    def replace(self, group: Group) -> None: ...
    def delete(self, group_id: str) -> None: ...
    def all(self) -> list[Group]:
        """Every group, by name."""
