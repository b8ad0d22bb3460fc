"""Waiting requests are stored privately and verified when they are loaded."""

import json
import stat

import pytest

from approver_tui.client.approvals import last_known
from approver_tui.client.errors import LoginFirst
from approver_tui.client.sign_in import profile
from tests.support.builders.approval_texts import wire_approval


def _kept(client):
    return client.home.last_known_file


def test_waiting_requests_are_stored_privately(client, server):
    """The file has the server's time."""
    asked = server.add(wire_approval(now=server.now()))["id"]
    told = client.waiting()
    assert stat.S_IMODE(_kept(client).stat().st_mode) == 0o600
    assert stat.S_IMODE(_kept(client).parent.stat().st_mode) == 0o700
    recalled = client.last_waiting()
    assert [item.id for item in recalled.items] == [asked]
    assert recalled.server_time == told.server_time


def test_no_secret_is_in_the_file(client, server):
    """The file contains no nonce, no token and no key."""
    server.add(wire_approval(now=server.now()))
    client.waiting()
    document = json.loads(_kept(client).read_text())
    assert set(document) == {"format", "device", "page"}
    assert all(item.get("nonce") is None for item in document["page"]["items"])


def test_a_request_that_was_changed_on_disk_is_rejected(client, server):
    """Its texts must match their digests."""
    server.add(wire_approval(now=server.now()))
    client.waiting()
    document = json.loads(_kept(client).read_text())
    item = document["page"]["items"][0]
    item["display"] = item["display"].replace("Pay", "Get")
    _kept(client).write_text(json.dumps(document))
    recalled = client.last_waiting()
    assert recalled.items == ()
    assert len(recalled.unverified) == 1


@pytest.mark.parametrize("text", ["", "{", '{"format": 2}', '{"format": 1, "device": "other"}'])
def test_a_broken_or_foreign_file_counts_as_none(client, text):
    """The next list replaces it."""
    client.home.last_known_file.parent.mkdir(parents=True, exist_ok=True)
    client.home.last_known_file.write_text(text)
    assert client.last_waiting() is None


def test_nothing_is_left_after_a_login_ends(client, server, monkeypatch):
    """The files are deleted after a logout, and after the server ended the login."""
    server.add(wire_approval(now=server.now()))
    client.waiting()

    def ended(*_):
        raise LoginFirst("ended", "invalid_token")

    monkeypatch.setattr(client.session, "get", ended)
    with pytest.raises(LoginFirst):
        client.waiting()
    assert last_known.load(client.home, client.profile) is None
    client.home.last_known_file.write_text("{}")
    client.home.unsent_denials_file.write_text("{}")
    profile.remove(client.home)
    assert not client.home.last_known_file.exists()
    assert not client.home.unsent_denials_file.exists()


def test_a_full_disk_does_not_hide_the_list(client, server, monkeypatch):
    """The list is returned anyway."""
    asked = server.add(wire_approval(now=server.now()))["id"]

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(last_known.files, "write_private", full)
    assert [item.id for item in client.waiting().items] == [asked]
