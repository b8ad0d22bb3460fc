"""How many requests wait at the other servers that this machine is logged in to.

Owns: what was counted last, as of when, and the one line that says it. Never: what waits there;
no word of a request is read for a number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class OtherLoginCount:
    """What waits at one other server."""

    login: str
    """What the login there is called."""
    count: int
    at: int
    """When it was counted, in milliseconds since the epoch."""
    is_old: bool = False
    """Whether the server did not say when it was asked again."""


@dataclass(frozen=True, slots=True)
class OtherLoginCounts:
    """What waits at every other server that ever said so, by login."""

    servers: tuple[OtherLoginCount, ...] = ()

    def find(self, login: str) -> OtherLoginCount | None:
        """Return what is known of a login; None before its server first said anything."""
        return next((each for each in self.servers if each.login == login), None)

    def counted(self, counts: Mapping[str, int | None], at: int) -> "OtherLoginCounts":
        """Return what is known after a look; who did not say (None) keeps its number and its age.

        A login that is not among `counts` is gone.
        """
        return OtherLoginCounts(
            tuple(filter(None, (self._after(*one, at) for one in counts.items())))
        )

    @property
    def busy(self) -> tuple[OtherLoginCount, ...]:
        """Where something waits."""
        return tuple(each for each in self.servers if each.count)

    def _after(self, login: str, count: int | None, at: int) -> OtherLoginCount | None:
        if count is not None:
            return OtherLoginCount(login, count, at)
        known = self.find(login)
        return None if known is None else replace(known, is_old=True)


NOWHERE = OtherLoginCounts()
"""There is no other login, or nobody has asked yet."""
