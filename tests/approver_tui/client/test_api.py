"""Pages, ids and the end of a login."""

import pytest

from approver_tui.client import api
from approver_tui.client.api import open_client
from approver_tui.client.errors import ApiError, LoginFirst
from tests.approver_tui.client.conftest import clock


def test_all_that_waits_comes_as_one_page(client, server, monkeypatch):
    """Whoever has many requests sees them all."""
    monkeypatch.setattr(api, "_PAGE", 2)
    ids = [server.add()["id"] for _ in range(5)]
    page = client.waiting()
    assert [approval.id for approval in page.items] == ids
    assert (page.next, page.feed_cursor) == (None, 7)


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
    assert not home.profiles_file.exists()
    assert list(home.secrets_folder.iterdir()) == []
    with pytest.raises(LoginFirst):
        open_client(home, clock=clock)


def test_logging_out_works_without_the_server(client, server, home):
    """The keys are gone here, and the caller learns that the server does not know."""
    server.stop()
    assert not client.logout()
    assert not home.profiles_file.exists()


def test_a_refusal_keeps_its_code(client):
    """Screens branch on the code, people read the sentence."""
    with pytest.raises(ApiError) as caught:
        client.approval("sayso_ap_nothing")
    assert (caught.value.code, caught.value.status) == ("not_found", 404)
