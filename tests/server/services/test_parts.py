"""Every grant is within its request and within what the policy allows.

Random types, details and scopes are tested against random rule sets, through the services.
This file states the subset rules a second time, independently of the server.
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
SCHEMAS = {
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
TYPED_VALUES = {
    "sum": st.integers(0, 1_100).map(lambda minor: f"{minor / 100:.2f}"),
    "count": st.integers(0, 55).map(str),
    "names": st.sets(st.integers(1, 5)).map(lambda n: ",".join(map(str, sorted(n))) or "none"),
    "until": st.integers(1, 9).map(lambda day: f"2026-12-0{day}T12:00:00Z"),
    "dry": st.sampled_from(["yes", "no"]),
    "note": st.just("z"),
}


@st.composite
def _types(draw):
    """Draw the members of each type, and which of them may be narrowed."""
    types = {}
    for name in TYPES:
        members = draw(st.sets(st.sampled_from(sorted(SCHEMAS)), min_size=1))
        may_narrow = draw(st.sets(st.sampled_from(sorted(members)))) & RULES.keys()
        types[name] = (sorted(members), may_narrow)
    return types


@st.composite
def _requests(draw, types):
    """Draw one to three details of these types, and scopes."""
    names = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=3))
    details = [
        {"type": name, **{member: draw(VALUES[member]) for member in types[name][0]}}
        for name in names
    ]
    return details, draw(st.sets(st.sampled_from(sorted(PAY_SCOPES))))


@st.composite
def _narrowings(draw, details, scope, types):
    """Draw no changes, changes of members that may be narrowed, or changes of any member."""
    members = [
        (index, detail["type"], member)
        for index, detail in enumerate(details)
        for member in sorted(detail)
    ]
    all_members = [(index, member) for index, _, member in members if member != "type"]
    may_narrow = [(index, member) for index, name, member in members if member in types[name][1]]
    pool = draw(st.sampled_from([[], may_narrow, all_members]))
    chosen = draw(st.lists(st.sampled_from(pool), max_size=3, unique=True)) if pool else []
    changes = [
        {"place": index, "fact": f"/{member}", "to": draw(TYPED_VALUES[member])}
        for index, member in chosen
    ]
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
    """Return the rule set for a limit: a maximum amount, and denied types and scopes."""
    condition = f'when.amount = {{ currency = "EUR", over = {limit["most"]} }}'
    rules = [rule("deny", condition, name="amount")]
    if limit["types"]:
        rules.append(
            rule("deny", f"when.type = {json.dumps(sorted(limit['types']))}", name="types")
        )
    if limit["scopes"]:
        scopes = json.dumps(sorted(limit["scopes"]))
        rules.append(rule("deny", f"when.scope = {scopes}", name="scopes"))
    return "\n".join([*rules, rule("ask", 'ask.risk = "low"', name="else")])


def _admits(limit, details, scope):
    """Return whether the limit allows the request."""
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
    """Return whether one detail is within another if only these members may be narrowed."""
    if granted.keys() != requested.keys():
        return False
    fixed = granted.keys() - narrow
    return all(granted[member] == requested[member] for member in fixed) and all(
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
    """An agent that sends requests, a person who approves with limits, and a policy."""

    def __init__(self, local, agent, person):
        self.local, self.agent, self.person = local, agent, person
        self.policies = Policies(local.services.store)
        lowest = ResourceChanges(scopes=dict.fromkeys(PAY_SCOPES, Risk.LOW))
        local.admin.resources.update(PAY, lowest, by=BY)
        for name in TYPES:
            local.admin.actions.add(json.dumps(_type_document(name, ["note"], ())), by=BY)

    def register(self, types):
        """Register types with these members."""
        for name, (members, narrow) in types.items():
            document = _type_document(name, members, narrow)
            self.local.admin.actions.update(json.dumps(document), by=BY)

    def limit(self, limit):
        """Set a policy with this limit."""
        self.policies.set(_document(limit), by=BY)

    def ask(self, details, scope):
        """Return the response of `/bc-authorize`."""
        payload = json.dumps(details)
        scope = " ".join(["openid", *sorted(scope)])
        return self.agent.ask(scope=scope, authorization_details=payload)

    def propose(self, approval, body):
        """Ask the server for the narrowed text of a request."""
        return self.person.call("POST", f"/api/approvals/{approval.id}/narrowing", body)

    def grant(self, approval, text):
        """Sign a text that states what is granted, as the person."""
        jws = self.person.decision(approval.id, granted=decisions.digest(text))
        return self.person.send_decision(approval.id, jws, granted=text)


def _type_document(name, members, narrow):
    properties = {"type": {"const": name}, **{member: SCHEMAS[member] for member in members}}
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return {
        "type": name,
        "title": "Order",
        "risk": "low",
        "headline": "Order",
        "undo": "It can be undone.",
        "schema": {**schema, "required": members},
        "material": [],
        "narrow": {f"/{member}": RULES[member] for member in narrow},
    }


def _check(world, data):
    """Follow one request from the policy decision to the token."""
    types = data.draw(_types())
    limit_at_request, limit_at_token = data.draw(_POLICY_LIMITS), data.draw(_POLICY_LIMITS)
    details, scope = data.draw(_requests(types))
    world.register(types)
    world.limit(limit_at_request)
    answer = world.ask(details, scope)
    assert (answer.status == 200) is _admits(limit_at_request, details, scope)
    if answer.status != 200:
        return "refused"
    approval = world.local.approval_for(answer.json["auth_req_id"])
    proposal = world.propose(approval, data.draw(_narrowings(details, scope, types)))
    granted, granted_scope, outcome = details, scope, "full"
    if proposal.status == 200:
        text = json.loads(proposal.json["text"])
        granted, granted_scope = text["authorization_details"], set(text["scope"])
        outcome = "narrowed"
        _assert_a_wider_text_is_refused(world, approval, text, data)
        assert world.grant(approval, proposal.json["text"]).status == 200
    else:
        assert proposal.refusal == (422, "not_narrower")
        assert world.person.approve(approval.id).status == 200
    assert granted_scope <= scope
    assert len(granted) == len(details)
    for granted_detail, detail in zip(granted, details, strict=True):
        assert _is_part(granted_detail, detail, types[detail["type"]][1])
    world.limit(limit_at_token)
    token = world.agent.poll(answer.json["auth_req_id"])
    assert (token.status == 200) is _admits(limit_at_token, granted, granted_scope)
    if token.status == 200:
        assert token.json["authorization_details"] == granted
        assert set(token.json["scope"].split()) == {"openid", *granted_scope}
    return outcome


def _assert_a_wider_text_is_refused(world, approval, text, data):
    """Assert that a text that grants more than the request is refused."""
    index = data.draw(st.integers(0, len(text["authorization_details"]) - 1))
    details = json.loads(json.dumps(text["authorization_details"]))
    requested = json.loads(approval.details)[index]
    member = data.draw(st.sampled_from(sorted(requested.keys() - {"type"})))
    details[index][member] = _WIDER_VALUES[member](requested[member])
    forged = json_text.canonical({**text, "authorization_details": details})
    assert world.grant(approval, forged).refusal == (422, "not_narrower")


_WIDER_VALUES = {
    "sum": lambda requested: {**requested, "minor": requested["minor"] + 1},
    "count": lambda requested: requested + 1,
    "names": lambda requested: [*requested, "eve"],
    "until": lambda requested: requested.replace("2026", "2027"),
    "dry": lambda requested: 0 if requested is False else False,
    "note": lambda requested: f"{requested}!",
}
"""For each member, how to make a value that is wider than the requested value."""


def test_granted_rights_are_part_of_the_request_and_of_the_policy(open_local, template):
    """The rule holds for the request, for the decision and when the token is issued."""
    local = open_local(open_per_agent=10_000, open_per_user=10_000, open_in_all=10_000)
    world = _World(local, template.agent(local), template.person(local))
    outcomes = dict.fromkeys(("refused", "full", "narrowed"), 0)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check_case(data):
        outcomes[_check(world, data)] += 1

    check_case()
    assert all(outcomes.values()), outcomes
