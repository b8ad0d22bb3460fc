"""The limit on open files determines the number of connections and feeds."""

import pytest

from server.serving.descriptors import Capacity, capacity


@pytest.mark.parametrize(
    ("files", "max_connections", "connections", "feeds"),
    [
        (20_000, 20_000, 19_744, 17_770),
        (65_536, 20_000, 20_000, 18_000),
        (-1, 20_000, 20_000, 18_000),
        (1_024, 20_000, 768, 692),
        (160, 20_000, 120, 108),
        (4, 20_000, 3, 3),
        (65_536, 50, 50, 45),
    ],
)
def test_descriptors_are_reserved_for_other_files_and_other_requests(
    files, max_connections, connections, feeds
):
    """Some descriptors are reserved for files, and some connections for other requests."""
    assert capacity(files, max_connections) == Capacity(files, connections, feeds)
