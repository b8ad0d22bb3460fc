"""Standing grants in the database are complete, end once, and never exceed their limits."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import select, update

from server.model.standing_grants import GrantUse, StandingGrant
from server.model.users import User
from server.protocol.policy.risks import Risk
from server.protocol.standing_grants import standing_grants as rules
from server.protocol.standing_grants.standing_grants import GrantUsage
from server.storage.standing_grants.standing_grants import StandingGrants
from server.storage.standing_grants.tables import standing_grants as table
from server.storage.store import SqlStore
from tests.support.builders.clock import NOON, MovableClock
from tests.support.builders.installation import PAY, approval_row
from tests.support.checks.locks import waiting_sessions
from tests.support.checks.waiting import until

ANN = User("sayso_us_ann", "ann", None, (), "enabled", NOON)
REQUEST = approval_row("sayso_ap_1", "sayso_ag_1", ANN.id, NOON)
GRANT = StandingGrant(
    id="sayso_sg_1",
    user_id=ANN.id,
    agent_id="sayso_ag_1",
    resource=PAY,
    scopes=("payments:read", "payments:transfer"),
    details='[{"type":"payment"}]',
    vary="[]",
    type="payment",
    version=1,
    risk=Risk.LOW,
    ceremony="pin",
    uses=5,
    sum_minor=1_000,
    sum_currency="EUR",
    notify=True,
    used=0,
    spent_minor=0,
    numbered=0,
    approval_id=REQUEST.id,
    created_at=NOON,
    expires_at=NOON + 60_000,
)
GRANT_WITHOUT_SUM = replace(
    GRANT, id="sayso_sg_2", sum_minor=None, sum_currency=None, type=None, version=None
)
_COLUMNS = [
    {"agent_id": "sayso_ag_1"},
    {"user_id": ANN.id},
    {"resource": PAY},
    {"type": "payment"},
    {"user_id": ANN.id, "agent_id": "sayso_ag_1", "resource": PAY},
]
"""Values that end every grant with them."""


def _add(store: SqlStore, *grants: StandingGrant) -> None:
    with store.write() as tx:
        tx.users.add(ANN)
        tx.approvals.add(REQUEST)
        for grant in grants:
            tx.standing_grants.add(grant)


def _get(store: SqlStore, grant: StandingGrant = GRANT) -> StandingGrant:
    with store.read() as view:
        stored = view.standing_grants.get(grant.id)
    assert stored is not None
    return stored


def test_a_standing_grant_is_stored_unchanged(store: SqlStore) -> None:
    """A grant is found by id, and among those in force for its user, agent and resource."""
    later = replace(GRANT, id="sayso_sg_3", created_at=NOON + 1)
    _add(store, later, GRANT)
    with store.read() as view:
        rows = view.standing_grants
        assert rows.get(GRANT.id) == GRANT
        assert rows.get("sayso_sg_9") is None
        assert rows.live(ANN.id, "sayso_ag_1", PAY, NOON) == [GRANT, later]
        assert rows.live(ANN.id, "sayso_ag_1", PAY, GRANT.expires_at) == []
        assert rows.live(ANN.id, "sayso_ag_2", PAY, NOON) == []
        assert rows.live(ANN.id, "sayso_ag_1", "https://x.example", NOON) == []
        assert rows.live_count(ANN.id, NOON) == 2
        assert rows.live_count(ANN.id, GRANT.expires_at) == 0
        assert rows.in_force(GRANT.id, NOON)
        assert not rows.in_force(GRANT.id, GRANT.expires_at)
        assert rows.uses_of(GRANT.id) == []


def test_standing_grants_are_listed_newest_first_in_pages(store: SqlStore) -> None:
    """The list is for one user and some agents, without ended grants."""
    other = replace(GRANT, id="sayso_sg_3", created_at=NOON + 1, agent_id="sayso_ag_2")
    expired = replace(GRANT, id="sayso_sg_4", created_at=NOON + 2, expires_at=NOON)
    _add(store, GRANT, other, expired)
    no_filters = {"user_id": None, "agent_ids": None, "live_at": None}
    with store.read() as view:
        rows = view.standing_grants
        assert rows.search(**no_filters, limit=9) == [expired, other, GRANT]
        first = rows.search(**no_filters, limit=2)
        before = (first[-1].created_at, first[-1].id)
        assert rows.search(**no_filters, limit=2, before=before) == [GRANT]
        assert rows.search(**{**no_filters, "live_at": NOON}, limit=9) == [other, GRANT]
        assert rows.search(**{**no_filters, "user_id": "sayso_us_bob"}, limit=9) == []
        assert rows.search(**{**no_filters, "agent_ids": ("sayso_ag_2",)}, limit=9) == [other]
        assert rows.search(**{**no_filters, "agent_ids": ()}, limit=9) == []


def test_a_use_is_reserved_and_spent_or_released_once(store: SqlStore) -> None:
    """Use numbers are never repeated. A released use is available again."""
    _add(store, GRANT)
    with store.write() as tx:
        first = tx.standing_grants.reserve(GRANT.id, "sayso_ap_a", 400, NOON)
        second = tx.standing_grants.reserve(GRANT.id, "sayso_ap_b", 600, NOON)
        assert tx.standing_grants.reserve(GRANT.id, "sayso_ap_c", 1, NOON) is None
    assert first == GrantUse(GRANT.id, 1, "sayso_ap_a", 400, "reserved", NOON)
    assert second == GrantUse(GRANT.id, 2, "sayso_ap_b", 600, "reserved", NOON)
    assert _get(store) == replace(GRANT, used=2, numbered=2, spent_minor=1_000)
    with store.write() as tx:
        rows = tx.standing_grants
        assert rows.spend("sayso_ap_a") == replace(first, state="spent")
        assert rows.spend("sayso_ap_a") is None
        assert rows.release("sayso_ap_a") is None
        assert rows.release("sayso_ap_b") == replace(second, state="released")
        assert rows.release("sayso_ap_b") is None
        assert rows.release("sayso_ap_z") is None
        third = rows.reserve(GRANT.id, "sayso_ap_c", 600, NOON)
    assert third is not None
    assert third.number == 3
    assert _get(store) == replace(GRANT, used=2, numbered=3, spent_minor=1_000)
    with store.read() as view:
        states = [use.state for use in view.standing_grants.uses_of(GRANT.id)]
    assert states == ["spent", "released", "reserved"]


@pytest.mark.postgresql
@pytest.mark.parametrize("columns", _COLUMNS, ids="-".join)
def test_two_ends_of_several_grants_do_not_deadlock(
    postgres_url: str, open_database: Callable[[str], SqlStore], columns: dict[str, str]
) -> None:
    """Each end locks the grants by ID, whatever the order in which they were stored."""
    store, later = open_database(postgres_url), replace(GRANT, id="sayso_sg_2")
    _add(store, later, GRANT)

    ended: list[list[StandingGrant]] = []

    def end_several() -> None:
        with store.write() as tx:
            ended.append(tx.standing_grants.end("revoked", NOON, **columns))

    ending = threading.Thread(target=end_several)
    with store.write() as tx:
        assert tx.standing_grants.end("revoked", NOON, id=GRANT.id)
        ending.start()
        until(lambda: waiting_sessions(store) == 1)
        assert tx.standing_grants.end("revoked", NOON, id=later.id)
    ending.join(10)
    assert ended == [[]]


@pytest.mark.parametrize("grant", [GRANT, GRANT_WITHOUT_SUM], ids=["sum", "no-sum"])
def test_the_update_statement_agrees_with_the_rule(store: SqlStore, grant: StandingGrant) -> None:
    """Uses and releases are random, and time passes until the grant expires."""
    _add(store, grant)
    rng = random.Random(4)  # noqa: S311  # a test's choice of cases
    usage, reserved = GrantUsage(), dict[str, int]()
    for number in range(60):
        name, minor = f"sayso_ap_{number}", rng.choice([0, 1, 150, 300, 1_001])
        now = NOON + number * 1_050
        if reserved and rng.random() < 0.4:
            released = rng.choice(sorted(reserved))
            with store.write() as tx:
                assert tx.standing_grants.release(released) is not None
            usage = rules.release(usage, reserved.pop(released))
        after = rules.reserve(grant.bounds, usage, minor, now)
        with store.write() as tx:
            use = tx.standing_grants.reserve(grant.id, name, minor, now)
        assert (use is None) == (after is None)
        if after is not None:
            usage, reserved[name] = after, minor
        assert _get(store, grant).usage == usage


@pytest.mark.parametrize("columns", [{"id": GRANT.id}, *_COLUMNS], ids="-".join)
def test_only_the_matching_standing_grant_is_ended_once(store, columns) -> None:
    """An ended grant cannot be used, and keeps the reason."""
    other = replace(
        GRANT,
        id="sayso_sg_3",
        agent_id="sayso_ag_2",
        resource="https://x.example",
        type="other",
        user_id="sayso_us_bob",
    )
    _add(store, GRANT)
    with store.write() as tx:
        tx.users.add(User("sayso_us_bob", "bob", None, (), "enabled", NOON))
        tx.standing_grants.add(other)
    with store.write() as tx:
        ended = replace(GRANT, ended_at=NOON, ended_because="why")
        assert tx.standing_grants.end("why", NOON, **columns) == [ended]
        assert tx.standing_grants.end("again", NOON + 1, **columns) == []
        assert tx.standing_grants.reserve(GRANT.id, "sayso_ap_a", 0, NOON) is None
        assert not tx.standing_grants.in_force(GRANT.id, NOON)
    assert _get(store, other) == other


_BOTH_HAVE_READ = Barrier(2, timeout=30)


class _ReadThenWrite(StandingGrants):
    """Planted fault: checks the limit and then reserves. Two always check at the same time."""

    def reserve(self, grant_id, approval_id, minor, now):
        grant = self.get(grant_id)
        _BOTH_HAVE_READ.wait()
        after = None if grant is None else rules.reserve(grant.bounds, grant.usage, minor, now)
        if after is None:
            return None
        values = {"used": after.uses, "spent_minor": after.minor}
        self._db.execute(update(table).where(table.c.id == grant_id).values(**values))
        return GrantUse(grant_id, after.uses, approval_id, minor, "reserved", now)


def _race(store: SqlStore, rows: type[StandingGrants]) -> int:
    """Run fifty concurrent transactions; return how many got a use."""

    def reserve(number: int) -> bool:
        with store.write() as tx:
            grants = rows(tx._connection)
            return grants.reserve(GRANT.id, f"sayso_ap_{number}", 150, NOON) is not None

    with ThreadPoolExecutor(50) as pool:
        return sum(pool.map(reserve, range(50)))


def test_fifty_concurrent_uses_stay_within_the_limits(store: SqlStore) -> None:
    """The limit of five uses applies; the sum would allow six uses, but not seven."""
    _add(store, GRANT)
    assert _race(store, StandingGrants) == 5
    assert _get(store).usage == GrantUsage(5, 750)


@pytest.mark.parametrize("seed", range(4))
def test_no_race_of_uses_exceeds_a_limit(store: SqlStore, seed: int) -> None:
    """Fifty threads reserve, spend and release different costs while the grant expires.

    Afterwards the count equals the uses, each number exists once, and no use is after the expiry.
    """
    _add(store, GRANT)
    rng = random.Random(seed)  # noqa: S311  # a test's choice of cases
    costs = [rng.choice([0, 50, 150, 300, 700, 1_001]) for _ in range(50)]
    moments = [rng.choice([NOON, GRANT.expires_at - 1, GRANT.expires_at]) for _ in range(50)]
    follow_ups = [rng.choice(["keep", "spend", "release"]) for _ in range(50)]
    start = Barrier(50, timeout=30)

    def use_grant(number: int) -> GrantUse | None:
        name = f"sayso_ap_{number}"
        start.wait()
        with store.write() as tx:
            use = tx.standing_grants.reserve(GRANT.id, name, costs[number], moments[number])
        if use is not None and follow_ups[number] != "keep":
            with store.write() as tx:
                getattr(tx.standing_grants, follow_ups[number])(name)
        return use

    with ThreadPoolExecutor(50) as pool:
        reserved = [use for use in pool.map(use_grant, range(50)) if use is not None]
    with store.read() as view:
        uses = view.standing_grants.uses_of(GRANT.id)
    counted_uses = [use for use in uses if use.state != "released"]
    assert sorted(use.number for use in reserved) == list(range(1, len(reserved) + 1))
    assert len(uses) == len(reserved) > 0
    assert _get(store).usage == GrantUsage(
        len(counted_uses), sum(use.minor for use in counted_uses)
    )
    assert len(counted_uses) <= GRANT.uses
    assert sum(use.minor for use in counted_uses) <= (GRANT.sum_minor or 0)
    assert all(use.at < GRANT.expires_at for use in uses)


@pytest.mark.postgresql
def test_a_read_before_write_is_detected(postgres_url, open_database) -> None:
    """The same race finds the bug that the conditional UPDATE avoids."""
    store = open_database(postgres_url)
    _add(store, GRANT)
    assert _race(store, _ReadThenWrite) > 5


def test_a_standing_grant_uses_the_clock_of_the_transaction(
    store: SqlStore, clock: MovableClock
) -> None:
    """An expired grant cannot be used, even if uses are left."""
    _add(store, GRANT)
    clock.forward(60_000)
    with store.write() as tx:
        assert tx.standing_grants.reserve(GRANT.id, "sayso_ap_a", 0, tx.now) is None
    with store.read() as view:
        rows = view._connection.execute(select(table.c.used)).all()
    assert [tuple(row) for row in rows] == [(0,)]
