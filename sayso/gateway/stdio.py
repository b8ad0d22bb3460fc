"""An upstream server that speaks stdio: one child process for each session of a client.

1. A session belongs to the user and client that began it, and sessions never share a process.
   Requests without a session (from 2026-07-28) share the process of their user and client.
2. If a process has ended, the next call of its session starts it again and repeats the handshake.
3. The gateway's own secrets are not in the environment of a process.

Owns: which session has which process, and how many there are. Never: their messages (`child`).
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from sayso.caller import Caller
from sayso.gateway.answers import Answer, Log, SessionEnded, UpstreamError, within_limits
from sayso.gateway.child import Child, Mailbox
from sayso.gateway.config import BadFile, Config
from sayso.gateway.messages import Event, Json, read, write

_SESSION: Final = "mcp-session-id"
_OWN_PREFIX: Final = "SAYSO_"
_IDLE_SECONDS: Final = 1_800.0
"""Seconds after which an unused session ends."""
_MAX_PER_CALLER: Final = 5
_OK, _ACCEPTED, _NOT_ALLOWED = 200, 202, 405


@dataclass(slots=True)
class _Session:
    """A session, and the process that serves it now."""

    owner: tuple[str | None, str]
    child: Child | None = None
    handshake: list[Json] = field(default_factory=list)
    """The client's initialization messages."""
    uses: int = 0
    used_at: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass
class _StdioAnswer(Answer):
    """The response of a process; without a mailbox it is empty."""

    status: int
    timeout: float
    session: str | None = None
    child: Child | None = None
    mailbox: Mailbox | None = None

    def __post_init__(self) -> None:
        self.streams = self.mailbox is not None

    async def events(self) -> AsyncIterator[Event]:
        """Yield the messages up to the response to the request."""
        if self.mailbox is None or self.child is None:
            return
        is_answered = False
        while not is_answered:
            async with asyncio.timeout(self.timeout):
                message = await self.mailbox.get()
            if message is None:
                raise self.child.error()
            is_answered = "method" not in message
            yield Event(write(message))

    async def body(self) -> bytes:
        """Return nothing, because all messages are events."""
        return b""


class StdioServer:
    """The processes of one command."""

    def __init__(
        self,
        command: Sequence[str],
        config: Config,
        environment: Mapping[str, str],
        log: Log,
        *,
        idle: float = _IDLE_SECONDS,
    ) -> None:
        if config.upstream is not None:
            raise BadFile(
                "upstream",
                "",
                "cannot be used with --stdio. Remove it, and give the server its credential in the "
                "environment of the gateway.",
            )
        self._command, self._config, self._log, self._idle = command, config, log, idle
        self._environment = {
            name: value
            for name, value in environment.items()
            if not name.startswith(_OWN_PREFIX) and name not in config.secrets
        }
        self._sessions: dict[str, _Session] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def send(
        self, caller: Caller | None, method: str, headers: Mapping[str, str], body: bytes | None
    ) -> AsyncIterator[Answer]:
        """Handle one HTTP request as a server would. Raises SessionEnded or UpstreamError."""
        timeout = self._config.timeout
        message = None if body is None else read(body)
        session_name, is_new = headers.get(_SESSION), False
        if message is not None and session_name is None:
            is_new = message.get("method") == "initialize"
            session_name = secrets.token_urlsafe(16) if is_new else f"caller {_owner(caller)}"
            if session_name not in self._sessions:
                self._add(session_name, _owner(caller))
        if session_name is None:
            yield _StdioAnswer(_NOT_ALLOWED, timeout)
            return
        if (session := self._sessions.get(session_name)) is None:
            raise SessionEnded
        if method == "DELETE":
            self._end(session_name)
            yield _StdioAnswer(_OK, timeout)
            return
        session.uses += 1
        try:
            with within_limits(self._config.max_bytes, timeout):
                async with asyncio.timeout(timeout):
                    child = await self._ensure_running(session)
                    mailbox = await _send_to(child, message)
                try:
                    if message is not None:
                        _record_handshake(session, message)
                    yield _StdioAnswer(
                        _ACCEPTED if mailbox is None else _OK,
                        timeout,
                        session=session_name if is_new else None,
                        child=child,
                        mailbox=mailbox,
                    )
                finally:
                    if mailbox is not None:
                        child.forget(mailbox)
        finally:
            session.uses -= 1
            session.used_at = asyncio.get_running_loop().time()

    async def aclose(self) -> None:
        """Stop all processes."""
        if self._timer is not None:
            self._timer.cancel()
        for name in list(self._sessions):
            self._end(name)
        await asyncio.gather(*self._endings)

    async def _ensure_running(self, session: _Session) -> Child:
        """Return the process of a session; start it if it is not running."""
        async with session.lock:
            if session.child is not None and session.child.is_running:
                return session.child
            child = await Child.start(
                self._command, self._environment, self._config.max_bytes, self._log
            )
            self._finish(session.child)
            session.child = child
            try:
                for message in session.handshake:
                    mailbox = await _send_to(child, message)
                    if mailbox is not None:
                        await _wait_for_response(child, mailbox)
            except BaseException:  # also if the client disconnects
                session.child = None
                self._finish(child)
                raise
            return child

    def _add(self, name: str, owner: tuple[str | None, str]) -> None:
        """Add a session. If there are too many, end the one that was used least recently."""
        own_sessions = [name for name, session in self._sessions.items() if session.owner == owner]
        if len(own_sessions) >= _MAX_PER_CALLER:
            self._make_room(own_sessions, "this client has")
        if len(self._sessions) >= self._config.max_processes:
            self._make_room(list(self._sessions), "the gateway has")
        self._sessions[name] = _Session(owner, used_at=asyncio.get_running_loop().time())
        self._schedule_idle_check()

    def _make_room(self, names: Sequence[str], holder: str) -> None:
        unused = [name for name in names if not self._sessions[name].uses]
        if not unused:
            raise UpstreamError(
                f"Too many sessions: {holder} {len(names)}, and all are in use. Try again later."
            )
        self._end(min(unused, key=lambda name: self._sessions[name].used_at))

    def _schedule_idle_check(self) -> None:
        if self._timer is None and self._sessions:
            self._timer = asyncio.get_running_loop().call_later(self._idle / 2, self._end_idle)

    def _end_idle(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for name, session in list(self._sessions.items()):
            if not session.uses and now - session.used_at > self._idle:
                self._end(name)
        self._schedule_idle_check()

    def _end(self, name: str) -> None:
        self._finish(self._sessions.pop(name).child)

    def _finish(self, child: Child | None) -> None:
        if child is not None:
            task = asyncio.create_task(child.end())
            self._endings.add(task)
            task.add_done_callback(self._endings.discard)


def _owner(caller: Caller | None) -> tuple[str | None, str]:
    return (None, "") if caller is None else (caller.user, caller.client)


async def _send_to(child: Child, message: Json | None) -> Mailbox | None:
    """Send a message; return the mailbox of its response, or of the child's own messages."""
    if message is None:
        return child.listen()
    if "id" in message and "method" in message:
        return await child.ask(message)
    await child.notify(message)
    return None


async def _wait_for_response(child: Child, mailbox: Mailbox) -> None:
    """Wait for the response to a repeated handshake request. Raises UpstreamError."""
    while (message := await mailbox.get()) is None or "method" in message:
        if message is None:
            raise child.error()


def _record_handshake(session: _Session, message: Json) -> None:
    """Remember a session's handshake, to repeat it in a new process."""
    if message.get("method") in {"initialize", "notifications/initialized"}:
        other_messages = [
            other for other in session.handshake if other.get("method") != message.get("method")
        ]
        session.handshake = [*other_messages, message]
