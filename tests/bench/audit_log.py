"""`python -m tests.bench.audit_log`: an auditor verifies a long log."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from server.audit_log import bundles, notes
from server.audit_log.bundles import Line, LoggedEntry, SignedCheckpoint
from server.audit_log.entries import entry_bytes, leaf_hash
from server.audit_log.merkle import Frontier
from server.audit_log.notes import Checkpoint
from tests.bench.table import at_most, run, say
from tests.support.servers.server import ROOT

_ORIGIN, _SEED = "bench.example/log", b"s" * 32
_KEY = notes.public_key(_ORIGIN, _SEED)
_SIZES = (50_000, 1_000_000)
_PER_CHECKPOINT = 500
_MAX_MICROS = 20
"""50,000 entries a second."""
_MAX_MIB = 2


def main() -> None:
    """Verify a short and a long log, each in its own process."""
    say("## Audit log (verification of a bundle: hashes, signatures, meaning)")
    with tempfile.TemporaryDirectory() as folder:
        figures = [_measured(Path(folder) / str(size), size) for size in _SIZES]
    (short_s, short_kib), (long_s, long_kib) = figures
    more = _SIZES[1] - _SIZES[0]
    at_most("one entry, µs of processor", (long_s - short_s) / more * 1e6, _MAX_MICROS)
    at_most("memory of the longer log, MiB more", (long_kib - short_kib) / 1024, _MAX_MIB)


def _measured(file: Path, size: int) -> tuple[float, int]:
    """Return processor seconds and peak memory (KiB) of one verification."""
    with file.open("w", encoding="utf-8") as out:
        out.writelines(f"{line}\n" for line in bundles.write(_ORIGIN, _lines(size)))
    command = [sys.executable, "-m", "server.audit_log.verify", str(file)]
    child = subprocess.Popen([*command, "--log-key", _KEY.text], cwd=ROOT, stdout=subprocess.PIPE)
    assert child.stdout is not None
    output = child.stdout.read().decode()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if not output.startswith(f"Verified: {size:,} entries"):
        raise AssertionError(output)
    return _seconds(usage), usage.ru_maxrss


def _seconds(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime


def _lines(size: int) -> Iterator[Line]:
    frontier = Frontier()
    for seq in range(size):
        body = _body(seq)
        frontier.add(leaf_hash(body))
        yield LoggedEntry(seq, body, leaf_hash(body))
        if (seq + 1) % _PER_CHECKPOINT == 0:
            checkpoint = Checkpoint(_ORIGIN, seq + 1, frontier.root)
            yield SignedCheckpoint(seq + 1, notes.sign(checkpoint, _SEED, seq))


def _body(seq: int) -> bytes:
    """Return a typical entry: a token without an approval."""
    return entry_bytes(
        {
            "id": f"01a22af76be7-{seq:08}",
            "at": 1_796_017_187_815 + seq,
            "type": "token.issued",
            "actor": "agent:sayso_ag_clwl5euc6lowyvty",
            "agent_id": "sayso_ag_clwl5euc6lowyvty",
            "subject": "sayso_us_ezm2tbyu4clps7n7",
            "resource": "https://pay.example",
            "decision": "issued",
            "correlation_id": f"{seq:016x}",
            "facts": {"jti": f"{seq:024x}", "scope": ["payments:read"], "policy": {"by": "r1"}},
        }
    )


if __name__ == "__main__":
    run(main)
