"""The token endpoint: the steps that all grants share, and the table of grants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from server.model.clients import Agent, App
from server.model.store import Store, Unit
from server.protocol import errors, names
from server.protocol.clients import client_auth
from server.protocol.forms import Form
from server.services.clients.client_auth import (
    ClientAuthentication,
    current_app,
    require_token_client,
)
from server.services.users.dpop_proofs import Proofs


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A parsed call to the token endpoint."""

    form: Form
    authorization: str | None
    proofs: Sequence[str]
    idempotency_key: str | None
    wait: int
    """The number of seconds that the client is willing to wait."""
    peer: str
    waited_ms: int = 0
    """The time since the request arrived; polling intervals are measured from its arrival."""
    dpop_jkt: str | None = None
    """The thumbprint of the key that the client proved; tokens are bound to it."""


TokenResult: TypeAlias = dict[str, object] | errors.ProtocolError
"""The token response or an error. A grant raises an error that undoes its changes, and returns an
error that keeps them."""


class AgentGrant(Protocol):
    """A grant for agents; the endpoint has already authenticated the agent.

    It has its own units of work, because it may wait for an answer between two of them.
    """

    def exchange(self, agent: Agent, request: TokenRequest) -> TokenResult:
        """Return the token response. Raises errors.ProtocolError."""


class AppGrant(Protocol):
    """A grant for apps; the endpoint has already authenticated the app."""

    def exchange(self, tx: Unit, app: App, request: TokenRequest) -> TokenResult:
        """Return the token response. Raises errors.ProtocolError."""


class PersonGrant(Protocol):
    """A grant for the terminal app, which proves a key instead."""

    def exchange(self, tx: Unit, request: TokenRequest) -> TokenResult:
        """Return the token response. Raises errors.ProtocolError."""


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """Runs the steps that all grants share.

    Rules, in order: 1. The grant type is known. 2. The client authenticates. 3. The client may use
    this grant. 4. Its DPoP proof, sent or required, is valid. 5. The grant decides.
    """

    store: Store
    proofs: Proofs
    clients: ClientAuthentication
    for_agents: Mapping[str, AgentGrant]
    for_apps: Mapping[str, AppGrant]
    for_people: Mapping[str, PersonGrant]

    def exchange(self, request: TokenRequest) -> dict[str, object]:
        """Return the response of RFC 6749 5.1. Raises errors.ProtocolError."""
        result = self._exchange(request)
        if isinstance(result, errors.ProtocolError):
            raise result
        return result

    def _exchange(self, request: TokenRequest) -> TokenResult:
        grant_type = request.form.require("grant_type")
        if (person_grant := self._terminal_grant(grant_type, request)) is not None:
            self._refuse_other_clients(request)
            _refuse_details(request)
            with self.store.write() as tx:
                return person_grant.exchange(tx, request)
        if grant_type not in {*self.for_agents, *self.for_apps}:
            raise errors.UnsupportedGrantType("This grant type is not supported.")
        credentials = client_auth.read_credentials(request.authorization, request.form)
        client = require_token_client(self.clients.authenticate(credentials))
        if grant_type not in client.grant_types:
            raise errors.UnauthorizedClient("This client cannot use this grant type.")
        bound_request = self._with_proved_key(request, needed=client.dpop_bound)
        if isinstance(client, App):
            if grant_type != names.GRANT_AUTHORIZATION_CODE:
                _refuse_details(request)
            with self.store.write() as tx:
                app = current_app(tx, client)
                return self.for_apps[grant_type].exchange(tx, app, bound_request)
        return self.for_agents[grant_type].exchange(client, bound_request)

    def _terminal_grant(self, grant_type: str, request: TokenRequest) -> PersonGrant | None:
        """Return a grant of the terminal app. If apps can use it too, `client_id` decides."""
        terminal = request.form.get("client_id") == names.APPROVER_CLIENT
        if grant_type in self.for_apps and not terminal:
            return None
        return self.for_people.get(grant_type)

    def _refuse_other_clients(self, request: TokenRequest) -> None:
        """Reject the terminal app's grants for every other client."""
        if request.form.get("client_id") != names.APPROVER_CLIENT:
            self.clients.authenticate(
                client_auth.read_credentials(request.authorization, request.form)
            )
            raise errors.UnauthorizedClient("This client cannot use this grant type.")

    def _with_proved_key(self, request: TokenRequest, *, needed: bool) -> TokenRequest:
        """Return the request with the key that its DPoP proof proves possession of (RFC 9449 5)."""
        if not request.proofs:
            if needed:
                raise errors.InvalidDpopProof("This client's tokens are bound. Send a DPoP proof.")
            return request
        with self.store.write() as tx:
            return replace(request, dpop_jkt=self.proofs.of_client(tx, request.proofs))


def _refuse_details(request: TokenRequest) -> None:
    """Refuse `authorization_details` for a grant whose tokens cannot contain them (RFC 9396 6)."""
    if request.form.get("authorization_details") is not None:
        raise errors.InvalidAuthorizationDetails(
            "This grant type does not accept authorization_details."
        )
