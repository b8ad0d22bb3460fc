"""Explanation and enforcement agree, because they ask the same judge: on ten thousand cases.

Rule sets, scopes, people, actions and amounts are drawn by chance. What `explain` says of a case is
held against what the door then does with it.
"""

import json
import random
from dataclasses import replace

import pytest

from server.protocol.exchange_refusals import Reason
from server.protocol.risks import Risk
from server.services.agent_forms import AgentChanges
from server.services.exchanges import Asked, Exchanges, Refused
from server.services.policy.judging import Judge
from server.services.policy.policies import Policies
from server.services.policy.trials import Trials, Wanted
from server.services.resources import ResourceChanges
from server.services.schemas import Schemas
from tests.support.callers import LocalAgent, new_person
from tests.support.chains import BANK, Chains
from tests.support.installation import BY, PAYMENT

SEED = 20_261_126
CASES = 10_000
RULE_SETS = 50
THROUGH_THE_DOOR = 10
"""Of the cases of one rule set, so many go over HTTP; the others ask where the grant asks."""
SCOPES = ("bank:close", "bank:read", "bank:write")

_CONDITIONS = (
    'when.agent = ["one"]',
    'when.labels = ["pilot"]',
    'when.owner = ["admin"]',
    'when.user = ["ana"]',
    'when.at = ["exchange", "request"]',
    'when.at = ["client_credentials"]',
    'when.resource = ["https://bank.*"]',
    'when.scope = ["bank:read"]',
    'when.scope = ["bank:*"]',
    'when.type = ["payment.*"]',
    'when.risk.at_most = "high"',
    'when.risk.at_least = "medium"',
    'when.amount = { currency = "EUR", over = 500 }',
    'when.amount = { currency = "EUR", at_most = 500 }',
    'when.during = { days = ["mon", "tue", "wed"], zone = "UTC" }',
    'when.outside = { from = "08:00", to = "18:00", zone = "Europe/Berlin" }',
    'when.count = { over = 3, within = "1d" }',
    'when.count = { at_most = 9, within = "1h" }',
    'when.known = ["resource"]',
)
_ALLOWED = ("medium", "high", "critical", "critical")
_ASKS = ('ask.risk = "high"', 'ask.ceremony = "pin"', 'ask.who = ["ana"]', "ask.quorum = 1")


def _rules(chance):
    """One to eight rules, of which some allow what is of high risk."""
    written = []
    for n in range(chance.randint(1, 8)):
        outcome = chance.choices(("allow", "ask", "deny"), (8, 2, 1))[0]
        many = chance.randint(1, 2)
        lines = {line.split(" =")[0]: line for line in chance.sample(_CONDITIONS, many)}
        if outcome == "allow":
            lines["when.risk.at_most"] = f'when.risk.at_most = "{chance.choice(_ALLOWED)}"'
        if outcome == "ask" and chance.random() < 0.5:
            lines["ask"] = chance.choice(_ASKS)
        head = (f'id = "r{n}"', 'because = "By chance."', f'outcome = "{outcome}"')
        written.append("\n".join(["[[rules]]", *head, *lines.values()]))
    return "\n".join(written)


class World:
    """Two agents, two people, a bank, and the tokens that the people have at the desk."""

    def __init__(self, local, person, chance):
        self.local, self.chance = local, chance
        self.store, self.rules = local.services.store, local.services.rules
        self.trials = Trials(self.store, self.rules)
        self.exchanges = Exchanges(Schemas(), Judge(), self.rules)
        ben = new_person(local, "ben")
        self.chains = {
            name: Chains(local, one.user.id) for name, one in {"ana": person, "ben": ben}.items()
        }
        first = self.chains["ana"]
        first.prepare()
        risks = dict(zip(SCOPES, (Risk.CRITICAL, Risk.LOW, Risk.HIGH), strict=True))
        local.desk.resources.update(BANK, ResourceChanges(scopes=risks), by=BY)
        local.desk.actions.update(json.dumps({**PAYMENT, "risk": "medium"}), by=BY)
        self.agents: dict[str, LocalAgent] = {n: first.agent(n) for n in ("one", "two")}
        local.desk.agents.update("one", AgentChanges(labels=("pilot",)), by=BY)

    def draw(self):
        """One case."""
        way = self.chance.choice(("exchange", "exchange", "client_credentials", "request"))
        scope = tuple(sorted(self.chance.sample(SCOPES, self.chance.randint(1, 3))))
        user = None if way == "client_credentials" else self.chance.choice(("ana", "ben"))
        details = None
        if user is not None and self.chance.random() < 0.4:
            amount = {"minor": self.chance.randint(1, 1_000), "currency": "EUR"}
            details = [{"type": "payment.transfer", "amount": amount, "payee": "Nord"}]
        text = None if details is None else json.dumps(details)
        return Wanted(self.chance.choice(("one", "two")), way, user, BANK, scope, text)

    def asked_at_the_door(self, wanted):
        """What the agent gets over HTTP."""
        agent, scope = self.agents[wanted.agent], " ".join(wanted.scope)
        if wanted.way == "client_credentials":
            answer = agent.alone(resource=BANK, scope=scope)
        elif wanted.way == "exchange":
            chains = self.chains[wanted.user]
            sent = {"scope": scope, "authorization_details": wanted.details}
            answer = chains.exchange(agent, chains.user_token(), **sent)
        else:
            sent = {"authorization_details": wanted.details, "scope": f"openid {scope}"}
            answer = agent.ask(login_hint=wanted.user, resource=BANK, **sent)
            return {200: "person", 403: "refused"}[answer.status]
        if answer.status == 400:
            assert answer.refusal[1] == "interaction_required", answer.body
        return {200: "token", 400: "person", 403: "refused"}[answer.status]

    def asked_of_the_grant(self, wanted):
        """What an exchange is told, before anything is signed or stored."""
        details = tuple(json.loads(wanted.details or "[]"))
        asked = Asked("t", None, BANK, wanted.scope, details, tuple(d["type"] for d in details))
        with self.store.read() as view:
            agent = view.directory.agent(self.agents[wanted.agent].id)
            subject = self.subjects[wanted.user]
            try:
                self.exchanges.weigh(view, agent, asked, subject)
            except Refused as refused:
                return "refused" if refused.reason is Reason.POLICY_DENIED else "person"
            return "token"

    def begin(self):
        """A new day: the people's tokens at the desk, and what they consented to until tomorrow."""
        for name, chains in self.chains.items():
            if name == "ana":
                chains.consent(self.agents["one"], *SCOPES)
            chains.consent(self.agents["two"], *SCOPES)
        self.subjects = {n: c.row(c.user_token()) for n, c in self.chains.items()}


@pytest.mark.timeout(600)
def test_explanation_and_enforcement_agree_on_ten_thousand_cases(open_local, template):
    """Whatever the rules are; and each of the three outcomes came often."""
    local = open_local(open_per_agent=10_000, open_per_user=10_000, open_in_all=10_000)
    chance = random.Random(SEED)  # noqa: S311  # the same cases every time
    world = World(local, template.person(local), chance)
    seen = dict.fromkeys(("token", "person", "refused"), 0)
    for _ in range(RULE_SETS):
        Policies(world.store).set(_rules(chance), by=BY)
        local.clock.forward((24 * 60 + chance.randint(1, 7 * 24 * 10)) * 60_000)
        world.begin()
        for n in range(CASES // RULE_SETS):
            wanted = world.draw()
            door = n < THROUGH_THE_DOOR
            if not door:
                wanted = replace(wanted, way="exchange", user=wanted.user or "ben")
            told = world.trials.explain(wanted)
            found = (world.asked_at_the_door if door else world.asked_of_the_grant)(wanted)
            assert found == told.then, (wanted, told.verdict, Policies(world.store).show().document)
            seen[found] += 1
    assert sum(seen.values()) == CASES
    assert min(seen.values()) > CASES // 50, seen
