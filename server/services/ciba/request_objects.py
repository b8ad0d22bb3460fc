"""Signed authentication requests of agents: key, algorithm, and single use."""

import hashlib
from dataclasses import dataclass

from server.model.clients import Agent
from server.model.ports import BadClaims, BadToken, Verifier
from server.model.store import Unit
from server.protocol import errors
from server.protocol.ciba import request_objects
from server.protocol.forms import Form
from server.services.server_policy import ServerPolicy

_REPLAY_KIND = "request object"


@dataclass(frozen=True, slots=True)
class RequestObjectReplayKey:
    """Identifies a signed request, so that it is accepted once."""

    replay_key: bytes | None = None
    """None for an unsigned request."""
    until: int = 0
    agent_id: str = ""
    signing_kid: str = ""
    """The ID of the agent's key that signed the request."""

    def mark_used(self, tx: Unit) -> None:
        """Store the use. Raises errors.InvalidRequest if the request was used before."""
        if self.replay_key is None:
            return
        if not tx.replays.first_use(_REPLAY_KIND, self.replay_key, self.until):
            raise errors.InvalidRequest("This signed request was used before; sign a new one.")
        tx.agents.mark_key_used(self.agent_id, self.signing_kid, tx.now)


@dataclass(frozen=True, slots=True)
class RequestObjects:
    """Parses the `request` parameter of the backchannel endpoint."""

    verifier: Verifier
    server_policy: ServerPolicy

    def read(self, agent: Agent, form: Form, now: int) -> tuple[Form, RequestObjectReplayKey]:
        """Return the effective parameters, and the replay key of a signed request.

        Checks, in order: 1. The agent signs its requests if it registered to. 2. A signed request
        has no parameters beside it. 3. A key of this agent signed it, with the registered
        algorithm. 4. The claims are valid.
        Raises errors.InvalidRequest.
        """
        request_object = form.get("request")
        if request_object is None:
            if agent.request_alg is not None:
                raise errors.InvalidRequest("This agent must send a signed `request`.")
            return form, RequestObjectReplayKey()
        request_objects.reject_unsigned_parameters(form)
        try:
            kid, alg, claims = self.verifier.request_object(request_object, agent.jwks)
        except BadClaims as error:
            raise errors.InvalidRequest(
                f"The claims of the signed request are not valid: {error}."
            ) from error
        except BadToken as error:
            raise errors.InvalidRequest(
                "request is not a JWT signed by a registered key of this agent.", detail=str(error)
            ) from error
        if agent.request_alg not in {None, alg}:
            raise errors.InvalidRequest(
                f"Sign the request with {agent.request_alg}, which is registered for this agent."
            )
        token_id, until = request_objects.check(
            claims, client_id=agent.id, issuer=self.server_policy.issuer, now=now
        )
        if float(str(claims["iat"])) * 1000 < self.server_policy.not_before:
            raise errors.InvalidRequest(
                "This request was signed before the last restore; sign it again."
            )
        replay_key = hashlib.sha256(f"{agent.id}\n{token_id}".encode()).digest()
        use = RequestObjectReplayKey(replay_key, until, agent.id, kid)
        return request_objects.to_form(claims), use
