"""Events of one capability that have effects in others.

A service says what happened by `tx.react(event)`. What runs then, and in which order, is one table:
`services/reactions.py`. All of it is part of the same unit of work.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from server.model.clients import Agent
from server.model.consents import Consent
from server.model.users import User


@dataclass(frozen=True, slots=True)
class Ended:
    """How much ended because of an event."""

    requests: int = 0
    approved: int = 0
    """Of them: requests that a person had approved and that were not fetched yet."""
    tokens: int = 0
    sign_ins: int = 0

    def __add__(self, other: "Ended") -> "Ended":
        return Ended(
            self.requests + other.requests,
            self.approved + other.approved,
            self.tokens + other.tokens,
            self.sign_ins + other.sign_ins,
        )


class Event:
    """Something that happened, with what the effects need to know of it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class AgentDeactivated(Event):
    """An agent was disabled, quarantined or deleted; `agent.state` says which of the first two."""

    agent: Agent
    by: str


@dataclass(frozen=True, slots=True)
class AgentReplaced(Event):
    """An agent has other credentials or owners than before."""

    agent_id: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class AgentAnnounced(Event):
    """Something about an agent that these people are notified of."""

    agent_id: str
    event: str
    people: Sequence[str]


@dataclass(frozen=True, slots=True)
class AppDeactivated(Event):
    """An app was disabled or deleted."""

    app_id: str
    by: str


@dataclass(frozen=True, slots=True)
class ClientDeleted(Event):
    """An agent or app is being deleted."""

    client_id: str
    by: str


@dataclass(frozen=True, slots=True)
class UserDisabled(Event):
    """A user was disabled."""

    user: User
    by: str


@dataclass(frozen=True, slots=True)
class UserEnabled(Event):
    """A user who was disabled is enabled."""

    user: User
    by: str


@dataclass(frozen=True, slots=True)
class PasswordChanged(Event):
    """A user has another password, or no longer has one."""

    user_id: str


@dataclass(frozen=True, slots=True)
class DeviceUnlocked(Event):
    """An administrator unlocked a device."""

    user_id: str
    device_id: str


@dataclass(frozen=True, slots=True)
class ResourceDeleted(Event):
    """A resource is being deleted."""

    uri: str
    by: str


@dataclass(frozen=True, slots=True)
class ActionTypeChanged(Event):
    """An action type has another document, or was deleted."""

    type: str
    by: str


@dataclass(frozen=True, slots=True)
class ConsentEnded(Event):
    """A consent was revoked, or what it is about was deleted."""

    consent: Consent
    by: str
