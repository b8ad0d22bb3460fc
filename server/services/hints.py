"""Who an agent means by its hint, and whether it may ask them."""

from dataclasses import dataclass

from server.protocol import errors
from server.protocol.ciba import BackchannelRequest
from server.protocol.tokens import ID_TOKEN_TYPE
from server.services import members
from server.services.keys import published
from server.services.ports import BadToken, Unit, Verifier
from server.services.records import Agent, User
from server.services.rules import Rules


@dataclass(frozen=True, slots=True)
class Hints:
    """Resolves hints. Users whom the agent may not ask are like users who do not exist."""

    verifier: Verifier
    rules: Rules

    def resolve(
        self, tx: Unit, agent: Agent, request: BackchannelRequest, subject: str | None = None
    ) -> User | None:
        """The enabled user that the hint names and the agent may ask; else None.

        `subject` is whom a `login_hint_token` names, which was read before.

        Raises errors.InvalidRequest for an `id_token_hint` that is not ours and this agent's.
        """
        if subject is not None:
            user = tx.directory.user(subject)
        elif request.login_hint is not None:
            user = tx.directory.user_called(request.login_hint)
        else:
            user = tx.directory.user(self._subject(tx, agent, request.id_token_hint or ""))
        if user is None or not user.enabled:
            return None
        return user if agent.asks is None or members.among(tx, user.id, agent.asks) else None

    def _subject(self, tx: Unit, agent: Agent, hint: str) -> str:
        """The subject of an ID token of ours for this agent; one that has expired still names."""
        keys = published(tx.directory.signing_keys(), tx.now)
        try:
            claims = self.verifier.own_token(hint, ID_TOKEN_TYPE, keys)
        except BadToken as error:
            raise errors.InvalidRequest(
                "id_token_hint is not an ID token of this issuer.", detail=str(error)
            ) from error
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        if not all(isinstance(name, str) for name in named) or agent.id not in named:
            raise errors.InvalidRequest("id_token_hint was issued to another client.")
        if claims.get("iss") != self.rules.issuer or not isinstance(claims.get("sub"), str):
            raise errors.InvalidRequest("id_token_hint is not of this issuer.")
        return str(claims["sub"])
