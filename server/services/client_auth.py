"""Finding out which agent is calling."""

import hashlib
import hmac
from dataclasses import dataclass, field

from server.protocol import client_auth, errors
from server.protocol.client_auth import Credentials
from server.services.ports import BadToken, Store, Verifier, View
from server.services.records import Agent, Secret
from server.services.rules import Rules

_USE_NOTED_MS = 60_000
_REPLAY_KIND = "client assertion"


@dataclass(frozen=True, slots=True)
class ClientAuthentication:
    """Checks credentials against the agents that are registered."""

    store: Store
    verifier: Verifier
    rules: Rules
    noted: dict[str, int] = field(default_factory=dict)
    """Secret id → when its use was last written down, so that not every request writes."""

    def authenticate(self, credentials: Credentials) -> Agent:
        """The agent that these credentials prove.

        1. The client is known.  2. It registered this way of authenticating.  3. The proof holds.
        4. An assertion was not used before, anywhere.  5. The agent is enabled (told only to who
        proved to be it). Raises errors.InvalidClient or errors.UnauthorizedClient.
        """
        basic = credentials.method == "client_secret_basic"
        with self.store.read() as view:
            agent = view.directory.agent(self._claimed(credentials))
            now = view.now
            if agent is None or agent.auth_method != credentials.method:
                raise client_auth.refused("unknown client or another method", basic=basic)
        if credentials.method == "private_key_jwt":
            self._use_once(agent, self._check_assertion(agent, credentials.assertion, now))
        else:
            self._note(_check_secret(agent, credentials.secret, now, basic=basic), now)
        check_enabled(agent, now)
        return agent

    def _claimed(self, credentials: Credentials) -> str:
        if credentials.method != "private_key_jwt":
            return credentials.client_id or ""
        try:
            subject = self.verifier.unverified_subject(credentials.assertion)
        except BadToken as error:
            raise client_auth.refused(str(error)) from error
        if not client_auth.is_credential(subject):
            raise client_auth.refused("sub is no client of ours")
        if credentials.client_id not in {None, subject}:
            raise client_auth.refused("client_id and the assertion's sub differ")
        return subject

    def _check_assertion(self, agent: Agent, assertion: str, now: int) -> tuple[str, int]:
        try:
            claims = self.verifier.client_assertion(assertion, agent.jwks)
        except BadToken as error:
            raise client_auth.refused(str(error)) from error
        return client_auth.check_assertion(
            claims, client_id=agent.id, audiences=self.rules.assertion_audiences, now=now
        )

    def _use_once(self, agent: Agent, used: tuple[str, int]) -> None:
        token_id, until = used
        key = hashlib.sha256(f"{agent.id}\n{token_id}".encode()).digest()
        with self.store.write() as tx:
            fresh = tx.replays.first_use(_REPLAY_KIND, key, until)
        if not fresh:
            raise client_auth.refused("the assertion was used before")

    def _note(self, secret: Secret, now: int) -> None:
        if now - self.noted.get(secret.id, 0) < _USE_NOTED_MS:
            return
        self.noted[secret.id] = now
        with self.store.write() as tx:
            tx.agents.secret_used(secret.id, now)


def current(view: View, agent: Agent) -> Agent:
    """The agent as it stands in this unit of work. Raises errors.UnauthorizedClient."""
    again = view.directory.agent(agent.id)
    if again is None:
        raise client_auth.refused("the agent was deleted meanwhile")
    check_enabled(again, view.now)
    return again


def check_enabled(agent: Agent, now: int) -> None:
    """Raises errors.UnauthorizedClient when the agent may do nothing at all."""
    if not agent.active(now):
        reason = "agent_expired" if agent.state == "enabled" else f"agent_{agent.state}"
        raise errors.UnauthorizedClient(
            "This agent is not enabled. Its owner or an administrator can say why.",
            members={"reason": reason},
        )


def _check_secret(agent: Agent, secret: str, now: int, *, basic: bool) -> Secret:
    sent = hashlib.sha256(secret.encode()).digest()
    for known in agent.secrets:
        alive = known.expires_at is None or now < known.expires_at
        if hmac.compare_digest(known.hash, sent) and alive:
            return known
    raise client_auth.refused("wrong secret", basic=basic)
