"""Explain and enforcement agree on random cases, because they use the same evaluator.

Rule sets, scopes, people, groups, actions, amounts and standing grants are random, and history
grows with tokens and decisions. The test compares each explanation with the outcome at the
endpoint: who is asked, how many approvals are needed, the risk and the ceremony.
"""

import json
import random

import pytest

from server.model.approvals import automatic_decision
from server.model.standing_grants import StandingGrant
from server.model.tokens import LoggedExchange
from server.protocol import names
from server.protocol.approvals import ceremonies
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.protocol.tokens.exchange_refusals import Reason
from server.services.approvers.groups import Groups
from server.services.clients.agent_forms import AgentChanges
from server.services.operations.trials import TrialRequest, Trials
from server.services.policy import history
from server.services.policy.evaluation import Evaluator
from server.services.policy.policies import Policies
from server.services.resources.resources import ResourceChanges
from server.services.tokens.exchange_checks import ExchangeChecks, ExchangeRefused
from tests.support.builders.callers import LocalAgent, new_person
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAYMENT
from tests.support.builders.token_chains import BANK, Chains
from tests.support.inputs.random_cases import cases

SEED = 20_261_126
CASES = cases(1_000)
RULE_SETS = CASES // 40
DIRECT_EXCHANGES = 0.75
"""The share of exchanges that call the checks directly; the others go over HTTP."""
ANSWERED = 0.2
"""The share of pending requests that are added to the history as approved."""
SCOPES = ("bank:close", "bank:read", "bank:write")
PEOPLE = ("ana", "ben", "cleo")
PAYEES = ("Nord", "Ost", "Sued", "West")
ACRS = (None, None, names.ACR_SIGNED, names.ACR_SIGNED_PIN)
STAKES = {"target": "/payee", "amount": "/amount", "type_back": {"fact": "/amount"}}

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
    'when.first_time = ["resource", "scope"]',
    'when.first_time = ["/payee"]',
    'when.known = ["resource"]',
    'when.known = ["/payee"]',
    'when.unusual = ["new_agent", "new_scope"]',
    'when.unusual = ["large_amount", "new_target"]',
)
_NEVER_ALLOWS = frozenset({"when.unusual", "when.first_time"})
_ALLOWED = ("medium", "high", "critical", "critical")
_ASKS = (
    'ask.risk = "high"',
    'ask.risk = "critical"',
    'ask.ceremony = "pin"',
    'ask.who = ["ana"]',
    'ask.who = ["ana", "ben"]',
    'ask.who = ["finance"]',
    'ask.who = ["finance", "admin"]',
    'ask.exclude = ["user", "owner"]',
    "ask.quorum = 1",
    "ask.quorum = 2",
    "ask.quorum = 3",
    'ask.ttl = "5m"',
)


def _random_rules(chance):
    """One to eight rules, some of which allow high risk."""
    rules = []
    for n in range(chance.randint(1, 8)):
        outcome = chance.choices(("allow", "ask", "deny"), (8, 4, 1))[0]
        condition_count = chance.randint(1, 2)
        lines = {line.split(" =")[0]: line for line in chance.sample(_CONDITIONS, condition_count)}
        if outcome == "allow":
            lines = {name: line for name, line in lines.items() if name not in _NEVER_ALLOWS}
            lines["when.risk.at_most"] = f'when.risk.at_most = "{chance.choice(_ALLOWED)}"'
        if outcome == "ask":
            terms = chance.sample(_ASKS, chance.randint(0, 3))
            lines |= {line.split(" =")[0]: line for line in terms}
        head = (f'id = "r{n}"', 'because = "By chance."', f'outcome = "{outcome}"')
        rules.append("\n".join(["[[rules]]", *head, *lines.values()]))
    return "\n".join(rules)


def _explained_outcome(explanation):
    """Return the members of an explanation that the outcome at an endpoint has too."""
    verdict, audience = explanation.verdict, explanation.audience
    members = {"then": explanation.next_step, "policy": verdict.facts(), "risk": verdict.risk}
    if explanation.next_step == "token" or explanation.case.flow != "request" or audience is None:
        return members
    members["ceremony"] = ceremonies.ceremony_text(verdict.requirements.ceremony)
    members["quorum"], members["seconds"] = (
        verdict.requirements.quorum,
        verdict.requirements.seconds,
    )
    members["unusual"] = set(explanation.unusual)
    members["people"] = {
        (person.name, person.why, person.approves, person.group) for person in audience.people
    }
    return members


class World:
    """Two agents, three people, a group of two of them, a bank, and the people's tokens."""

    def __init__(self, local, person, chance):
        self.local, self.chance = local, chance
        self.store, self.rules = local.services.store, local.server_policy
        evaluator = Evaluator(local.services.secrets)
        self.trials = Trials(self.store, self.rules, evaluator)
        self.exchanges = ExchangeChecks(evaluator, self.rules)
        people = [person, *(new_person(local, name) for name in PEOPLE[1:])]
        self.ids = {name: caller.user.id for name, caller in zip(PEOPLE, people, strict=True)}
        self.chains = {name: Chains(local, user_id) for name, user_id in self.ids.items()}
        first = self.chains["ana"]
        first.prepare()
        groups = Groups(self.store, local.services.secrets)
        groups.add("finance", ["ben", "cleo"], by=BY)
        risks = dict(zip(SCOPES, (Risk.CRITICAL, Risk.LOW, Risk.HIGH), strict=True))
        local.admin.resources.update(BANK, ResourceChanges(scopes=risks), by=BY)
        local.admin.actions.update(json.dumps({**PAYMENT, **STAKES, "risk": "medium"}), by=BY)
        self.agents: dict[str, LocalAgent] = {
            "one": first.agent("one", high_grants=True),
            "two": first.agent("two", high_grants=True, interactive=True),
        }
        local.admin.agents.update("one", AgentChanges(labels=("pilot",)), by=BY)
        _, self.signed = self.agents["one"].request_approval(
            resource=BANK, scope="openid bank:read"
        )

    def draw(self):
        """Draw a random case."""
        flow = self.chance.choice(("exchange", "client_credentials", "request"))
        scope = tuple(sorted(self.chance.sample(SCOPES, self.chance.randint(1, 3))))
        user = None if flow == "client_credentials" else self.chance.choice(PEOPLE)
        details = None
        if user is not None and self.chance.random() < 0.4:
            payment = self._payment(self.chance.choice(PAYEES), self.chance.randint(1, 1_000))
            scope = self.chance.choice((scope, scope[:1]))
            details = json.dumps([payment])
        agent = self.chance.choice(("one", "two"))
        acr = self.chance.choice(ACRS) if flow == "request" else None
        return TrialRequest(agent, flow, user, BANK, scope, details, acr=acr)

    def _payment(self, payee, minor):
        amount = {"minor": minor, "currency": "EUR"}
        return {"type": "payment.transfer", "amount": amount, "payee": payee}

    def enforced(self, case):
        """Send the case to its endpoint and return the outcome."""
        agent, scope = self.agents[case.agent], " ".join(case.scope)
        if case.flow == "request":
            sent = {"authorization_details": case.details, "scope": f"openid {scope}"}
            sent["acr_values"] = case.acr
            return self._request_outcome(agent.ask(login_hint=case.user, resource=BANK, **sent))
        if case.flow == "client_credentials":
            return self._token_request_outcome(
                agent.alone(resource=BANK, scope=scope), "token.refused"
            )
        if self.chance.random() < DIRECT_EXCHANGES:
            return self._exchange_check_outcome(agent, case)
        sent = {"scope": scope, "authorization_details": case.details}
        answer = self.chains[case.user].exchange(agent, self.tokens[case.user], **sent)
        return self._token_request_outcome(answer, "exchange.refused")

    def _request_outcome(self, answer):
        """Return the outcome of a request; its row has the approvers and the terms."""
        if answer.status == 403:
            assert answer.json["reason"] in {"policy_denied", "too_few_people"}
            return {"then": "refused", **self._entry("approval.refused")}
        row = self.local.approval_for(answer.json["auth_req_id"])
        result = {"policy": json.loads(row.policy), "risk": row.risk}
        if row.state is not State.PENDING:
            return {"then": "token", **result, "by": automatic_decision(row)}
        result |= {"then": "person", "ceremony": row.ceremony, "quorum": row.quorum}
        result["seconds"] = (row.expires_at - row.created_at) // 1_000
        result["unusual"] = set(history.stored_codes(row.past))
        with self.store.read() as view:
            groups = {group.id: group.name for group in view.groups.all()}
            result["people"] = {
                (
                    view.directory.user(approver.user_id).name,
                    approver.why,
                    approver.approves,
                    groups.get(approver.group_id),
                )
                for approver in view.approvers.list_for(row)
                if approver.stands_for is None
            }
        if self.chance.random() < ANSWERED:
            with self.store.write() as tx:
                history.add_answer(tx, row, approved=True)
        return result

    def _token_request_outcome(self, answer, refusal):
        """Return the outcome of a token request and its audit entry."""
        if answer.status == 200:
            return {"then": "token", **self._entry("token.issued")}
        if answer.status == 400:
            assert answer.refusal[1] == "interaction_required", answer.body
        return {"then": {400: "person", 403: "refused"}[answer.status], **self._entry(refusal)}

    def _exchange_check_outcome(self, agent, case):
        """Return the outcome of the checks of an exchange, without a token."""
        details = tuple(json.loads(case.details or "[]"))
        exchange = LoggedExchange(
            "t", None, BANK, case.scope, details, tuple(d["type"] for d in details)
        )
        with self.store.read() as view:
            caller, subject = view.directory.agent(agent.id), self.subjects[case.user]
            try:
                verdict = self.exchanges.check(view, caller, exchange, subject).verdict
            except ExchangeRefused as refused:
                if refused.approval_needed is not None and refused.verdict.outcome == "ask":
                    return {"verdict": refused.verdict}
                next_step = "refused" if refused.reason is Reason.POLICY_DENIED else "person"
                return {"then": next_step, "verdict": refused.verdict}
            return {"then": "token", "verdict": verdict}

    def _entry(self, kind):
        """Return the verdict in the newest audit entry, if it has this type and a verdict."""
        with self.store.read() as view:
            body = json.loads(view.audit.tail(1)[0].body)
        if body["type"] != kind or "policy" not in body["facts"]:
            return {}
        risk = {"risk": body["posture"]} if "posture" in body else {}
        return {"policy": body["facts"]["policy"], **risk}

    def begin(self):
        """Begin a new day with new subject tokens, consents and standing grants."""
        for name, chains in self.chains.items():
            if name == "ana":
                chains.consent(self.agents["one"], *SCOPES)
            if name != "cleo":
                chains.consent(self.agents["two"], *SCOPES)
            for agent in self.agents.values():
                self._add_grant(name, agent, "[]", None)
                payment = json.dumps([self._payment(self.chance.choice(PAYEES), 100)])
                self._add_grant(name, agent, payment, "payment.transfer")
        self.poll_after_interval()

    def poll_after_interval(self):
        """Go forward ten minutes, so that no attempts are counted, and renew the subject tokens."""
        self.local.clock.forward(10 * MINUTE)
        self.tokens = {name: chains.user_token() for name, chains in self.chains.items()}
        self.subjects = {name: self.chains[name].row(token) for name, token in self.tokens.items()}

    def _add_grant(self, name, agent, details, action_type):
        """Add a standing grant for a day with random bounds."""
        now = self.local.clock.now()
        up_to = [{"path": "/amount", "up_to": {"minor": 600, "currency": "EUR"}}]
        with self.store.write() as tx:
            row = None if action_type is None else tx.directory.action(action_type)
            grant = StandingGrant(
                id=self.local.services.secrets.new_id("sayso_sg_"),
                user_id=self.ids[name],
                agent_id=agent.id,
                resource=BANK,
                scopes=self.chance.choice((SCOPES[1:], SCOPES[:2])),
                details=details,
                vary="[]" if action_type is None else json.dumps(up_to),
                type=action_type,
                version=None if row is None else row.version,
                risk=self.chance.choice((Risk.MEDIUM, Risk.HIGH)),
                ceremony=self.chance.choice(("confirm", "pin")),
                uses=self.chance.randint(1, 20),
                sum_minor=None if row is None else 3_000,
                sum_currency=None if row is None else "EUR",
                notify=True,
                used=0,
                spent_minor=0,
                numbered=0,
                approval_id=self.signed.id,
                created_at=now,
                expires_at=now + DAY,
            )
            tx.standing_grants.add(grant)


def _check(world, case):
    """Compare explanation and outcome of a case; return the next step and the explanation."""
    explained = world.trials.explain(case)
    actual = world.enforced(case)
    expected = _explained_outcome(explained)
    context = (case, explained.verdict, Policies(world.store).show().document)
    if "verdict" in actual:
        verdict = actual.pop("verdict")
        assert verdict in {None, explained.verdict}, context
        assert actual.get("then", explained.next_step) == explained.next_step, context
        return explained.next_step, explained
    decided_by = actual.pop("by", None) or {}
    grant_id = None if explained.standing_grant is None else explained.standing_grant.id
    assert decided_by.get("standing_grant") == grant_id or case.flow != "request", context
    assert actual == {member: expected[member] for member in actual}, context
    assert actual.keys() >= expected.keys() or actual["then"] != "person" or case.flow != "request"
    return explained.next_step, explained


@pytest.mark.timeout(600)
def test_explain_and_enforcement_agree_on_random_cases(open_local, template):
    """`explain` predicts every outcome, and each kind of outcome occurs often enough to count."""
    limits = {"open_per_agent": 20_000, "open_per_user": 20_000, "open_in_all": 20_000}
    local = open_local(**limits)
    random_source = random.Random(SEED)  # noqa: S311  # the same cases every time
    world = World(local, template.person(local), random_source)
    occurrences = dict.fromkeys(
        ("token", "person", "refused", "groups", "quorum", "grants", "ttl", "acr"), 0
    )
    for _ in range(RULE_SETS):
        Policies(world.store).set(_random_rules(random_source), by=BY)
        local.clock.forward((24 * 60 + random_source.randint(1, 7 * 24 * 10)) * MINUTE)
        world.begin()
        for n in range(CASES // RULE_SETS):
            if n % 20 == 19:
                world.poll_after_interval()
            case = world.draw()
            next_step, explained = _check(world, case)
            occurrences["acr"] += case.acr is not None and next_step == "person"
            occurrences[next_step] += 1
            people = () if explained.audience is None else explained.audience.people
            needs = explained.verdict.requirements
            occurrences["groups"] += any(person.group for person in people)
            occurrences["quorum"] += (
                next_step == "person" and needs is not None and needs.quorum > 1
            )
            occurrences["ttl"] += needs is not None and needs.seconds == 300
            occurrences["grants"] += explained.standing_grant is not None
    assert occurrences["token"] + occurrences["person"] + occurrences["refused"] == CASES
    assert min(occurrences.values()) >= CASES // 100, occurrences
