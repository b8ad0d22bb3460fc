"""Protected APIs."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.model.clients import Secret
from server.protocol.policy.risks import Risk


@dataclass(frozen=True, slots=True)
class Resource:
    """A protected API, identified by its audience URI."""

    uri: str
    scopes: Mapping[str, Risk]
    requires: Mapping[str, str]
    """Scope → the action type that a request for it must have."""
    created_at: int
    client_id: str = ""
    """The client_id with which it introspects tokens."""
    secrets: tuple[Secret, ...] = ()

    @property
    def id(self) -> str:
        """Its client_id, under the same name as in other clients."""
        return self.client_id

    token_seconds: int | None = None
    """Maximum lifetime of its tokens; None uses the agent's limit or the setting."""
    default_scopes: tuple[str, ...] = ()
    """The scopes of a request that names none (RFC 6749 3.3); sorted."""
    unknown_clients: bool = False
    """Unregistered apps may request its scopes, except critical ones."""


@dataclass(frozen=True, slots=True)
class ResourceServer:
    """A caller that authenticated as a resource, or as an agent that serves resources."""

    client_id: str
    uris: tuple[str, ...]
    """The resources that it serves."""
