"""What comes back from the upstream server, by HTTP or by stdio.

Owns: reading an answer, and errors for the client. Never: what an answer means.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Final, Protocol, TypeAlias

from sayso.caller import Caller
from sayso.gateway.messages import Event, Json, TooLarge, read
from sayso.rejection import Rejected

REFUSALS: Final = frozenset({400, 404, 405})
"""Statuses of errors that mean something in MCP. Others concern the gateway, not the client."""
Log: TypeAlias = Callable[[Mapping[str, object]], None]
"""Takes one record of the gateway's log."""


class UpstreamError(Exception):
    """The upstream server did not answer as it should. The text is for the client."""

    status = 200
    """The HTTP status by which the client learns of it."""


class NoResponse(UpstreamError):
    """An answer that is no response of MCP, such as a page. Nothing of it is shown."""

    def __init__(self, status: int) -> None:
        super().__init__(
            f"The upstream server answered with status {status} and no valid JSON-RPC "
            "response. The operator of the gateway must check its URL and credential."
        )
        self.status = status if status in REFUSALS else 200


class SessionEnded(Rejected):
    """The session is not, or no longer, one of this caller's: the client begins another."""

    def __init__(self) -> None:
        super().__init__(404, "not_found", "There is no such session. Initialize a new one.")


class Answer(ABC):
    """An answer of which the head has come."""

    status: int
    """Its HTTP status."""
    session: str | None
    """The session that it names."""
    streams: bool
    """Whether it is a stream of events."""
    timeout: float
    """Seconds for which the upstream server may be silent."""

    @abstractmethod
    def events(self) -> AsyncIterator[Event]:
        """The events of a stream as they come. Each may have the most bytes."""

    @abstractmethod
    async def body(self) -> bytes:
        """The whole of an answer that is no stream."""

    async def result(self, request: Json) -> Json:
        """The answer to this request, past all else that a stream says. Raises UpstreamError."""
        try:
            if not self.streams:
                message = read(await self.body())
                if "id" not in message or message["id"] != request["id"]:
                    raise NoResponse(self.status)
                return message
            async with asyncio.timeout(self.timeout):
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
        """One HTTP request. Raises SessionEnded or UpstreamError, the latter also while reading."""

    async def aclose(self) -> None:
        """End what is open."""


@contextmanager
def within_limits(max_bytes: int, timeout: float) -> Iterator[None]:
    """Turn what exceeds a limit into an error for the client."""
    try:
        yield
    except TooLarge as error:
        text = f"The answer of the upstream server was cut off after {max_bytes} bytes."
        raise UpstreamError(text) from error
    except TimeoutError as error:
        text = f"The upstream server was silent for {timeout:g} s."
        raise UpstreamError(text) from error
