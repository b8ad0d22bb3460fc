"""Signs a `login_hint_token` at an exchange, and accepts it at the backchannel endpoint."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.model.clients import Agent
from server.model.ports import BadToken, Secrets, Signer, Verifier
from server.model.store import Unit
from server.model.tokens import Delegation, published
from server.protocol import errors
from server.protocol.ciba import login_hint_tokens
from server.protocol.ciba.login_hint_tokens import LoginHint
from server.protocol.json_text import JsonValue
from server.services.server_policy import ServerPolicy

_ALG = "ES256"
_JTI = "sayso_lh_"
_REPLAY_KIND = "login hint"


@dataclass(frozen=True, slots=True)
class LoginHints:
    """Signs and reads login hint tokens."""

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
        """Return a signed hint for this agent, person and parent token; valid for ten minutes."""
        now = tx.now // 1000
        hint = LoginHint(
            token_id=self.secrets.new_id(_JTI),
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

        1. We signed it. 2. It is this agent's and has not expired. 3. Its parent is still valid.
        `spend` checks that it is new, when nothing else can refuse the request. Raises
        errors.InvalidRequest or errors.ExpiredLoginHintToken.
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
        """Use up the hint. Raises errors.InvalidRequest if it was used before."""
        key = hashlib.sha256(hint.token_id.encode()).digest()
        if not tx.replays.first_use(_REPLAY_KIND, key, hint.expires_at * 1000):
            raise errors.InvalidRequest("login_hint_token was used before; exchange again.")
