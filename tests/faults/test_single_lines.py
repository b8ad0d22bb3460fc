"""Each fault of the table is noticed by the test that the table names."""

import os
import subprocess
import sys

import pytest

from tests.support.planted import FAULTS, NAME, ROOT

_FAILED = 1
"""How pytest ends when a test failed, and only then."""


@pytest.mark.parametrize("name", FAULTS)
def test_the_named_test_notices_the_fault(name: str) -> None:
    """In a process of its own, with the fault in the line that it reads."""
    fault = FAULTS[name]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "tests.support.planting"]
    done = subprocess.run(  # our own tests
        [*command, "-p", "no:cacheprovider", fault.noticed_by],
        cwd=ROOT,
        env={**os.environ, NAME: name},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == _FAILED, done.stdout[-2_000:]
