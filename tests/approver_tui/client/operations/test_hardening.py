"""The memory of an unlocked app is protected."""

import ctypes
import subprocess
import sys

from approver_tui.client.operations import hardening

_LOOK = """
import ctypes, resource, sys
from approver_tui.cli.main import main
try:
    main(["--version"])
except SystemExit:
    pass
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) if sys.platform == "linux" else 0
print(dumpable, resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_a_started_program_refuses_debuggers_and_core_files():
    """PR_GET_DUMPABLE is 0 where it exists."""
    run = [sys.executable, "-c", _LOOK]
    found = subprocess.run(run, capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "0 (0, 0)"


def test_a_system_without_it_is_ignored(monkeypatch):
    """A container may forbid the call, or a library may lack it."""

    def refuse(*_):
        raise OSError

    monkeypatch.setattr(hardening.resource, "setrlimit", refuse)
    monkeypatch.setattr(ctypes, "CDLL", refuse)
    hardening.keep_memory_private()
