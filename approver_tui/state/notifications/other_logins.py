"""How many requests wait at the other servers that this machine is logged in to.

Owns: the last counts and their age. Never: anything else about those requests.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias


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


OtherLoginCounts: TypeAlias = Mapping[str, OtherLoginCount]
"""The count of every other server that ever answered, by login."""


def counts_after_query(
    before: OtherLoginCounts, counts: Mapping[str, int | None], at: int
) -> OtherLoginCounts:
    """Return the counts after a query; a login with None keeps its number and its age.

    A login that is not among `counts` is removed.
    """
    after: dict[str, OtherLoginCount] = {}
    for login, count in counts.items():
        if count is not None:
            after[login] = OtherLoginCount(login, count, at)
        elif login in before:
            after[login] = replace(before[login], is_old=True)
    return after
