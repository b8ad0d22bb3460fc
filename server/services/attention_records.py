"""What we remember of people's wishes to be left alone, as frozen records."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from server.services.policy.rules import Hours

Why: TypeAlias = Literal["muted", "snoozed", "quiet_hours", "reported", "held_back", "digest"]
"""Why somebody is not notified of a request that is listed for them."""


@dataclass(frozen=True, slots=True)
class Mute:
    """A person wants no notifications of an agent; `until` None means until they say otherwise."""

    user_id: str
    agent_id: str
    since: int
    until: int | None


@dataclass(frozen=True, slots=True)
class Hold:
    """Notifications to one person about one request wait until then; then it rings once."""

    approval_id: str
    user_id: str
    until: int
    why: Why


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one person wants about one request."""

    muted: bool
    hold: Hold | None
    """One that is not over yet."""
    quiet: Hours | None
