"""The delegation ledger: searching, showing and revoking tokens and their chains."""

import pytest

from server.services.refusals import NotFound
from server.services.tokens.delegations import DelegationService, actors
from tests.support.builders.callers import new_person
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY
from tests.support.builders.token_chains import APP, BANK, DESK


@pytest.fixture
def ledger(local):
    """The ledger of this installation."""
    return DelegationService(local.services.store)


@pytest.fixture
def tokens(chains):
    """Ana's token, and the token that an agent got in exchange for it."""
    bot = chains.agent("desk-bot")
    chains.consent(bot, "bank:read")
    subject = chains.user_token()
    return chains.row(subject), chains.row(chains.exchanged(bot, subject))


def _find_ids(ledger, **changes):
    filters = {
        "client": None,
        "user": None,
        "resource": None,
        "ended": False,
        "limit": 50,
        **changes,
    }
    return {result.delegation.id for result in ledger.search(**filters)}


def test_tokens_are_found_by_client_user_and_resource(ledger, tokens):
    """A client is named by its name or ID, a user by name; unknown ones are not found."""
    subject, exchanged = tokens
    assert _find_ids(ledger) == {subject.id, exchanged.id}
    assert (
        _find_ids(ledger, client="desk-bot")
        == _find_ids(ledger, client=exchanged.client_id)
        == {exchanged.id}
    )
    assert _find_ids(ledger, client="chat") == _find_ids(ledger, client=APP) == {subject.id}
    assert _find_ids(ledger, user="ana", resource=DESK) == {subject.id}
    assert _find_ids(ledger, resource=BANK) == {exchanged.id}
    assert _find_ids(ledger, limit=1) < {subject.id, exchanged.id}
    for unknown_filter in ({"client": "nobody"}, {"user": "nobody"}):
        with pytest.raises(NotFound):
            _find_ids(ledger, **unknown_filter)


def test_ended_tokens_are_listed_on_request(ledger, local, tokens):
    """With `ended`, the list has expired and revoked tokens, each with its state."""
    subject, exchanged = tokens
    ledger.revoke(exchanged.id, by=BY)
    assert _find_ids(ledger) == {subject.id}
    assert _find_ids(ledger, ended=True) == {subject.id, exchanged.id}
    local.clock.forward(31 * MINUTE)
    assert _find_ids(ledger) == set()
    now = local.clock.now()
    states = {result.delegation.id: result.state(now) for result in _list_all(ledger)}
    assert states == {subject.id: "expired", exchanged.id: "revoked"}


def _list_all(ledger):
    return ledger.search(client=None, user=None, resource=None, ended=True, limit=50)


def test_a_chain_shows_ancestors_and_descendants(ledger, chains, tokens, person):
    """The chain has the names of clients, users and actors."""
    subject, exchanged = tokens
    chain = ledger.show(subject.id)
    assert chain.delegation.client_name == "chat"
    assert chain.delegation.user == person.user
    assert chain.delegation.state(chains.local.clock.now()) == "live"
    assert [link.delegation.id for link in chain.descendants] == [exchanged.id]
    assert [link.client_name for link in ledger.show(exchanged.id).ancestors] == ["chat"]
    assert ledger.show(exchanged.id).delegation.actors == ((exchanged.client_id, "desk-bot"),)
    assert chain.delegation.actors == ()
    with pytest.raises(NotFound, match="no delegation sayso_at_none"):
        ledger.show("sayso_at_none")


def test_a_deleted_parent_token_has_no_actors(local):
    """A request can outlive its parent token, so missing actors are not an error."""
    with local.services.store.read() as view:
        assert actors(view, "gone") == ()


def test_revoking_a_token_revokes_descendants_with_one_entry(ledger, chains, tokens):
    """Revoking it again changes nothing and writes no entry."""
    subject, exchanged = tokens
    revoked_delegation, count = ledger.revoke(subject.id, by=BY)
    assert (revoked_delegation.state(chains.local.clock.now()), count) == ("revoked", 2)
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
    """A token that an agent got for itself is listed, even after the agent was deleted."""
    token = local.admin.token(agent.id, None, "own")
    assert ledger.show(token.id).delegation.user is None
    ledger.revoke(token.id, by=BY)
    assert local.admin.entries("token.revoked")[-1]["agent_id"] == agent.id
    local.admin.agents.delete("invoice-bot", by=BY)
    assert ledger.show(token.id).delegation.client_name == "(deleted agent)"


def test_people_list_and_revoke_tokens_that_act_for_them(chains, tokens, person):
    """Revoking a token ends its descendants too, and the audit entry names the person."""
    subject, exchanged = tokens
    path, query = "/api/delegations", {"limit": "1"}
    first_page = person.call("GET", path, query=query).json
    assert len(first_page["items"]) == 1
    second_page = person.call("GET", path, query={**query, "cursor": first_page["next"]}).json
    assert {item["id"] for item in [*first_page["items"], *second_page["items"]]} == {
        subject.id,
        exchanged.id,
    }
    assert second_page["next"] is None
    answer = person.call("DELETE", f"/api/delegations/{subject.id}")
    assert (answer.status, answer.json["tokens_revoked"]) == (200, 2)
    assert answer.json["delegation"]["state"] == "revoked"
    assert person.call("GET", "/api/delegations").json["items"] == []
    assert len(person.call("GET", "/api/delegations", query={"ended": "true"}).json["items"]) == 2
    assert person.call("DELETE", f"/api/delegations/{subject.id}").json["tokens_revoked"] == 0
    (entry,) = chains.local.admin.entries("token.revoked")
    assert (entry["actor"], entry["cause"]) == (f"user:{person.user.id}", "by the person")


def test_tokens_for_other_people_are_not_found(local, tokens):
    """A person cannot list or revoke the tokens of another person."""
    other = new_person(local, "ben")
    assert other.call("GET", "/api/delegations", query={"ended": "true"}).json["items"] == []
    for jti in (tokens[0].id, "sayso_at_none"):
        assert other.call("DELETE", f"/api/delegations/{jti}").status == 404
    assert not local.admin.revoked(tokens[0])


def test_an_invalid_ended_filter_is_refused(person):
    """`ended` must be true or false."""
    assert person.call("GET", "/api/delegations", query={"ended": "maybe"}).status == 422
