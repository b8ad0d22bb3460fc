"""Dynamic client registration of agents (RFC 7591, RFC 7592).

An invitation sets the owner and limits the permissions. A registration token manages one agent, and
cannot give the agent more permissions than it has now.
"""

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from server.model.clients import Agent, Invitation, Registration
from server.model.operations import CountedLimit
from server.model.ports import Secrets
from server.model.store import Store, Unit, View
from server.protocol import errors, names
from server.protocol.clients.registration import Metadata
from server.protocol.names import handle_hash
from server.services.audit import audit
from server.services.clients import agents
from server.services.clients.agent_forms import NewAgent
from server.services.clients.agents import NewSecret
from server.services.clients.client_names import refuse_taken_name
from server.services.refusals import ChangeRefused, Exists, Invalid
from server.services.server_policy import ServerPolicy
from server.services.users import user_checks

UNKNOWN_TOKENS: Final = CountedLimit(
    "unknown_registrations",
    "address",
    "Unknown registration tokens",
    20,
    10 * 60 * 1000,
    "unknown registration:",
)
_NOT_AUTHORIZED = "Send the access token of an invitation or of this registration."
_RANDOM_NAME_LENGTH = 6
_NAME_TAKEN = (
    "client_name is taken, or can be confused with a name that is. Choose a different name."
)


@dataclass(frozen=True, slots=True)
class RegistrationService:
    """Registers agents, and lets each agent manage its registration."""

    store: Store
    secrets: Secrets
    server_policy: ServerPolicy
    endpoint_problem: Callable[[str], str]
    """Returns why a callback URL is not allowed; "" if it is allowed."""

    def register(self, token: str | None, metadata: Metadata, peer: str) -> dict[str, object]:
        """Register an agent for the invitation's owner (RFC 7591 3.2.1).

        Rules, in order: 1. The invitation is live. 2. Its owner is enabled. 3. One conditional
        UPDATE counts the use. 4. The agent stays within the invitation's limits. Raises
        errors.ProtocolError.
        """
        token_hash = handle_hash(token or "")
        self._check_token(peer, lambda view: _live_invitation(view, token_hash) is not None)
        self._check_endpoint(metadata)
        with self.store.administer() as tx:
            invitation = _live_invitation(tx, token_hash)
            if invitation is None or not user_checks.is_enabled(tx, invitation.owner_id):
                raise errors.InvalidToken(_NOT_AUTHORIZED, detail="the owner is disabled")
            if not tx.invitations.spend(invitation.id, tx.now):
                raise errors.InvalidToken(_NOT_AUTHORIZED, detail="no use is left")
            return self._register(tx, invitation, metadata)

    def show(self, agent_id: str, token: str | None, peer: str) -> dict[str, object]:
        """Return the registration (RFC 7592 2.1). Raises errors.InvalidToken."""
        self._check_token(peer, lambda view: _registered_agent(view, agent_id, token) is not None)
        with self.store.read() as view:
            return self._information(
                NewSecret(_require_agent(view, agent_id, token), ""), str(token)
            )

    def replace(
        self, agent_id: str, token: str | None, update: tuple[Metadata, str | None], peer: str
    ) -> dict[str, object]:
        """Replace the metadata (RFC 7592 2.2); omitted members are reset to their defaults.

        The new permissions cannot exceed the current ones, so a removed permission stays removed.
        DPoP, signed requests and user codes stay required if they are.
        Raises errors.InvalidToken or errors.InvalidClientMetadata.
        """
        metadata, secret = update
        self._check_token(peer, lambda view: _registered_agent(view, agent_id, token) is not None)
        self._check_endpoint(metadata)
        with self.store.administer() as tx:
            before = _require_agent(tx, agent_id, token)
            if secret is not None and not any(
                row.matches(secret, tx.now) for row in before.secrets
            ):
                raise errors.InvalidClientMetadata("client_secret is not this client's.")
            issued = self._change_agent(tx, before, metadata)
            agents.change(tx, before, issued.agent, by=audit.by_agent(before.id))
            return self._information(issued, str(token))

    def delete(self, agent_id: str, token: str | None, peer: str) -> None:
        """Delete the agent (RFC 7592 2.3), its tokens and requests. Raises errors.InvalidToken."""
        self._check_token(peer, lambda view: _registered_agent(view, agent_id, token) is not None)
        with self.store.administer() as tx:
            agent = _require_agent(tx, agent_id, token)
            agents.delete_agent(tx, agent, by=audit.by_agent(agent.id))

    def _check_token(self, peer: str, accepts: Callable[[View], bool]) -> None:
        """Reject an unknown token before the write lock is taken, and limit guesses.

        The unit of work checks the token again. Raises errors.InvalidToken.
        """
        with self.store.read() as view:
            if accepts(view):
                return
        with self.store.write() as tx:
            too_many = tx.counters.count_subject(UNKNOWN_TOKENS, peer) > UNKNOWN_TOKENS.value
        if too_many:
            raise errors.TemporarilyUnavailable("Too many unknown tokens.", retry_after=60)
        raise errors.InvalidToken(_NOT_AUTHORIZED)

    def _check_endpoint(self, metadata: Metadata) -> None:
        """Check the URL before the unit of work, because it may need a DNS lookup."""
        url = metadata.notification_endpoint
        if url is not None and (problem := self.endpoint_problem(url)):
            raise errors.InvalidClientMetadata(
                "This backchannel_client_notification_endpoint is not allowed.", detail=problem
            )

    def _register(self, tx: Unit, invitation: Invitation, metadata: Metadata) -> dict[str, object]:
        name = metadata.client_name or f"agent-{self.secrets.new_id('')[:_RANDOM_NAME_LENGTH]}"
        new = NewAgent(
            name=self._free_name(tx, name, invitation),
            owners=(invitation.owner_id,),
            resources=invitation.resources,
            asks=invitation.asks,
            dpop_bound=metadata.dpop_bound,
            request_alg=metadata.request_alg,
            takes_user_code=metadata.takes_user_code,
            **_requested_members(tx, metadata, invitation),
        )
        if metadata.keys:
            new["jwks"] = json.dumps({"keys": [dict(key) for key in metadata.keys]})
        by, facts = f"invitation:{invitation.id}", {"invitation": invitation.id}
        try:
            issued = agents.register(tx, self.secrets, new, by=by, facts=facts)
        except ChangeRefused as error:
            raise _to_metadata_error(error) from error
        token = self.secrets.new_secret(names.PREFIX_REGISTRATION_TOKEN)
        tx.registrations.add(
            Registration(issued.agent.id, invitation.id, handle_hash(token), tx.now)
        )
        return self._information(issued, token)

    def _change_agent(self, tx: Unit, before: Agent, metadata: Metadata) -> NewSecret:
        agent = replace(
            before,
            name=self._free_name(tx, metadata.client_name or before.name, before),
            jwks=metadata.keys,
            dpop_bound=metadata.dpop_bound or before.dpop_bound,
            request_alg=_request_alg(metadata, before),
            takes_user_code=metadata.takes_user_code or before.takes_user_code,
            **_requested_members(tx, metadata, before),
        )
        if agent.auth_method == "private_key_jwt":
            return NewSecret(replace(agent, secrets=()), "")
        return (
            NewSecret(agent, "") if agent.secrets else agents.with_secret(tx, self.secrets, agent)
        )

    def _free_name(self, tx: Unit, raw: str, agent: Agent | Invitation) -> str:
        """Return a name that this agent, or an agent with this invitation, may use.

        Raises errors.InvalidClientMetadata.
        """
        if isinstance(agent, Agent) and raw == agent.name:
            return raw
        try:
            name = user_checks.check_account_name(raw, "client_name")
            refuse_taken_name(tx, name, own_id=agent.id, among=self._known_people(tx, agent))
        except Invalid as error:
            raise errors.InvalidClientMetadata(str(error)) from error
        except Exists as error:
            raise errors.InvalidClientMetadata(_NAME_TAKEN) from error
        return name

    def _known_people(self, tx: Unit, agent: Agent | Invitation) -> set[str]:
        """Return the users whose names it may learn: its owners, and the users it may ask."""
        owners = agent.owners if isinstance(agent, Agent) else (agent.owner_id,)
        asks = () if self.server_policy.hide_unknown_users else agent.asks or ()
        members = tx.directory.members()
        return {
            *owners,
            *(user_id for asked_id in asks for user_id in members.get(asked_id, {asked_id})),
        }

    def _information(self, issued: NewSecret, token: str) -> dict[str, object]:
        """Return the registered metadata (RFC 7591 3.2.1, RFC 7592 3)."""
        agent = issued.agent
        metadata: dict[str, object] = {
            "client_id": agent.id,
            "client_id_issued_at": agent.created_at // 1000,
            "client_secret": issued.secret or None,
            "client_secret_expires_at": 0 if issued.secret else None,
            "registration_access_token": token,
            "registration_client_uri": f"{self.server_policy.issuer}/register/{agent.id}",
            "client_name": agent.name,
            "token_endpoint_auth_method": agent.auth_method,
            "grant_types": list(agent.grant_types),
            "response_types": [],
            "scope": " ".join(agent.scopes),
            "authorization_details_types": _to_list(agent.action_types),
            "jwks": {"keys": [dict(key) for key in agent.jwks]} if agent.jwks else None,
            "id_token_signed_response_alg": agent.id_token_alg,
            "dpop_bound_access_tokens": agent.dpop_bound,
            "backchannel_token_delivery_mode": agent.delivery,
            "backchannel_client_notification_endpoint": agent.notification_endpoint,
            "backchannel_user_code_parameter": agent.takes_user_code,
            "backchannel_authentication_request_signing_alg": agent.request_alg,
            "token_endpoint_auth_signing_alg": _assertion_alg(agent),
        }
        return {name: value for name, value in metadata.items() if value is not None}


def _live_invitation(view: View, token_hash: bytes) -> Invitation | None:
    invitation = view.invitations.by_token(token_hash)
    return invitation if invitation is not None and invitation.live(view.now) else None


def _registered_agent(view: View, agent_id: str, token: str | None) -> Agent | None:
    """Return the enabled agent that this registration token manages."""
    registration = view.registrations.get(agent_id)
    token_hash = handle_hash(token or "")
    if registration is None or not hmac.compare_digest(registration.token_hash, token_hash):
        return None
    agent = view.directory.agent(agent_id)
    return agent if agent is not None and agent.active(view.now) else None


def _require_agent(view: View, agent_id: str, token: str | None) -> Agent:
    """Return the enabled agent that this token manages. Raises errors.InvalidToken."""
    agent = _registered_agent(view, agent_id, token)
    if agent is None:
        raise errors.InvalidToken(_NOT_AUTHORIZED, detail="the agent was disabled in the meantime")
    return agent


def _requested_members(tx: Unit, metadata: Metadata, limits: Agent | Invitation) -> dict[str, Any]:
    """Return the requested members within the permissions that this client can have."""
    return {
        "auth_method": metadata.auth_method,
        "grant_types": _check_within("grant_types", metadata.grant_types, limits.grant_types),
        "scopes": _check_within("scope", metadata.scope, limits.scopes),
        "action_types": _action_types(tx, metadata, limits.action_types),
        "id_token_alg": metadata.id_token_alg,
        "delivery": metadata.delivery,
        "notification_endpoint": metadata.notification_endpoint,
    }


def _check_within(
    name: str, requested: tuple[str, ...] | None, allowed: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the requested values if all are allowed; without a request, all allowed values."""
    if requested is None:
        return allowed
    if not set(requested) <= set(allowed):
        raise errors.InvalidClientMetadata(f"{name} exceeds the permissions of this client.")
    return requested


def _action_types(
    tx: Unit, metadata: Metadata, allowed: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    if metadata.action_types is None:
        return allowed
    if allowed is not None:
        return _check_within("authorization_details_types", metadata.action_types, allowed)
    if any(tx.directory.action(name) is None for name in metadata.action_types):
        raise errors.InvalidClientMetadata("authorization_details_types has an unknown type.")
    return metadata.action_types


def _request_alg(metadata: Metadata, before: Agent) -> str | None:
    """Return the algorithm for requests. An agent that must sign requests cannot change that."""
    alg = metadata.request_alg or before.request_alg
    if alg is not None and all(key["alg"] != alg for key in metadata.keys):
        raise errors.InvalidClientMetadata("jwks has no key for the required signed requests.")
    return alg


def _to_metadata_error(error: ChangeRefused) -> errors.InvalidClientMetadata:
    """Return a generic error, because the administrator's error quotes the input."""
    return errors.InvalidClientMetadata(
        "This invitation is outdated. Ask for a new one.", detail=str(error)
    )


def _to_list(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


def _assertion_alg(agent: Agent) -> str | None:
    """Return the algorithm for its assertions; None if its keys use several."""
    algs = {key["alg"] for key in agent.jwks} if agent.auth_method == "private_key_jwt" else set()
    return algs.pop() if len(algs) == 1 else None
