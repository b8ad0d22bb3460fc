"""The user that an agent's hint names, and both kinds of `login_hint_token`.

A `login_hint_token` comes from an exchange, or is the access token from the call that the agent is
handling. Never: giving the agent data from a caller's token.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.model.clients import Agent
from server.model.ports import BadToken, Secrets, Signer, Verifier
from server.model.store import Unit, View
from server.model.tokens import Delegation, published
from server.model.users import User
from server.protocol import errors
from server.protocol.ciba import login_hint_tokens
from server.protocol.ciba.login_hint_tokens import LoginHint
from server.protocol.ciba.requests import BackchannelRequest
from server.protocol.confusables import skeleton
from server.protocol.json_text import JsonValue
from server.protocol.names import PREFIX_USER
from server.services.server_policy import ServerPolicy
from server.services.tokens.issued_tokens import IssuedTokens
from server.services.tokens.keys import id_token_claims

_ALG = "ES256"
_JTI_PREFIX = "sayso_lh_"
_REPLAY_KIND = "login hint"


@dataclass(frozen=True, slots=True)
class HintedUser:
    """The user that an agent identifies, by name or by ID."""

    text: str
    by_id: bool

    def hash(self, secrets: Secrets, agent_id: str) -> bytes:
        """Return a hash that hides the name and is equal for all spellings of the same name."""
        text = self.text if self.by_id else skeleton(self.text)
        kind = "id" if self.by_id else "name"
        return hashlib.sha256(secrets.nonce("hint", agent_id, kind, text).encode()).digest()


@dataclass(frozen=True, slots=True)
class LoginHints:
    """Signs and reads login hint tokens, and finds the user that a request names."""

    signer: Signer
    verifier: Verifier
    secrets: Secrets
    server_policy: ServerPolicy

    def make(
        self,
        tx: Unit,
        agent: Agent,
        parent: Delegation,
        resource: str,
        scope: Sequence[str],
        details: Sequence[Mapping[str, JsonValue]],
    ) -> str:
        """Return a signed hint for this agent, person and parent, valid for up to ten minutes."""
        now = tx.now // 1000
        hint = LoginHint(
            token_id=self.secrets.new_id(_JTI_PREFIX),
            agent=agent.id,
            user=parent.user_id or "",
            parent=parent.id,
            resource=resource,
            scope=tuple(sorted(scope)),
            details=tuple(details),
            issued_at=now,
            expires_at=min(now + login_hint_tokens.SECONDS, parent.expires_at // 1000),
        )
        claims = login_hint_tokens.claims(hint, self.server_policy.issuer)
        return self.signer.sign(tx.directory.signing_keys(), _ALG, login_hint_tokens.TYPE, claims)

    def read(self, tx: Unit, agent: Agent, token: str) -> LoginHint:
        """Return the hint in this agent's token.

        Checks, in order, that: 1. we signed it; 2. it is for this agent and has not expired; 3. its
        parent is still valid. `spend` later checks that it was not used before, after all other
        checks. Raises errors.InvalidRequest or errors.ExpiredLoginHintToken.
        """
        keys = published(tx.directory.signing_keys(), tx.now)
        try:
            claims = self.verifier.own_token(token, login_hint_tokens.TYPE, keys)
        except BadToken as error:
            raise errors.InvalidRequest(
                "login_hint_token is not from this issuer.", detail=str(error)
            ) from error
        hint = login_hint_tokens.parse(
            claims, issuer=self.server_policy.issuer, agent=agent.id, now=tx.now
        )
        if tx.delegations.lock_live(hint.parent, tx.now) is None:
            raise errors.InvalidRequest("The parent token of this login_hint_token was revoked.")
        return hint

    def spend(self, tx: Unit, hint: LoginHint) -> None:
        """Mark the hint as used. Raises errors.InvalidRequest if it was used before."""
        key = hashlib.sha256(hint.token_id.encode()).digest()
        if not tx.replays.first_use(_REPLAY_KIND, key, hint.expires_at * 1000):
            raise errors.InvalidRequest(
                "login_hint_token was already used. Exchange the token again."
            )

    def hinted_user(
        self, tx: Unit, agent: Agent, request: BackchannelRequest, subject: str | None = None
    ) -> HintedUser:
        """Return the user that a request names: by name, or by the subject of a token.

        `subject` is the user of a `login_hint_token` that was already read. Raises
        errors.InvalidRequest for an `id_token_hint` that we did not issue to this agent.
        """
        if subject is None and request.login_hint is not None:
            return HintedUser(request.login_hint, by_id=request.login_hint.startswith(PREFIX_USER))
        if subject is None:
            subject = self._subject(tx, agent, request.id_token_hint or "")
        return HintedUser(subject, by_id=True)

    def _subject(self, tx: Unit, agent: Agent, hint: str) -> str:
        """Return the subject of our ID token for this agent; it may have expired."""
        claims = id_token_claims(self.verifier, tx, hint)
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if not all(isinstance(name, str) for name in audiences) or agent.id not in audiences:
            raise errors.InvalidRequest("id_token_hint was issued to a different client.")
        if claims.get("iss") != self.server_policy.issuer or not isinstance(claims.get("sub"), str):
            raise errors.InvalidRequest("id_token_hint is from a different issuer.")
        return str(claims["sub"])


NOT_SERVED: Final = "not_served"
"""The `reason` that tells the agent's operator what the registration lacks."""


@dataclass(frozen=True, slots=True)
class CallerToken:
    """A person's valid access token, presented to a resource that the agent serves."""

    id: str
    client: str
    user: str


def read_caller(tokens: IssuedTokens, view: View, agent: Agent, token: str) -> CallerToken:
    """Return the caller that this token identifies.

    Checks, in order, that: 1. we signed it; 2. it was issued for a resource that the agent
    serves, so the agent received it in a call; 3. it is valid, and its client and user are
    enabled; 4. it acts for a person. Raises errors.InvalidRequest or
    errors.ExpiredLoginHintToken.
    """
    claims = tokens.read(view, token)
    if claims is None:
        raise errors.InvalidRequest(
            "login_hint_token is neither from an exchange nor an access token of this issuer."
        )
    audience = str(claims.get("aud"))
    if audience not in agent.serves and audience.startswith(f"{tokens.server_policy.issuer}/"):
        raise errors.InvalidRequest(
            "login_hint_token is a token for this server itself, such as a person's session. "
            "Send the access token that came with the call."
        )
    if audience not in agent.serves:
        raise errors.InvalidRequest(
            "The access token in login_hint_token is for a resource that this agent does not "
            "serve. An administrator can add it to the agent.",
            members={"reason": NOT_SERVED},
        )
    live_token = tokens.live(view, token)
    if live_token is None:
        raise errors.ExpiredLoginHintToken(
            "The access token in login_hint_token is no longer valid. Use the token of a new call."
        )
    if live_token.user is None:
        raise errors.InvalidRequest(
            "The access token in login_hint_token does not act for a person."
        )
    return CallerToken(live_token.row.id, live_token.row.client_id, live_token.user.id)


def client_of(view: View, token_id: str | None) -> str | None:
    """Return the ID of the client that this token was issued to."""
    delegation = None if token_id is None else view.delegations.get(token_id)
    return None if delegation is None else delegation.client_id


def find_askable_user(tx: Unit, agent: Agent, hinted_user: HintedUser) -> User | None:
    """Return the named user if they are enabled and the agent may ask them.

    A user whom the agent may not ask looks like one who does not exist.
    """
    find = tx.directory.user if hinted_user.by_id else tx.directory.find_user
    user = find(hinted_user.text)
    if user is None or not user.enabled:
        return None
    return user if tx.directory.includes(agent.asks, user.id) else None
