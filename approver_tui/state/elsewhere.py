"""How many requests wait at the other servers that this machine is logged in to.

Owns: what was counted last, as of when, and the one line that says it. Never: what waits there;
no word of a request is read for a number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits at one other server."""

    login: str
    """What the login there is called."""
    count: int
    at: int
    """When it was counted, in milliseconds since the epoch."""
    is_old: bool = False
    """Whether the server did not say when it was asked again."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What waits at every other server that ever said so, by login."""

    servers: tuple[Waiting, ...] = ()

    def find(self, login: str) -> Waiting | None:
        """Return what is known of a login; None before its server first said anything."""
        return next((each for each in self.servers if each.login == login), None)

    def counted(self, counts: Mapping[str, int | None], at: int) -> "Elsewhere":
        """Return what is known after a look; who did not say (None) keeps its number and its age.

        A login that is not among `counts` is gone.
        """
        return Elsewhere(tuple(filter(None, (self._after(*one, at) for one in counts.items()))))

    @property
    def busy(self) -> tuple[Waiting, ...]:
        """Where something waits."""
        return tuple(each for each in self.servers if each.count)

    def _after(self, login: str, count: int | None, at: int) -> Waiting | None:
        if count is not None:
            return Waiting(login, count, at)
        known = self.find(login)
        return None if known is None else replace(known, is_old=True)


NOWHERE = Elsewhere()
"""There is no other login, or nobody has asked yet."""
