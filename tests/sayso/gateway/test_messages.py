"""Reading and writing messages and streams that may contain anything."""

import pytest

from sayso.gateway import messages
from sayso.gateway.handles import Handles
from sayso.gateway.messages import Event, EventReader, TooLarge
from sayso.tool_calls import ResumeMethod
from tests.support.fakes.gateway import caller


@pytest.mark.parametrize("body", [b"[]", b"1", b"{", b"\xff", b'{"a":NaN}', b"[" * 100_000])
def test_an_invalid_message_is_refused(body: bytes) -> None:
    """A JSON array of messages is refused too."""
    with pytest.raises(ValueError, match=r"\w"):
        messages.read(body)


def test_a_written_message_is_read_alike_by_every_parser() -> None:
    """Each member is written once, and a number that JSON does not have is an error."""
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
def test_a_stream_is_read_in_chunks_of_any_size(size: int) -> None:
    """There are three kinds of line endings, and one may be split between two chunks."""
    reader = EventReader(100)
    chunks = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert [event for chunk in chunks for event in reader.feed(chunk)] == EVENTS


@pytest.mark.parametrize("line", [b"\xef\xbb\xbfdata: {}", b"data", b"DATA: {}", b"other: 1"])
def test_lines_that_are_not_known_fields_are_dropped(line: bytes) -> None:
    """A client might read such a line as data, which the gateway has not checked."""
    assert list(EventReader(100).feed(line + b"\nid: 1\n\n")) == [Event(None, (b"id: 1",))]


def test_an_event_is_written_as_it_was_read() -> None:
    """Fields that the gateway does not need are kept."""
    assert Event(b"2", (b"id: 1",)).encode() == b"id: 1\ndata: 2\n\n"
    assert Event(None, (b": hi",)).encode() == b": hi\n\n"


@pytest.mark.parametrize("chunk", [b"data: " + b"a" * 100, b"data: aa\n" * 20])
def test_the_size_of_an_event_is_limited(chunk: bytes) -> None:
    """A stream of many small events has no limit."""
    reader = EventReader(100)
    assert len([event for _ in range(50) for event in reader.feed(b"data: 1\n\n")]) == 50
    with pytest.raises(TooLarge):
        list(reader.feed(chunk))


def test_a_pending_call_is_answered_in_the_form_of_its_protocol_version() -> None:
    """The form is a result with an error, a URL elicitation, or a request for input."""
    texts = {"text": "pending", "url": "https://sayso.example/", "state": "s"}
    request = {"id": 7}
    error_result = messages.resume_message(
        request, ResumeMethod.SAME_CALL, version="2025-11-25", **texts
    )
    assert (error_result["id"], error_result["result"]["isError"]) == (7, True)
    url = messages.resume_message(request, ResumeMethod.URL_REQUIRED, version="2025-11-25", **texts)
    assert url["error"]["code"] == -32042
    assert url["error"]["data"]["elicitations"][0]["elicitationId"] == "s"
    input_required = messages.resume_message(
        request, ResumeMethod.INPUT_REQUIRED, version="2026-07-28", **texts
    )
    assert input_required["result"]["resultType"] == "input_required"
    assert input_required["result"]["requestState"] == "s"


def test_a_handle_is_for_one_user_client_and_purpose() -> None:
    """A handle of a different caller, or one that was changed, opens nothing."""
    handles = Handles("secret")
    own_caller = caller("ana", "app")
    handle = handles.seal("session", own_caller, ["s1", True])
    assert Handles("secret").open("session", own_caller, handle) == ["s1", True]
    others = [caller("eve", "app"), caller("ana", "other"), caller(None, "app")]
    assert [handles.open("session", other, handle) for other in others] == [None] * 3
    assert handles.open("state", own_caller, handle) is None
    assert Handles("other").open("session", own_caller, handle) is None
    for changed in (handle[1:], handle[:-1], "", ".", "\ud800.\ud800", handle + "é"):
        assert handles.open("session", own_caller, changed) is None
