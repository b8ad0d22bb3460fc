"""Messages and streams: reading what may be anything."""

import pytest

from sayso.gateway import messages
from sayso.gateway.handles import Handles
from sayso.gateway.messages import Event, EventReader, TooLarge
from sayso.tool_calls import WayBack
from tests.support.fakes.gateway import caller


@pytest.mark.parametrize("body", [b"[]", b"1", b"{", b"\xff", b'{"a":NaN}', b"[" * 100_000])
def test_what_is_no_message_is_refused(body: bytes) -> None:
    """A list of messages is none."""
    with pytest.raises(ValueError, match=r"\w"):
        messages.read(body)


def test_what_is_written_has_each_member_once_and_only_numbers_of_json() -> None:
    """Another parser reads the same."""
    assert messages.write(messages.read(b'{"a":1,"a":2,"b":"\\ud800"}')) == b'{"a":2,"b":"\\ud800"}'
    with pytest.raises(ValueError, match="JSON"):
        messages.write(messages.read(b'{"a":1e999}'))


STREAM = (
    b': hi\n\nid: 1\r\nretry: 5\r\ndata: {"a"\r\ndata::1}\r\n\r\nevent: message\rdata: 2\r\r\n\n'
)
EVENTS = [
    Event(None, (b": hi",)),
    Event(b'{"a"\n:1}', (b"id: 1", b"retry: 5")),
    Event(b"2", (b"event: message",)),
]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_a_stream_is_read_however_it_is_cut(size: int) -> None:
    """Line ends may be of three kinds, and lie between two chunks."""
    reader = EventReader(100)
    chunks = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    assert [event for chunk in chunks for event in reader.feed(chunk)] == EVENTS


@pytest.mark.parametrize("line", [b"\xef\xbb\xbfdata: {}", b"data", b"DATA: {}", b"other: 1"])
def test_lines_that_are_no_field_are_dropped(line: bytes) -> None:
    """A client may read them as data that the gateway has not looked at."""
    assert list(EventReader(100).feed(line + b"\nid: 1\n\n")) == [Event(None, (b"id: 1",))]


def test_an_event_is_written_as_it_was_read() -> None:
    """The fields that the gateway does not need stay."""
    assert Event(b"2", (b"id: 1",)).encoded() == b"id: 1\ndata: 2\n\n"
    assert Event(None, (b": hi",)).encoded() == b": hi\n\n"


@pytest.mark.parametrize("chunk", [b"data: " + b"a" * 100, b"data: aa\n" * 20])
def test_an_event_has_a_most_size(chunk: bytes) -> None:
    """A stream of small events has none."""
    reader = EventReader(100)
    assert len([event for _ in range(50) for event in reader.feed(b"data: 1\n\n")]) == 50
    with pytest.raises(TooLarge):
        list(reader.feed(chunk))


def test_ways_to_come_back() -> None:
    """By the version of the protocol."""
    texts = {"text": "pending", "url": "https://sayso.example/", "state": "s"}
    request = {"id": 7}
    same = messages.come_back(request, WayBack.SAME_CALL, version="2025-11-25", **texts)
    assert (same["id"], same["result"]["isError"]) == (7, True)
    url = messages.come_back(request, WayBack.URL_REQUIRED, version="2025-11-25", **texts)
    assert url["error"]["code"] == -32042
    assert url["error"]["data"]["elicitations"][0]["elicitationId"] == "s"
    more = messages.come_back(request, WayBack.INPUT_REQUIRED, version="2026-07-28", **texts)
    assert more["result"]["resultType"] == "input_required"
    assert more["result"]["requestState"] == "s"


def test_a_handle_is_for_one_user_client_and_purpose() -> None:
    """Whoever else has it, or changes it, has nothing."""
    handles = Handles("secret")
    mine = caller("ana", "app")
    handle = handles.seal("session", mine, ["s1", True])
    assert Handles("secret").open("session", mine, handle) == ["s1", True]
    others = [caller("eve", "app"), caller("ana", "other"), caller(None, "app")]
    assert [handles.open("session", other, handle) for other in others] == [None] * 3
    assert handles.open("state", mine, handle) is None
    assert Handles("other").open("session", mine, handle) is None
    for changed in (handle[1:], handle[:-1], "", ".", "\ud800.\ud800", handle + "é"):
        assert handles.open("session", mine, changed) is None
