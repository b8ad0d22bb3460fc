"""Memory that incomplete requests may hold together."""

from dataclasses import dataclass, field

import pytest

from server.serving.worker import Incomplete, TooMuch


@dataclass(eq=False, slots=True)
class _Connection:
    dropped: list[bool] = field(default_factory=list)

    def drop(self) -> None:
        """Records it."""
        self.dropped.append(True)


def test_the_connection_with_the_largest_incomplete_request_is_dropped_first():
    """A small new one stays and waits until the large one is gone."""
    large, small = _Connection(), _Connection()
    incomplete = Incomplete(limit=100)
    incomplete.add(large, 90)
    incomplete.add(small, 20)
    assert (large.dropped, small.dropped, incomplete.full) == ([True], [], True)
    with pytest.raises(TooMuch):
        incomplete.add(large, 1)
    incomplete.remove(large)
    incomplete.add(small, 0)

    assert (incomplete.total, incomplete.full) == (20, False)


def test_a_new_connection_that_would_hold_the_most_is_refused():
    """The others stay."""
    one, other = _Connection(), _Connection()
    incomplete = Incomplete(limit=100)
    incomplete.add(other, 40)
    with pytest.raises(TooMuch):
        incomplete.add(one, 61)
    incomplete.remove(one)

    assert (incomplete.total, incomplete.full, other.dropped) == (40, False, [])


def test_complete_requests_do_not_count():
    """Removing one twice is harmless."""
    one = _Connection()
    incomplete = Incomplete(limit=100)
    for _ in range(5):
        incomplete.add(one, 60)
        incomplete.remove(one)
        incomplete.remove(one)

    assert incomplete.total == 0
