"""`python -m tests.bench.idle`: memory of an installation on SQLite on which nothing happens."""

from tests.bench.measuring import bare_server, product
from tests.bench.processes import settled_mib, threads
from tests.bench.table import run, say, verdict

_BAR_MIB = 120.0


def main() -> None:
    """PSS over the process tree, a few seconds after the start."""
    say("## Idle server")
    with bare_server() as bare, product() as server:
        assert server.process is not None
        ours = settled_mib(server.process.pid)
        say("| what | PSS MiB | threads |\n|---|---|---|")
        say(f"| bare Flask view | {settled_mib(bare):.0f} | {threads(bare)} |")
        say(f"| idle server | {ours:.0f} | {threads(server.process.pid)} |")
        verdict("idle server:", ours, _BAR_MIB, " MiB")


if __name__ == "__main__":
    run(main)
