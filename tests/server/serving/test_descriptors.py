"""How many connections and feeds a limit on open files allows."""

import pytest

from server.serving.descriptors import Capacity, capacity


@pytest.mark.parametrize(
    ("files", "most", "connections", "feeds"),
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
    files, most, connections, feeds
):
    """Some are no connection, and some connections are no feed."""
    assert capacity(files, most) == Capacity(files, connections, feeds)
