"""The timeline of a request or token has every entry about it and no other entries."""

import json

import pytest

from server import telemetry
from server.model.audit import Entry
from server.services.audit.entries import AuditEntries
from server.services.refusals import NotFound
from server.services.tokens.delegations import DelegationService
from tests.support.builders.installation import BY
from tests.support.builders.token_chains import Chains

PAYMENT_TYPES = ["approval.requested", "approval.approved", "token.issued"]


@pytest.fixture(autouse=True)
def _no_call():
    """Set the correlation ID that entries have outside of an API call."""
    telemetry.correlate("local")


@pytest.fixture
def entries(local):
    """The audit log of this installation."""
    return AuditEntries(local.services.store)


def _types(entries):
    return [entry.type for entry in entries]


def _pay(agent, local, person):
    """Pay once; return the request's ID, the token's ID and the token."""
    token = agent.paid(person)
    claims = local.claims(token)
    return claims["approval"]["id"], claims["jti"], token


def test_a_payment_has_one_timeline_by_any_of_its_ids(entries, agent, local, person, resource):
    """The timeline is the same by the ID of the request, the token or one of its entries."""
    request, jti, token = _pay(agent, local, person)
    assert resource.consume(token).status == 200
    timeline = entries.timeline(request)
    assert _types(timeline) == [*PAYMENT_TYPES, "approval.consumed"]
    assert timeline[0].names["subject"] == person.user.name
    for id_ in (jti, *(entry.id for entry in timeline)):
        assert entries.timeline(id_) == timeline


def test_a_different_request_is_not_in_the_timeline(entries, agent, local, person):
    """The timeline leaves out other requests of the same agent and user."""
    first, second = (_pay(agent, local, person)[0] for _ in range(2))
    for request in (first, second):
        assert _types(entries.timeline(request)) == PAYMENT_TYPES
    assert not {entry.id for entry in entries.timeline(first)} & {
        entry.id for entry in entries.timeline(second)
    }


def test_a_chain_of_tokens_has_one_timeline(entries, local, person):
    """The timeline has the revocation of an ancestor, but no entry about a sibling token."""
    chains = Chains(local, person.user.id)
    chains.prepare()
    bot = chains.agent("desk-bot")
    chains.consent(bot, "bank:read")
    parent = chains.user_token()
    token, sibling = (chains.row(chains.exchanged(bot, parent)) for _ in range(2))
    (issued,) = entries.timeline(token.id)
    assert json.loads(issued.body)["facts"]["jti"] == token.id
    assert entries.timeline(issued.id) == [issued]
    DelegationService(local.services.store).revoke(chains.row(parent).id, by=BY)
    assert _types(entries.timeline(sibling.id)) == ["token.issued", "token.revoked"]
    jtis = {json.loads(entry.body)["facts"]["jti"] for entry in entries.timeline(sibling.id)}
    assert jtis == {sibling.id, chains.row(parent).id}


def test_effects_of_the_same_api_call_are_in_the_timeline(entries, agent, local, person):
    """An incident that the call opened is included, but not the end of a different request."""
    request = _pay(agent, local, person)[0]
    other = agent.request_payment()[1].id
    telemetry.correlate("call-1")
    try:
        with local.services.store.write() as tx:
            for approval in (request, other):
                tx.audit.add(Entry("approval.cancelled", "system", approval_id=approval))
            tx.audit.add(Entry("incident.opened", "system"))
    finally:
        telemetry.correlate("local")
    ended = ["approval.cancelled", "incident.opened"]
    assert _types(entries.timeline(request)) == [*PAYMENT_TYPES, *ended]
    assert _types(entries.timeline(other)) == ["approval.requested", *ended]


def test_commands_and_loops_are_not_one_api_call(entries, local):
    """Entries by commands and loops share a correlation ID although they are unrelated."""
    with local.services.store.write() as tx:
        added = tx.audit.add(Entry("user.added", "operator"))
    assert [entry.id for entry in entries.timeline(added)] == [added]
    with pytest.raises(NotFound):
        entries.timeline("local")


def test_the_error_for_an_unknown_id_lists_the_kinds_of_ids(entries):
    """Requests, tokens, audit entries and API calls have a timeline."""
    message = "There is no request, token, audit entry or API call sayso_xx_1."
    with pytest.raises(NotFound, match=message):
        entries.timeline("sayso_xx_1")
