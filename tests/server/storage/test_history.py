"""What was approved before is counted exactly, and looked up by key alone."""

from concurrent.futures import ThreadPoolExecutor

from server.storage.store import SqlStore

_OWNERS = ("sayso_ag_a", "sayso_us_a")


def _add(store: SqlStore, key: str, amount: int = 0, owner: str = _OWNERS[0]) -> None:
    with store.write() as tx:
        tx.history.add(owner, key, amount)


def _of(store: SqlStore, *keys: str) -> dict[str, tuple[int, int]]:
    with store.read() as view:
        return dict(view.history.of([(owner, key) for owner in _OWNERS for key in keys]))


def test_what_was_never_added_is_not_there(store: SqlStore) -> None:
    """Nor is what is about somebody else."""
    _add(store, "a", owner="sayso_ag_b")
    assert _of(store, "a", "b") == {}
    assert _of(store) == {}


def test_each_key_is_counted_and_its_amounts_are_summed(store: SqlStore) -> None:
    """Of both owners."""
    _add(store, "a")
    _add(store, "a", 7)
    _add(store, "b", 2**53 - 1)
    _add(store, "hour 3", owner=_OWNERS[1])
    assert _of(store, "a", "b", "hour 3") == {"a": (2, 7), "b": (1, 2**53 - 1), "hour 3": (1, 0)}


def test_more_keys_than_one_statement_takes_are_all_looked_up(store: SqlStore) -> None:
    """Ten at once."""
    for number in range(0, 40, 3):
        _add(store, f"key {number}")
    found = _of(store, *(f"key {number}" for number in range(40)))
    assert found == {f"key {number}": (1, 0) for number in range(0, 40, 3)}


def test_old_amounts_weigh_half_and_the_largest_ones_never_overflow(store: SqlStore) -> None:
    """What is usual follows what is approved; a plain counter keeps counting."""
    with store.write() as tx:
        for _ in range(64):
            tx.history.add(_OWNERS[0], "amount", 1_000)
        for _ in range(100):
            tx.history.add(_OWNERS[0], "plain")
    assert _of(store, "amount", "plain") == {"amount": (64, 64_000), "plain": (100, 0)}
    _add(store, "amount", 10)
    assert _of(store, "amount") == {"amount": (33, 32_010)}
    with store.write() as tx:
        for _ in range(300):
            tx.history.add(_OWNERS[0], "huge", 2**53 - 1)
    count, total = _of(store, "huge")["huge"]
    assert 32 < count <= 64
    assert abs(total // count - 2**53) < 2**10


def test_two_at_once_are_both_counted(store: SqlStore) -> None:
    """One statement each, in the order in which they come."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: _add(store, "a", 1), range(40)))
    assert _of(store, "a") == {"a": (40, 40)}


def test_what_is_about_a_deleted_agent_is_forgotten(store: SqlStore) -> None:
    """The person's own stays."""
    _add(store, "a")
    _add(store, "answers", owner=_OWNERS[1])
    with store.write() as tx:
        tx.history.forget(_OWNERS[0])
    assert _of(store, "a", "answers") == {"answers": (1, 0)}
