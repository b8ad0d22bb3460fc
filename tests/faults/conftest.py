"""Fixtures of the fault tests: the marks of tests that kill servers and break disks, cheap PINs.

Owns: the list of tests that run alone, because they measure or use up time or memory.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checks.named_files import named_files
from tests.support.clients.terminal import cheap_pins
from tests.support.servers import forking

FOLDER = Path(__file__).parent
_RUN_ALONE = named_files(
    FOLDER,
    (
        "black_hole",
        "callbacks",
        "concurrent_limits",
        "descriptors",
        "one_agent",
        "postgres",
        "push_backlog",
        "read_only",
        "shutdown",
        "skewed_clocks",
        "unauthenticated_memory",
    ),
)


@pytest.hookimpl(tryfirst=True)  # before pytest itself selects by mark
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of this folder, and those that must run alone."""
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.faults)
            if item.path in _RUN_ALONE:
                item.add_marker(pytest.mark.alone)


@pytest.fixture(scope="session", autouse=True)
def _loading() -> None:
    """Starts the process from which servers are forked; nearly every file needs forks."""
    forking.begin()


@pytest.fixture(scope="module", autouse=True)
def _pins() -> Iterator[None]:
    """Makes PINs cheap. No program here opens keys that a test made with a real PIN."""
    with cheap_pins():
        yield
