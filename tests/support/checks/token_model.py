"""Tokens that come from tokens: the model of `lives.py` with exchange, giving back and asking.

Owns: what an agent may make of a token that it was shown, and how all of it ends together.
"""

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from server.protocol.names import GRANT_TOKEN_EXCHANGE
from server.protocol.tokens.token_exchange import ACCESS_TOKEN, MAX_DEPTH
from tests.support.builders.clock import SECOND
from tests.support.builders.installation import PAY
from tests.support.builders.site import Answer
from tests.support.checks.approval_model import Issued, Lives

_AGENTS = st.integers(0, 1)
_TOKENS = st.integers(0, 1_000)


class Lineages(Lives):
    """The same cast, and the resource itself."""

    resource: ClassVar[dict[str, str]]
    """What the resource authenticates with."""

    @precondition(lambda self: self.issued)
    @rule(agent=_AGENTS, which=_TOKENS)
    def a_token_is_exchanged(self, agent: int, which: int) -> None:
        """Any agent that serves the resource exchanges it while the whole chain is enabled."""
        token = self.issued[which % len(self.issued)]
        answer = self._exchange(agent, token)
        if agent in self.disabled_agents:
            assert answer.refusal == (400, "unauthorized_client")
        elif not self._may_be_exchanged(token):
            assert answer.refusal == (400, "invalid_request")
        else:
            self._exchanged(answer, agent, token)

    @precondition(lambda self: self.issued)
    @rule(which=_TOKENS, agents=st.lists(_AGENTS, min_size=2, max_size=4))
    def a_token_goes_down_a_chain(self, which: int, agents: list[int]) -> None:
        """Each agent exchanges the token of the one before."""
        token = self.issued[which % len(self.issued)]
        for agent in agents:
            before = len(self.issued)
            self.a_token_is_exchanged(agent, self.issued.index(token))
            if len(self.issued) == before:
                return
            token = self.issued[-1]

    @precondition(lambda self: self.issued)
    @rule(agent=_AGENTS, which=_TOKENS)
    def a_token_is_given_back(self, agent: int, which: int) -> None:
        """Its own, with all that came from it; and nothing of anybody else's."""
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
        waits=st.sampled_from([0, 31 * SECOND]),
        by=st.none() | _AGENTS,
    )
    def a_family_is_born(self, person: int, agents: list[int], waits: int, by: int | None) -> None:
        """A person's token goes from hand to hand; its holder, or a stranger, gives it back."""
        before = len(self.issued)
        self.a_token_is_born(agents[0], person)
        if len(self.issued) == before:
            return
        self.local.clock.forward(waits)
        self.a_token_goes_down_a_chain(before, agents[1:])
        if by is not None:
            self.a_token_is_given_back(by, before)

    @precondition(lambda self: self.issued)
    @rule(which=_TOKENS)
    def the_resource_asks(self, which: int) -> None:
        """It is told what counts at this moment."""
        token = self.issued[which % len(self.issued)]
        answer = self.local.post_form("/introspect", {"token": token.text, **self.resource})
        assert answer.json["active"] is self._counts(token), (token, answer.body)

    def _exchange(self, agent: int, token: Issued) -> Answer:
        form = {
            "grant_type": GRANT_TOKEN_EXCHANGE,
            "subject_token": token.text,
            "subject_token_type": ACCESS_TOKEN,
            "resource": PAY,
            "scope": "payments:read",
        }
        return self.local.post_form("/token", form | self.cast.agents[agent].credentials)

    def _exchanged(self, answer: Answer, agent: int, token: Issued) -> None:
        assert answer.status == 200, (token, answer.body)
        made = self._issued(answer, (agent, *token.agents), token.person, token)
        assert made.expires_at <= token.expires_at
        actor = self.local.claims(made.text)["act"]
        for one in made.agents:
            assert isinstance(actor, dict)
            assert actor["sub"] == self.cast.agents[one].id
            actor = actor.get("act")
        assert actor is None

    def _may_be_exchanged(self, token: Issued) -> bool:
        return token.person is not None and self._counts(token) and len(token.agents) < MAX_DEPTH

    def _counts(self, token: Issued) -> bool:
        return (
            not token.ended
            and self.now < token.expires_at
            and token.person not in self.disabled_people
            and not self.disabled_agents.intersection(token.agents)
        )
