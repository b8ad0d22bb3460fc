"""Runs tests, and retries a few failed ones, alone.

Owns: which failures are retried (docs/decisions/0016-failed-tests-are-retried-once.md).
Never: what is tested.
"""

import json
import subprocess
import sys
from pathlib import Path

FEW_FILES = 3
"""Failures in more files than these are no accident of a busy machine."""
NEVER_TWICE = (
    "tests/faults/test_kill.py",
    "tests/faults/test_one_code.py",
    "tests/faults/test_one_token.py",
    "tests/faults/test_revocation_race.py",
)
"""What these hold must hold every time: one failure is one too many, however busy a machine is."""
_ALONE = ("-n", "0", "--last-failed", "--last-failed-no-failures", "none")
_LAST_FAILED = Path(".pytest_cache/v/cache/lastfailed")
_TESTS_FAILED = 1
"""The exit code of pytest for this; others mean that it was broken off or could not begin."""


def main(arguments: list[str]) -> int:
    """Return what the tests ended with; those that failed twice count as failed."""
    ended = _pytest("--cache-clear", *arguments)
    failed = _failed() if ended == _TESTS_FAILED else []
    files = {test.partition("::")[0] for test in failed}
    if not 0 < len(files) <= FEW_FILES or any(test.startswith(NEVER_TWICE) for test in failed):
        return ended
    sys.stderr.write("\nFAILED, and now once more, alone:\n")
    sys.stderr.writelines(f"  {test}\n" for test in failed)
    return _pytest(*arguments, *_ALONE)


def _pytest(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


def _failed() -> list[str]:
    return sorted(json.loads(_LAST_FAILED.read_text("utf-8")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
