"""What is granted is part of the request, and the request is part of what policy allows.

For random types, lists, scopes and several details against random rule sets, through the services.
The subset rules are written here a second time, independently of the product.
"""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.protocol import json_text
from server.protocol.approvals import decisions
from server.protocol.policy.risks import Risk
from server.services.policy.policies import Policies
from server.services.resources.resources import ResourceChanges
from tests.support.builders.installation import BY, PAY, PAY_SCOPES
from tests.support.builders.policies import rule
from tests.support.inputs.random_cases import cases

EXAMPLES = cases(30)
TYPES = ("order.a", "order.b", "order.c")
RULES = {"sum": "lower", "count": "lower", "names": "drop", "until": "earlier", "dry": "turn_on"}
NAMES = ("ana", "ben", "cleo", "dora")
MONEY = {
    "type": "object",
    "additionalProperties": False,
    "required": ["minor", "currency"],
    "properties": {"minor": {"type": "integer"}, "currency": {"type": "string", "maxLength": 3}},
}
FORMS = {
    "sum": MONEY,
    "count": {"type": "integer"},
    "names": {"type": "array", "items": {"type": "string", "maxLength": 20}, "maxItems": 9},
    "until": {"type": "string", "maxLength": 30},
    "dry": {"type": "boolean"},
    "note": {"type": "string", "maxLength": 20},
}
VALUES = {
    "sum": st.builds(
        lambda minor, currency: {"minor": minor, "currency": currency},
        st.integers(1, 1_000),
        st.sampled_from(["EUR", "USD"]),
    ),
    "count": st.integers(1, 50),
    "names": st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True),
    "until": st.integers(0, 9).map(lambda n: f"2026-12-0{n + 1 if n < 9 else 9}T12:00:00Z"),
    "dry": st.booleans(),
    "note": st.sampled_from(["x", "y"]),
}
WRITTEN = {
    "sum": st.integers(0, 1_100).map(lambda minor: f"{minor / 100:.2f}"),
    "count": st.integers(0, 55).map(str),
    "names": st.sets(st.integers(1, 5)).map(lambda n: ",".join(map(str, sorted(n))) or "none"),
    "until": st.integers(1, 9).map(lambda day: f"2026-12-0{day}T12:00:00Z"),
    "dry": st.sampled_from(["yes", "no"]),
    "note": st.just("z"),
}


@st.composite
def _types(draw):
    """Which members each type has, and which of them may be narrowed."""
    found = {}
    for name in TYPES:
        has = draw(st.sets(st.sampled_from(sorted(FORMS)), min_size=1))
        found[name] = (sorted(has), draw(st.sets(st.sampled_from(sorted(has)))) & RULES.keys())
    return found


@st.composite
def _requests(draw, types):
    """One to three details of these types, and scopes."""
    names = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=3))
    details = [{"type": n, **{m: draw(VALUES[m]) for m in types[n][0]}} for n in names]
    return details, draw(st.sets(st.sampled_from(sorted(PAY_SCOPES))))


@st.composite
def _narrowings(draw, details, scope, types):
    """Some changes: none, of members that may be narrowed, or of any; some widen the member."""
    members = [(n, one["type"], m) for n, one in enumerate(details) for m in sorted(one)]
    any_place = [(n, m) for n, _, m in members if m != "type"]
    may_narrow = [(n, m) for n, name, m in members if m in types[name][1]]
    places = draw(st.sampled_from([[], may_narrow, any_place]))
    picked = draw(st.lists(st.sampled_from(places), max_size=3, unique=True)) if places else []
    changes = [{"place": n, "fact": f"/{m}", "to": draw(WRITTEN[m])} for n, m in picked]
    dropped = draw(st.sets(st.sampled_from(sorted(scope)))) if scope else set()
    seconds = draw(st.one_of(st.none(), st.integers(30, 400)))
    body = {"changes": changes, "drop_scopes": sorted(dropped)}
    return body if seconds is None else {**body, "token_seconds": seconds}


_POLICY_LIMITS = st.fixed_dictionaries(
    {
        "most": st.integers(100, 3_000),
        "types": st.sets(st.sampled_from(TYPES), max_size=1),
        "scopes": st.sets(st.sampled_from(sorted(PAY_SCOPES)), max_size=1),
    }
)


def _document(limit):
    """The rule set of a limit: a highest amount, and denied types and scopes."""
    over = f'when.amount = {{ currency = "EUR", over = {limit["most"]} }}'
    rules = [rule("deny", over, name="amount")]
    if limit["types"]:
        rules.append(
            rule("deny", f"when.type = {json.dumps(sorted(limit['types']))}", name="types")
        )
    if limit["scopes"]:
        named = json.dumps(sorted(limit["scopes"]))
        rules.append(rule("deny", f"when.scope = {named}", name="scopes"))
    return "\n".join([*rules, rule("ask", 'ask.risk = "low"', name="else")])


def _admits(limit, details, scope):
    """Whether the request is part of what policy allows."""
    euros = [
        detail["sum"]["minor"]
        for detail in details
        if detail.get("sum", {}).get("currency") == "EUR"
    ]
    types = {detail["type"] for detail in details}
    return (
        sum(euros) <= limit["most"] and not types & limit["types"] and not scope & limit["scopes"]
    )


def _is_part(granted, requested, narrow):
    """Whether one detail is part of another, where only these members may be narrowed."""
    if granted.keys() != requested.keys():
        return False
    fixed = granted.keys() - narrow
    return {m: granted[m] for m in fixed} == {m: requested[m] for m in fixed} and all(
        _is_less_or_same(member, granted[member], requested[member]) for member in narrow
    )


def _is_less_or_same(member, granted, requested):
    if member == "sum":
        same = granted["currency"] == requested["currency"]
        return same and 0 <= granted["minor"] <= requested["minor"]
    if member == "count":
        return 0 <= granted <= requested
    if member == "names":
        return granted == [name for name in requested if name in granted]
    if member == "until":
        return granted <= requested
    return granted or not requested


class _World:
    """An agent that asks, a person who approves with limits, and a policy."""

    def __init__(self, local, agent, person):
        self.local, self.agent, self.person = local, agent, person
        self.policies = Policies(local.services.store)
        lowest = ResourceChanges(scopes=dict.fromkeys(PAY_SCOPES, Risk.LOW))
        local.admin.resources.update(PAY, lowest, by=BY)
        for name in TYPES:
            local.admin.actions.add(json.dumps(_file(name, ["note"], ())), by=BY)

    def register(self, types):
        """Register types with these members."""
        for name, (has, narrow) in types.items():
            self.local.admin.actions.update(json.dumps(_file(name, has, narrow)), by=BY)

    def limit(self, limit):
        """Put a policy limit in force."""
        self.policies.set(_document(limit), by=BY)

    def ask(self, details, scope):
        """The answer of `/bc-authorize`."""
        payload = json.dumps(details)
        scope = " ".join(["openid", *sorted(scope)])
        return self.agent.ask(scope=scope, authorization_details=payload)

    def propose(self, approval, body):
        """The narrowed text that the server proposes."""
        return self.person.call("POST", f"/api/approvals/{approval.id}/narrowing", body)

    def grant(self, approval, text):
        """The person signs a text that says what is granted."""
        jws = self.person.decision(approval.id, granted=decisions.digest(text))
        return self.person.send_decision(approval.id, jws, granted=text)


def _file(name, has, narrow):
    members = {"type": {"const": name}, **{member: FORMS[member] for member in has}}
    schema = {"type": "object", "additionalProperties": False, "properties": members}
    return {
        "type": name,
        "title": "Order",
        "risk": "low",
        "headline": "Order",
        "undo": "It can be undone.",
        "schema": {**schema, "required": has},
        "material": [],
        "narrow": {f"/{member}": RULES[member] for member in narrow},
    }


def _check(world, data):
    """One request, from the policy decision to the token."""
    types, before, later = data.draw(_types()), data.draw(_POLICY_LIMITS), data.draw(_POLICY_LIMITS)
    details, scope = data.draw(_requests(types))
    world.register(types)
    world.limit(before)
    answer = world.ask(details, scope)
    assert (answer.status == 200) is _admits(before, details, scope)
    if answer.status != 200:
        return "refused"
    approval = world.local.behind(answer.json["auth_req_id"])
    proposed = world.propose(approval, data.draw(_narrowings(details, scope, types)))
    granted, kept, outcome = details, scope, "full"
    if proposed.status == 200:
        text = json.loads(proposed.json["text"])
        granted, kept, outcome = text["authorization_details"], set(text["scope"]), "narrowed"
        _refuses_a_wider_text(world, approval, text, data)
        assert world.grant(approval, proposed.json["text"]).status == 200
    else:
        assert proposed.refusal == (422, "not_narrower")
        assert world.person.approve(approval.id).status == 200
    assert kept <= scope
    assert len(granted) == len(details)
    for one, other in zip(granted, details, strict=True):
        assert _is_part(one, other, types[other["type"]][1])
    world.limit(later)
    fetched = world.agent.poll(answer.json["auth_req_id"])
    assert (fetched.status == 200) is _admits(later, granted, kept)
    if fetched.status == 200:
        assert fetched.json["authorization_details"] == granted
        assert set(fetched.json["scope"].split()) == {"openid", *kept}
    return outcome


def _refuses_a_wider_text(world, approval, text, data):
    """A text that grants slightly more than the server's proposal is refused."""
    place = data.draw(st.integers(0, len(text["authorization_details"]) - 1))
    details = json.loads(json.dumps(text["authorization_details"]))
    requested = json.loads(approval.details)[place]
    member = data.draw(st.sampled_from(sorted(requested.keys() - {"type"})))
    details[place][member] = _MORE[member](requested[member])
    forged = json_text.canonical({**text, "authorization_details": details})
    assert world.grant(approval, forged).refusal == (422, "not_narrower")


_MORE = {
    "sum": lambda requested: {**requested, "minor": requested["minor"] + 1},
    "count": lambda requested: requested + 1,
    "names": lambda requested: [*requested, "eve"],
    "until": lambda requested: requested.replace("2026", "2027"),
    "dry": lambda requested: 0 if requested is False else False,
    "note": lambda requested: f"{requested}!",
}
"""For each member, a value that is wider than the requested one."""


def test_granted_rights_are_part_of_the_request_and_of_the_policy(open_local, template):
    """The rule holds at initiation, in the decision and when the token is minted."""
    local = open_local(open_per_agent=10_000, open_per_user=10_000, open_in_all=10_000)
    world = _World(local, template.agent(local), template.person(local))
    outcomes = dict.fromkeys(("refused", "full", "narrowed"), 0)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def holds(data):
        outcomes[_check(world, data)] += 1

    holds()
    assert all(outcomes.values()), outcomes
