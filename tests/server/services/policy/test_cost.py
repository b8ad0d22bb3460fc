"""The cost of a policy decision, counted in steps, does not grow with the length of history."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from server.model.history import Addition
from server.protocol.policy import uses
from server.services.policy import builtin
from server.services.policy.evaluation import Evaluator, PolicyRequest, engine_of
from server.services.resources.targets import TokenTarget
from tests.support.builders.installation import PAY
from tests.support.builders.policies import rule

LONG_HISTORY = 3_000
RULES = "\n".join(
    (
        rule("ask", 'when.first_time = ["resource", "scope"]', name="first"),
        rule("deny", 'when.count = { over = 5, within = "1h" }', name="many"),
        rule("deny", 'when.count = { over = 500, within = "31d" }', name="more"),
        rule("ask", 'when.unusual = ["new_agent", "large_amount"]', name="odd"),
        rule("ask", 'when.known = ["resource"]', name="last"),
    )
)


@contextmanager
def _count_steps(view) -> Iterator[dict[str, int]]:
    """Count SQL statements and the steps of SQLite's virtual machine."""
    driver = view._connection.connection.driver_connection
    counts = {"statements": 0, "steps": 0}

    def step() -> int:
        counts["steps"] += 1
        return 0

    def statement(_text: str) -> None:
        counts["statements"] += 1

    driver.set_trace_callback(statement)
    driver.set_progress_handler(step, 1)
    try:
        yield counts
    finally:
        driver.set_trace_callback(None)
        driver.set_progress_handler(None, 1)


def _cost(local, agent, flow, rules=RULES):
    """The cost of one decision with warm caches."""
    with local.services.store.read() as view:
        engine = engine_of(builtin.bind_names(view, rules, version=1, by="test"))
        evaluator = Evaluator(local.services.secrets, engine_override=engine)
        agent_row, resource = view.directory.agent(agent.id), view.directory.resource(PAY)
        user = view.directory.find_user("ana")
        request = PolicyRequest(flow, agent_row, user, TokenTarget(resource, ("payments:read",)))
        evaluator.decide(view, request)
        with _count_steps(view) as counts:
            evaluator.decide(view, request)
    assert counts["statements"] > 0
    return counts


@pytest.mark.parametrize("flow", ["exchange", "request"])
def test_a_decision_costs_the_same_with_a_long_history(agent, person, local, flow):
    """Thousands of tokens of this and other agents add no statement and few steps.

    The server stops counting when the count of a rule is reached, and lookups use an index.
    """
    assert person.user.name == "ana"
    used = uses.of_token(PAY, ["payments:read"], [])
    now = local.clock.now()

    def add_uses(client, begin, end):
        with local.services.store.write() as tx:
            for n in range(begin, end):
                tx.uses.add(client, f"{client} {n}", used, now - n)

    add_uses(agent.id, 0, 600)
    short = _cost(local, agent, flow)
    add_uses(agent.id, 600, LONG_HISTORY)
    add_uses("sayso_ag_other", 0, LONG_HISTORY)
    with local.services.store.write() as tx:
        tx.history.add([Addition(agent.id, f"key {n}", n) for n in range(LONG_HISTORY)], 1, 1)
    long = _cost(local, agent, flow)
    assert long["statements"] == short["statements"]
    assert long["steps"] <= short["steps"] * 1.1


def test_many_rules_read_the_same_history_once(agent, person, local):
    """Fifty rules about the same facts need as many statements as five."""
    assert person.user.name == "ana"
    kinds = (
        'when.first_time = ["resource", "scope"]\nwhen.count = { over = 5, within = "1h" }',
        'when.known = ["resource"]\nwhen.count = { over = 5, within = "1h" }',
        'when.scope = ["payments:*"]\nwhen.count = { over = 5, within = "1d" }',
        'when.unusual = ["large_amount"]',
        'when.during = { from = "02:00", to = "02:01", zone = "Europe/Berlin" }',
    )
    costs = []
    for copies in (1, 10):
        rules = [rule("deny", kind, name=f"r{n}") for n, kind in enumerate(kinds * copies)]
        costs.append(_cost(local, agent, "exchange", "\n".join(rules))["statements"])
    assert costs[0] == costs[1]
