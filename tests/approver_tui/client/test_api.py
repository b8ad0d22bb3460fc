"""Pages, IDs and logging out."""

import pytest

from approver_tui.client import api
from approver_tui.client.api import open_client
from approver_tui.client.errors import ApiError, LoginFirst
from tests.approver_tui.client.conftest import clock, wire_consent
from tests.support.builders.approval_texts import to_rfc3339, wire_approval


def test_all_waiting_requests_come_as_one_page(client, server, monkeypatch):
    """The client joins all pages of the server."""
    monkeypatch.setattr(api, "_PAGE", 2)
    ids = [server.add()["id"] for _ in range(5)]
    page = client.waiting()
    assert [approval.id for approval in page.items] == ids
    assert (page.next, page.feed_cursor) == (None, 7)


def test_the_soonest_expiry_comes_first(client, server, monkeypatch):
    """The client sorts by expiry, although the server lists the highest risk first."""
    monkeypatch.setattr(api, "_PAGE", 2)
    now = server.now()
    ends = [{"expires_at": to_rfc3339(now + end)} for end in (900_000, 300_000, 600_000)]
    approvals = [wire_approval(number=n, now=now, display=end) for n, end in enumerate(ends)]
    ids = [server.add(approval)["id"] for approval in approvals]
    assert [item.id for item in client.waiting().items] == [ids[1], ids[2], ids[0]]
    assert [item.id for item in client.last_waiting().items] == [ids[1], ids[2], ids[0]]


def test_unverified_rows_come_from_every_page(client, server, monkeypatch):
    """An unverified row is listed with its problem and does not hide any other row."""
    monkeypatch.setattr(api, "_PAGE", 2)
    rows = [server.add() for _ in range(5)]
    for row in (rows[0], rows[3]):
        row["action_digest"] = "another"
    page = client.waiting()
    assert [approval.id for approval in page.items] == [rows[index]["id"] for index in (1, 2, 4)]
    assert [row.id for row in page.unverified] == [rows[0]["id"], rows[3]["id"]]
    assert page.feed_cursor == 7


def test_an_id_is_one_path_segment(client):
    """An ID that contains a path cannot address a different endpoint."""
    with pytest.raises(ApiError) as caught:
        client.approval("../me?x=")
    assert caught.value.status == 404


def test_logging_out_revokes_and_deletes(client, server, home):
    """Logging out revokes the session on the server and deletes the login on this machine."""
    assert client.logout()
    assert server.revoked == ["self"]
    assert not home.profile_file.exists()
    assert list(home.secrets_folder.iterdir()) == []
    with pytest.raises(LoginFirst):
        open_client(home, clock=clock)


def test_logging_out_works_without_the_server(client, server, home):
    """The keys are deleted, and the result says that the server could not be reached."""
    server.stop()
    assert not client.logout()
    assert not home.profile_file.exists()


def test_a_refusal_keeps_its_code(client):
    """The error has the server's code and its HTTP status."""
    with pytest.raises(ApiError) as caught:
        client.approval("sayso_ap_nothing")
    assert (caught.value.code, caught.value.status) == ("not_found", 404)


def test_revoking_access_is_one_call(client, server):
    """The consent is gone."""
    server.consents.append(wire_consent(server))
    assert len(client.consents()) == 1
    client.revoke_access("sayso_ag_aaaaaaaaaaaaaaaa")
    assert client.consents() == ()


def test_only_owned_agents_are_returned(client, server):
    """Agents of other owners, which a role may see, are left out."""
    mine, other = {"id": client.profile.user_id, "name": "ana"}, {"id": "sayso_us_x", "name": "x"}
    server.agents = [
        {"client_id": "sayso_ag_1", "name": "one", "state": "enabled", "owners": [other, mine]},
        {"client_id": "sayso_ag_2", "name": "two", "state": "disabled", "owners": [other]},
    ]
    assert [(agent.id, agent.state) for agent in client.owned_agents()] == [
        ("sayso_ag_1", "enabled")
    ]


def test_the_decided_requests_are_fetched_since_a_time(client, server):
    """The start time is sent in RFC 3339 format."""
    assert client.ended_since(1_700_000_000_000) == ()
    assert server.since == "2023-11-14T22:13:20+00:00"
