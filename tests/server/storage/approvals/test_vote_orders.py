"""In any order of votes, no request is approved by fewer people than the quorum.

A deputy's term may end in between. Hypothesis creates the sequences, and threads race on both
databases. The approvers are read from the log, never from the rows under test.
"""

import itertools
import json
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.model.approvals import Approval, Approver, Decision
from server.model.approvers import Deputy
from server.model.store import Unit
from server.model.users import User
from server.protocol.approvals.narrowing import Terms
from server.protocol.approvals.states import State
from server.services.approvals import votes, withdrawals
from server.services.approvals.decisions import ApprovalService
from server.services.approvals.narrowing import Narrowed
from server.services.approvers import approvers, deputies
from server.storage.approvals import approvals as rows
from server.storage.prepared import Prepared
from server.storage.store import SqlStore
from tests.support.builders.clock import NOON, SECOND, MovableClock
from tests.support.builders.installation import approval_row
from tests.support.inputs.random_cases import cases

PEOPLE = ("ann", "bob", "cleo", "dan")
DEPUTIES = {"eve": "bob", "finn": "cleo"}
"""A backup and a deputy, and the users they decide for. Each pair shares one vote."""
DEPUTY = "finn"
QUORUM = 3
RACES = 8
_numbers = itertools.count()


@dataclass(frozen=True)
class Voting:
    """One user's attempt: approve all (None) or a part (higher is narrower), deny, or withdraw."""

    who: str
    part: int | None = None
    decision: Literal["approve", "deny", "withdraw"] = "approve"


@dataclass(frozen=True)
class Ending:
    """The end of the term: revoked, or expired, with or without a recorded end."""

    how: Literal["by hand", "by the clock", "unnoticed"]


@dataclass(frozen=True)
class Parts:
    """A fake of the narrowing service, in which a higher number is narrower."""

    def is_within(self, approval: Approval, narrowed: Narrowed) -> bool:
        """Return whether the new grant is narrower than the current one."""
        return approval.granted is None or int(narrowed.text) > int(approval.granted)

    def store_granted(self, tx: Unit, approval: Approval, narrowed: Narrowed) -> Approval:
        """Store the narrowed grant, as the real service does."""
        return tx.approvals.narrow(approval.id, narrowed.text, "[]", approval.past) or approval

    def remove_granted(self, tx: Unit, approval: Approval) -> Approval | None:
        """Remove the narrowed grant, as the real service does."""
        return tx.approvals.narrow(approval.id, None, "{}", approval.past)


@dataclass(frozen=True)
class QuorumOnly:
    """A fake of the checks under current policy, which requires any three people."""

    def void_ineligible_votes(self, tx: Unit, approval: Approval) -> None:
        """Void nothing, because everyone's vote counts."""

    def is_approved(self, tx: Unit, approval: Approval) -> bool:
        """Return whether enough people have approved."""
        return votes.cast_approvals(tx, approval).count >= approval.quorum


_UNUSED: dict[str, Any] = dict.fromkeys(field.name for field in fields(ApprovalService))
SERVICE = ApprovalService(**{**_UNUSED, "narrowings": Parts(), "checks": QuorumOnly()})
"""A service with only the dependencies that a vote uses."""


@pytest.fixture
def people(store: SqlStore) -> SqlStore:
    """Four users who may vote."""
    return _add_people(store)


@pytest.fixture
def sqlite(sqlite_url: str, open_database: Any) -> SqlStore:
    """The same users in a SQLite database."""
    return _add_people(open_database(sqlite_url))


@pytest.fixture
def without_quorum_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: a transition to approved does not check the quorum."""
    monkeypatch.setattr(rows, "_QUORUM_REACHED", sa.true())
    monkeypatch.setitem(
        rows._TRANSITIONS, State.APPROVED, Prepared(rows._transition(State.APPROVED))
    )


@pytest.fixture
def counting_void_votes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: approvals that another user made void are counted."""
    monkeypatch.setattr(
        votes,
        "valid_approvals",
        lambda answers: [answer for answer in answers if answer.decision == "approve"],
    )


@pytest.fixture
def counting_deputies_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: a deputy is counted in addition to their principal."""
    monkeypatch.setattr(Decision, "voter_id", property(lambda answer: answer.user_id))


@pytest.fixture
def ignoring_withdrawals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: a withdrawal is recorded, but its vote still counts."""
    monkeypatch.setattr(votes, "withdraw", lambda _tx, _narrowings, approval, _answer: approval)


def _add_people(store: SqlStore) -> SqlStore:
    with store.administer() as tx:
        for name in (*PEOPLE, *DEPUTIES):
            tx.users.add(User(f"sayso_us_{name}", name, None, (), "enabled", NOON))
    return store


def _new_request(store: SqlStore) -> str:
    """A request that needs three of four users, two of whom have a deputy."""
    name = f"sayso_ap_{next(_numbers):06}"
    with store.write() as tx:
        row = approval_row(name, "sayso_ag_bot", "sayso_us_ann", tx.now)
        tx.approvals.add(replace(row, quorum=QUORUM))
        for who in PEOPLE[1:]:
            tx.approvers.add(
                Approver(name, f"sayso_us_{who}", "group", NOON, row.expires_at, row.risk)
            )
        for who, principal in DEPUTIES.items():
            why: Literal["deputy", "backup"] = "deputy" if who == DEPUTY else "backup"
            approver = Approver(name, f"sayso_us_{who}", why, NOON, row.expires_at, row.risk)
            tx.approvers.add(replace(approver, stands_for=f"sayso_us_{principal}"))
        tx.deputies.add(_deputy(name, tx.now))
    return name


def _deputy(name: str, now: int) -> Deputy:
    return Deputy(
        id=name,
        user_id=f"sayso_us_{DEPUTIES[DEPUTY]}",
        deputy_id=f"sayso_us_{DEPUTY}",
        from_at=now,
        to_at=now + SECOND,
        state="begun",
        device_id="sayso_dv_cleo",
        created_at=now,
    )


def _end(store: SqlStore, clock: MovableClock, name: str, ending: Ending) -> None:
    if ending.how != "by hand":
        clock.forward(SECOND)
    with store.write() as tx:
        deputy = tx.deputies.get(name)
        if deputy is not None and ending.how != "unnoticed":
            deputies.end(tx, deputy, by="user:sayso_us_cleo" if ending.how == "by hand" else None)


def _vote(store: SqlStore, approval_id: str, voting: Voting) -> None:
    """Store a valid signed decision as the service does."""
    part = None if voting.part is None or voting.decision != "approve" else str(voting.part)
    narrowed = None if part is None else Narrowed(part, Terms((), ()), (), "")
    with store.write() as tx:
        stored = tx.approvals.get(approval_id)
        assert stored is not None
        approval = votes.locked(tx, stored)
        approver = approvers.find(tx, approval, f"sayso_us_{voting.who}")
        if approval.state is State.PENDING and approver is not None:
            answer = _answer(tx, approval, voting, approver.stands_for)
            if voting.decision == "withdraw":
                SERVICE._withdraw_vote(tx, approval, answer)
            else:
                SERVICE._add_vote(tx, approval, answer, narrowed, "session")


def _answer(tx: Unit, approval: Approval, voting: Voting, stands_for: str | None) -> Decision:
    return Decision(
        approval_id=approval.id,
        user_id=f"sayso_us_{voting.who}",
        device_id=f"sayso_dv_{voting.who}",
        decision=voting.decision,
        code="not_needed" if voting.decision == "deny" else None,
        note=None,
        ceremony="confirm",
        channel="terminal",
        jws="signed",
        at=NOON,
        stands_for=stands_for,
        voided_at=tx.now if voting.decision == "withdraw" else None,
    )


def _state_and_approvers(store: SqlStore, approval_id: str) -> tuple[State, set[str]]:
    """The state, and the users who approved the grant and did not withdraw, from the log."""
    with store.read() as view:
        approval = view.approvals.get(approval_id)
        bodies = [json.loads(entry.body) for entry in view.audit.of_approval(approval_id)]
    assert approval is not None
    agreed: set[str] = set()
    granted = None
    for body in bodies:
        if body["type"] in {"approval.voted", "approval.approved"}:
            digest = body["facts"].get("granted_digest")
            agreed = (agreed if digest == granted else set()) | {body["actor"]}
            granted = digest
        elif body["type"] == "approval.vote_withdrawn":
            agreed.discard(body["actor"])
            granted = granted if agreed else None
    return approval.state, {_principal(actor) for actor in agreed}


def _principal(actor: str) -> str:
    who = actor.removeprefix("user:sayso_us_")
    return DEPUTIES.get(who, who)


def _check(store: SqlStore, approval_id: str, steps: Sequence[Voting | Ending]) -> None:
    state, agreed = _state_and_approvers(store, approval_id)
    if state is State.APPROVED:
        assert len(agreed) >= QUORUM, steps
    if isinstance(steps[0], Voting) and steps[0].decision == "deny":
        assert state is State.DENIED


def _votings() -> st.SearchStrategy[Voting]:
    decisions = st.sampled_from(("approve", "approve", "approve", "approve", "withdraw", "deny"))
    who = st.sampled_from((*PEOPLE, *DEPUTIES))
    return st.builds(Voting, who, st.sampled_from((None, 1, 2, 3)), decisions)


def _endings() -> st.SearchStrategy[Ending]:
    return st.builds(Ending, st.sampled_from(("by hand", "by the clock", "unnoticed")))


def _steps() -> st.SearchStrategy[Voting | Ending]:
    return st.one_of(_votings(), _votings(), _votings(), _endings())


def _run_steps(store: SqlStore, clock: MovableClock, steps: Sequence[Voting | Ending]) -> str:
    approval_id = _new_request(store)
    for step in steps:
        if isinstance(step, Ending):
            _end(store, clock, approval_id, step)
        else:
            _vote(store, approval_id, step)
    return approval_id


@settings(max_examples=cases(40), deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(_steps(), min_size=1, max_size=9))
def test_no_sequence_of_votes_passes_below_the_quorum(
    sqlite: SqlStore, clock: MovableClock, steps: list[Voting | Ending]
) -> None:
    """Votes are repeated, narrowed, voided and renewed, with and without deputies, in any order."""
    _check(sqlite, _run_steps(sqlite, clock, steps), steps)


@pytest.mark.parametrize("ending", ["by hand", "by the clock", "unnoticed"])
def test_a_deputys_approval_always_counts_as_their_principals(
    people: SqlStore, clock: MovableClock, ending: Literal["by hand", "by the clock", "unnoticed"]
) -> None:
    """However the term ends, the two share one vote, so a further user must approve."""
    steps = (Voting("ann"), Voting(DEPUTY), Ending(ending), Voting("cleo"))
    approval_id = _run_steps(people, clock, steps)
    assert _state_and_approvers(people, approval_id)[0] is State.PENDING
    _vote(people, approval_id, Voting("dan"))
    assert _state_and_approvers(people, approval_id)[0] is State.APPROVED


def test_no_race_of_votes_passes_below_the_quorum(people: SqlStore) -> None:
    """I4: users vote at the same time, some twice; enough equal approvals approve exactly once."""
    random_source = random.Random(7)  # noqa: S311  # the same races every time
    with ThreadPoolExecutor(6) as threads:
        for race in range(RACES):
            approval_id = _new_request(people)
            enough = race % 2 == 0
            who = [*PEOPLE, *PEOPLE[:2]] if enough else [*PEOPLE[:2], "eve"] * 2
            parts = [None] if enough else [None, 1, 2]
            steps = [Voting(name, random_source.choice(parts)) for name in who]
            futures = [threads.submit(_vote, people, approval_id, voting) for voting in steps]
            for future in futures:
                future.result()
            _check(people, approval_id, steps)
            assert (_state_and_approvers(people, approval_id)[0] is State.APPROVED) is enough


def test_a_withdrawal_and_the_last_vote_have_one_outcome(people: SqlStore) -> None:
    """Either the vote is withdrawn and one vote is missing, or the request is approved with it."""
    with ThreadPoolExecutor(2) as threads:
        for _ in range(RACES):
            approval_id = _run_steps(people, MovableClock(), (Voting("ann"), Voting("bob")))
            steps = [Voting("cleo"), Voting("bob", decision="withdraw")]
            for future in [threads.submit(_vote, people, approval_id, voting) for voting in steps]:
                future.result()
            state, agreed = _state_and_approvers(people, approval_id)
            approved = {State.APPROVED: {"ann", "bob", "cleo"}, State.PENDING: {"ann", "cleo"}}
            assert agreed == approved[state]


def test_a_vote_is_not_withdrawn_after_the_request_is_canceled(people: SqlStore) -> None:
    """If the agent cancels at the same moment, the log has no withdrawal after that."""
    with ThreadPoolExecutor(2) as threads:
        for _ in range(RACES):
            approval_id = _run_steps(people, MovableClock(), (Voting("ann"),))
            voting = Voting("ann", decision="withdraw")
            for future in (
                threads.submit(_cancel, people, approval_id),
                threads.submit(_vote, people, approval_id, voting),
            ):
                future.result()
            with people.read() as view:
                last = json.loads(view.audit.of_approval(approval_id)[-1].body)
            assert last["type"] == "approval.cancelled"


def test_a_request_is_not_canceled_while_a_vote_is_stored(people: SqlStore) -> None:
    """If the agent cancels at the same moment, the log has no vote after that."""
    approval_id = _new_request(people)
    with ThreadPoolExecutor(1) as threads:
        with people.write() as tx:
            stored = tx.approvals.get(approval_id)
            assert stored is not None
            approval = votes.locked(tx, stored)
            canceled = threads.submit(_cancel, people, approval_id)
            with pytest.raises(TimeoutError):
                canceled.result(0.3)
            answer = _answer(tx, approval, Voting("ann"), None)
            SERVICE._add_vote(tx, approval, answer, None, "session")
        canceled.result()
    with people.read() as view:
        types = [json.loads(entry.body)["type"] for entry in view.audit.of_approval(approval_id)]
    assert types == ["approval.voted", "approval.cancelled"]


def _cancel(store: SqlStore, approval_id: str) -> None:
    with store.write() as tx:
        approval = tx.approvals.get(approval_id)
        assert approval is not None
        withdrawals.withdraw(tx, [approval], reason="withdrawn", actor="agent:bot")


BELOW_QUORUM = (Voting("ann"), Voting("bob"), Voting("cleo", 1))
"""Two full approvals, and a narrower one, which voids them."""
DEPUTY_AND_PRINCIPAL = (Voting("ann"), Voting("bob"), Voting("eve"))
"""Three people, two of whom share one vote."""


WITHDRAWN = (Voting("ann"), Voting("bob"), Voting("bob", decision="withdraw"), Voting("cleo"))
"""Three people, one of whom has withdrawn."""


def _request_after(store: SqlStore, steps: Sequence[Voting]) -> Iterator[str]:
    approval_id = _new_request(store)
    for voting in steps:
        _vote(store, approval_id, voting)
    yield approval_id


@pytest.mark.usefixtures("counting_void_votes", "without_quorum_check")
def test_counting_void_votes_is_detected(sqlite: SqlStore) -> None:
    """I4: the planted fault passes with one user instead of three, and the check fails."""
    (approval_id,) = _request_after(sqlite, BELOW_QUORUM)
    assert _state_and_approvers(sqlite, approval_id)[0] is State.APPROVED
    with pytest.raises(AssertionError):
        _check(sqlite, approval_id, BELOW_QUORUM)


@pytest.mark.usefixtures("ignoring_withdrawals")
def test_counting_a_withdrawn_vote_is_detected(sqlite: SqlStore) -> None:
    """I4: with the planted fault two users approve instead of three, and the check fails."""
    (approval_id,) = _request_after(sqlite, WITHDRAWN)
    assert _state_and_approvers(sqlite, approval_id)[0] is State.APPROVED
    with pytest.raises(AssertionError):
        _check(sqlite, approval_id, WITHDRAWN)


@pytest.mark.usefixtures("counting_void_votes")
def test_the_database_checks_the_quorum_itself(people: SqlStore) -> None:
    """If only the service counts wrongly, the request is not approved."""
    (approval_id,) = _request_after(people, BELOW_QUORUM)
    assert _state_and_approvers(people, approval_id)[0] is State.PENDING


@pytest.mark.usefixtures("counting_deputies_twice", "without_quorum_check")
def test_counting_a_deputy_and_their_principal_separately_is_detected(sqlite: SqlStore) -> None:
    """I4: with the planted fault two votes approve instead of three, and the check fails."""
    (approval_id,) = _request_after(sqlite, DEPUTY_AND_PRINCIPAL)
    assert _state_and_approvers(sqlite, approval_id)[0] is State.APPROVED
    with pytest.raises(AssertionError):
        _check(sqlite, approval_id, DEPUTY_AND_PRINCIPAL)


@pytest.mark.usefixtures("counting_deputies_twice")
def test_the_database_counts_a_deputy_as_their_principal(people: SqlStore) -> None:
    """If only the service counts wrongly, the request is not approved."""
    (approval_id,) = _request_after(people, DEPUTY_AND_PRINCIPAL)
    assert _state_and_approvers(people, approval_id)[0] is State.PENDING
