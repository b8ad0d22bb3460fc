"""A model of approvals and tokens, which Hypothesis compares with the server.

Owns: the model, and the moves of agents, users, administrators and the clock. After each move, the
response and the rows in the database must match the model.
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
    """The participants: two agents, and two people with one device each."""

    local: LocalSite
    agents: tuple[LocalAgent, ...]
    people: tuple[LocalTerminal, ...]


@dataclass(slots=True)
class RequestState:
    """The expected state of a request."""

    handle: str
    id: str
    agent: int
    person: int
    expires_at: int
    state: State = State.PENDING
    decision: str = ""
    token: "TokenState | None" = None
    """The token that the agent fetched."""

    def as_of(self, now: int) -> State:
        """The state at this time, after expiry was taken into account."""
        grace = GRACE_MS if self.state is State.APPROVED else 0
        is_open = self.state in {State.PENDING, State.APPROVED}
        return State.EXPIRED if is_open and now >= self.expires_at + grace else self.state


@dataclass(slots=True)
class TokenState:
    """The expected state of a token."""

    jti: str
    text: str
    agents: tuple[int, ...]
    """The agents that act with the token, starting with its holder."""
    person: int | None
    expires_at: int
    parent: "TokenState | None" = None
    revoked: bool = False

    @property
    def agent(self) -> int:
        """The agent that holds the token."""
        return self.agents[0]

    @property
    def root(self) -> "TokenState":
        """The token that started the chain of exchanges."""
        return self if self.parent is None else self.parent.root

    @property
    def ended(self) -> bool:
        """Whether the token or one of its ancestors was revoked."""
        return self.revoked or (self.parent is not None and self.parent.ended)


class ApprovalModel(RuleBasedStateMachine):
    """The model: two agents, two people, an administrator and a clock."""

    cast: ClassVar[Cast]
    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.sent_requests: list[RequestState] = []
        self.issued: list[TokenState] = []
        self.disabled_agents: set[int] = set()
        self.disabled_people: set[int] = set()
        self.guesses = 0

    # --- participants and time ---------------------------------------------------------------

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
        """Start two days after the previous sequence, with everyone enabled."""
        self.local.clock.forward(2 * DAY)
        for person in self.cast.people:
            assert person.refresh().status == 200

    @rule(by=st.sampled_from([SECOND, 6 * SECOND, 9 * SECOND, 29 * SECOND, 31 * SECOND, MINUTE]))
    def time_passes(self, by: int) -> None:
        """Move the clock, so that requests and tokens may expire."""
        self.local.clock.forward(by)

    @rule()
    def the_sweeper_runs(self) -> None:
        """Run the sweeper, which closes only requests that have expired."""
        self.local.services.sweeper.round()

    # --- agents ---------------------------------------------------------------------------

    @rule(target=requests, agent=_CALLERS, person=_CALLERS, life=st.sampled_from([10, 60, 600]))
    def an_agent_sends_a_request(self, agent: int, person: int, life: int) -> Any:
        """Send a request, which is accepted if agent and person are enabled."""
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
        request = RequestState(
            handle, self.local.approval_for(handle).id, agent, person, self.now + life * SECOND
        )
        self.sent_requests.append(request)
        return request

    @rule(request=requests)
    def its_agent_polls_twice(self, request: RequestState) -> None:
        """Poll twice; the second poll must not return a token again."""
        self.an_agent_polls(request, request.agent)
        self.an_agent_polls(request, request.agent)

    @rule(request=requests, agent=_CALLERS)
    def an_agent_polls(self, request: RequestState, agent: int) -> None:
        """Poll; only the request's own agent gets a token, once, and other polls get an error."""
        answer = self.cast.agents[agent].poll(request.handle)
        if agent in self.disabled_agents:
            assert answer.refusal == (400, "unauthorized_client")
        elif agent != request.agent:
            assert answer.refusal == (400, "invalid_grant")
        else:
            self._check_poll(request, answer)

    @rule(target=requests, agent=_CALLERS, person=_CALLERS)
    def a_token_is_issued(self, agent: int, person: int) -> Any:
        """Request, approve and fetch a token."""
        request = self.an_agent_sends_a_request(agent, person, 600)
        if isinstance(request, RequestState):
            self.a_person_answers(request, person, "approve")
            self.its_agent_polls_twice(request)
        return request

    @precondition(lambda self: self.guesses < _MAX_GUESSES)
    @rule(agent=_CALLERS, person=_CALLERS)
    def a_person_is_disabled_before_the_token_is_fetched(self, agent: int, person: int) -> None:
        """An approval is invalid after its approver was disabled."""
        request = self.an_agent_sends_a_request(agent, person, 600)
        if isinstance(request, RequestState):
            self.a_person_answers(request, person, "approve")
            self.a_person_is_disabled_or_enabled(person)
            self.its_agent_polls_twice(request)

    @rule(agent=_CALLERS, person=_CALLERS, late=st.sampled_from([29, 30, 31, 9 * 60]))
    def a_token_is_fetched_late(self, agent: int, person: int, late: int) -> None:
        """An approval can be redeemed for 30 seconds after the request's expiry, and not later."""
        request = self.an_agent_sends_a_request(agent, person, 600)
        if isinstance(request, RequestState):
            self.a_person_answers(request, person, "approve")
            self.local.clock.forward(max(0, request.expires_at - self.now) + late * SECOND)
            self.its_agent_polls_twice(request)

    @rule(agent=_CALLERS)
    def an_agent_acts_for_itself(self, agent: int) -> None:
        """Request a client_credentials token, which an enabled agent gets."""
        caller = self.cast.agents[agent]
        form = {"grant_type": "client_credentials", "resource": PAY, "scope": "payments:read"}
        answer = self.local.post_form("/token", {**form, **caller.credentials})
        if agent in self.disabled_agents:
            assert answer.refusal == (400, "unauthorized_client")
        else:
            assert answer.status == 200, answer.body
            self._add_token(answer, (agent,), None)

    def _check_poll(self, request: RequestState, answer: Answer) -> None:
        request.state = request.as_of(self.now)
        if request.state is State.APPROVED:
            assert answer.status == 200, answer.body
            request.state = State.REDEEMED
            request.token = self._add_token(answer, (request.agent,), request.person)
            return
        errors = {
            State.PENDING: {"authorization_pending", "slow_down"},
            State.DENIED: {"access_denied"},
            State.CANCELLED: {"access_denied"},
            State.EXPIRED: {"expired_token"},
            State.REDEEMED: {"invalid_grant"},
        }
        assert answer.status == 400, (request, answer.body)
        assert answer.json["error"] in errors[request.state], (request, answer.body)

    def _add_token(
        self,
        answer: Answer,
        agents: tuple[int, ...],
        person: int | None,
        parent: TokenState | None = None,
    ) -> TokenState:
        """Check the claims of a token and add it to the model."""
        claims = self.local.claims(answer.json["access_token"])
        holder = self.cast.agents[agents[0]].id
        assert claims["client_id"] == holder
        subject = holder if person is None else self.cast.people[person].user.id
        assert claims["sub"] == subject
        token = TokenState(
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

    @rule(request=requests, decisions=st.permutations(["approve", "deny"]))
    def a_person_changes_their_mind(self, request: RequestState, decisions: list[str]) -> None:
        """Send two different decisions, of which only the first is accepted."""
        for decision in decisions:
            self.a_person_answers(request, request.person, decision)

    @rule(agent=_CALLERS, person=_CALLERS, decisions=st.permutations(["approve", "deny"]))
    def a_person_gets_a_request_and_changes_their_mind(
        self, agent: int, person: int, decisions: list[str]
    ) -> None:
        """Send a request and two different decisions."""
        request = self.an_agent_sends_a_request(agent, person, 600)
        if isinstance(request, RequestState):
            self.a_person_changes_their_mind(request, decisions)

    @rule(request=requests, decision=st.sampled_from(["approve", "deny"]))
    def an_answer_comes_at_the_expiry(self, request: RequestState, decision: str) -> None:
        """Answer exactly at the expiry, which is too late."""
        self.local.clock.forward(max(0, request.expires_at - self.now))
        self.a_person_answers(request, request.person, decision)

    @rule(request=requests, person=_CALLERS, decision=st.sampled_from(["approve", "deny"]))
    def a_person_answers(self, request: RequestState, person: int, decision: str) -> None:
        """Answer a request, which works once, for its own person, while it is pending."""
        terminal = self.cast.people[person]
        if person in self.disabled_people:
            assert terminal.refresh().status in {400, 401, 403}
            assert terminal.call("GET", f"/api/approvals/{request.id}").status in {401, 403}
            return
        assert terminal.refresh().status == 200
        response = terminal.call("GET", f"/api/approvals/{request.id}")
        if person != request.person:
            assert response.refusal == (404, "not_found")
            return
        answer = (
            terminal.approve(request.id) if decision == "approve" else terminal.deny(request.id)
        )
        self._check_answer(request, decision, answer)

    def _check_answer(self, request: RequestState, decision: str, answer: Answer) -> None:
        request.state = request.as_of(self.now)
        if request.state is State.PENDING:
            assert answer.status == 200, (request, answer.body)
            request.state = State.APPROVED if decision == "approve" else State.DENIED
            request.decision = decision
            return
        is_repeat = request.decision == decision  # the same decision of the same device
        assert answer.status == (200 if is_repeat else 409), (request, answer.body)

    # --- the administrator ----------------------------------------------------------------

    @precondition(lambda self: self.guesses < _MAX_GUESSES)
    @rule(agent=_CALLERS)
    def an_agent_is_disabled_or_enabled(self, agent: int) -> None:
        """Disable or enable an agent. Disabling revokes its requests and tokens permanently."""
        name = self.cast.agents[agent].id
        if agent in self.disabled_agents:
            self.local.admin.agents.enable(name, by=BY)
            self.disabled_agents.remove(agent)
            return
        self.local.admin.agents.disable(name, by=BY)
        self.disabled_agents.add(agent)
        self._end(lambda item: item.agent == agent)

    @precondition(lambda self: self.guesses < _MAX_GUESSES)
    @rule(person=_CALLERS)
    def a_person_is_disabled_or_enabled(self, person: int) -> None:
        """Disable or enable a person. Disabling cancels their requests and revokes their tokens."""
        name = self.cast.people[person].user.id
        if person in self.disabled_people:
            self.local.admin.users.enable(name, by=BY)
            self.disabled_people.remove(person)
            return
        self.local.admin.users.disable(name, by=BY)
        self.disabled_people.add(person)
        self._end(lambda item: item.person == person)

    @rule(request=requests)
    def a_request_is_canceled(self, request: RequestState) -> None:
        """Cancel a request, which is possible only while it is open."""
        oversight = Oversight(self.local.services.store)
        is_open = request.as_of(self.now) in {State.PENDING, State.APPROVED}
        try:
            oversight.cancel(request.id, "a test", by=BY)
        except Conflict:
            assert not is_open
        else:
            assert is_open
            request.state = State.CANCELLED

    def _end(self, is_affected: Callable[[RequestState | TokenState], bool]) -> None:
        for request in self.sent_requests:  # expired requests keep their state
            if is_affected(request) and request.as_of(self.now) in {State.PENDING, State.APPROVED}:
                request.state = State.CANCELLED
        for token in self.issued:
            token.revoked = token.revoked or (is_affected(token) and self.now < token.expires_at)

    # --- invariants -----------------------------------------------------------------------

    @invariant()
    def the_rows_match_the_model(self) -> None:
        """Compare the state of each request and token with its row."""
        with self.local.services.store.read() as view:
            for request in self.sent_requests:
                row = view.approvals.get(request.id)
                assert row is not None
                expected = request.as_of(self.now)
                unswept = expected is State.EXPIRED and row.state is not State.EXPIRED
                assert row.state is (request.state if unswept else expected), (request, row.state)
            for token in self.issued:
                stored: Delegation | None = view.delegations.get(token.jti)
                assert stored is not None
                is_live = stored.revoked_at is None and stored.expires_at > self.now
                assert stored.expires_at == token.expires_at, token
                assert not (is_live and token.ended), token
                assert token.ended or stored.revoked_at is None, token

    def teardown(self) -> None:
        """Check that the log has one entry for each token, including derived tokens."""
        for agent in self.disabled_agents:
            self.local.admin.agents.enable(self.cast.agents[agent].id, by=BY)
        for person in self.disabled_people:
            self.local.admin.users.enable(self.cast.people[person].user.id, by=BY)
        with self.local.services.store.read() as view:
            for request in self.sent_requests:
                types = [entry.type for entry in view.audit.of_approval(request.id)]
                tokens = [token for token in self.issued if token.root is request.token]
                assert types.count("token.issued") == len(tokens), (request, types)
                decisions = types.count("approval.approved") + types.count("approval.denied")
                assert decisions <= 1, (request, types)
