"""Runs tests and retries a few failed tests, alone.

Owns: which failures are retried (docs/decisions/0016-failed-tests-are-retried-once.md).
Never: what is tested.
"""

import json
import subprocess
import sys
from pathlib import Path

FEW_FILES = 3
"""Failures in more files than this are not caused by a busy machine, and are not retried."""
NEVER_RETRIED = (
    "tests/faults/test_kill.py",
    "tests/faults/test_one_code.py",
    "tests/faults/test_one_token.py",
    "tests/faults/test_revocation_race.py",
)
"""Tests that must pass every time: a single failure is a bug, even on a busy machine."""
_RERUN_OPTIONS = ("-n", "0", "--last-failed", "--last-failed-no-failures", "none")
_LAST_FAILED = Path(".pytest_cache/v/cache/lastfailed")
_TESTS_FAILED = 1
"""The exit status of pytest if tests failed. Others mean an interrupted or invalid run."""


def main(arguments: list[str]) -> int:
    """Run the tests; return pytest's exit status. Tests that fail twice count as failed."""
    exit_status = _pytest("--cache-clear", *arguments)
    failed = _failed_tests() if exit_status == _TESTS_FAILED else []
    files = {test.partition("::")[0] for test in failed}
    if not 0 < len(files) <= FEW_FILES or any(test.startswith(NEVER_RETRIED) for test in failed):
        return exit_status
    sys.stderr.write("\nFAILED. Retrying once, alone:\n")
    sys.stderr.writelines(f"  {test}\n" for test in failed)
    return _pytest(*arguments, *_RERUN_OPTIONS)


def _pytest(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


def _failed_tests() -> list[str]:
    return sorted(json.loads(_LAST_FAILED.read_text("utf-8")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
