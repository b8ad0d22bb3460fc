"""What comes back from the upstream server, by HTTP or by stdio.

Owns: reading an answer, and errors for the client. Never: what an answer means.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Protocol, TypeAlias

from sayso.caller import Caller
from sayso.gateway.messages import Event, Json, TooLarge, read

Log: TypeAlias = Callable[[Mapping[str, object]], None]
"""Takes one record of the gateway's log."""


class UpstreamError(Exception):
    """The upstream server did not answer as it should. The text is for the client."""


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
                if "id" in message and message["id"] == request["id"]:
                    return message
            else:
                async with asyncio.timeout(self.timeout):
                    async for event in self.events():
                        message = read(event.data) if event.data else {}
                        if "method" not in message and message.get("id") == request["id"]:
                            return message
        except ValueError as error:
            raise UpstreamError("The upstream server's answer is no JSON-RPC message.") from error
        raise UpstreamError("The upstream server ended its answer without a result.")


class UpstreamServer(Protocol):
    """The upstream server, called for one caller at a time."""

    def send(
        self, caller: Caller | None, method: str, headers: Mapping[str, str], body: bytes | None
    ) -> AbstractAsyncContextManager[Answer]:
        """One HTTP request. Raises UpstreamError, also while the answer is read."""

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
        text = f"The upstream server was silent for {timeout:g} seconds."
        raise UpstreamError(text) from error
