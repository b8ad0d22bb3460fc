"""What every test may ask for.

Owns: the PostgreSQL server of a test run, and the mark of the tests that need it; that a property
is tried with the same cases in every run except a deep one, and does not fail because a machine is
slow; that temporary folders are kept in memory; the order of the files; that what was collected is
not looked through for garbage.
"""

import gc
import os
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.checks.named_files import named_files
from tests.support.inputs.random_cases import DEEP, cases
from tests.support.servers.memory import memory_folder
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.running import RUNNING

_TESTS = Path(__file__).parent
_WAITING = ("browsers", "conformance", "faults", "flows", "sayso")
_LONGEST = frozenset(
    file
    for folder, names in {
        "browsers": "access alive ceremonies in_doubt log_witness receipt_kinds",
        "conformance": "foreign_clients foreign_people mcp_attacks mcp_clients mcp_suite",
        "faults": "kill killed_while_a_call_waits restored single_lines",
        "flows": "acceptance batch demo never_lost random_keys screens standing_grant_on_screen",
        "sayso": "agent ask mcp_live pages pages_variants recipes",
        "sayso/gateway": "gateway_live stdio_live",
    }.items()
    for file in named_files(_TESTS / folder, names.split())
)
"""Files of `_WAITING` that take more than half a minute, most of them with a few long tests."""

gc.disable()  # until everything is collected
settings.register_profile(
    "steady",
    max_examples=cases(40),
    deadline=None,
    derandomize=not DEEP,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("steady")

os.environ["COLORTERM"] = "truecolor"  # pictures do not depend on the terminal of the test run

if folder := memory_folder():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A private server, started once; without binaries the test fails with the remedy."""
    with PostgresServer() as server:
        yield server


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around the selection by mark and pytest-randomly
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Mark whatever uses `postgres_server` as `postgresql`; mix the folders of what is selected.

    A fixture that fetches the server only for one of its parameters marks that parameter itself.
    """
    for item in items:
        if "postgres_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.postgresql)
    yield
    places = _mixed(Counter(item.path for item in items))
    items.sort(key=lambda item: places[item.path])


def _mixed(sizes: Counter[Path]) -> dict[Path, float]:
    """The place of each file in a run that goes through all folders at the same time.

    Tests of `_WAITING` wait for other processes and other tests compute, so workers do both at any
    time. Workers end at about the same time: the second half of a run has no files of `_LONGEST`,
    the last fifth has no files of `_WAITING`, and each folder starts with the files that have the
    most tests.
    """
    folders: dict[str, list[Path]] = defaultdict(list)
    for file, _ in sizes.most_common():
        name = file.relative_to(_TESTS).parts[0]
        folders["longest" if file in _LONGEST else name].append(file)
    ends = {"longest": 0.5, **dict.fromkeys(_WAITING, 0.8)}
    return {
        file: place / len(found) * ends.get(name, 1.0)
        for name, found in folders.items()
        for place, file in enumerate(found)
    }


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows the state of the running servers."""
    report = yield
    if report.failed:
        report.sections += [("server", server.state) for server in RUNNING]
    return report


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end; looking through them again and again takes a tenth."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 20, 20)
