"""In any order of votes, nothing is approved by fewer people than the quorum.

A deputyship may end in between. Sequences by hypothesis, and thread races on both databases. Who
approved what is read from the log, never from the rows under test.
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
"""Who answers in whose place, a backup and a deputy; the two have one yes together."""
DEPUTY = "finn"
QUORUM = 3
RACES = 8
_numbers = itertools.count()


@dataclass(frozen=True)
class Voting:
    """One user's try: approve all (None) or a part (higher is narrower), deny, or withdraw."""

    who: str
    part: int | None = None
    decision: Literal["approve", "deny", "withdraw"] = "approve"


@dataclass(frozen=True)
class Ending:
    """The deputyship ends: revoked, or expired and noticed or not."""

    how: Literal["by hand", "by the clock", "unnoticed"]


@dataclass(frozen=True)
class Parts:
    """Stands for narrowings: a higher number is narrower."""

    def is_within(self, approval: Approval, less: Narrowed) -> bool:
        """Reports whether it is narrower than what was granted so far."""
        return approval.granted is None or int(less.text) > int(approval.granted)

    def store_granted(self, tx: Unit, approval: Approval, less: Narrowed) -> Approval:
        """The real service does the same."""
        return tx.approvals.narrow(approval.id, less.text, "[]", approval.past) or approval

    def remove_granted(self, tx: Unit, approval: Approval) -> Approval | None:
        """Likewise."""
        return tx.approvals.narrow(approval.id, None, "{}", approval.past)


_UNUSED: dict[str, Any] = dict.fromkeys(field.name for field in fields(ApprovalService))
SERVICE = ApprovalService(**{**_UNUSED, "narrowings": Parts()})
"""A vote uses nothing else of it."""


@pytest.fixture
def people(store: SqlStore) -> SqlStore:
    """Four users who may vote."""
    return _with_people(store)


@pytest.fixture
def sqlite(sqlite_url: str, open_database: Any) -> SqlStore:
    """The same on SQLite only."""
    return _with_people(open_database(sqlite_url))


@pytest.fixture
def without_quorum_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted fault: a transition to approved does not check the quorum."""
    monkeypatch.setattr(rows, "_QUORUM_REACHED", sa.true())
    monkeypatch.setitem(
        rows._TRANSITIONS, State.APPROVED, Prepared(rows._transition(State.APPROVED))
    )


@pytest.fixture
def counting_void_votes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted fault: approvals that another user made void are counted."""
    monkeypatch.setattr(
        votes,
        "valid_approvals",
        lambda answers: [one for one in answers if one.decision == "approve"],
    )


@pytest.fixture
def counting_deputies_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted fault: a deputy is counted beside their principal."""
    monkeypatch.setattr(Decision, "voter_id", property(lambda answer: answer.user_id))


@pytest.fixture
def ignoring_withdrawals(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted fault: a withdrawal is recorded, and its vote still counts."""
    monkeypatch.setattr(votes, "withdraw", lambda _tx, _narrowings, approval, _answer: approval)


def _with_people(store: SqlStore) -> SqlStore:
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
        for who, whose in DEPUTIES.items():
            why: Literal["deputy", "backup"] = "deputy" if who == DEPUTY else "backup"
            asked = Approver(name, f"sayso_us_{who}", why, NOON, row.expires_at, row.risk)
            tx.approvers.add(replace(asked, stands_for=f"sayso_us_{whose}"))
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
        found = tx.deputies.get(name)
        if found is not None and ending.how != "unnoticed":
            deputies.end(tx, found, by="user:sayso_us_cleo" if ending.how == "by hand" else None)


def _vote(store: SqlStore, approval_id: str, voting: Voting) -> None:
    """Stores a valid signed decision as the service does."""
    part = None if voting.part is None or voting.decision != "approve" else str(voting.part)
    less = None if part is None else Narrowed(part, Terms((), ()), (), "")
    with store.write() as tx:
        found = tx.approvals.get(approval_id)
        assert found is not None
        approval = votes.locked(tx, found)
        asked = approvers.find(tx, approval, f"sayso_us_{voting.who}")
        if approval.state is State.PENDING and asked is not None:
            answer = _answer(tx, approval, voting, asked.stands_for)
            if voting.decision == "withdraw":
                SERVICE._withdraw_vote(tx, approval, answer)
            else:
                SERVICE._add_vote(tx, approval, answer, less, "session")


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
    """Its state, and by the log alone who approved what was granted, and did not withdraw it."""
    with store.read() as view:
        approval = view.approvals.get(approval_id)
        bodies = [json.loads(entry.body) for entry in view.audit.of_approval(approval_id)]
    assert approval is not None
    agreed: set[str] = set()
    granted = None
    for body in bodies:
        if body["type"] in {"approval.voted", "approval.approved"}:
            found = body["facts"].get("granted_digest")
            agreed = (agreed if found == granted else set()) | {body["actor"]}
            granted = found
        elif body["type"] == "approval.vote_withdrawn":
            agreed.discard(body["actor"])
            granted = granted if agreed else None
    return approval.state, {_principal(actor) for actor in agreed}


def _principal(actor: str) -> str:
    who = actor.removeprefix("user:sayso_us_")
    return DEPUTIES.get(who, who)


def _check(store: SqlStore, approval_id: str, tried: Sequence[Voting | Ending]) -> None:
    state, agreed = _state_and_approvers(store, approval_id)
    if state is State.APPROVED:
        assert len(agreed) >= QUORUM, tried
    if isinstance(tried[0], Voting) and tried[0].decision == "deny":
        assert state is State.DENIED


def _votings() -> st.SearchStrategy[Voting]:
    decisions = st.sampled_from(("approve", "approve", "approve", "approve", "withdraw", "deny"))
    who = st.sampled_from((*PEOPLE, *DEPUTIES))
    return st.builds(Voting, who, st.sampled_from((None, 1, 2, 3)), decisions)


def _endings() -> st.SearchStrategy[Ending]:
    return st.builds(Ending, st.sampled_from(("by hand", "by the clock", "unnoticed")))


def _steps() -> st.SearchStrategy[Voting | Ending]:
    return st.one_of(_votings(), _votings(), _votings(), _endings())


def _take(store: SqlStore, clock: MovableClock, tried: Sequence[Voting | Ending]) -> str:
    approval_id = _new_request(store)
    for step in tried:
        if isinstance(step, Ending):
            _end(store, clock, approval_id, step)
        else:
            _vote(store, approval_id, step)
    return approval_id


@settings(max_examples=cases(40), deadline=None, suppress_health_check=list(HealthCheck))
@given(tried=st.lists(_steps(), min_size=1, max_size=9))
def test_no_sequence_of_votes_passes_below_the_quorum(
    sqlite: SqlStore, clock: MovableClock, tried: list[Voting | Ending]
) -> None:
    """Repeated, narrowed, voided and renewed votes, with and without deputies, in any order."""
    _check(sqlite, _take(sqlite, clock, tried), tried)


@pytest.mark.parametrize("how", ["by hand", "by the clock", "unnoticed"])
def test_a_deputys_approval_stays_that_of_their_principal(
    people: SqlStore, clock: MovableClock, how: Literal["by hand", "by the clock", "unnoticed"]
) -> None:
    """However the deputyship ends, the two share one vote; another user is needed."""
    tried = (Voting("ann"), Voting(DEPUTY), Ending(how), Voting("cleo"))
    approval_id = _take(people, clock, tried)
    assert _state_and_approvers(people, approval_id)[0] is State.PENDING
    _vote(people, approval_id, Voting("dan"))
    assert _state_and_approvers(people, approval_id)[0] is State.APPROVED


def test_no_race_of_votes_passes_below_the_quorum(people: SqlStore) -> None:
    """I4: all at once, some twice; enough equal approvals pass it exactly once."""
    random_source = random.Random(7)  # noqa: S311  # the same races every time
    with ThreadPoolExecutor(6) as threads:
        for race in range(RACES):
            approval_id = _new_request(people)
            enough = race % 2 == 0
            who = [*PEOPLE, *PEOPLE[:2]] if enough else [*PEOPLE[:2], "eve"] * 2
            parts = [None] if enough else [None, 1, 2]
            tried = [Voting(name, random_source.choice(parts)) for name in who]
            done = [threads.submit(_vote, people, approval_id, one) for one in tried]
            for one in done:
                one.result()
            _check(people, approval_id, tried)
            assert (_state_and_approvers(people, approval_id)[0] is State.APPROVED) is enough


def test_a_withdrawal_and_the_last_vote_have_one_outcome(people: SqlStore) -> None:
    """Either the vote is withdrawn and one is missing, or the request is approved with it."""
    with ThreadPoolExecutor(2) as threads:
        for _ in range(RACES):
            approval_id = _take(people, MovableClock(), (Voting("ann"), Voting("bob")))
            tried = [Voting("cleo"), Voting("bob", decision="withdraw")]
            for one in [threads.submit(_vote, people, approval_id, voting) for voting in tried]:
                one.result()
            state, agreed = _state_and_approvers(people, approval_id)
            approved = {State.APPROVED: {"ann", "bob", "cleo"}, State.PENDING: {"ann", "cleo"}}
            assert agreed == approved[state]


def test_a_vote_is_not_withdrawn_after_the_end(people: SqlStore) -> None:
    """If the agent cancels the request at the same moment, the log has no answer after that."""
    with ThreadPoolExecutor(2) as threads:
        for _ in range(RACES):
            approval_id = _take(people, MovableClock(), (Voting("ann"),))
            voting = Voting("ann", decision="withdraw")
            for one in (
                threads.submit(_cancel, people, approval_id),
                threads.submit(_vote, people, approval_id, voting),
            ):
                one.result()
            with people.read() as view:
                last = json.loads(view.audit.of_approval(approval_id)[-1].body)
            assert last["type"] == "approval.cancelled"


def _cancel(store: SqlStore, approval_id: str) -> None:
    with store.write() as tx:
        found = tx.approvals.get(approval_id)
        assert found is not None
        withdrawals.withdraw(tx, [found], reason="withdrawn", actor="agent:bot")


BELOW_QUORUM = (Voting("ann"), Voting("bob"), Voting("cleo", 1))
"""Two whole yeses, and one to less, which voids them."""
DEPUTY_AND_PRINCIPAL = (Voting("ann"), Voting("bob"), Voting("eve"))
"""Three people, of whom two have one yes together."""


WITHDRAWN = (Voting("ann"), Voting("bob"), Voting("bob", decision="withdraw"), Voting("cleo"))
"""Three people, of whom one has withdrawn."""


def _after(store: SqlStore, tried: Sequence[Voting]) -> Iterator[str]:
    approval_id = _new_request(store)
    for voting in tried:
        _vote(store, approval_id, voting)
    yield approval_id


@pytest.mark.usefixtures("counting_void_votes", "without_quorum_check")
def test_counting_void_votes_is_detected(sqlite: SqlStore) -> None:
    """I4: the planted fault passes with one user instead of three, and the check fails."""
    (approval_id,) = _after(sqlite, BELOW_QUORUM)
    assert _state_and_approvers(sqlite, approval_id)[0] is State.APPROVED
    with pytest.raises(AssertionError):
        _check(sqlite, approval_id, BELOW_QUORUM)


@pytest.mark.usefixtures("ignoring_withdrawals")
def test_counting_a_withdrawn_vote_is_detected(sqlite: SqlStore) -> None:
    """I4: likewise."""
    (approval_id,) = _after(sqlite, WITHDRAWN)
    assert _state_and_approvers(sqlite, approval_id)[0] is State.APPROVED
    with pytest.raises(AssertionError):
        _check(sqlite, approval_id, WITHDRAWN)


@pytest.mark.usefixtures("counting_void_votes")
def test_the_database_checks_the_quorum_itself(people: SqlStore) -> None:
    """If only the count is wrong, nothing is approved."""
    (approval_id,) = _after(people, BELOW_QUORUM)
    assert _state_and_approvers(people, approval_id)[0] is State.PENDING


@pytest.mark.usefixtures("counting_deputies_twice", "without_quorum_check")
def test_counting_a_deputy_beside_their_principal_is_detected(sqlite: SqlStore) -> None:
    """I4: likewise."""
    (approval_id,) = _after(sqlite, DEPUTY_AND_PRINCIPAL)
    assert _state_and_approvers(sqlite, approval_id)[0] is State.APPROVED
    with pytest.raises(AssertionError):
        _check(sqlite, approval_id, DEPUTY_AND_PRINCIPAL)


@pytest.mark.usefixtures("counting_deputies_twice")
def test_the_database_counts_a_deputy_as_their_principal(people: SqlStore) -> None:
    """If only the count is wrong, nothing is approved."""
    (approval_id,) = _after(people, DEPUTY_AND_PRINCIPAL)
    assert _state_and_approvers(people, approval_id)[0] is State.PENDING
