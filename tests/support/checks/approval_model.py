"""Approvals and tokens as they must live, in a model that Hypothesis plays against the server.

Owns: the model, and the moves of agents, people, administrators and the clock. Whatever a move is
answered, and whatever the rows say after it, must be what the model says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from server.model.tokens import Delegation
from server.protocol.approvals.states import State
from server.services.approvals.oversight import Oversight
from server.services.refusals import Conflict
from tests.support.builders.callers import LocalAgent, LocalTerminal
from tests.support.builders.clock import DAY, MINUTE, SECOND
from tests.support.builders.installation import BY, PAY
from tests.support.builders.site import Answer, LocalSite

GRACE_MS = 30 * SECOND
_MAX_GUESSES = 15
_CALLERS = st.integers(0, 1)


@dataclass(frozen=True, slots=True)
class Cast:
    """The participants: two agents and two people, each at a device."""

    local: LocalSite
    agents: tuple[LocalAgent, ...]
    people: tuple[LocalTerminal, ...]


@dataclass(slots=True)
class Asked:
    """One request, as it must be now."""

    handle: str
    id: str
    agent: int
    person: int
    expires_at: int
    state: State = State.PENDING
    said: str = ""
    token: "Issued | None" = None
    """What its agent fetched."""

    def as_of(self, now: int) -> State:
        """Where it stands once the clock has been looked at."""
        grace = GRACE_MS if self.state is State.APPROVED else 0
        waits = self.state in {State.PENDING, State.APPROVED}
        return State.EXPIRED if waits and now >= self.expires_at + grace else self.state


@dataclass(slots=True)
class Issued:
    """One token, as it must be now."""

    jti: str
    text: str
    agents: tuple[int, ...]
    """Who acts in it, the one who holds it first."""
    person: int | None
    expires_at: int
    parent: "Issued | None" = None
    revoked: bool = False

    @property
    def agent(self) -> int:
        """The agent that holds it."""
        return self.agents[0]

    @property
    def first(self) -> "Issued":
        """What it came from in the end: a token that nobody exchanged for."""
        return self if self.parent is None else self.parent.first

    @property
    def ended(self) -> bool:
        """Reports whether it, or what it came from, was revoked."""
        return self.revoked or (self.parent is not None and self.parent.ended)


class Lives(RuleBasedStateMachine):
    """Two agents, two people, an administrator and a clock."""

    cast: ClassVar[Cast]
    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        self.issued: list[Issued] = []
        self.disabled_agents: set[int] = set()
        self.disabled_people: set[int] = set()
        self.guesses = 0

    # --- who and when ---------------------------------------------------------------------

    @property
    def local(self) -> LocalSite:
        """The server."""
        return self.cast.local

    @property
    def now(self) -> int:
        """The time in milliseconds."""
        return self.local.clock.now()

    @initialize()
    def begin(self) -> None:
        """Two days after whatever was before, with everybody in office."""
        self.local.clock.forward(2 * DAY)
        for person in self.cast.people:
            assert person.refresh().status == 200

    @rule(by=st.sampled_from([SECOND, 6 * SECOND, 9 * SECOND, 29 * SECOND, 31 * SECOND, MINUTE]))
    def time_passes(self, by: int) -> None:
        """The clock moves, and what has expired ends."""
        self.local.clock.forward(by)

    @rule()
    def the_sweeper_comes(self) -> None:
        """It may come at any time, and changes nothing that the clock has not ended."""
        self.local.services.sweeper.round()

    # --- agents ---------------------------------------------------------------------------

    @rule(target=requests, agent=_CALLERS, person=_CALLERS, life=st.sampled_from([10, 60, 600]))
    def an_agent_asks(self, agent: int, person: int, life: int) -> Any:
        """A person is asked if both are in office, and else nobody."""
        user = self.cast.people[person].user
        answer = self.cast.agents[agent].ask(login_hint=user.name, requested_expiry=life)
        if agent in self.disabled_agents:
            assert answer.refusal == (400, "unauthorized_client")
            return multiple()
        if person in self.disabled_people:
            self.guesses += 1
            assert answer.refusal == (400, "unknown_user_id")
            return multiple()
        assert answer.status == 200, answer.body
        handle = answer.json["auth_req_id"]
        asked = Asked(handle, self.local.behind(handle).id, agent, person, self.now + life * SECOND)
        self.asked.append(asked)
        return asked

    @rule(asked=requests)
    def its_agent_polls_twice(self, asked: Asked) -> None:
        """What was not lost is asked for again, and is not there a second time."""
        self.an_agent_polls(asked, asked.agent)
        self.an_agent_polls(asked, asked.agent)

    @rule(asked=requests, agent=_CALLERS)
    def an_agent_polls(self, asked: Asked, agent: int) -> None:
        """Its own approval gives one token; anything else gives none, in the right words."""
        answer = self.cast.agents[agent].poll(asked.handle)
        if agent in self.disabled_agents:
            assert answer.refusal == (400, "unauthorized_client")
        elif agent != asked.agent:
            assert answer.refusal == (400, "invalid_grant")
        else:
            self._polled(asked, answer)

    @rule(target=requests, agent=_CALLERS, person=_CALLERS)
    def a_token_is_born(self, agent: int, person: int) -> Any:
        """A token is requested, approved and fetched."""
        asked = self.an_agent_asks(agent, person, 600)
        if isinstance(asked, Asked):
            self.a_person_answers(asked, person, "approve")
            self.its_agent_polls_twice(asked)
        return asked

    @precondition(lambda self: self.guesses < _MAX_GUESSES)
    @rule(agent=_CALLERS, person=_CALLERS)
    def a_person_goes_before_it_is_fetched(self, agent: int, person: int) -> None:
        """What somebody approved is worth nothing once they are stopped."""
        asked = self.an_agent_asks(agent, person, 600)
        if isinstance(asked, Asked):
            self.a_person_answers(asked, person, "approve")
            self.a_person_is_stopped_or_let_go_on(person)
            self.its_agent_polls_twice(asked)

    @rule(agent=_CALLERS, person=_CALLERS, late=st.sampled_from([29, 30, 31, 9 * 60]))
    def a_yes_is_fetched_late(self, agent: int, person: int, late: int) -> None:
        """An approval counts for half a minute after the end, and then never again."""
        asked = self.an_agent_asks(agent, person, 600)
        if isinstance(asked, Asked):
            self.a_person_answers(asked, person, "approve")
            self.local.clock.forward(max(0, asked.expires_at - self.now) + late * SECOND)
            self.its_agent_polls_twice(asked)

    @rule(agent=_CALLERS)
    def an_agent_acts_for_itself(self, agent: int) -> None:
        """It gets a token of its own while it is in office."""
        caller = self.cast.agents[agent]
        form = {"grant_type": "client_credentials", "resource": PAY, "scope": "payments:read"}
        answer = self.local.post_form("/token", {**form, **caller.credentials})
        if agent in self.disabled_agents:
            assert answer.refusal == (400, "unauthorized_client")
        else:
            assert answer.status == 200, answer.body
            self._issued(answer, (agent,), None)

    def _polled(self, asked: Asked, answer: Answer) -> None:
        asked.state = asked.as_of(self.now)
        if asked.state is State.APPROVED:
            assert answer.status == 200, answer.body
            asked.state = State.REDEEMED
            asked.token = self._issued(answer, (asked.agent,), asked.person)
            return
        said = {
            State.PENDING: {"authorization_pending", "slow_down"},
            State.DENIED: {"access_denied"},
            State.CANCELLED: {"access_denied"},
            State.EXPIRED: {"expired_token"},
            State.REDEEMED: {"invalid_grant"},
        }
        assert answer.status == 400, (asked, answer.body)
        assert answer.json["error"] in said[asked.state], (asked, answer.body)

    def _issued(
        self,
        answer: Answer,
        agents: tuple[int, ...],
        person: int | None,
        parent: Issued | None = None,
    ) -> Issued:
        """Remember a token that says what it must."""
        claims = self.local.claims(answer.json["access_token"])
        holder = self.cast.agents[agents[0]].id
        assert claims["client_id"] == holder
        subject = holder if person is None else self.cast.people[person].user.id
        assert claims["sub"] == subject
        token = Issued(
            jti=str(claims["jti"]),
            text=answer.json["access_token"],
            agents=agents,
            person=person,
            expires_at=int(str(claims["exp"])) * SECOND,
            parent=parent,
        )
        self.issued.append(token)
        return token

    # --- people ---------------------------------------------------------------------------

    @rule(asked=requests, says=st.permutations(["approve", "deny"]))
    def a_person_changes_their_mind(self, asked: Asked, says: list[str]) -> None:
        """The first word counts."""
        for word in says:
            self.a_person_answers(asked, asked.person, word)

    @rule(agent=_CALLERS, person=_CALLERS, says=st.permutations(["approve", "deny"]))
    def a_person_is_asked_and_wavers(self, agent: int, person: int, says: list[str]) -> None:
        """The person changes their mind at once."""
        asked = self.an_agent_asks(agent, person, 600)
        if isinstance(asked, Asked):
            self.a_person_changes_their_mind(asked, says)

    @rule(asked=requests, says=st.sampled_from(["approve", "deny"]))
    def an_answer_comes_at_the_end(self, asked: Asked, says: str) -> None:
        """An answer that comes when no time is left does not count."""
        self.local.clock.forward(max(0, asked.expires_at - self.now))
        self.a_person_answers(asked, asked.person, says)

    @rule(asked=requests, person=_CALLERS, says=st.sampled_from(["approve", "deny"]))
    def a_person_answers(self, asked: Asked, person: int, says: str) -> None:
        """The one who was asked, while it waits, and then never again."""
        terminal = self.cast.people[person]
        if person in self.disabled_people:
            assert terminal.refresh().status in {400, 401, 403}
            assert terminal.call("GET", f"/api/approvals/{asked.id}").status in {401, 403}
            return
        assert terminal.refresh().status == 200
        shown = terminal.call("GET", f"/api/approvals/{asked.id}")
        if person != asked.person:
            assert shown.refusal == (404, "not_found")
            return
        answer = terminal.approve(asked.id) if says == "approve" else terminal.deny(asked.id)
        self._answered(asked, says, answer)

    def _answered(self, asked: Asked, says: str, answer: Answer) -> None:
        asked.state = asked.as_of(self.now)
        if asked.state is State.PENDING:
            assert answer.status == 200, (asked, answer.body)
            asked.state = State.APPROVED if says == "approve" else State.DENIED
            asked.said = says
            return
        again = asked.said == says  # the same word of the same device
        assert answer.status == (200 if again else 409), (asked, answer.body)

    # --- the administrator ----------------------------------------------------------------

    @precondition(lambda self: self.guesses < _MAX_GUESSES)
    @rule(agent=_CALLERS)
    def an_agent_is_stopped_or_let_go_on(self, agent: int) -> None:
        """What it had open ends; what it holds is revoked; nothing of it comes back."""
        name = self.cast.agents[agent].id
        if agent in self.disabled_agents:
            self.local.admin.agents.enable(name, by=BY)
            self.disabled_agents.remove(agent)
            return
        self.local.admin.agents.disable(name, by=BY)
        self.disabled_agents.add(agent)
        self._end(lambda one: one.agent == agent)

    @precondition(lambda self: self.guesses < _MAX_GUESSES)
    @rule(person=_CALLERS)
    def a_person_is_stopped_or_let_go_on(self, person: int) -> None:
        """A disabled person ends everything that is done in their name."""
        name = self.cast.people[person].user.id
        if person in self.disabled_people:
            self.local.admin.users.enable(name, by=BY)
            self.disabled_people.remove(person)
            return
        self.local.admin.users.disable(name, by=BY)
        self.disabled_people.add(person)
        self._end(lambda one: one.person == person)

    @rule(asked=requests)
    def a_request_is_withdrawn(self, asked: Asked) -> None:
        """While it is open, and never afterwards."""
        oversight = Oversight(self.local.services.store)
        is_open = asked.as_of(self.now) in {State.PENDING, State.APPROVED}
        try:
            oversight.cancel(asked.id, "a test", by=BY)
        except Conflict:
            assert not is_open
        else:
            assert is_open
            asked.state = State.CANCELLED

    def _end(self, concerns: Callable[[Asked | Issued], bool]) -> None:
        for asked in self.asked:  # what the clock has ended stays for whoever looks at it next
            if concerns(asked) and asked.as_of(self.now) in {State.PENDING, State.APPROVED}:
                asked.state = State.CANCELLED
        for token in self.issued:
            token.revoked = token.revoked or (concerns(token) and self.now < token.expires_at)

    # --- what always holds ----------------------------------------------------------------

    @invariant()
    def the_rows_say_what_the_model_says(self) -> None:
        """Each request where it must be, each token as alive as it must be."""
        with self.local.services.store.read() as view:
            for asked in self.asked:
                row = view.approvals.get(asked.id)
                assert row is not None
                stands = asked.as_of(self.now)
                late = stands is State.EXPIRED and row.state is not State.EXPIRED
                assert row.state is (asked.state if late else stands), (asked, row.state)
            for token in self.issued:
                found: Delegation | None = view.delegations.get(token.jti)
                assert found is not None
                alive = found.revoked_at is None and found.expires_at > self.now
                assert found.expires_at == token.expires_at, token
                assert not (alive and token.ended), token
                assert token.ended or found.revoked_at is None, token

    def teardown(self) -> None:
        """One entry for each token: of the one that a request gave, and of what came from it."""
        for agent in self.disabled_agents:
            self.local.admin.agents.enable(self.cast.agents[agent].id, by=BY)
        for person in self.disabled_people:
            self.local.admin.users.enable(self.cast.people[person].user.id, by=BY)
        with self.local.services.store.read() as view:
            for asked in self.asked:
                types = [entry.type for entry in view.audit.of_approval(asked.id)]
                made = [one for one in self.issued if one.first is asked.token]
                assert types.count("token.issued") == len(made), (asked, types)
                decided = types.count("approval.approved") + types.count("approval.denied")
                assert decided <= 1, (asked, types)
