"""Responses of the upstream server, over HTTP or stdio.

Owns: reading a response, and errors for the client. Never: what a response means.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Final, Protocol, TypeAlias

from sayso.caller import Caller
from sayso.gateway.messages import Event, Json, TooLarge, read
from sayso.rejection import Rejected

REFUSALS: Final = frozenset({400, 404, 405})
"""Error statuses that MCP defines. Other errors concern the gateway, not the client."""
Log: TypeAlias = Callable[[Mapping[str, object]], None]
"""Writes one record to the gateway's log."""


class UpstreamError(Exception):
    """The upstream server did not respond as it should. The message is for the client."""

    status = 200
    """The HTTP status of the response to the client."""


class NoResponse(UpstreamError):
    """The response is not an MCP response, such as a web page. None of it is shown."""

    def __init__(self, status: int) -> None:
        super().__init__(
            f"The upstream server answered with status {status} and no valid JSON-RPC "
            "response. The operator of the gateway must check its URL and credential."
        )
        self.status = status if status in REFUSALS else 200


class NotSent(UpstreamError):
    """The message was not sent, so nothing has run."""


class SessionEnded(Rejected):
    """The session is not, or is no longer, this caller's; the client must begin a new one."""

    def __init__(self) -> None:
        super().__init__(404, "not_found", "There is no such session. Initialize a new one.")


class Answer(ABC):
    """A response whose status and headers have arrived."""

    status: int
    """Its HTTP status."""
    session: str | None
    """The session that the response names, if any."""
    streams: bool
    """Whether it is a stream of events."""
    timeout: float
    """The number of seconds for which the upstream server may be silent."""

    @abstractmethod
    def events(self) -> AsyncIterator[Event]:
        """Yield the events of a stream as they arrive. The size limit applies to each event."""

    @abstractmethod
    async def body(self) -> bytes:
        """Return the whole body of a response that is not a stream."""

    async def result(self, request: Json) -> Json:
        """Return the response to this request; skip all other messages. Raises UpstreamError."""
        try:
            if not self.streams:
                message = read(await self.body())
                if "id" not in message or message["id"] != request["id"]:
                    raise NoResponse(self.status)
                return message
            async for event in self.events():
                message = read(event.data) if event.data else {}
                if "method" not in message and message.get("id") == request["id"]:
                    return message
        except ValueError as error:
            raise NoResponse(self.status) from error
        raise UpstreamError("The upstream server ended its response without a result.")


class UpstreamServer(Protocol):
    """The upstream server, called for one caller at a time."""

    def send(
        self, caller: Caller | None, method: str, headers: Mapping[str, str], body: bytes | None
    ) -> AbstractAsyncContextManager[Answer]:
        """Send one HTTP request. Sending and reading raise SessionEnded or UpstreamError."""

    async def aclose(self) -> None:
        """Close all connections and processes."""


@contextmanager
def within_limits(max_bytes: int, timeout: float) -> Iterator[None]:
    """Turn an exceeded limit into an error for the client."""
    try:
        yield
    except TooLarge as error:
        text = f"The upstream server's response was cut off after {max_bytes} bytes."
        raise UpstreamError(text) from error
    except TimeoutError as error:
        text = f"The upstream server did not respond within {timeout:g} s."
        raise UpstreamError(text) from error
