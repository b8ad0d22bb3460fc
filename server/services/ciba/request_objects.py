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
class RequestObjectUse:
    """The use of a signed request: its ID, which is stored, and the key that signed it."""

    key: bytes | None = None
    """None for an unsigned request."""
    until: int = 0
    agent_id: str = ""
    kid: str = ""
    """The key that signed it."""

    def count(self, tx: Unit) -> None:
        """Store the use. Raises errors.InvalidRequest if the request was used before."""
        if self.key is None:
            return
        if not tx.replays.first_use(_REPLAY_KIND, self.key, self.until):
            raise errors.InvalidRequest("This signed request was used before; sign a new one.")
        tx.agents.mark_key_used(self.agent_id, self.kid, tx.now)


@dataclass(frozen=True, slots=True)
class RequestObjects:
    """Parses the `request` parameter of the backchannel endpoint."""

    verifier: Verifier
    server_policy: ServerPolicy

    def read(self, agent: Agent, form: Form, now: int) -> tuple[Form, RequestObjectUse]:
        """Return the effective parameters, and the use to store for a signed request.

        1. An agent that registered to sign must sign. 2. No parameter is outside a signed request.
        3. A key of this agent signed it, with the registered algorithm. 4. The claims are valid.
        Raises errors.InvalidRequest.
        """
        sent = form.get("request")
        if sent is None:
            if agent.request_alg is not None:
                raise errors.InvalidRequest("This agent registered to sign its requests.")
            return form, RequestObjectUse()
        request_objects.refuse_beside(form)
        try:
            kid, alg, claims = self.verifier.request_object(sent, agent.jwks)
        except BadClaims as error:
            raise errors.InvalidRequest(
                f"The claims of the signed request are not valid: {error}."
            ) from error
        except BadToken as error:
            raise errors.InvalidRequest(
                "request is not a JWT signed by a registered key of this agent.", detail=str(error)
            ) from error
        if agent.request_alg not in {None, alg}:
            raise errors.InvalidRequest("This agent registered another algorithm for its requests.")
        token_id, until = request_objects.check(
            claims, client_id=agent.id, issuer=self.server_policy.issuer, now=now
        )
        if float(str(claims["iat"])) * 1000 < self.server_policy.not_before:
            raise errors.InvalidRequest(
                "This request was signed before the last restore; sign it again."
            )
        used = hashlib.sha256(f"{agent.id}\n{token_id}".encode()).digest()
        return request_objects.as_form(claims), RequestObjectUse(used, until, agent.id, kid)
