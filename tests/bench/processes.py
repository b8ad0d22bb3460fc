"""Costs of a process tree: processor time, memory, threads; read from /proc."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

_TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")
_TIMES = slice(11, 15)
"""Positions of utime, stime, cutime and cstime after the name in /proc/PID/stat."""


def tree(root: int) -> Iterator[int]:
    """Yield the process and all its descendants."""
    yield root
    for child in _read(f"/proc/{root}/task/{root}/children").split():
        yield from tree(int(child))


def processor_us(root: int) -> int:
    """Return the processor time of the tree in microseconds, with kernel time.

    The time of children that have ended is in the times of their parents.
    """
    return sum(_processor_us(process) for process in tree(root))


def memory_mib(root: int) -> float:
    """Return the proportional set size of the tree, which counts shared pages once."""
    return sum(_pss_kib(process) for process in tree(root)) / 1024


def threads(root: int) -> int:
    """Return the number of threads of all processes of the tree."""
    return sum(_status(process, "Threads") for process in tree(root))


def settled_mib(root: int, seconds: float = 3.0) -> float:
    """Wait until the tree is idle, and return its memory."""
    time.sleep(seconds)
    return memory_mib(root)


def _processor_us(process: int) -> int:
    fields = _read(f"/proc/{process}/stat").rpartition(")")[2].split()
    return sum(map(int, fields[_TIMES])) * _TICK_US


def _read(path: str) -> str:
    """Return the contents of a file; "" if the process has just ended."""
    try:
        return Path(path).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _pss_kib(process: int) -> int:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _status(process: int, name: str) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
