"""The connection to an untrusted upstream server that speaks HTTP.

Owns: its credential, size and time limits, and reading its responses. Never: what they mean.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import httpx

from sayso.agent import AsyncAgent
from sayso.approved import Approved
from sayso.caller import Caller
from sayso.errors import SaysoError
from sayso.gateway.answers import (
    REFUSALS,
    Answer,
    NoResponse,
    NotSent,
    SessionEnded,
    UpstreamError,
    within_limits,
)
from sayso.gateway.config import Config, Exchange, Header
from sayso.gateway.messages import Event, EventReader, TooLarge
from sayso.open_calls import start_asking
from sayso.transport import new_http

_CONNECT_TIMEOUT: Final = 10.0
_MAX_TOKENS: Final = 10_000
_EXPIRY_MARGIN: Final = 10
"""A token is no longer used this many seconds before its expiry."""
_SESSION: Final = "mcp-session-id"
_SUCCESS_STATUSES: Final = frozenset({200, 202, 204})


class Upstream:
    """The upstream server at one URL, called for one caller at a time."""

    def __init__(
        self,
        url: str,
        config: Config,
        agent: AsyncAgent | None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._url, self._agent = url, agent
        self._credential, self._timeout = config.upstream, config.timeout
        self._max = config.max_bytes
        self._tokens: dict[bytes, tuple[float, Approved]] = {}
        self._exchanges: dict[bytes, asyncio.Task[Approved]] = {}
        """The pending exchanges, by the digest of the caller's token."""
        timeout = httpx.Timeout(self._timeout, connect=min(_CONNECT_TIMEOUT, self._timeout))
        self._http = http or new_http(httpx.AsyncClient, timeout)

    @asynccontextmanager
    async def send(
        self, caller: Caller | None, method: str, headers: Mapping[str, str], body: bytes | None
    ) -> AsyncIterator[Answer]:
        """Send one HTTP request. Sending and reading raise SessionEnded or UpstreamError."""
        auth, auth_headers = await self._authenticate(caller)
        request = self._http.build_request(
            method,
            self._url,
            headers={"accept-encoding": "identity", **headers, **auth_headers},
            content=body,
        )
        response = None
        try:
            with within_limits(self._max, self._timeout):
                async with asyncio.timeout(self._timeout):
                    response = await self._http.send(request, stream=True, auth=auth)
                if response.status_code == httpx.codes.NOT_FOUND and _SESSION in headers:
                    raise SessionEnded
                if response.status_code not in _SUCCESS_STATUSES | REFUSALS:
                    raise NoResponse(response.status_code)
                yield _HttpAnswer(response, self._max, self._timeout)
        except httpx.TimeoutException as error:
            text = f"The upstream server did not respond within {self._timeout:g} s."
            raise UpstreamError(text) from error
        except httpx.HTTPError as error:
            name = type(error).__name__
            raise UpstreamError(
                f"The gateway cannot reach the upstream server ({name}). Ask its operator to check "
                "the server and its URL."
            ) from error
        finally:
            if response is not None:
                await response.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _authenticate(
        self, caller: Caller | None
    ) -> tuple[httpx.Auth | None, Mapping[str, str]]:
        """Return the gateway's authentication to the upstream server for this call."""
        if isinstance(self._credential, Header):
            return None, {self._credential.name: self._credential.value}
        if self._credential is None or caller is None:
            return None, {}
        try:
            async with asyncio.timeout(self._timeout):
                return (await self._exchange_token(caller, self._credential)).auth, {}
        except (SaysoError, TimeoutError) as error:
            reason = str(error) or "The request timed out."
            text = f"Nothing has run. No token for the upstream server: {reason}"
            raise NotSent(text) from error

    async def _exchange_token(self, caller: Caller, exchange: Exchange) -> Approved:
        """Exchange a token once. This may ask the user, and may continue after this call ends."""
        now = asyncio.get_running_loop().time()
        token_hash = hashlib.sha256(caller.token.encode()).digest()
        if (cached := self._tokens.get(token_hash)) is not None and now < cached[0]:
            return cached[1]
        if token_hash not in self._exchanges:
            asking = self._exchange_and_remember(token_hash, caller.token, exchange)
            self._exchanges[token_hash] = start_asking(asking)
        return await asyncio.shield(self._exchanges[token_hash])

    async def _exchange_and_remember(
        self, token_hash: bytes, token: str, exchange: Exchange
    ) -> Approved:
        if self._agent is None:
            raise AssertionError("checked when the file is read")
        try:
            approved = await self._agent.exchange(
                token, resource=exchange.resource, scope=exchange.scope
            )
        finally:
            del self._exchanges[token_hash]
        while len(self._tokens) >= _MAX_TOKENS:
            del self._tokens[next(iter(self._tokens))]
        expires_at = asyncio.get_running_loop().time() + approved.expires_in - _EXPIRY_MARGIN
        self._tokens[token_hash] = expires_at, approved
        return approved


class _HttpAnswer(Answer):
    """A response over HTTP."""

    def __init__(self, response: httpx.Response, max_bytes: int, timeout: float) -> None:
        self._response, self._max, self.timeout = response, max_bytes, timeout
        self.status = response.status_code
        self.session = response.headers.get(_SESSION)
        kind: str = response.headers.get("content-type", "")
        self.streams = kind.partition(";")[0].strip().lower() == "text/event-stream"

    async def events(self) -> AsyncIterator[Event]:
        """Yield the events of a stream as they arrive. The size limit applies to each event."""
        reader, chunks = EventReader(self._max), self._response.aiter_bytes()
        while True:
            async with asyncio.timeout(self.timeout):
                chunk = await anext(chunks, b"")
            if not chunk:
                return
            for event in reader.feed(chunk):
                yield event

    async def body(self) -> bytes:
        """Return the whole body of a response that is not a stream."""
        content = bytearray()
        async with asyncio.timeout(self.timeout):
            async for chunk in self._response.aiter_bytes():
                content += chunk
                if len(content) > self._max:
                    raise TooLarge
        return bytes(content)
