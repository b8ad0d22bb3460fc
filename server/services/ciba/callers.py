"""The client whose call an agent handles, and signed requests.

A caller is proved by the access token that came with its call, as a `login_hint_token`; a signed
request (CIBA 7.1.1) by the agent's key. Never: giving the agent anything of the caller's token.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from server.model.clients import Agent
from server.model.ports import BadClaims, BadToken, Verifier
from server.model.store import Unit, View
from server.protocol import errors
from server.protocol.ciba import request_objects
from server.protocol.forms import Form
from server.services.server_policy import ServerPolicy
from server.services.tokens.issued_tokens import IssuedTokens

NOT_SERVED: Final = "not_served"
"""The `reason` that tells the agent's operator what the registration lacks."""


@dataclass(frozen=True, slots=True)
class CallerToken:
    """A valid access token of a person, presented to a resource that the agent serves."""

    id: str
    client: str
    user: str


@dataclass(frozen=True, slots=True)
class CallerTokens:
    """Reads callers' tokens."""

    tokens: IssuedTokens

    def read(self, view: View, agent: Agent, token: str) -> CallerToken:
        """Return the caller that this token proves.

        1. We signed it. 2. It was issued for a resource that the agent serves, so nobody else can
        have received it in a call. 3. It is valid, and its client and user are enabled. 4. It is a
        person's. Raises errors.InvalidRequest or errors.ExpiredLoginHintToken.
        """
        claims = self.tokens.read(view, token)
        if claims is None:
            raise errors.InvalidRequest(
                "login_hint_token is neither from an exchange nor an access token of this issuer."
            )
        audience = str(claims.get("aud"))
        if audience not in agent.serves and audience.startswith(
            f"{self.tokens.server_policy.issuer}/"
        ):
            raise errors.InvalidRequest(
                "login_hint_token is a token for this server itself, such as a person's session. "
                "Send the access token that came with the call."
            )
        if audience not in agent.serves:
            raise errors.InvalidRequest(
                "The access token in login_hint_token is for a resource that this agent does not "
                "serve. An administrator can register that it does.",
                members={"reason": NOT_SERVED},
            )
        found = self.tokens.live(view, token)
        if found is None:
            raise errors.ExpiredLoginHintToken(
                "The access token in login_hint_token is no longer valid; wait for a new call."
            )
        if found.user is None:
            raise errors.InvalidRequest("The access token in login_hint_token is no person's.")
        return CallerToken(found.row.id, found.row.client_id, found.user.id)


def client_of(view: View, token_id: str | None) -> str | None:
    """Return the client to which this token was issued."""
    found = None if token_id is None else view.delegations.get(token_id)
    return None if found is None else found.client_id


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
