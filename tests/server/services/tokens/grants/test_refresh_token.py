"""Refresh tokens of terminals: rotation, the bound key, and what ends a session."""

import pytest

from approver_tui.client.jose import SigningKey
from tests.support.builders.callers import another_device, sign_in
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY

ENDED = (400, "invalid_grant")


def test_each_refresh_returns_a_new_access_and_refresh_token(local, person):
    """RFC 9700 4.14.2: both tokens are new, and they belong to the same session and key."""
    before = local.claims(person.access_token)
    old = person.refresh_token
    answer = person.refresh()
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("DPoP", 600)
    assert person.refresh_token != old
    after = local.claims(person.access_token)
    assert {after[name] == before[name] for name in ("sid", "sub", "cnf", "aud")} == {True}
    assert after["jti"] != before["jti"]


def test_a_refresh_may_be_repeated_for_a_minute(local, person):
    """Within a minute, the previous token still works with a proof of its key."""
    old = person.refresh_token
    person.refresh()
    local.clock.forward(MINUTE - 1)
    assert person.refresh(old).status == 200


def test_a_later_reuse_ends_the_session_and_raises_an_alarm(local, person):
    """The session, its newest refresh token and its access token all end."""
    old = person.refresh_token
    person.refresh()
    newest = person.refresh_token
    local.clock.forward(MINUTE)
    assert person.refresh(old).refusal == ENDED
    assert person.refresh(newest).refusal == ENDED
    assert person.call("GET", "/api/me").refusal == (401, "invalid_token")
    (entry,) = local.admin.entries("refresh.reused")
    assert (entry["subject"], entry["facts"]["device"]) == (person.user.id, person.device_id)
    assert local.admin.events(person.user)[-1] == "alarm.refresh_reused"
    assert local.messages()[-1]["event"] == "alarm.refresh_reused"


def test_a_token_older_than_the_previous_one_is_refused(person):
    """A token from two rotations ago is refused."""
    first = person.refresh_token
    person.refresh()
    person.refresh()
    assert person.refresh(first).refusal == ENDED


def test_a_stolen_refresh_token_cannot_be_used_with_a_different_key(local, person):
    """RFC 9449 5: the attempt is refused, and the session stays valid."""
    stolen = person.refresh(key=SigningKey.generate())
    assert stolen.refusal == (400, "invalid_dpop_proof")
    assert local.admin.entries("refresh.reused") == []
    assert person.refresh().status == 200


def test_a_session_expires_after_thirty_unused_days(local, person):
    """The thirty days start again at each refresh."""
    local.clock.forward(30 * DAY - 1)
    assert person.refresh().status == 200
    local.clock.forward(30 * DAY)
    assert person.refresh().refusal == ENDED


def test_a_session_without_a_device_expires_after_fifteen_minutes(local, person):
    """A refresh does not extend a session that has no device yet."""
    user, issued = local.admin.users.enroll("ana", by=BY)
    unfinished = sign_in(local, user, issued.code)
    local.clock.forward(15 * MINUTE - 1)
    assert unfinished.refresh().status == 200
    local.clock.forward(1)
    assert unfinished.refresh().refusal == ENDED
    assert person.refresh().status == 200


def test_revoking_the_device_ends_the_session(person):
    """A person who revokes a device on the device itself ends its session."""
    person.call("DELETE", "/api/devices/self")
    assert person.refresh().refusal == ENDED


def test_the_state_of_the_device_is_checked_at_each_refresh(local, person):
    """A revoked device is refused even if its session was not ended."""
    with local.services.store.write() as tx:
        tx.devices.revoke(person.device_id)
    assert person.refresh().refusal == ENDED


def test_a_disabled_user_cannot_refresh(local, person):
    """The user can refresh once they are enabled again."""
    local.admin.users.disable("ana", by=BY)
    assert person.refresh().refusal == ENDED
    local.admin.users.enable("ana", by=BY)
    assert person.refresh().status == 200


def test_revoking_one_device_keeps_the_sessions_of_other_devices(person):
    """Each device has its own session."""
    other = another_device(person)
    other.call("DELETE", "/api/devices/self")
    assert person.refresh().status == 200


def test_only_one_of_two_concurrent_rotations_succeeds(local, person, monkeypatch):
    """The conditional update determines the winner, not the earlier read."""
    with local.services.store.read() as view:
        session_rows = type(view.sessions)
    monkeypatch.setattr(session_rows, "rotate", lambda *_: False)
    assert person.refresh().refusal == ENDED


@pytest.mark.parametrize(
    ("form", "refusal"),
    [
        ({"refresh_token": None}, (400, "invalid_request")),
        ({"refresh_token": "sayso_rt_unknown"}, ENDED),
        ({"client_id": "other"}, (401, "invalid_client")),
        ({"client_id": None}, (401, "invalid_client")),
    ],
)
def test_an_invalid_refresh_is_refused(local, person, form, refusal):
    """RFC 6749 5.2: an invalid request does not use up the token."""
    all_parameters = {
        "grant_type": "refresh_token",
        "client_id": "sayso-approver",
        "refresh_token": person.refresh_token,
        **form,
    }
    answer = local.post_form("/token", all_parameters, proofs=[person.token_proof()])
    assert answer.refusal == refusal
    assert person.refresh().status == 200
