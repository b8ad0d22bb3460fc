"""The delegation ledger: searching, showing and revoking tokens and their chains."""

import pytest

from server.services.refusals import NotFound
from server.services.tokens.delegations import DelegationService, actors
from tests.support.builders.callers import new_person
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY
from tests.support.builders.token_chains import APP, BANK, DESK, Chains


@pytest.fixture
def chains(local, person):
    """Ana, who uses a chat app, and two APIs."""
    chains = Chains(local, person.user.id)
    chains.prepare()
    return chains


@pytest.fixture
def ledger(local):
    """The ledger of this installation."""
    return DelegationService(local.services.store)


@pytest.fixture
def tokens(chains):
    """Ana's token, and the one that an agent got for it."""
    bot = chains.agent("desk-bot")
    chains.consent(bot, "bank:read")
    subject = chains.user_token()
    return chains.row(subject), chains.row(chains.exchanged(bot, subject))


def _found(ledger, **wanted):
    filters = {
        "client": None,
        "user": None,
        "resource": None,
        "ended": False,
        "limit": 50,
        **wanted,
    }
    return {held.delegation.id for held in ledger.search(**filters)}


def test_tokens_are_found_by_client_user_and_resource(ledger, tokens):
    """Clients by name or ID, users by name; an unknown one is not found."""
    subject, exchanged = tokens
    assert _found(ledger) == {subject.id, exchanged.id}
    assert (
        _found(ledger, client="desk-bot")
        == _found(ledger, client=exchanged.client_id)
        == {exchanged.id}
    )
    assert _found(ledger, client="chat") == _found(ledger, client=APP) == {subject.id}
    assert _found(ledger, user="ana", resource=DESK) == {subject.id}
    assert _found(ledger, resource=BANK) == {exchanged.id}
    assert _found(ledger, limit=1) < {subject.id, exchanged.id}
    for nobody in ({"client": "nobody"}, {"user": "nobody"}):
        with pytest.raises(NotFound):
            _found(ledger, **nobody)


def test_ended_tokens_are_listed_on_request(ledger, local, tokens):
    """Expired or revoked, as their state says."""
    subject, exchanged = tokens
    ledger.revoke(exchanged.id, by=BY)
    assert _found(ledger) == {subject.id}
    assert _found(ledger, ended=True) == {subject.id, exchanged.id}
    local.clock.forward(31 * MINUTE)
    assert _found(ledger) == set()
    now = local.clock.now()
    states = {held.delegation.id: held.state(now) for held in _all(ledger)}
    assert states == {subject.id: "expired", exchanged.id: "revoked"}


def _all(ledger):
    return ledger.search(client=None, user=None, resource=None, ended=True, limit=50)


def test_a_chain_shows_ancestors_and_descendants(ledger, chains, tokens, person):
    """The chain has the names of clients and actors."""
    subject, exchanged = tokens
    chain = ledger.show(subject.id)
    assert chain.delegation.client_name == "chat"
    assert chain.delegation.user == person.user
    assert chain.delegation.state(chains.local.clock.now()) == "live"
    assert [held.delegation.id for held in chain.descendants] == [exchanged.id]
    assert [held.client_name for held in ledger.show(exchanged.id).ancestors] == ["chat"]
    assert ledger.show(exchanged.id).delegation.actors == ((exchanged.client_id, "desk-bot"),)
    assert chain.delegation.actors == ()
    with pytest.raises(NotFound, match="no delegation sayso_at_none"):
        ledger.show("sayso_at_none")


def test_a_deleted_parent_token_has_no_actors(local):
    """A request may outlive its parent token."""
    with local.services.store.read() as view:
        assert actors(view, "gone") == ()


def test_revoking_a_token_revokes_descendants_with_one_entry(ledger, chains, tokens):
    """A second time changes nothing and writes nothing."""
    subject, exchanged = tokens
    held, count = ledger.revoke(subject.id, by=BY)
    assert (held.state(chains.local.clock.now()), count) == ("revoked", 2)
    assert chains.local.admin.revoked(exchanged)
    assert ledger.revoke(subject.id, by=BY)[1] == 0
    (entry,) = chains.local.admin.entries("token.revoked")
    assert (entry["actor"], entry["subject"], entry["cause"]) == (
        BY,
        subject.user_id,
        "by an administrator",
    )
    assert "agent_id" not in entry
    assert entry["facts"] == {"jti": subject.id, "client": APP, "tokens_revoked": 2}
    with pytest.raises(NotFound):
        ledger.revoke("sayso_at_none", by=BY)


def test_an_agents_own_token_has_no_user(ledger, local, agent):
    """Its agent may have been deleted."""
    token = local.admin.token(agent.id, None, "own")
    assert ledger.show(token.id).delegation.user is None
    ledger.revoke(token.id, by=BY)
    assert local.admin.entries("token.revoked")[-1]["agent_id"] == agent.id
    local.admin.agents.delete("invoice-bot", by=BY)
    assert ledger.show(token.id).delegation.client_name == "(deleted agent)"


def test_people_list_and_revoke_tokens_that_act_for_them(chains, tokens, person):
    """The list has pages; descendants end too, and the entry names the person."""
    subject, exchanged = tokens
    path, first = "/api/delegations", {"limit": "1"}
    listed = person.call("GET", path, query=first).json
    assert len(listed["items"]) == 1
    rest = person.call("GET", path, query={**first, "cursor": listed["next"]}).json
    assert {item["id"] for item in [*listed["items"], *rest["items"]]} == {subject.id, exchanged.id}
    assert rest["next"] is None
    answer = person.call("DELETE", f"/api/delegations/{subject.id}")
    assert (answer.status, answer.json["tokens_revoked"]) == (200, 2)
    assert answer.json["delegation"]["state"] == "revoked"
    assert person.call("GET", "/api/delegations").json["items"] == []
    assert len(person.call("GET", "/api/delegations", query={"ended": "true"}).json["items"]) == 2
    assert person.call("DELETE", f"/api/delegations/{subject.id}").json["tokens_revoked"] == 0
    (entry,) = chains.local.admin.entries("token.revoked")
    assert (entry["actor"], entry["cause"]) == (f"user:{person.user.id}", "by the person")


def test_tokens_for_other_people_are_not_found(local, tokens):
    """Another person's tokens are not listed and cannot be revoked."""
    other = new_person(local, "ben")
    assert other.call("GET", "/api/delegations", query={"ended": "true"}).json["items"] == []
    for jti in (tokens[0].id, "sayso_at_none"):
        assert other.call("DELETE", f"/api/delegations/{jti}").status == 404
    assert not local.admin.revoked(tokens[0])


def test_an_invalid_ended_filter_is_refused(person):
    """`ended` is true or false."""
    assert person.call("GET", "/api/delegations", query={"ended": "maybe"}).status == 422
