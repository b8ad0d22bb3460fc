"""The ledger tells who acts for whom, and ends what should not go on."""

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
    """Ana's token, and what an agent made of it."""
    bot = chains.agent("desk-bot")
    chains.consent(bot, "bank:read")
    own = chains.user_token()
    return chains.row(own), chains.row(chains.exchanged(bot, own))


def _found(ledger, **wanted):
    asked = {"client": None, "user": None, "resource": None, "ended": False, "limit": 50, **wanted}
    return {held.delegation.id for held in ledger.search(**asked)}


def test_tokens_are_found_by_client_person_and_resource(ledger, tokens):
    """Agents and apps by name or id, people by name; what fits nobody is not found."""
    own, made = tokens
    assert _found(ledger) == {own.id, made.id}
    assert _found(ledger, client="desk-bot") == _found(ledger, client=made.client_id) == {made.id}
    assert _found(ledger, client="chat") == _found(ledger, client=APP) == {own.id}
    assert _found(ledger, user="ana", resource=DESK) == {own.id}
    assert _found(ledger, resource=BANK) == {made.id}
    assert _found(ledger, limit=1) < {own.id, made.id}
    for nobody in ({"client": "nobody"}, {"user": "nobody"}):
        with pytest.raises(NotFound):
            _found(ledger, **nobody)


def test_what_is_over_is_listed_on_demand(ledger, local, tokens):
    """Expired and revoked; the state says which."""
    own, made = tokens
    ledger.revoke(made.id, by=BY)
    assert _found(ledger) == {own.id}
    assert _found(ledger, ended=True) == {own.id, made.id}
    local.clock.forward(31 * MINUTE)
    assert _found(ledger) == set()
    now = local.clock.now()
    states = {held.delegation.id: held.state(now) for held in _all(ledger)}
    assert states == {own.id: "expired", made.id: "revoked"}


def _all(ledger):
    return ledger.search(client=None, user=None, resource=None, ended=True, limit=50)


def test_a_chain_is_shown_both_ways(ledger, chains, tokens, person):
    """What it came from, what came from it, and who they are."""
    own, made = tokens
    chain = ledger.show(own.id)
    assert chain.delegation.client_name == "chat"
    assert chain.delegation.user == person.user
    assert chain.delegation.state(chains.local.clock.now()) == "live"
    assert [held.delegation.id for held in chain.descendants] == [made.id]
    assert [held.client_name for held in ledger.show(made.id).ancestors] == ["chat"]
    assert ledger.show(made.id).delegation.actors == ((made.client_id, "desk-bot"),)
    assert chain.delegation.actors == ()
    with pytest.raises(NotFound, match="no delegation sayso_at_none"):
        ledger.show("sayso_at_none")


def test_nobody_acts_by_a_token_that_is_gone(local):
    """A request whose parent was cleared away says through nobody."""
    with local.services.store.read() as view:
        assert actors(view, "gone") == ()


def test_revoking_takes_the_descendants_and_is_one_entry(ledger, chains, tokens):
    """A second time changes nothing and writes nothing."""
    own, made = tokens
    held, count = ledger.revoke(own.id, by=BY)
    assert (held.state(chains.local.clock.now()), count) == ("revoked", 2)
    assert chains.local.desk.revoked(made)
    assert ledger.revoke(own.id, by=BY)[1] == 0
    (entry,) = chains.local.desk.entries("token.revoked")
    assert (entry["actor"], entry["subject"], entry["cause"]) == (
        BY,
        own.user_id,
        "by an administrator",
    )
    assert "agent_id" not in entry
    assert entry["facts"] == {"jti": own.id, "client": APP, "tokens_revoked": 2}
    with pytest.raises(NotFound):
        ledger.revoke("sayso_at_none", by=BY)


def test_an_agents_own_token_is_for_nobody_else(ledger, local, agent):
    """No person stands behind it; its agent may be gone, too."""
    token = local.desk.token(agent.id, None, "own")
    assert ledger.show(token.id).delegation.user is None
    ledger.revoke(token.id, by=BY)
    assert local.desk.entries("token.revoked")[-1]["agent_id"] == agent.id
    local.desk.agents.delete("invoice-bot", by=BY)
    assert ledger.show(token.id).delegation.client_name == "(deleted agent)"


def test_people_see_and_end_what_acts_for_them(chains, tokens, person):
    """Their own, in parts; all that came from it ends, and the log says by whom."""
    own, made = tokens
    path, first = "/api/delegations", {"limit": "1"}
    listed = person.call("GET", path, query=first).json
    assert len(listed["items"]) == 1
    rest = person.call("GET", path, query={**first, "cursor": listed["next"]}).json
    assert {item["id"] for item in [*listed["items"], *rest["items"]]} == {own.id, made.id}
    assert rest["next"] is None
    answer = person.call("DELETE", f"/api/delegations/{own.id}")
    assert (answer.status, answer.json["tokens_revoked"]) == (200, 2)
    assert answer.json["delegation"]["state"] == "revoked"
    assert person.call("GET", "/api/delegations").json["items"] == []
    assert len(person.call("GET", "/api/delegations", query={"ended": "true"}).json["items"]) == 2
    assert person.call("DELETE", f"/api/delegations/{own.id}").json["tokens_revoked"] == 0
    (entry,) = chains.local.desk.entries("token.revoked")
    assert (entry["actor"], entry["cause"]) == (f"user:{person.user.id}", "by the person")


def test_nobody_sees_or_ends_what_acts_for_somebody_else(local, tokens):
    """It is as if there were none."""
    other = new_person(local, "ben")
    assert other.call("GET", "/api/delegations", query={"ended": "true"}).json["items"] == []
    for jti in (tokens[0].id, "sayso_at_none"):
        assert other.call("DELETE", f"/api/delegations/{jti}").status == 404
    assert not local.desk.revoked(tokens[0])


def test_a_list_of_delegations_takes_true_or_false(person):
    """And says so."""
    assert person.call("GET", "/api/delegations", query={"ended": "maybe"}).status == 422
