"""The memory that all incomplete requests use together is limited."""

from dataclasses import dataclass, field

import pytest

from server.serving.worker import IncompleteRequests, TooMuchData


@dataclass(eq=False, slots=True)
class _Connection:
    dropped: list[bool] = field(default_factory=list)

    def drop(self) -> None:
        """Record that the connection was dropped."""
        self.dropped.append(True)


def test_the_connection_with_the_largest_incomplete_request_is_dropped_first():
    """A small new request stays and waits until the large one is dropped."""
    large, small = _Connection(), _Connection()
    incomplete = IncompleteRequests(limit=100)
    incomplete.add(large, 90)
    incomplete.add(small, 20)
    assert (large.dropped, small.dropped, incomplete.full) == ([True], [], True)
    with pytest.raises(TooMuchData):
        incomplete.add(large, 1)
    incomplete.remove(large)
    incomplete.add(small, 0)

    assert (incomplete.total, incomplete.full) == (20, False)


def test_a_new_connection_that_would_use_the_most_memory_is_refused():
    """The new connection is refused, and the other connections stay open."""
    new, other = _Connection(), _Connection()
    incomplete = IncompleteRequests(limit=100)
    incomplete.add(other, 40)
    with pytest.raises(TooMuchData):
        incomplete.add(new, 61)
    incomplete.remove(new)

    assert (incomplete.total, incomplete.full, other.dropped) == (40, False, [])


def test_complete_requests_do_not_count():
    """Complete requests use no part of the limit. Removing a connection twice is harmless."""
    connection = _Connection()
    incomplete = IncompleteRequests(limit=100)
    for _ in range(5):
        incomplete.add(connection, 60)
        incomplete.remove(connection)
        incomplete.remove(connection)

    assert incomplete.total == 0
