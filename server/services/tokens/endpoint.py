"""The token endpoint: the steps that all grants share, and the table of grants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from server.model.clients import Agent, App
from server.model.store import Store
from server.protocol import errors, names
from server.protocol.clients import client_auth
from server.protocol.forms import Form
from server.services.clients.client_auth import ClientAuthentication, holds_tokens
from server.services.users.proofs import Proofs


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """One call of the token endpoint, parsed at the door."""

    form: Form
    authorization: str | None
    proofs: Sequence[str]
    idempotency_key: str | None
    wait: int
    """Seconds that the client is ready to be held."""
    peer: str
    waited_ms: int = 0
    """How long the request had been here when the grant began; pacing counts from its arrival."""
    dpop_jkt: str | None = None
    """The thumbprint of the key that the client has proved to hold; tokens are bound to it."""


class AgentGrant(Protocol):
    """A grant for agents, which authenticate as clients before it is asked."""

    def exchange(self, agent: Agent, request: TokenRequest) -> dict[str, object]:
        """The token answer. Raises errors.ProtocolError."""


class AppGrant(Protocol):
    """A grant for people's apps, which authenticate as clients before it is asked."""

    def exchange(self, app: App, request: TokenRequest) -> dict[str, object]:
        """The token answer. Raises errors.ProtocolError."""


class PersonGrant(Protocol):
    """A grant for people's terminals, which prove a key instead."""

    def exchange(self, request: TokenRequest) -> dict[str, object]:
        """The token answer. Raises errors.ProtocolError."""


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """What all grants share, in this order.

    1. The grant type is known.  2. The client is who it says.  3. It is of a kind that has this
    grant, and may use it.  4. Its proof of a key holds, if it sent or needs one.  5. The grant
    decides.
    """

    store: Store
    proofs: Proofs
    clients: ClientAuthentication
    for_agents: Mapping[str, AgentGrant]
    for_apps: Mapping[str, AppGrant]
    for_people: Mapping[str, PersonGrant]

    def exchange(self, request: TokenRequest) -> dict[str, object]:
        """The answer of RFC 6749 5.1. Raises errors.ProtocolError."""
        grant_type = request.form.require("grant_type")
        if (person_grant := self._of_terminals(grant_type, request)) is not None:
            self._refuse_other_clients(request)
            _refuse_details(request)
            return person_grant.exchange(request)
        if grant_type not in {*self.for_agents, *self.for_apps}:
            raise errors.UnsupportedGrantType("This grant type does not exist here.")
        credentials = client_auth.read_credentials(request.authorization, request.form)
        client = holds_tokens(self.clients.authenticate(credentials))
        if grant_type not in client.grant_types:
            raise errors.UnauthorizedClient("This client may not use this grant type.")
        bound = self._bound(request, needed=client.dpop_bound)
        if isinstance(client, App):
            if grant_type != names.GRANT_AUTHORIZATION_CODE:
                _refuse_details(request)
            return self.for_apps[grant_type].exchange(client, bound)
        return self.for_agents[grant_type].exchange(client, bound)

    def _of_terminals(self, grant_type: str, request: TokenRequest) -> PersonGrant | None:
        """The grant of the terminal app; where apps have one of that name, the client_id says."""
        terminal = request.form.get("client_id") == names.APPROVER_CLIENT
        if grant_type in self.for_apps and not terminal:
            return None
        return self.for_people.get(grant_type)

    def _refuse_other_clients(self, request: TokenRequest) -> None:
        """Grants of terminals are for the terminal app, whoever else proves to be a client."""
        if request.form.get("client_id") != names.APPROVER_CLIENT:
            self.clients.authenticate(
                client_auth.read_credentials(request.authorization, request.form)
            )
            raise errors.UnauthorizedClient("This client may not use this grant type.")

    def _bound(self, request: TokenRequest, *, needed: bool) -> TokenRequest:
        """The request with the key that it proves to hold, alike for every grant (RFC 9449 5)."""
        if not request.proofs:
            if needed:
                raise errors.InvalidDpopProof("Tokens of this client are bound: send a DPoP proof.")
            return request
        with self.store.write() as tx:
            return replace(request, dpop_jkt=self.proofs.of_client(tx, request.proofs))


def _refuse_details(request: TokenRequest) -> None:
    """What comes of these grants has no details, so there are none to ask for (RFC 9396 6)."""
    if request.form.get("authorization_details") is not None:
        raise errors.InvalidAuthorizationDetails("No action comes of this grant.")
