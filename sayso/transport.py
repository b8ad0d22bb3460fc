"""HTTP for both threads and asyncio.

A flow is a generator that yields `Send` or `Sleep` and receives a `Reply`. It contains all the
rules and performs no I/O itself; `run` and `run_async` perform what it yields.

Owns: the drivers for threads and asyncio. Never: what is sent, or what an answer means.
"""

import asyncio
import time
from collections.abc import Generator, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Any, Final, Self, TypeVar

import httpx

from sayso.errors import Unreachable
from sayso.text import one_line

T = TypeVar("T")
Http = TypeVar("Http", httpx.Client, httpx.AsyncClient)
_DIRECT: Final = dict.fromkeys(("all://localhost", "all://127.0.0.1", "all://[::1]"))
"""Client `mounts` that bypass the proxy for this machine, where http is allowed."""
_LIMITS: Final = httpx.Limits(max_connections=None, max_keepalive_connections=100)
"""Each waiting request needs a connection of its own."""
TIMEOUT: Final = 10.0
"""Seconds to wait for a response, except to a long poll."""


@dataclass(frozen=True, slots=True)
class Send:
    """One HTTP request. `timeout` in seconds. Its `repr` contains no secrets."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    json: object = field(default=None, repr=False)
    timeout: float = TIMEOUT


@dataclass(frozen=True, slots=True)
class Sleep:
    """Do nothing for `seconds`, or until `until` is done."""

    seconds: float
    until: "Future[None] | None" = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A response: its status, headers, JSON object (empty if it has none) and duration."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    seconds: float

    @property
    def retry_after(self) -> float:
        """Seconds that the server wants the client to wait; 0 if it does not say."""
        value = self.headers.get("retry-after", "").strip()
        return float(value) if value.isdecimal() else 0.0


Flow = Generator[Send | Sleep, Reply, T]
_SLEPT: Final = Reply(0, {}, {}, 0.0)


def run(flow: Flow[T], http: httpx.Client) -> T:
    """Run a flow in this thread; return its result."""
    try:
        step = next(flow)
        while True:
            if isinstance(step, Sleep):
                if step.until is None:
                    time.sleep(step.seconds)
                else:
                    wait([step.until], step.seconds)
                step = flow.send(_SLEPT)
                continue
            began = time.monotonic()
            try:
                answer = http.send(_request(http, step))
            except httpx.RequestError as error:
                step = flow.throw(_unreachable(step, error, time.monotonic() - began))
            else:
                step = flow.send(_reply(answer, time.monotonic() - began))
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        flow.close()  # if this was interrupted, release what the flow holds


async def run_async(flow: Flow[T], http: httpx.AsyncClient) -> T:
    """Run a flow in this task; return its result."""
    try:
        step = next(flow)
        while True:
            if isinstance(step, Sleep):
                if step.until is None:
                    await asyncio.sleep(step.seconds)
                else:
                    await asyncio.wait([asyncio.wrap_future(step.until)], timeout=step.seconds)
                step = flow.send(_SLEPT)
                continue
            began = time.monotonic()
            try:
                answer = await http.send(_request(http, step))
            except httpx.RequestError as error:
                step = flow.throw(_unreachable(step, error, time.monotonic() - began))
            else:
                step = flow.send(_reply(answer, time.monotonic() - began))
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        flow.close()  # if this was interrupted, release what the flow holds


def new_http(kind: type[Http], timeout: httpx.Timeout | float = TIMEOUT) -> Http:
    """Return a client. Raises ValueError, which names the environment variables to check."""
    try:
        return kind(mounts=_DIRECT, timeout=timeout, limits=_LIMITS)
    except (OSError, ImportError, ValueError) as error:
        raise ValueError(
            "HTTP cannot be used. Check SSL_CERT_FILE, SSL_CERT_DIR, HTTP_PROXY, HTTPS_PROXY and "
            f"ALL_PROXY: {error}"
        ) from error


class Connected:
    """Holds connections for threads. The `with` statement closes them."""

    _http: httpx.Client

    def _connect(self, http: httpx.Client | None) -> None:
        self._http = http or new_http(httpx.Client)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncConnected:
    """Holds connections for asyncio. The `async with` statement closes them.

    A connection belongs to the event loop that opened it, so each loop has its own client, unless
    the user of this class passed one.
    """

    _http: httpx.AsyncClient | None
    _clients: dict[asyncio.AbstractEventLoop, httpx.AsyncClient]

    def _connect(self, http: httpx.AsyncClient | None) -> None:
        self._http, self._clients = http, {}

    async def _run(self, flow: Flow[T]) -> T:
        return await run_async(flow, self._http or self._client_of_this_loop())

    def _client_of_this_loop(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            for ended_loop in [other for other in tuple(self._clients) if other.is_closed()]:
                self._clients.pop(ended_loop, None)
            self._clients[loop] = new_http(httpx.AsyncClient)
        return self._clients[loop]

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        http = self._http or self._clients.pop(asyncio.get_running_loop(), None)
        if http is not None:
            await http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _request(http: httpx.Client | httpx.AsyncClient, step: Send) -> httpx.Request:
    data = None if step.form is None else dict(step.form)
    return http.build_request(
        step.method,
        step.url,
        headers={"Accept": "application/json", **step.headers},
        data=data,
        json=step.json,
        timeout=step.timeout,
    )


def _reply(answer: httpx.Response, seconds: float) -> Reply:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    members = body if isinstance(body, dict) else {}
    return Reply(answer.status_code, answer.headers, members, seconds)


def _unreachable(step: Send, error: httpx.RequestError, seconds: float) -> Unreachable:
    reason = ": ".join(filter(None, (type(error).__name__, one_line(str(error)))))
    check = "Check that the server runs and that the issuer is right"
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        check = "If a private authority signed the certificate, set SSL_CERT_FILE to its file"
    if step.form is not None:
        check += ", then call again with the same idempotency_key"
    return Unreachable(f"No answer from {step.url}: {reason.removesuffix('.')}. {check}.", seconds)
