"""Token exchanges never widen access, and their requests are parsed strictly (RFC 8693)."""

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


def test_every_parameter_of_an_exchange_request_is_read():
    """All supported parameters of RFC 8693 2.1 are parsed, and most are optional."""
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
    minimal = token_exchange.parse_request(_form())
    assert (minimal.actor_token, minimal.target, minimal.details) == (
        None,
        None,
        (),
    )


def test_details_need_no_scope():
    """A request needs details or a scope."""
    read = token_exchange.parse_request(_form(scope=None, authorization_details='[{"type": "x"}]'))
    assert read.scope == ()
    with pytest.raises(errors.InvalidScope):
        token_exchange.parse_request(_form(scope=None))


@given(st.data())
def test_no_chain_ever_widens(data):
    """I17: for any agents, consents and requests, scope, depth and expiry stay in their limits."""
    world = _World(data)
    tokens, ends = [world.person()], [1_000]
    for caller in data.draw(st.lists(st.sampled_from(AGENTS), max_size=6)):
        if tokens[0].depth >= token_exchange.MAX_DEPTH:
            break
        target, requested_scopes = data.draw(st.sampled_from(RESOURCES)), data.draw(scopes)
        remaining = world.exchange(tokens, caller, target, requested_scopes)
        assert remaining <= requested_scopes & world.may[caller].get(target, frozenset())
        tokens.insert(0, Link(caller, target, remaining, tokens[0].depth + 1, frozenset()))
        ends.insert(0, TokenOrigin(until=ends[0]).expiry(data.draw(st.integers(1, 2_000))))
    assert ends == sorted(ends)
    assert all(token.depth <= token_exchange.MAX_DEPTH for token in tokens)


@pytest.mark.parametrize("bound", ["caller", "actor", "token"])
def test_the_caller_each_actor_and_each_token_limit_a_chain(bound):
    """I17: each of the three limits alone removes `write`, which stays without any of them."""
    target, both, less = RESOURCES[0], frozenset({"read", "write"}), frozenset({"read"})

    def remaining(narrow):
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

    assert (remaining("nothing"), remaining(bound)) == (both, less)


def test_a_forgotten_limit_is_detected(monkeypatch):
    """I17: the test finds a planted fault that grants all requested scopes."""
    monkeypatch.setattr(token_exchange, "allowed_scopes", lambda requested, *_: requested)
    quick_settings = settings(phases=(Phase.generate,), report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        quick_settings(given(st.data())(test_no_chain_ever_widens.hypothesis.inner_test))()


class _World:
    """Agents with ceilings, and the user's consents for each of them."""

    def __init__(self, data):
        self.data = data
        self.may = {name: data.draw(ceilings, name) for name in AGENTS}
        self.consents = {name: data.draw(ceilings, f"consent to {name}") for name in AGENTS}

    def person(self):
        """Return a user's own token, or a token from a signed approval."""
        resource, signed = self.data.draw(st.sampled_from(RESOURCES)), self.data.draw(st.booleans())
        client = "one" if signed else "app"
        token_scopes = self.data.draw(scopes)
        return Link(client, resource, token_scopes, int(signed), frozenset(), approved=signed)

    def exchange(self, tokens, caller, target, requested_scopes):
        """Return the resulting scopes, after checking each limit again in another way."""
        lineage = [self._at(token, target) for token in tokens]
        basis = token_exchange.delegation_basis(lineage, target, caller)
        ceiling = self.may[caller].get(target, frozenset())
        remaining = token_exchange.allowed_scopes(requested_scopes, target, ceiling, basis)
        if basis.approved:
            assert any(link.approved and link.resource == target for link in lineage)
        else:
            acting = [token.client for token in tokens if token.depth]
            first = acting[-1] if acting else caller
            remaining &= self.consents[first].get(target, frozenset())
            assert (basis.first, len(basis.links)) == (first, len(tokens))
        for link in basis.links:
            assert remaining <= link.scope or link.resource != target
            assert remaining <= link.ceiling or not link.depth
        return remaining

    def _at(self, token, target):
        ceiling = self.may.get(token.client, {}).get(target, frozenset())
        return replace(token, ceiling=ceiling)


@given(
    st.lists(st.lists(st.sampled_from(["a", "b", "c"]), max_size=4), min_size=1, max_size=4),
    st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=3),
    st.booleans(),
)
@example(tokens=[["a"]], requested=["a", "a"], approved=True)
def test_details_must_be_covered_by_every_token_since_a_signed_approval(
    tokens, requested, approved
):
    """Details need a signed approval, and no token of the chain may lack them.

    Two equal actions need two signed ones.
    """
    texts = {name: {"type": name} for name in "abcd"}
    links = tuple(
        Link("x", "r", frozenset(), 1, frozenset(), tuple(_text(texts[n]) for n in names))
        for names in tokens
    )
    covered = token_exchange.details_approved(
        [texts[name] for name in requested], DelegationBasis(links, approved, "x")
    )
    enough = all(names.count(n) >= requested.count(n) for names in tokens for n in requested)
    assert covered == (approved and enough)


def _text(detail):
    return token_exchange.canonical(detail)


def test_one_and_true_are_different_details():
    """Python treats 1 and true as equal, but they are different details."""
    assert _text({"n": 1}) != _text({"n": True})
    assert _text({"a": 1, "b": 2}) == _text({"b": 2, "a": 1})


def test_a_signed_approval_counts_only_at_its_resource_and_for_an_actor():
    """At other resources, and for a user's own token, the consent to the first agent applies."""
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
def test_any_act_claim_is_read_or_refused(act):
    """TX-074: any claim gives at most four named actors or InvalidRequest, and never a crash."""
    try:
        found = token_exchange.actors(act)
    except errors.InvalidRequest:
        return
    assert len(found) <= token_exchange.MAX_DEPTH
    assert all(isinstance(name, str) for name in found)
    assert (act is None) == (found == ())


def test_actors_are_read_in_order_and_a_fifth_is_refused():
    """The current actor comes first."""
    act = None
    for name in AGENTS[:4]:
        act = act_claim("https://i.example", name, act)
    assert token_exchange.actors(act) == AGENTS[3::-1]
    with pytest.raises(errors.InvalidRequest):
        token_exchange.actors(act_claim("https://i.example", "five", act))


def test_an_act_claim_over_eight_kilobytes_is_too_large():
    """The limit applies to the claim as it is in the token, exact to the byte."""
    frame = len(json.dumps({"sub": ""}, separators=(",", ":")))
    fits = {"sub": "x" * (token_exchange.MAX_ACT_BYTES - frame)}
    assert not token_exchange.too_large(fits)
    assert token_exchange.too_large({"sub": fits["sub"] + "x"})


def test_every_refusal_has_a_step_and_a_message():
    """Reasons are in the order of their steps, and all steps have at least one reason."""
    assert set(REFUSALS) == set(Reason)
    steps = [REFUSALS[reason].step for reason in Reason]
    assert steps == sorted(steps)
    assert set(steps) == set(STEPS)
    assert list(STEPS) == list(range(1, len(STEPS) + 1))
    for reason, refusal in REFUSALS.items():
        assert refusal.message or refusal.step in {1, 12}, reason
    assert exchange_refusals.Reason("not_served") is Reason.NOT_SERVED
