"""Signed requests of agents: whose key, which algorithm, and that each counts once."""

import hashlib
from dataclasses import dataclass

from server.model.clients import Agent
from server.model.ports import BadToken, Verifier
from server.model.store import Unit
from server.protocol import errors
from server.protocol.ciba import request_objects
from server.protocol.forms import Form
from server.services.server_policy import ServerPolicy

_REPLAY_KIND = "request object"


@dataclass(frozen=True, slots=True)
class Used:
    """What is remembered of a signed request: its id, so that it counts once, and whose key."""

    key: bytes | None = None
    """None for a request that nobody signed."""
    until: int = 0
    agent_id: str = ""
    kid: str = ""
    """The key that signed it."""

    def count(self, tx: Unit) -> None:
        """Raises errors.InvalidRequest when this request was made before."""
        if self.key is None:
            return
        if not tx.replays.first_use(_REPLAY_KIND, self.key, self.until):
            raise errors.InvalidRequest("This signed request was used before; sign a new one.")
        tx.agents.key_used(self.agent_id, self.kid, tx.now)


@dataclass(frozen=True, slots=True)
class RequestObjects:
    """Reads the `request` parameter of the backchannel endpoint."""

    verifier: Verifier
    rules: ServerPolicy

    def read(self, agent: Agent, form: Form, now: int) -> tuple[Form, Used]:
        """The parameters that count, and what is remembered of a signed request.

        1. Who registered to sign, signs.  2. Nothing stands beside a signed request.  3. A key of
        this agent signed it, with the algorithm that it registered.  4. The claims hold. Raises
        errors.InvalidRequest.
        """
        sent = form.get("request")
        if sent is None:
            if agent.request_alg is not None:
                raise errors.InvalidRequest("This agent registered to sign its requests.")
            return form, Used()
        request_objects.refuse_beside(form)
        try:
            kid, alg, claims = self.verifier.request_object(sent, agent.jwks)
        except BadToken as error:
            raise errors.InvalidRequest(
                "request is not a JWT signed by a registered key of this agent.", detail=str(error)
            ) from error
        if agent.request_alg not in {None, alg}:
            raise errors.InvalidRequest("This agent registered another algorithm for its requests.")
        token_id, until = request_objects.check(
            claims, client_id=agent.id, issuer=self.rules.issuer, now=now
        )
        if float(str(claims["iat"])) * 1000 < self.rules.not_before:
            raise errors.InvalidRequest("This was signed before the last restore; sign it again.")
        used = hashlib.sha256(f"{agent.id}\n{token_id}".encode()).digest()
        return request_objects.as_form(claims), Used(used, until, agent.id, kid)
