"""An agent for itself, with no person behind it (RFC 6749 4.4)."""

from dataclasses import dataclass

from server.protocol import ciba, errors, scopes
from server.services import client_auth, targets
from server.services.policy import refusals
from server.services.policy.judging import Case, Judge
from server.services.ports import Store
from server.services.records import Agent
from server.services.token import TokenRequest
from server.services.tokens import Issuing


@dataclass(frozen=True, slots=True)
class ClientCredentialsGrant:
    """Gives what policy allows an agent alone; the rest needs a person's answer."""

    store: Store
    judge: Judge
    issuing: Issuing

    def exchange(self, agent: Agent, request: TokenRequest) -> dict[str, object]:
        """The token answer. Raises errors.ProtocolError."""
        asked = request.form.get("scope")
        if asked is None:
            raise errors.InvalidScope("Name the scopes; there is no default.")
        if request.form.get("authorization_details") is not None:
            raise errors.InteractionRequired("An action needs a person: ask at /bc-authorize.")
        openid, scope = scopes.split(scopes.parse(asked))
        if openid or not scope:
            raise errors.InvalidScope("OpenID scopes are about a person; there is none here.")
        with self.store.write() as tx:
            agent = client_auth.current(tx, agent)
            target = targets.resolve(tx.directory, agent, ciba.one_resource(request.form), scope)
            targets.check_required_types(target, frozenset())
            case = Case("client_credentials", agent, None, target)
            verdict = self.judge.decide(tx, case)
            if verdict.outcome == "allow":
                return self.issuing.for_agent(
                    tx, agent, target, verdict=verdict, jkt=request.dpop_jkt
                )
            refusal = refusals.of_agent_alone(tx, case, verdict)
        raise refusal
