"""The client credentials grant: an agent gets a token for itself (RFC 6749 4.4)."""

from dataclasses import dataclass

from server.model.clients import Agent
from server.model.store import Store
from server.protocol import errors
from server.protocol.resources import scopes, uris
from server.services.clients import client_auth
from server.services.policy import refusals
from server.services.policy.evaluation import Evaluator, PolicyRequest
from server.services.resources import targets
from server.services.tokens.endpoint import TokenRequest, TokenResult
from server.services.tokens.issuing import TokenIssuer, TokenOrigin


@dataclass(frozen=True, slots=True)
class ClientCredentialsGrant:
    """Issues tokens to agents that act for themselves, if policy allows."""

    store: Store
    evaluator: Evaluator
    issuing: TokenIssuer

    def exchange(self, agent: Agent, request: TokenRequest) -> TokenResult:
        """Return the token response. Raises errors.ProtocolError."""
        scope_text = request.form.get("scope")
        if request.form.get("authorization_details") is not None:
            raise errors.InteractionRequired(
                "Actions require a user: send the request to /bc-authorize."
            )
        openid, scope = scopes.split_requested(scope_text)
        if openid:
            raise errors.InvalidScope("Request only resource scopes. OpenID scopes require a user.")
        with self.store.write() as tx:
            agent = client_auth.current_agent(tx, agent)
            self.evaluator.lock_counts(tx, agent)
            resource = uris.only_resource(request.form.every("resource"))
            target = targets.resolve_or_default(tx.directory, agent, resource, scope)
            targets.check_required_types(target, frozenset())
            policy_request = PolicyRequest("client_credentials", agent, None, target)
            verdict = self.evaluator.decide(tx, policy_request)
            if verdict.outcome == "allow":
                origin = TokenOrigin(policy=verdict.facts())
                return self.issuing.for_target(tx, agent, target, (), origin, jkt=request.dpop_jkt)
            return refusals.refuse_without_user(tx, policy_request, verdict)
