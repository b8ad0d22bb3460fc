"""Bodies of the JSON API are read strictly and written as documented."""

import json

import pytest

from server.http import wire
from server.http.approvals import approval_wire
from server.http.devices import device_wire
from server.http.feed import event_frame
from server.protocol import errors
from tests.support.builders.callers import X


def _refusal_detail(kind, body):
    with pytest.raises(errors.Problem) as refused:
        wire.read(kind, body if isinstance(body, bytes) else json.dumps(body).encode())
    assert (refused.value.status, refused.value.code) == (422, "invalid_body")
    return refused.value.detail


def test_a_body_is_read_into_its_model():
    """`for` is a keyword of Python, so the model calls it `purpose`."""
    body = wire.read(device_wire.PinInput, json.dumps({"x": X, "for": "session"}).encode())
    assert (body.raw(), body.purpose) == (bytes(32), "session")


@pytest.mark.parametrize("body", [b"", b"nonsense", b'{"x":1,"x":2}', b"\xff", b"[" * 100])
def test_lax_json_is_refused(body):
    """Duplicate members, other encodings and excessive depth are refused."""
    assert _refusal_detail(device_wire.PinInput, body)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"for": "session"}, "/x"),
        ({"x": X}, "/for"),
        ({"x": 7, "for": "session"}, "/x"),
        ({"x": X, "for": "session", "more": 1}, "/more"),
        ({"x": X, "for": "s" * 65}, "/for"),
        ([], "/"),
    ],
)
def test_a_missing_wrong_or_extra_member_is_named_in_the_refusal(body, place):
    """No member is guessed, and no member is ignored."""
    assert _refusal_detail(device_wire.PinInput, body).startswith(f"{place}: ")


@pytest.mark.parametrize("x", ["", X[:-1], X + "A", X + X, "é" * 43, X[:-1] + "!", "A"])
def test_a_pin_value_is_exactly_32_bytes(x):
    """The value is encoded in base64url."""
    assert _refusal_detail(device_wire.PinInput, {"x": x, "for": "session"}).startswith("/x: ")


@pytest.mark.parametrize("text", ["1", "x.y", ".sayso_ap_a", "-1.a", "\u0661.a", "1." + "a" * 65])
def test_an_invalid_approval_cursor_is_refused(text):
    """Only a cursor from an earlier answer is valid."""
    with pytest.raises(errors.Problem) as refused:
        approval_wire.read_cursor(text)
    assert refused.value.code == "invalid_body"


@pytest.mark.parametrize(
    ("text", "place"),
    [(None, None), ("", None), ("1760000000000.sayso_ap_a", (1_760_000_000_000, "sayso_ap_a"))],
)
def test_without_a_cursor_a_list_starts_at_the_beginning(text, place):
    """An empty cursor is treated as no cursor."""
    assert approval_wire.read_cursor(text) == place


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "", "1.5", "9" * 30])
def test_a_page_has_one_to_two_hundred_items(person, limit):
    """A limit outside this range is refused."""
    refused = person.call("GET", "/api/approvals", query={"limit": limit})
    assert refused.refusal == (422, "invalid_body")
    assert person.call("GET", "/api/approvals", query={"limit": "200"}).status == 200


def test_a_list_has_either_pending_or_decided_requests(person):
    """Any other value of `state` is refused."""
    refused = person.call("GET", "/api/approvals", query={"state": "all"})
    assert refused.refusal == (422, "invalid_body")


def test_a_conflict_shows_the_approval_without_a_nonce(agent, person):
    """The approval in the refusal has the documented members."""
    _, approval = agent.request_approval()
    members = set(person.show(approval.id))
    person.approve(approval.id)
    late = person.deny(approval.id)
    assert set(late.json["approval"]) == members
    assert late.json["approval"]["nonce"] is None


def test_an_event_carries_its_subject_and_no_nonce(local, agent, person):
    """A nonce is only for the device that requested it, and an event goes to all devices."""
    agent.request_approval()
    page = local.site.notifications.feed.page(person.user.id, person.device_id, 0)
    frames = [event_frame(item) for item in page.items]
    assert [frame["event"] for frame in frames] == ["device.enrolled", "approval.requested"]
    device, requested = frames
    assert (device["type"], device["seq"], device["device"]["id"]) == (
        "event",
        page.items[0].event.seq,
        person.device_id,
    )
    assert device["device"]["nonce"] is None
    assert "approval" not in device
    assert "device" not in requested
    assert "nonce" not in requested["approval"]
    assert requested["approval"]["state"] == "pending"


def test_a_device_that_was_never_seen_has_no_last_seen_time(local, person):
    """The member is null and not the epoch."""
    other = local.admin.device(person.user)
    items = person.call("GET", "/api/devices").json["items"]
    assert {d["id"]: d["last_seen_at"] is None for d in items} == {
        person.device_id: False,
        other.id: True,
    }


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/devices", {"name": "x"}),
        ("/api/devices/self/pin", {"x": X}),
        ("/api/devices/self/pin/confirmation", {}),
        ("/api/devices/self/unlock", {"statement": 1}),
        ("/api/devices/self/vouch", {"statement": "x" * 8_193}),
        ("/api/approvals/sayso_ap_a/decision", {"decision": None}),
        ("/api/approvals/sayso_ap_a/decision", {"decision": "x", "note": "n" * 1_001}),
    ],
)
def test_every_route_with_a_body_refuses_an_invalid_one(person, path, body):
    """The body is checked before anything else."""
    assert person.call("POST", path, body).refusal == (422, "invalid_body")
