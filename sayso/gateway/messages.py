"""JSON-RPC messages and the streams that carry them.

Owns: reading and writing them, and the responses that the gateway itself sends. Never: what a
message may do (`tools`).
"""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from sayso.tool_calls import FIRST_STATELESS_VERSION, ResumeMethod

Json = dict[str, Any]
INTERNAL: Final = -32603
NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
HEADER_MISMATCH: Final = -32020
_URL_REQUIRED: Final = -32042
_FIELDS: Final = (b"id:", b"event:", b"retry:", b":")
"""Other lines are dropped: a client could read a line after a byte order mark as data."""


class TooLarge(Exception):
    """A message is larger than the gateway's file allows."""


def read(body: bytes) -> Json:
    """Read one message. Raises ValueError, also for a list of messages."""
    try:
        message = json.loads(body, parse_constant=_reject_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(message, dict):
        raise ValueError("not one object")  # noqa: TRY004  # as for invalid JSON
    return message


def write(message: Mapping[str, Any]) -> bytes:
    """Serialize a message, with each member once. Raises ValueError."""
    try:
        return json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def is_response(body: bytes | None) -> bool:
    """Whether a message is the response to a request."""
    return "method" not in read(body) if body else False


def members(message: Mapping[str, Any], name: str) -> Json:
    """Return a member that is an object, or an empty object."""
    value = message.get(name)
    return value if isinstance(value, dict) else {}


def request(method: str, params: Mapping[str, object]) -> Json:
    """Return a request of the gateway itself, with an ID that its session has not used."""
    request_id = f"sayso-{secrets.token_hex(8)}"
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def answer(request: Mapping[str, Any], result: Mapping[str, Any], version: str) -> Json:
    """Return the response to a request."""
    kind = {"resultType": "complete"} if version >= FIRST_STATELESS_VERSION else {}
    return {"jsonrpc": "2.0", "id": request.get("id"), "result": {**kind, **result}}


def tool_error(request: Mapping[str, Any], text: str, version: str) -> Json:
    """Return a result that tells the model why the tool did not run."""
    content = [{"type": "text", "text": text}]
    return answer(request, {"content": content, "isError": True}, version)


def error(request: Mapping[str, Any], code: int, text: str, data: object = None) -> Json:
    """Return a JSON-RPC error."""
    data_member = {} if data is None else {"data": data}
    return {
        "jsonrpc": "2.0",
        "id": request.get("id"),
        "error": {"code": code, "message": text, **data_member},
    }


def progress(request: Mapping[str, Any], seconds: float, total: float, text: str) -> Json | None:
    """Return a progress notification, if the request asked for them."""
    token = members(members(request, "params"), "_meta").get("progressToken")
    if token is None:
        return None
    params = {"progressToken": token, "progress": seconds, "total": total, "message": text}
    return {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}


def resume_message(
    request: Mapping[str, Any],
    method: ResumeMethod,
    *,
    text: str,
    url: str,
    state: str,
    version: str,
) -> Json:
    """Return the response to a client that cannot wait any longer."""
    if method is ResumeMethod.SAME_CALL:
        return tool_error(request, text, version)
    elicitation = {"mode": "url", "message": text, "url": url}
    if method is ResumeMethod.URL_REQUIRED:
        elicitations = [{**elicitation, "elicitationId": state}]
        return error(request, _URL_REQUIRED, text, {"elicitations": elicitations})
    input_requests = {"approval": {"method": "elicitation/create", "params": elicitation}}
    result = {
        "resultType": "input_required",
        "inputRequests": input_requests,
        "requestState": state,
    }
    return answer(request, result, version)


def quiet_meta(request: Mapping[str, Any]) -> Json:
    """Return the `_meta` of a request without its progress token."""
    meta = members(members(request, "params"), "_meta")
    other_members = {name: value for name, value in meta.items() if name != "progressToken"}
    return {"_meta": other_members} if other_members else {}


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream: its data, if it has any, and its other fields as they came.

    Empty data counts: a server sends it with the ID from which a client can resume the stream.
    """

    data: bytes | None
    others: Sequence[bytes] = ()

    def encode(self) -> bytes:
        """Return the event as it is sent."""
        data = [] if self.data is None else [b"data: " + self.data]
        return b"\n".join([*self.others, *data]) + b"\n\n"


class EventReader:
    """Reads a stream of events, each of at most `max_bytes` bytes. `feed` raises TooLarge."""

    def __init__(self, max_bytes: int) -> None:
        self._max, self._size = max_bytes, 0
        self._line = bytearray()
        self._lines: list[bytes] = []
        self._after_return = False

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Yield the events that this chunk completes."""
        if self._after_return and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_return = chunk.endswith(b"\r")
        for piece in chunk.splitlines(keepends=True):
            self._size += len(piece)
            if self._size > self._max:
                raise TooLarge
            self._line += piece
            if not piece.endswith((b"\r", b"\n")):
                continue
            line = bytes(self._line).rstrip(b"\r\n")
            self._line.clear()
            if line:
                self._lines.append(line)
                continue
            if self._lines:
                yield _event(self._lines)
            self._lines, self._size = [], 0


def event(message: Mapping[str, Any]) -> bytes:
    """Return a message as an event of a stream."""
    return Event(write(message)).encode()


def _event(lines: Sequence[bytes]) -> Event:
    data = [line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:")]
    others = tuple(line for line in lines if line.startswith(_FIELDS))
    return Event(b"\n".join(data) if data else None, others)


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
