"""`python -m tests.bench.policy`: one decision under fifty rules, with little and much history."""

import tempfile
import time
from pathlib import Path

from server.services.policy import binding, uses
from server.services.policy.judging import Case, Judge, engine_of
from server.services.targets import Target
from tests.bench.table import say, verdict
from tests.support.callers import LocalAgent
from tests.support.installation import PAY
from tests.support.policies import rule
from tests.support.site import LocalSite
from tests.support.template import make_template

_RULES = 50
_BAR_US = 100.0
_GROWTH = 1.3
_DECISIONS = 1_000
_HISTORY = 200_000


def main() -> None:
    """The rules are of every kind; two of them look at what the agent did before."""
    say(f"## Policy (one decision under {_RULES} rules, SQLite)")
    with tempfile.TemporaryDirectory() as folder:
        template = make_template(Path(folder) / "template")
        local = template.copied(Path(folder) / "data")
        agent = template.agent(local)
        little = _measure(local, agent)
        _remember(local, agent)
        much = _measure(local, agent)
        local.services.store.close()
    say(f"without history {little:.1f} µs, after {_HISTORY} tokens {much:.1f} µs")
    verdict("one decision", max(little, much), _BAR_US, " µs")
    verdict("growth", much / little, _GROWTH, " times")


def _measure(local: LocalSite, agent: LocalAgent) -> float:
    """Microseconds of processor time of one decision, the best of fifteen rounds."""
    with local.services.store.read() as view:
        judge = Judge(instead=engine_of(binding.bound(view, _rules(), version=1, by="bench")))
        found, resource = view.directory.agent(agent.id), view.directory.resource(PAY)
        assert found is not None
        assert resource is not None
        user = view.directory.user_called("ana")
        case = Case("exchange", found, user, Target(resource, ("payments:read",)))
        assert judge.decide(view, case).outcome == "ask"
        rounds = []
        for _ in range(15):
            began = time.process_time()
            for _ in range(_DECISIONS):
                judge.decide(view, case)
            rounds.append((time.process_time() - began) / _DECISIONS * 1e6)
    return min(rounds)


def _remember(local: LocalSite, agent: LocalAgent) -> None:
    """As if the agent had got so many tokens, the last of them just now."""
    used = uses.of_token(PAY, ["payments:read"], [])
    now = local.clock.now()
    for begin in range(0, _HISTORY, 10_000):
        with local.services.store.write() as tx:
            for n in range(begin, begin + 10_000):
                tx.uses.add(agent.id, f"t{n}", used, now - n)


def _rules() -> str:
    """Rules of every kind, of which the last asks."""
    kinds = (
        'when.agent = ["invoice-bot"]\nwhen.risk.at_least = "high"',
        'when.labels = ["team=finance", "pilot"]',
        'when.resource = ["https://*.internal"]',
        'when.scope = ["admin:*", "payments:transfer"]',
        'when.type = ["payment.*"]\nwhen.amount = { currency = "EUR", over = 100000 }',
        'when.user = ["ana"]\nwhen.risk.at_least = "critical"',
        'when.during = { from = "02:00", to = "02:01", zone = "Europe/Berlin" }',
    )
    written = [rule("deny", kinds[n % len(kinds)], name=f"r{n}") for n in range(_RULES - 3)]
    counted = rule("ask", 'when.count = { over = 100, within = "1d" }', name="many")
    first = rule("ask", 'when.first_time = ["resource"]', name="first")
    return "\n".join([*written, counted, first, rule("ask", name="last")])


if __name__ == "__main__":
    main()
