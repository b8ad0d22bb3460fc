"""`python -m tests.bench`: run every benchmark, one after another."""

from tests.bench import (
    administration,
    audit_load,
    audit_log,
    command_line,
    exchange,
    fairness,
    feed,
    gateway,
    growth,
    hidden_users,
    idle,
    introspection,
    kill_switch,
    pages,
    policy,
    poll,
    push_backlog,
    redemption,
    request,
    terminal_app,
    unauthenticated,
    verification,
)
from tests.bench.table import run, say

if __name__ == "__main__":
    say("# Benchmarks of this machine, this minute; compare ratios, not seconds\n")
    benches = (
        *(idle, policy, poll, request, redemption),
        *(
            exchange,
            introspection,
            verification,
            kill_switch,
            feed,
            gateway,
            push_backlog,
            administration,
            audit_load,
            audit_log,
            command_line,
            fairness,
            unauthenticated,
            hidden_users,
            growth,
            terminal_app,
            pages,
        ),
    )
    run(*(bench.main for bench in benches))
