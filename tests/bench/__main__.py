"""`python -m tests.bench`: every benchmark, one after another."""

from tests.bench import (
    exchange,
    feed,
    idle,
    introspection,
    kill_switch,
    policy,
    poll,
    redemption,
    request,
)
from tests.bench.table import say

if __name__ == "__main__":
    say("# Benchmarks of this machine, this minute; compare ratios, not seconds\n")
    benches = (
        *(idle, policy, poll, request, redemption),
        *(exchange, introspection, kill_switch, feed),
    )
    for bench in benches:
        bench.main()
