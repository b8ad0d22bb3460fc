"""The memory of an unlocked app is protected."""

import ctypes
import subprocess
import sys

from approver_tui.client.operations import hardening

_PROGRAM = """
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
    """The process is not dumpable on Linux, and its core file size is limited to 0."""
    command = [sys.executable, "-c", _PROGRAM]
    completed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert completed.stdout.splitlines()[-1] == "0 (0, 0)"


def test_a_system_without_memory_protection_is_accepted(monkeypatch):
    """A container may forbid the calls, or a library may lack them; the program starts anyway."""

    def refuse(*_):
        raise OSError

    monkeypatch.setattr(hardening.resource, "setrlimit", refuse)
    monkeypatch.setattr(ctypes, "CDLL", refuse)
    hardening.keep_memory_private()
