"""How many requests wait at the other servers that this machine is logged in to.

Owns: the last counts, their age, and the line that shows them. Never: anything else about those
requests.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class OtherLoginCount:
    """The number of waiting requests at one other server."""

    login: str
    """The name of the login there."""
    count: int
    at: int
    """The time of the count, in milliseconds since the epoch."""
    is_old: bool = False
    """Whether the server did not answer the latest query."""


@dataclass(frozen=True, slots=True)
class OtherLoginCounts:
    """The count of every other server that ever answered, by login."""

    servers: tuple[OtherLoginCount, ...] = ()

    def find(self, login: str) -> OtherLoginCount | None:
        """Return the count of a login; None before its server first answered."""
        return next((server for server in self.servers if server.login == login), None)

    def with_counts(self, counts: Mapping[str, int | None], at: int) -> "OtherLoginCounts":
        """Return the counts after a query; a login with None keeps its number and its age.

        A login that is not among `counts` is removed.
        """
        return OtherLoginCounts(
            tuple(filter(None, (self._count_after(*counted, at) for counted in counts.items())))
        )

    @property
    def busy(self) -> tuple[OtherLoginCount, ...]:
        """The logins with waiting requests."""
        return tuple(server for server in self.servers if server.count)

    def _count_after(self, login: str, count: int | None, at: int) -> OtherLoginCount | None:
        if count is not None:
            return OtherLoginCount(login, count, at)
        login_count = self.find(login)
        return None if login_count is None else replace(login_count, is_old=True)


NO_OTHER_LOGINS = OtherLoginCounts()
"""No other login, or none queried yet."""
