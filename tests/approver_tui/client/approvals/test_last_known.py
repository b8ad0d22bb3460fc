"""Waiting requests are stored privately and verified when they are loaded."""

import json
import stat

import pytest

from approver_tui.client.approvals import last_known
from approver_tui.client.errors import LoginFirst
from approver_tui.client.sign_in import profile
from tests.support.builders.approval_texts import wire_approval


def _stored_file(client):
    return client.home.last_known_file


def test_waiting_requests_are_stored_privately(client, server):
    """Other users cannot read the file, and it has the server's time."""
    approval_id = server.add(wire_approval(now=server.now()))["id"]
    page = client.waiting()
    assert stat.S_IMODE(_stored_file(client).stat().st_mode) == 0o600
    assert stat.S_IMODE(_stored_file(client).parent.stat().st_mode) == 0o700
    stored = client.last_waiting()
    assert [item.id for item in stored.items] == [approval_id]
    assert stored.server_time == page.server_time


def test_no_secret_is_in_the_file(client, server):
    """The file contains no nonce, token or key."""
    server.add(wire_approval(now=server.now()))
    client.waiting()
    document = json.loads(_stored_file(client).read_text())
    assert set(document) == {"format", "device", "page"}
    assert all(item.get("nonce") is None for item in document["page"]["items"])


def test_a_request_that_was_changed_on_disk_is_rejected(client, server):
    """A stored request whose text does not match its digest is listed as unverified."""
    server.add(wire_approval(now=server.now()))
    client.waiting()
    document = json.loads(_stored_file(client).read_text())
    item = document["page"]["items"][0]
    item["display"] = item["display"].replace("Pay", "Get")
    _stored_file(client).write_text(json.dumps(document))
    stored = client.last_waiting()
    assert stored.items == ()
    assert len(stored.unverified) == 1


@pytest.mark.parametrize("text", ["", "{", '{"format": 2}', '{"format": 1, "device": "other"}'])
def test_a_broken_file_or_one_of_another_device_is_ignored(client, text):
    """The client behaves as if no requests were stored."""
    client.home.last_known_file.parent.mkdir(parents=True, exist_ok=True)
    client.home.last_known_file.write_text(text)
    assert client.last_waiting() is None


def test_nothing_is_left_after_a_login_ends(client, server, monkeypatch):
    """The files are deleted after a logout, and after the server ended the session."""
    server.add(wire_approval(now=server.now()))
    client.waiting()

    def end_session(*_):
        raise LoginFirst("ended", "invalid_token")

    monkeypatch.setattr(client.session, "get", end_session)
    with pytest.raises(LoginFirst):
        client.waiting()
    assert last_known.load(client.home, client.profile) is None
    client.home.last_known_file.write_text("{}")
    client.home.unsent_denials_file.write_text("{}")
    profile.remove(client.home)
    assert not client.home.last_known_file.exists()
    assert not client.home.unsent_denials_file.exists()


def test_a_full_disk_does_not_hide_the_list(client, server, monkeypatch):
    """If the list cannot be stored, it is still returned."""
    approval_id = server.add(wire_approval(now=server.now()))["id"]

    def fail_to_write(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(last_known.files, "write_private", fail_to_write)
    assert [item.id for item in client.waiting().items] == [approval_id]
