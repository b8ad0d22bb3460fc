"""No chain of exchanges ever widens anything; and what may be read is read exactly (RFC 8693)."""

import json
from dataclasses import replace

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from server.protocol import errors, forms
from server.protocol.tokens import exchange_refusals, token_exchange
from server.protocol.tokens.exchange_refusals import REFUSALS, STEPS, Reason
from server.protocol.tokens.token_exchange import ACCESS_TOKEN, DelegationBasis, Link
from server.protocol.tokens.tokens import act_claim
from server.services.tokens.issuing import TokenOrigin

RESOURCES = ("https://a.example", "https://b.example", "https://c.example")
SCOPES = ("read", "write", "pay", "close")
AGENTS = ("one", "two", "three", "four", "five", "six")

scopes = st.frozensets(st.sampled_from(SCOPES))
ceilings = st.dictionaries(st.sampled_from(RESOURCES), scopes)


def _form(**parameters):
    whole = {
        "subject_token": "t",
        "subject_token_type": ACCESS_TOKEN,
        "scope": "read",
        **parameters,
    }
    sent = {name: value for name, value in whole.items() if value is not None}
    return forms.Form({n: v if isinstance(v, tuple) else (v,) for n, v in sent.items()})


def test_a_request_is_read_once_and_whole():
    """Every parameter of RFC 8693 2.1 that counts here."""
    read = token_exchange.parse_request(
        _form(
            resource="https://a.example",
            audience="https://a.example",
            scope="write read",
            actor_token="a",
            actor_token_type=ACCESS_TOKEN,
            requested_token_type=ACCESS_TOKEN,
            authorization_details='[{"type": "x"}]',
        )
    )
    assert read == token_exchange.ExchangeRequest(
        "t", "a", "https://a.example", ("read", "write"), ({"type": "x"},)
    )
    bare = token_exchange.parse_request(_form())
    assert (bare.actor_token, bare.target, bare.details) == (None, None, ())


def test_details_may_stand_without_scopes():
    """An action needs none; nothing at all is nothing."""
    read = token_exchange.parse_request(_form(scope=None, authorization_details='[{"type": "x"}]'))
    assert read.scope == ()
    with pytest.raises(errors.InvalidScope):
        token_exchange.parse_request(_form(scope=None))


@given(st.data())
def test_no_chain_ever_widens(data):
    """I17: whatever agents, consents and wishes there are: scope, target, depth and end shrink."""
    world = _World(data)
    tokens, ends = [world.person()], [1_000]
    for caller in data.draw(st.lists(st.sampled_from(AGENTS), max_size=6)):
        if tokens[0].depth >= token_exchange.MOST_DEPTH:
            break
        target, asked = data.draw(st.sampled_from(RESOURCES)), data.draw(scopes)
        left = world.exchange(tokens, caller, target, asked)
        assert left <= asked & world.may[caller].get(target, frozenset())
        tokens.insert(0, Link(caller, target, left, tokens[0].depth + 1, frozenset()))
        ends.insert(0, TokenOrigin(until=ends[0]).end(data.draw(st.integers(1, 2_000))))
    assert ends == sorted(ends)
    assert all(token.depth <= token_exchange.MOST_DEPTH for token in tokens)


@pytest.mark.parametrize("bound", ["caller", "actor", "token"])
def test_the_caller_each_actor_and_each_token_bound_a_chain(bound):
    """I17: each of the three alone takes `write` away; with none of them it stays."""
    target, both, less = RESOURCES[0], frozenset({"read", "write"}), frozenset({"read"})

    def left(narrow):
        earlier = Link(
            "one",
            target,
            less if narrow == "token" else both,
            1,
            less if narrow == "actor" else both,
        )
        chain = token_exchange.DelegationBasis((earlier,), approved=False, first="one")
        return token_exchange.allowed_scopes(
            both, target, less if narrow == "caller" else both, chain
        )

    assert (left("nothing"), left(bound)) == (both, less)


def test_a_bound_that_is_forgotten_would_be_noticed(monkeypatch):
    """I17: a seeded bug: whatever is asked for is given."""
    monkeypatch.setattr(token_exchange, "allowed_scopes", lambda asked, *_: asked)
    quickly = settings(phases=(Phase.generate,), report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        quickly(given(st.data())(test_no_chain_ever_widens.hypothesis.inner_test))()


class _World:
    """Agents with ceilings, and what a person lets each of them have."""

    def __init__(self, data):
        self.data = data
        self.may = {name: data.draw(ceilings, name) for name in AGENTS}
        self.consents = {name: data.draw(ceilings, f"consent to {name}") for name in AGENTS}

    def person(self):
        """A person's own token, or one of a signed answer."""
        resource, signed = self.data.draw(st.sampled_from(RESOURCES)), self.data.draw(st.booleans())
        client = "one" if signed else "app"
        held = self.data.draw(scopes)
        return Link(client, resource, held, int(signed), frozenset(), approved=signed)

    def exchange(self, tokens, caller, target, asked):
        """What comes out; everything that bounds it is looked at again, in another way."""
        lineage = [self._at(token, target) for token in tokens]
        stands_on = token_exchange.delegation_basis(lineage, target, caller)
        ceiling = self.may[caller].get(target, frozenset())
        left = token_exchange.allowed_scopes(asked, target, ceiling, stands_on)
        if stands_on.approved:
            assert any(link.approved and link.resource == target for link in lineage)
        else:
            acting = [token.client for token in tokens if token.depth]
            first = acting[-1] if acting else caller
            left &= self.consents[first].get(target, frozenset())
            assert (stands_on.first, len(stands_on.links)) == (first, len(tokens))
        for link in stands_on.links:
            assert left <= link.scope or link.resource != target
            assert left <= link.ceiling or not link.depth
        return left

    def _at(self, token, target):
        ceiling = self.may.get(token.client, {}).get(target, frozenset())
        return replace(token, ceiling=ceiling)


@given(
    st.lists(st.lists(st.sampled_from(["a", "b", "c"]), max_size=4), min_size=1, max_size=4),
    st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=3),
    st.booleans(),
)
@example(held=[["a"]], wanted=["a", "a"], approved=True)
def test_details_are_covered_only_by_every_token_down_from_a_signed_answer(held, wanted, approved):
    """What one of them lacks, none after it has; without an answer there is nothing.

    Twice the same is twice, and once signed is once.
    """
    texts = {name: {"type": name} for name in "abcd"}
    links = tuple(
        Link("x", "r", frozenset(), 1, frozenset(), tuple(_text(texts[n]) for n in names))
        for names in held
    )
    covered = token_exchange.details_approved(
        [texts[name] for name in wanted], DelegationBasis(links, approved, "x")
    )
    enough = all(names.count(one) >= wanted.count(one) for names in held for one in wanted)
    assert covered == (approved and enough)


def _text(detail):
    return token_exchange.canonical(detail)


def test_one_is_not_true():
    """Python thinks so; a payment of `true` is none."""
    assert _text({"n": 1}) != _text({"n": True})
    assert _text({"a": 1, "b": 2}) == _text({"b": 2, "a": 1})


def test_a_signed_answer_counts_only_at_its_own_resource_and_only_for_an_actor():
    """Elsewhere the consent to the first agent counts; a person's own token is no agent's."""
    signed = Link("one", "a", frozenset({"read"}), 1, frozenset(), approved=True)
    own = Link("app", "a", frozenset({"read"}), 0, frozenset(), approved=True)
    later = Link("two", "b", frozenset(), 2, frozenset())
    assert token_exchange.delegation_basis([later, signed], "a", "three") == DelegationBasis(
        (later, signed), approved=True, first="one"
    )
    assert token_exchange.delegation_basis([later, signed], "c", "three").approved is False
    assert token_exchange.delegation_basis([own], "a", "one") == DelegationBasis(
        (own,), approved=False, first="one"
    )


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()),
        lambda inner: st.dictionaries(
            st.sampled_from(["sub", "iss", "act", "x"]), inner | st.text(), max_size=4
        ),
        max_leaves=12,
    )
)
def test_whatever_a_chain_is_it_is_read_or_refused(act):
    """TX-074: never a fault; what is read has four actors at most, each with a name."""
    try:
        found = token_exchange.actors(act)
    except errors.InvalidRequest:
        return
    assert len(found) <= token_exchange.MOST_DEPTH
    assert all(isinstance(name, str) for name in found)
    assert (act is None) == (found == ())


def test_actors_come_in_their_order_and_a_fifth_is_refused():
    """The current one first."""
    act = None
    for name in AGENTS[:4]:
        act = act_claim("https://i.example", name, act)
    assert token_exchange.actors(act) == AGENTS[3::-1]
    with pytest.raises(errors.InvalidRequest):
        token_exchange.actors(act_claim("https://i.example", "five", act))


def test_a_chain_is_too_large_beyond_eight_kilobytes():
    """To the byte, as it stands in the token."""
    frame = len(json.dumps({"sub": ""}, separators=(",", ":")))
    fits = {"sub": "x" * (token_exchange.MOST_ACT_BYTES - frame)}
    assert not token_exchange.too_large(fits)
    assert token_exchange.too_large({"sub": fits["sub"] + "x"})


def test_every_reason_has_a_step_a_text_and_a_remedy():
    """Nobody is refused without a way on; the steps are told in their order."""
    assert set(REFUSALS) == set(Reason)
    steps = [REFUSALS[reason].step for reason in Reason]
    assert steps == sorted(steps)
    assert set(steps) == set(STEPS)
    assert list(STEPS) == list(range(1, len(STEPS) + 1))
    for reason, refusal in REFUSALS.items():
        assert refusal.remedy, reason
        assert refusal.message or refusal.step in {1, 12}, reason
    assert exchange_refusals.Reason("not_served") is Reason.NOT_SERVED
