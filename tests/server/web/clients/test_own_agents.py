"""A user's agent pages: which agents are shown, revoking access, suspending."""

from dataclasses import replace

import pytest

from server.protocol.names import path_id
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.unknown_apps import blank_record
from server.services.tokens import access_revocation
from server.services.users.users import UserChanges, Users
from tests.support.browsers.browser import CALLBACK
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, register_agent
from tests.support.builders.own_pages import Pages, give_consent, give_grant, give_token
from tests.support.builders.passkey import new_browser


@pytest.fixture
def eva(local):
    """Eva, whose only device is a passkey."""
    return Pages(new_browser(local))


@pytest.fixture
def max_(local):
    """Max, who has a passkey too."""
    return Pages(new_browser(local, "max", credential=b"the passkey of max"))


def _add_owner(local, agent):
    local.admin.agents.update(agent.id, AgentChanges(add_owners=("eva",)), by=BY)


def _agent_state(local, agent):
    with local.services.store.read() as view:
        return view.agents.get(agent.id).state


def test_a_new_user_has_no_agents(eva):
    """The page of a new user says that no agent or app is acting for them."""
    assert "No agent or app is acting for you" in eva.get("/agents").text


def test_an_agent_with_access_is_listed_with_its_counts(eva, agent):
    """One line has the numbers of live tokens, consents and standing grants."""
    give_token(eva.browser, agent), give_consent(eva.browser, agent)
    page = eva.get("/agents").text
    assert f'href="/agents/{agent.id}"' in page
    assert "1 live token · 1 consent · 0 standing grants" in page
    assert "yours" not in page


def test_another_owners_agent_shows_only_its_access_to_this_user(eva, agent):
    """Only owners see an agent's keys, owners and state, and may suspend it."""
    give_consent(eva.browser, agent)
    page = eva.get(f"/agents/{agent.id}").text
    assert "Revoke access" in page
    assert "<h2>Details</h2>" not in page
    assert "Suspend" not in page
    assert "report one of its requests" in page


def test_an_agent_without_access_to_a_user_is_not_found_for_them(eva, max_, agent):
    """The answer is the same as for an unknown agent, so its existence stays hidden."""
    give_consent(eva.browser, agent)
    for path in (f"/agents/{agent.id}", "/agents/sayso_ag_aaaaaaaaaaaaaaaa"):
        page = max_.get(path)
        assert page.status_code == 404
        assert "No such agent" in page.text
    assert max_.get(f"/agents/{agent.id}/suspend").status_code == 404
    assert max_.post(f"/agents/{agent.id}/suspend").status_code == 404
    assert max_.post(f"/agents/{agent.id}/revoke").status_code == 303
    assert "1 consent" in eva.get("/agents").text


def test_revoking_access_affects_this_user_only(eva, max_, agent, local):
    """One press without a passkey is enough; the agent keeps its access to other users."""
    give_grant(eva.browser, agent), give_token(eva.browser, agent)
    give_consent(eva.browser, agent), give_consent(max_.browser, agent)
    done = eva.post(f"/agents/{agent.id}/revoke")
    assert done.status_code == 303
    assert "Access revoked" in eva.get(done.headers["Location"]).text
    assert "No agent or app is acting for you" in eva.get("/agents").text
    assert "1 consent" in max_.get("/agents").text
    assert _agent_state(local, agent) == "enabled"


def test_revoking_access_counts_and_logs_the_revoked_rights(eva, agent, local):
    """The call returns and logs the revoked objects; a second call revokes nothing more."""
    give_grant(eva.browser, agent), give_token(eva.browser, agent)
    give_token(eva.browser, agent), give_consent(eva.browser, agent)
    revoked = eva.browser.send("DELETE", f"/api/acting/{agent.id}")
    counts = {"grants_ended": 1, "consents_revoked": 1, "tokens_revoked": 2}
    assert (revoked.status, revoked.json) == (200, {"client_id": agent.id, **counts})
    for kind, number in (("standing_grant.ended", 1), ("consent.revoked", 1), ("token.revoked", 2)):
        entries = local.admin.entries(kind)
        assert [entry["actor"] for entry in entries] == [f"user:{eva.browser.user.id}"] * number
    again = eva.browser.send("DELETE", f"/api/acting/{agent.id}")
    assert again.json == {"client_id": agent.id, **dict.fromkeys(counts, 0)}


def test_a_terminal_revokes_access_as_a_browser_does(local, agent, monkeypatch):
    """Large numbers are revoked in batches; rights of other users stay."""
    monkeypatch.setattr(access_revocation, "_BATCH_SIZE", 2)
    ana, ben = new_person(local, "anya"), new_person(local, "benno")
    for number in range(5):
        local.admin.token(agent.id, ana.user.id, f"hers-{number}")
    local.admin.standing_grant(local.admin.approval(agent.id, ana.user.id))
    local.admin.consent(agent.id, ana.user.id)
    local.admin.token(agent.id, ben.user.id, "his")
    revoked = ana.call("DELETE", f"/api/acting/{agent.id}").json
    assert (revoked["grants_ended"], revoked["consents_revoked"], revoked["tokens_revoked"]) == (
        1,
        1,
        5,
    )
    assert ana.call("GET", "/api/delegations").json["items"] == []
    assert ana.call("GET", "/api/grants").json["items"] == []
    assert len(ben.call("GET", "/api/delegations").json["items"]) == 1


def test_a_used_token_shows_its_last_use(eva, agent, local):
    """The agent list shows when a token was last used."""
    token = give_token(eva.browser, agent)
    with local.services.store.write() as tx:
        tx.delegations.mark_used(token, tx.now)
    assert "last used <time" in eva.get("/agents").text


def test_another_site_cannot_revoke_access(eva, agent):
    """A form must come from our own page in this browser."""
    give_consent(eva.browser, agent)
    cross_site = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert eva.post(f"/agents/{agent.id}/revoke", headers=cross_site).status_code == 403
    assert eva.post(f"/agents/{agent.id}/revoke", {"csrf": None}).status_code == 403
    assert "1 consent" in eva.get("/agents").text


def test_an_owner_sees_the_details_and_suspends_without_a_passkey(eva, agent, local):
    """Before the agent is suspended, the page counts the objects that this would revoke."""
    _add_owner(local, agent)
    give_token(eva.browser, agent)
    page = eva.get(f"/agents/{agent.id}").text
    assert "<h2>Details</h2>" in page
    assert f"<code>{agent.id}</code>" in page
    confirmation = eva.get(f"/agents/{agent.id}/suspend").text
    assert "<strong>1</strong> live token<" in confirmation
    assert _agent_state(local, agent) == "enabled"
    done = eva.post(f"/agents/{agent.id}/suspend")
    assert done.status_code == 303
    assert _agent_state(local, agent) == "disabled"
    after = eva.get(done.headers["Location"]).text
    assert "Suspended: it gets" in after
    assert "Suspend for everyone" not in after


def test_owned_agents_are_listed_even_if_they_act_for_others(eva, agent, local):
    """Owned agents that do not act for the user have a section of their own."""
    _add_owner(local, agent)
    page = eva.get("/agents").text
    assert "Agents you own, not acting for you" in page
    assert f'href="/agents/{agent.id}"' in page
    give_consent(eva.browser, agent)
    assert "Agents you own" not in eva.get("/agents").text


def test_an_administrators_own_pages_show_only_their_own_agents(eva, agent, local, monkeypatch):
    """Administrators see all other agents in the console only."""
    users = Users(local.services.store, local.services.secrets)
    users.update("eva", UserChanges(roles=("admin",)), by=BY)
    monkeypatch.setattr("server.web.clients.pages._PAGE_SIZE", "1")
    own = register_agent(local.admin, name="z-bot", owners=("eva",)).agent
    page = eva.get("/agents").text
    assert f'href="/agents/{own.id}"' in page
    assert agent.id not in page
    assert eva.get(f"/agents/{agent.id}").status_code == 404


def test_recent_requests_of_an_agent_are_a_chart_with_its_numbers(eva, agent, local):
    """Only this user's requests are counted. If there are none, the page says so."""
    denied = agent.request_approval(login_hint="eva")[1]
    eva.browser.deny(denied.id)
    agent.request_approval(login_hint="eva")
    page = eva.get(f"/agents/{agent.id}").text
    assert "Of 2 requests in 14 days 0 were approved, 1 denied" in page
    assert '<svg class="chart"' in page
    assert "Chart data" in page
    local.clock.forward(20 * DAY)
    eva.browser.sign_in()
    assert "No requests in the last 14 days" in eva.get(f"/agents/{agent.id}").text


URL = "https://chat.example/client.json"


def _app_with_a_consent(eva, agent):
    """Add an app whose client_id is a URL, with a copy of the agent's consent."""
    consent_id = give_consent(eva.browser, agent)
    with eva.browser.local.services.store.administer() as tx:
        consent = tx.consents.get(consent_id)
        app = blank_record(URL, "chat.example", "document", tx.now)
        tx.apps.add(replace(app, redirect_uris=(CALLBACK,)))
        tx.consents.add(replace(consent, id="sayso_co_of_the_app", client_id=URL))


def test_an_app_with_a_url_as_its_id_has_a_page_where_its_access_is_revoked(eva, agent):
    """The path has the hash of the app's URL, and the agent's own access stays."""
    _app_with_a_consent(eva, agent)
    path = f"/agents/{path_id(URL)}"
    for page in ("/agents", "/consents"):
        assert f'href="{path}"' in eva.get(page).text
    assert "Revoke access" in eva.get(path).text
    assert eva.post(f"{path}/revoke").status_code == 303
    assert eva.get("/agents").text.count("1 consent") == 1
    assert f'href="/agents/{agent.id}"' in eva.get("/agents").text
    assert f'href="{path}"' not in eva.get("/agents").text


def test_revoking_access_names_the_app_and_counts_its_consents(eva, agent):
    """The path has the hash of the URL, and the answer has the client_id itself."""
    _app_with_a_consent(eva, agent)
    answer = eva.browser.send("DELETE", f"/api/acting/{path_id(URL)}")
    assert (answer.json["client_id"], answer.json["consents_revoked"]) == (URL, 1)
