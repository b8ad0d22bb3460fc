"""Protected APIs, and what their rows promise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from server.model.clients import Secret
from server.protocol.policy.risks import Risk


@dataclass(frozen=True, slots=True)
class Resource:
    """A protected API, named by its audience URI."""

    uri: str
    scopes: Mapping[str, Risk]
    requires: Mapping[str, str]
    """Scope → action type without which the scope is not given."""
    created_at: int
    client_id: str = ""
    """By which it authenticates when it asks about tokens for it."""
    secrets: tuple[Secret, ...] = ()

    @property
    def id(self) -> str:
        """Its name as a client."""
        return self.client_id

    token_seconds: int | None = None
    """How long tokens for it live at most; None leaves it to the agent and the setting."""


class ResourceRows(Protocol):
    """Protected APIs. `add` MUST fail with `Taken` if the URI is there."""

    def add(self, resource: Resource) -> None: ...
    def replace(self, resource: Resource) -> None:
        """Write its scopes and its secrets."""

    def delete(self, uri: str) -> None: ...
    def all(self) -> list[Resource]: ...
    def secret_used(self, secret_id: str, now: int) -> None:
        """Remember the use, at most once a minute."""
