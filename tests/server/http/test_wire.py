"""Bodies of the JSON API are read strictly and written as documented."""

import json
from typing import Literal

import pytest
from pydantic import Field

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


class _Example(wire.StrictBody):
    """A body with each kind of limit."""

    word: str = Field(default="ab", min_length=2, max_length=3)
    text: str = Field(default="a", min_length=1)
    words: list[str] = Field(default=["a", "b"], min_length=2, max_length=3)
    number: int = Field(default=5, ge=3, le=7)
    choice: Literal["x", "y"] = "x"
    turned: bool = False
    names: dict[str, str] = Field(default_factory=dict)
    at: wire.Moment = "2027-01-31T00:00:00Z"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "/: must be an object."),
        ({"other": 1}, "/other: is unknown."),
        ({"word": 1}, "/word: must be a string."),
        ({"word": "a"}, "/word: must have at least 2 characters."),
        ({"word": "aaaa"}, "/word: must have at most 3 characters."),
        ({"text": ""}, "/text: must not be empty."),
        ({"words": "a"}, "/words: must be a list."),
        ({"words": ["a"]}, "/words: must have at least 2 items."),
        ({"words": ["a"] * 4}, "/words: must have at most 3 items."),
        ({"words": ["a", 1]}, "/words/1: must be a string."),
        ({"number": "5"}, "/number: must be a whole number."),
        ({"number": 2}, "/number: must be at least 3."),
        ({"number": 8}, "/number: must be at most 7."),
        ({"choice": "z"}, "/choice: must be 'x' or 'y'."),
        ({"turned": 1}, "/turned: must be true or false."),
        ({"names": []}, "/names: must be an object."),
        ({"at": "noon"}, "/at: must be a time like 2027-01-31T00:00:00Z."),
    ],
)
def test_an_invalid_member_is_refused_with_its_rule(body, says):
    """The text is complete after the member, because pages show it after the label of a field."""
    assert _refusal_detail(_Example, body) == says


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
