"""`python -m tests.bench.unauthenticated`: memory of requests that are never completed."""

from tests.bench.measuring import product
from tests.bench.processes import settled_mib
from tests.bench.table import at_most, run, say
from tests.support.clients.floods import CHUNKED_BODY, LARGE_BODY, LARGE_HEAD, flood

_MAX_MIB = 100.0
_CASES = (
    ("95 fields of 60 kB on 100 connections", LARGE_HEAD, 100),
    ("95 fields of 60 kB on 400 connections", LARGE_HEAD, 400),
    ("128 KiB of body on 400 connections", LARGE_BODY, 400),
    ("2 MB of body in chunks on 100 connections", CHUNKED_BODY, 100),
)


def main() -> None:
    """Measure the PSS of the process tree above idle while all connections are open."""
    say("## Requests without an end, before authentication")
    found = [(name, _beyond_idle(request, count)) for name, request, count in _CASES]
    say("| what | MiB beyond idle |\n|---|---|")
    for name, mib in found:
        say(f"| {name} | {mib:.0f} |")
    say("")
    for name, mib in found:
        at_most(f"{name}:", mib, _MAX_MIB, " MiB")


def _beyond_idle(sent: bytes, connections: int) -> float:
    with product() as server:
        assert server.process is not None
        idle = settled_mib(server.process.pid)
        with flood(server.port, sent, connections):
            return settled_mib(server.process.pid, 2.0) - idle


if __name__ == "__main__":
    run(main)
