"""Events of one capability that have effects in others.

A service reports an event with `tx.react(event)`. The table in `services/reactions.py` lists the
functions that then run, in order. They all run in the same unit of work.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from operator import add

from server.model.clients import Agent
from server.model.consents import Consent
from server.model.users import User


@dataclass(frozen=True, slots=True)
class Ended:
    """The numbers of requests, tokens and sign-ins that an event canceled or revoked."""

    requests: int = 0
    approved: int = 0
    """How many of these requests were approved, but not yet redeemed by the client."""
    tokens: int = 0
    sign_ins: int = 0

    def __add__(self, other: "Ended") -> "Ended":
        return Ended(*map(add, astuple(self), astuple(other)))


class Event:
    """An event, with the data that its handlers need."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class AgentDeactivated(Event):
    """An agent was disabled, quarantined or deleted; `agent.state` says which of the first two."""

    agent: Agent
    by: str


@dataclass(frozen=True, slots=True)
class AgentReplaced(Event):
    """An agent's credentials or owners changed."""

    agent_id: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class AgentAnnounced(Event):
    """Something happened to an agent, and these people must be notified."""

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
    """A disabled user was enabled."""

    user: User
    by: str


@dataclass(frozen=True, slots=True)
class PasswordChanged(Event):
    """A user's password was changed or removed."""

    user_id: str


@dataclass(frozen=True, slots=True)
class DeviceRevoked(Event):
    """A device was revoked, by its user or an administrator."""

    user_id: str
    device_id: str


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
    """An action type has a new document, or was deleted."""

    type: str
    by: str


@dataclass(frozen=True, slots=True)
class ConsentEnded(Event):
    """A consent was revoked, or something that it refers to was deleted."""

    consent: Consent
    by: str
