"""Pages, ids and the end of a login."""

import pytest

from approver_tui.client import api
from approver_tui.client.api import open_client
from approver_tui.client.errors import ApiError, LoginFirst
from approver_tui.state.clients.access import RevokedAccess
from tests.approver_tui.client.conftest import clock
from tests.support.builders.approval_texts import when, wire_approval


def test_all_that_waits_comes_as_one_page(client, server, monkeypatch):
    """Whoever has many requests sees them all."""
    monkeypatch.setattr(api, "_PAGE", 2)
    ids = [server.add()["id"] for _ in range(5)]
    page = client.waiting()
    assert [approval.id for approval in page.items] == ids
    assert (page.next, page.feed_cursor) == (None, 7)


def test_what_ends_soonest_is_on_top_whatever_its_risk(client, server, monkeypatch):
    """The server lists what is gravest first, by parts; the screen says how long each has left."""
    monkeypatch.setattr(api, "_PAGE", 2)
    now = server.now()
    ends = [{"expires_at": when(now + end)} for end in (900_000, 300_000, 600_000)]
    told = [wire_approval(number=n, now=now, display=end) for n, end in enumerate(ends)]
    ids = [server.add(each)["id"] for each in told]
    assert [each.id for each in client.waiting().items] == [ids[1], ids[2], ids[0]]
    assert [each.id for each in client.last_waiting().items] == [ids[1], ids[2], ids[0]]


def test_what_cannot_be_verified_comes_along_from_every_page(client, server, monkeypatch):
    """One bad row neither hides the others nor is lost between two pages."""
    monkeypatch.setattr(api, "_PAGE", 2)
    rows = [server.add() for _ in range(5)]
    for row in (rows[0], rows[3]):
        row["action_digest"] = "another"
    page = client.waiting()
    assert [approval.id for approval in page.items] == [rows[place]["id"] for place in (1, 2, 4)]
    assert [each.id for each in page.unverified] == [rows[0]["id"], rows[3]["id"]]
    assert page.feed_cursor == 7


def test_an_id_stays_one_segment_of_the_path(client):
    """What a person types as an id cannot become another endpoint."""
    with pytest.raises(ApiError) as caught:
        client.approval("../me?x=")
    assert caught.value.status == 404


def test_logging_out_revokes_and_forgets(client, server, home):
    """Nothing of the login is left on either side."""
    assert client.logout()
    assert server.revoked == ["self"]
    assert not home.profile_file.exists()
    assert list(home.secrets_folder.iterdir()) == []
    with pytest.raises(LoginFirst):
        open_client(home, clock=clock)


def test_logging_out_works_without_the_server(client, server, home):
    """The keys are gone here, and the caller learns that the server does not know."""
    server.stop()
    assert not client.logout()
    assert not home.profile_file.exists()


def test_a_refusal_keeps_its_code(client):
    """Screens branch on the code, people read the sentence."""
    with pytest.raises(ApiError) as caught:
        client.approval("sayso_ap_nothing")
    assert (caught.value.code, caught.value.status) == ("not_found", 404)


def test_stopping_an_agent_is_one_call(client, server):
    """The server says what ended; its consent is not there any more."""
    server.consents.append(
        {
            "id": "sayso_co_1",
            "state": "live",
            "client": {"id": "sayso_ag_1", "name": "invoice-bot"},
            "app": None,
            "resource": "https://pay.example",
            "scopes": ["payments:read"],
            "created_at": when(server.now()),
            "expires_at": when(server.now() + 86_400_000),
            "revoked_at": None,
        }
    )
    assert len(client.consents()) == 1
    assert client.stop_acting("sayso_ag_1") == RevokedAccess(0, 1, 3)
    assert client.consents() == ()


def test_of_the_agents_that_are_told_those_of_this_person_are_kept(client, server):
    """Whoever has a role is told of all of them."""
    mine, other = {"id": client.profile.user_id, "name": "ana"}, {"id": "sayso_us_x", "name": "x"}
    server.agents = [
        {"client_id": "sayso_ag_1", "name": "one", "state": "enabled", "owners": [other, mine]},
        {"client_id": "sayso_ag_2", "name": "two", "state": "disabled", "owners": [other]},
    ]
    assert [(one.id, one.state) for one in client.owned_agents()] == [("sayso_ag_1", "enabled")]


def test_what_was_over_since_is_asked_for_by_its_moment(client, server):
    """In RFC 3339."""
    assert client.decided_since(1_700_000_000_000) == ()
    assert server.since == "2023-11-14T22:13:20+00:00"
