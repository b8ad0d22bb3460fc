"""`python -m tests.bench.policy`: one decision with fifty rules, after short and long histories."""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from server.model.history import Addition
from server.model.store import View
from server.protocol.policy import uses
from server.services.policy import builtin, builtin_action_types, history, history_keys
from server.services.policy.evaluation import Evaluator, PolicyRequest, engine_of
from server.services.policy.schemas import Schemas
from server.services.resources.targets import TokenTarget
from tests.bench.responses import check
from tests.bench.table import at_most, run, say
from tests.support.builders.callers import LocalAgent
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAY
from tests.support.builders.policies import rule
from tests.support.builders.site import LocalSite
from tests.support.builders.template import make_template

_RULES = 50
_MAX_US = 100.0
_MAX_GROWTH = 1.3
_DECISIONS = 500
_ROUNDS = 15
_SHORT, _LONG = 100, 100_000
"""The number of earlier tokens of the agent, each for an approved payment."""
_TYPE = "payment.transfer"
_DETAIL = {
    "type": _TYPE,
    "amount": {"minor": 482_000, "currency": "EUR"},
    "payee": "Nordwind Logistik GmbH",
    "account": "DE89 3704 0044 0532 0130 00",
    "reference": "INV-2291",
}
_PAYMENT: Mapping[str, Any] = {"scopes": ("payments:transfer",), "details": (_DETAIL,)}
_SCOPE_ONLY: Mapping[str, Any] = {"scopes": ("payments:transfer",), "details": ()}


def main() -> None:
    """Decide requests that only the last rule matches, so that all conditions are evaluated."""
    say(f"## Policy (one decision under {_RULES} rules, SQLite)")
    with tempfile.TemporaryDirectory() as folder:
        template = make_template(Path(folder) / "template")
        local = template.copy_to(Path(folder) / "data")
        local.admin.actions.update(builtin_action_types.document(_TYPE), by=BY)
        agent = template.agent(local)
        _remember(local, agent, 0, _SHORT)
        little = _measured(local, agent, f"after {_SHORT:,} tokens")
        _remember(local, agent, _SHORT, _LONG)
        much = _measured(local, agent, f"after {_LONG:,} tokens")
        local.services.store.close()
    at_most("one decision", max(*little, *much), _MAX_US, " µs")
    pairs = zip(little, much, strict=True)
    at_most("growth", max(after / before for before, after in pairs), _MAX_GROWTH, " times")


def _measured(local: LocalSite, agent: LocalAgent, when: str) -> list[float]:
    """Return the microseconds of each kind of question."""
    questions = {
        "payment, exchange": ("exchange", _PAYMENT, _mixed(), False),
        "payment, request": ("request", _PAYMENT, _mixed(), False),
        "payment, rules about history": ("exchange", _PAYMENT, _historic(), False),
        "payment of values not seen lately, rules about history": (
            *("exchange", _PAYMENT, _historic(), True),
        ),
        "scope alone, exchange": ("exchange", _SCOPE_ONLY, _mixed(), False),
    }
    found = [_measure(local, agent, *question) for question in questions.values()]
    for name, micros in zip(questions, found, strict=True):
        say(f"{name}, {when}: {micros:.1f} µs")
    return found


def _measure(
    local: LocalSite,
    agent: LocalAgent,
    flow: Any,
    wanted: Mapping[str, Any],
    rules: str,
    forget: bool,  # noqa: FBT001  # passed from a row of a table
) -> float:
    """Return the processor microseconds of one decision, the best of the rounds.

    It runs in a transaction, like every enforced decision. With `forget`, the hashes of the values
    are not in the process's caches.
    """
    with local.services.store.write() as view:
        engine = engine_of(builtin.bind_names(view, rules, version=1, by="bench"))
        evaluator = Evaluator(local.services.secrets, engine_override=engine)
        case = _case(view, agent, flow, wanted)
        return min(_round(evaluator, view, case, forget=forget) for _ in range(_ROUNDS))


def _round(evaluator: Evaluator, view: View, case: PolicyRequest, *, forget: bool) -> float:
    decisions: Counter[str] = Counter()
    began = time.process_time()
    for _ in range(_DECISIONS):
        if forget:
            history_keys._hash.cache_clear()
            uses._of_value.cache_clear()
        decisions[str(evaluator.decide(view, case).rules)] += 1
    took = time.process_time() - began
    check("policy", str(("last",)), decisions)
    return took / _DECISIONS * 1e6


def _case(view: View, agent: LocalAgent, flow: Any, wanted: Mapping[str, Any]) -> PolicyRequest:
    found, resource = view.directory.agent(agent.id), view.directory.resource(PAY)
    user = view.directory.find_user("ana")
    assert found is not None
    assert resource is not None
    types = [detail["type"] for detail in wanted["details"]]
    actions = Schemas().registered_types(view.directory, types)
    return PolicyRequest(
        flow, found, user, TokenTarget(resource, wanted["scopes"]), wanted["details"], actions
    )


def _remember(local: LocalSite, agent: LocalAgent, begin: int, end: int) -> None:
    """Store the history of an agent that got an approved token every minute until now."""
    with local.services.store.read() as view:
        case = _case(view, agent, "request", _PAYMENT)
        stored_history = json.loads(history.compare(view, local.services.secrets, case).text)
    added = [
        Addition(owner, key, amount, tuple(more))
        for owner, key, amount, more in stored_history["adds"]
    ]
    added += [Addition(agent.id, key) for key in (*stored_history["asks"], stored_history["hour"])]
    token_use = uses.of_token(PAY, _PAYMENT["scopes"], _PAYMENT["details"])
    now = local.clock.now()
    for start in range(begin, end, 10_000):
        with local.services.store.write() as tx:
            for n in range(start, min(start + 10_000, end)):
                tx.uses.add(agent.id, f"t{n}", token_use, now - n * MINUTE)
                at = now - n * MINUTE
                tx.history.add([*added, Addition(agent.id, f"other {n}")], at // DAY, at)


def _mixed() -> str:
    """Return rules of every kind."""
    return _rules(
        'when.agent = ["invoice-bot"]\nwhen.risk.at_least = "critical"',
        'when.labels = ["team=finance", "pilot"]',
        'when.resource = ["https://*.internal"]',
        'when.scope = ["admin:*"]',
        'when.type = ["payment.*"]\nwhen.amount = { currency = "EUR", over = 1000000 }',
        'when.type = ["payment.*"]\nwhen.amount = { currency = "USD", over = 0 }',
        'when.type = ["deploy.*", "data.*"]',
        'when.user = ["ana"]\nwhen.first_time = ["/account", "/payee"]',
        'when.type = ["payment.*"]\nwhen.unusual = ["large_amount", "new_target"]',
        'when.during = { from = "02:00", to = "02:01", zone = "Europe/Berlin" }',
        'when.type = ["payment.*"]\nwhen.count = { over = 100, within = "1h" }',
        'when.first_time = ["resource", "scope"]',
    )


def _historic() -> str:
    """Return rules that all read the history."""
    return _rules(
        'when.first_time = ["/account"]',
        'when.first_time = ["/payee", "scope"]',
        'when.unusual = ["large_amount", "new_key"]',
        'when.known = ["/cut_off"]',
        'when.count = { over = 100, within = "1h" }',
    )


def _rules(*kinds: str) -> str:
    """Return deny rules with these conditions in turn, and a last rule that asks."""
    written = [rule("deny", kinds[n % len(kinds)], name=f"r{n}") for n in range(_RULES - 1)]
    return "\n".join([*written, rule("ask", name="last")])


if __name__ == "__main__":
    run(main)
