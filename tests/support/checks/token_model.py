"""Derived tokens: the model of `approval_model.py` with exchange, revocation and introspection.

Owns: which tokens an agent may exchange, and how derived tokens end with their parents.
"""

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from server.protocol.names import GRANT_TOKEN_EXCHANGE
from server.protocol.tokens.token_exchange import ACCESS_TOKEN, MAX_DEPTH
from tests.support.builders.clock import SECOND
from tests.support.builders.installation import PAY
from tests.support.builders.site import Answer
from tests.support.checks.approval_model import ApprovalModel, TokenState

_AGENTS = st.integers(0, 1)
_TOKENS = st.integers(0, 1_000)


class TokenModel(ApprovalModel):
    """The participants of the approval model, and the resource."""

    resource: ClassVar[dict[str, str]]
    """The credentials of the resource."""

    @precondition(lambda self: self.issued)
    @rule(agent=_AGENTS, which=_TOKENS)
    def a_token_is_exchanged(self, agent: int, which: int) -> None:
        """Exchange a token, which works while every agent of the chain is enabled."""
        token = self.issued[which % len(self.issued)]
        answer = self._exchange(agent, token)
        if agent in self.disabled_agents:
            assert answer.refusal == (400, "unauthorized_client")
        elif not self._may_be_exchanged(token):
            assert answer.refusal == (400, "invalid_request")
        else:
            self._check_exchange(answer, agent, token)

    @precondition(lambda self: self.issued)
    @rule(which=_TOKENS, agents=st.lists(_AGENTS, min_size=2, max_size=4))
    def a_token_is_exchanged_along_a_chain(self, which: int, agents: list[int]) -> None:
        """Let each agent exchange the token of the previous agent."""
        token = self.issued[which % len(self.issued)]
        for agent in agents:
            before = len(self.issued)
            self.a_token_is_exchanged(agent, self.issued.index(token))
            if len(self.issued) == before:
                return
            token = self.issued[-1]

    @precondition(lambda self: self.issued)
    @rule(agent=_AGENTS, which=_TOKENS)
    def a_token_is_revoked(self, agent: int, which: int) -> None:
        """Revoke a token. This revokes the agent's own token and its descendants, and no others."""
        token = self.issued[which % len(self.issued)]
        caller = self.cast.agents[agent]
        answer = self.local.post_form("/revoke", {"token": token.text, **caller.credentials})
        if agent in self.disabled_agents:
            assert answer.refusal == (400, "unauthorized_client")
            return
        assert answer.status == 200, answer.body
        if agent == token.agent and self.now < token.expires_at:
            token.revoked = True

    @rule(
        person=_AGENTS,
        agents=st.lists(_AGENTS, min_size=2, max_size=5),
        delay=st.sampled_from([0, 31 * SECOND]),
        by=st.none() | _AGENTS,
    )
    def a_token_family_is_created(
        self, person: int, agents: list[int], delay: int, by: int | None
    ) -> None:
        """Issue and exchange a token along a chain; then an agent may try to revoke it."""
        before = len(self.issued)
        self.a_token_is_issued(agents[0], person)
        if len(self.issued) == before:
            return
        self.local.clock.forward(delay)
        self.a_token_is_exchanged_along_a_chain(before, agents[1:])
        if by is not None:
            self.a_token_is_revoked(by, before)

    @precondition(lambda self: self.issued)
    @rule(which=_TOKENS)
    def the_resource_introspects_a_token(self, which: int) -> None:
        """Introspect a token, which must be active as the model expects."""
        token = self.issued[which % len(self.issued)]
        answer = self.local.post_form("/introspect", {"token": token.text, **self.resource})
        assert answer.json["active"] is self._is_active(token), (token, answer.body)

    def _exchange(self, agent: int, token: TokenState) -> Answer:
        form = {
            "grant_type": GRANT_TOKEN_EXCHANGE,
            "subject_token": token.text,
            "subject_token_type": ACCESS_TOKEN,
            "resource": PAY,
            "scope": "payments:read",
        }
        return self.local.post_form("/token", form | self.cast.agents[agent].credentials)

    def _check_exchange(self, answer: Answer, agent: int, token: TokenState) -> None:
        assert answer.status == 200, (token, answer.body)
        derived = self._add_token(answer, (agent, *token.agents), token.person, token)
        assert derived.expires_at <= token.expires_at
        actor = self.local.claims(derived.text)["act"]
        for agent_index in derived.agents:
            assert isinstance(actor, dict)
            assert actor["sub"] == self.cast.agents[agent_index].id
            actor = actor.get("act")
        assert actor is None

    def _may_be_exchanged(self, token: TokenState) -> bool:
        return token.person is not None and self._is_active(token) and len(token.agents) < MAX_DEPTH

    def _is_active(self, token: TokenState) -> bool:
        return (
            not token.ended
            and self.now < token.expires_at
            and token.person not in self.disabled_people
            and not self.disabled_agents.intersection(token.agents)
        )
