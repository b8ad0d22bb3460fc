"""The approval history counts exactly and is looked up by key."""

from concurrent.futures import ThreadPoolExecutor

from server.model.history import Addition, HistoryRow
from server.storage.store import SqlStore

_OWNERS = ("sayso_ag_a", "sayso_us_a")


def _add(
    store: SqlStore, *additions: Addition, period: int = 1, now: int = 5, times: int = 1
) -> None:
    with store.write() as tx:
        for _ in range(times):
            tx.history.add(additions, period, now)


def _read(store: SqlStore, *keys: str) -> dict[str, HistoryRow]:
    with store.read() as view:
        return dict(view.history.fetch([(owner, key) for owner in _OWNERS for key in keys]))


def _counts(store: SqlStore, *keys: str) -> dict[str, tuple[int, int]]:
    return {key: (row.count, row.total) for key, row in _read(store, *keys).items()}


def _addition(key: str, amount: int = 0, owner: str = _OWNERS[0], *members: str) -> Addition:
    return Addition(owner, key, amount, members)


def test_an_unknown_key_has_no_history(store: SqlStore) -> None:
    """The history of a different owner is not returned."""
    _add(store, _addition("a", owner="sayso_ag_b"))
    _add(store)
    assert _read(store, "a", "b") == {}
    assert _read(store) == {}


def test_each_key_is_counted_and_its_amounts_are_summed(store: SqlStore) -> None:
    """Both owners have their own counts."""
    _add(store, _addition("a"), _addition("b", 2**53 - 1), _addition("hour 3", owner=_OWNERS[1]))
    _add(store, _addition("a", 7))
    assert _counts(store, "a", "b", "hour 3") == {
        "a": (2, 7),
        "b": (1, 2**53 - 1),
        "hour 3": (1, 0),
    }


def test_a_row_has_its_largest_amount_first_time_and_newest_period(
    store: SqlStore,
) -> None:
    """Period counters restart with each period; the totals continue."""
    _add(store, _addition("a", 30), period=4, now=1_000)
    _add(store, _addition("a", 20), period=4, now=2_000)
    assert _read(store, "a")["a"] == HistoryRow(2, 50, 30, 1_000, 4, 2, 50, 1)
    _add(store, _addition("a", 10), period=6, now=9_000)
    assert _read(store, "a")["a"] == HistoryRow(3, 60, 30, 1_000, 6, 1, 10, 2)


def test_a_row_keeps_all_its_members(store: SqlStore) -> None:
    """Each member is kept once. An addition without members does not remove any."""
    _add(store, _addition("a", 0, _OWNERS[0], "x", "y"))
    _add(store, _addition("a"))
    _add(store, _addition("a", 0, _OWNERS[0], "y", "z"))
    _add(store, _addition("b"))
    assert _read(store, "a")["a"].members == {"x", "y", "z"}
    assert _read(store, "b")["b"].members == frozenset()


def test_keys_over_the_limit_of_one_statement_are_all_found(store: SqlStore) -> None:
    """The keys are read in batches."""
    _add(store, *(_addition(f"key {number}") for number in range(0, 40, 3)))
    counts = _counts(store, *(f"key {number}" for number in range(40)))
    assert counts == {f"key {number}": (1, 0) for number in range(0, 40, 3)}


def test_old_amounts_are_halved_and_large_ones_do_not_overflow(store: SqlStore) -> None:
    """The average follows recent approvals; plain counters are not halved."""
    _add(store, _addition("amount", 1_000), times=64)
    _add(store, _addition("plain"), times=100)
    assert _counts(store, "amount", "plain") == {"amount": (64, 64_000), "plain": (100, 0)}
    _add(store, _addition("amount", 10), period=2)
    assert _counts(store, "amount") == {"amount": (33, 32_010)}
    _add(store, _addition("huge", 2**53 - 1), times=300)
    count, total = _counts(store, "huge")["huge"]
    assert 32 < count <= 64
    assert abs(total // count - 2**53) < 2**10


def test_concurrent_additions_are_all_counted(store: SqlStore) -> None:
    """Each addition is one atomic statement."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: _add(store, _addition("a", 1)), range(40)))
    assert _counts(store, "a") == {"a": (40, 40)}


def test_the_history_of_a_deleted_agent_is_deleted(store: SqlStore) -> None:
    """The user's history is kept."""
    _add(store, _addition("a"), _addition("answers", owner=_OWNERS[1]))
    with store.write() as tx:
        tx.history.forget(_OWNERS[0])
    assert _counts(store, "a", "answers") == {"answers": (1, 0)}


def test_a_sum_too_large_for_the_column_is_clamped(store: SqlStore) -> None:
    """Large amounts of one request and of all requests of a day still fit the columns."""
    for _ in range(2):
        _add(store, _addition("a", 4_000 * (2**53 - 1)), times=600)
    row = _read(store, "a")["a"]
    assert row.period_count == 1_200
    assert isinstance(row.period_total, int)
    assert isinstance(row.total, int)
