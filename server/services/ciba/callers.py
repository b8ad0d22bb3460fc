"""The client whose call an agent handles, proved by the access token that came with the call.

Owns: reading that token as a `login_hint_token`. Never: giving the agent anything of the token's.
"""

from dataclasses import dataclass
from typing import Final

from server.model.clients import Agent
from server.model.store import View
from server.protocol import errors
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
