"""An MCP server that speaks stdio: an untrusted child process of the gateway.

Owns: its lifetime, its lines, and which request a message belongs to. Never: its session.
"""

import asyncio
import contextlib
import itertools
import os
import signal
from collections.abc import Mapping, Sequence
from typing import Final, Self

from sayso.gateway import messages
from sayso.gateway.answers import Log, UpstreamError
from sayso.gateway.messages import Json, TooLarge, members
from sayso.text import one_line

_EXIT_SECONDS: Final = 2.0
"""Seconds that the process has to exit by itself, and again after SIGTERM."""
_MAX_LOGGED: Final = 200
"""The maximum number of lines that are logged for one process."""
_STDERR_BYTES: Final = 16 * 1024


class Mailbox:
    """Messages from the child for one reader, one at a time: a slow reader slows its own child."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Json | None] = asyncio.Queue(1)
        self._closed = False

    async def put(self, message: Json | None) -> None:
        """Deliver a message; None when the child has ended."""
        if not self._closed:
            await self._queue.put(message)

    async def get(self) -> Json | None:
        """Return the next message."""
        return await self._queue.get()

    def close(self) -> None:
        """Accept no more messages, and release a writer that waits for space."""
        self._closed = True
        with contextlib.suppress(asyncio.QueueEmpty):
            self._queue.get_nowait()


class Child:
    """A running server. `log` receives what it prints besides messages."""

    def __init__(self, process: asyncio.subprocess.Process, log: Log) -> None:
        self._process, self._log = process, log
        self._numbers, self._logged = itertools.count(1), 0
        self._waiting: dict[int, tuple[Json, Mailbox]] = {}
        """The requests that wait for a response, by the ID that the child sees."""
        self._listener: Mailbox | None = None
        self._ended = self._too_large = False
        self._writes = asyncio.Lock()
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._read_stderr())]

    @classmethod
    async def start(
        cls, command: Sequence[str], environment: Mapping[str, str], max_bytes: int, log: Log
    ) -> Self:
        """Start a server. Raises UpstreamError."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=dict(environment),
                limit=max_bytes,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            log({"event": "server_not_started", "text": one_line(str(error))})
            raise UpstreamError(
                "The upstream server cannot be started. Tell the operator of the gateway to check "
                "its command."
            ) from error
        return cls(process, log)

    @property
    def is_running(self) -> bool:
        """Whether the server can still be called."""
        return not self._ended

    def error(self) -> Exception:
        """Return the error that says how the process ended."""
        if self._too_large:
            return TooLarge()
        code = self._process.returncode
        status = "" if code is None else f" (exit code {code})"
        return UpstreamError(
            f"The upstream server ended before it answered{status}. The next call starts it again."
        )

    async def ask(self, request: Json) -> Mailbox:
        """Send a request; its response is the last message in the returned mailbox."""
        number, mailbox = next(self._numbers), Mailbox()
        self._waiting[number] = request, mailbox
        try:
            await self.notify(_for_child(request, number))
        except BaseException:
            self.forget(mailbox)
            raise
        return mailbox

    async def notify(self, message: Json) -> None:
        """Send a message that has no response."""
        writer = self._process.stdin
        if writer is None or not self.is_running:
            raise self.error()
        if message.get("method") == "notifications/cancelled":
            message = self._with_child_id(message)
        try:
            async with self._writes:
                writer.write(messages.write(message) + b"\n")
                await writer.drain()
        except ConnectionError as error:
            raise self.error() from error

    def listen(self) -> Mailbox:
        """Return a mailbox for other messages. Raises UpstreamError if there already is one."""
        if self._listener is not None:
            raise UpstreamError("This session already has a stream.")
        self._listener = Mailbox()
        return self._listener

    def forget(self, mailbox: Mailbox) -> None:
        """Stop waiting, and tell the child that the request is canceled."""
        mailbox.close()
        if mailbox is self._listener:
            self._listener = None
        for number, (request, waiting) in list(self._waiting.items()):
            if waiting is mailbox:
                del self._waiting[number]
                if request.get("method") != "initialize" and self.is_running:
                    self._cancel(number)

    async def end(self) -> None:
        """Stop the process: close its input, then send signals to it and its children."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EXIT_SECONDS):
                    await self._process.wait()
                    break
            self._signal(number)
        self._signal(signal.SIGKILL)
        await self._process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _cancel(self, number: int) -> None:
        params = {"requestId": number}
        message = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}
        if (writer := self._process.stdin) is not None and not writer.is_closing():
            writer.write(messages.write(message) + b"\n")

    def _with_child_id(self, message: Json) -> Json:
        params = members(message, "params")
        for number, (request, _) in self._waiting.items():
            if request.get("id") == params.get("requestId"):
                return {**message, "params": {**params, "requestId": number}}
        return message

    async def _read(self) -> None:
        """Read messages until the process ends; then notify all waiting readers."""
        if self._process.stdout is None:
            raise AssertionError("it was started with pipes")
        try:
            while line := await self._process.stdout.readline():
                try:
                    message = messages.read(line)
                    messages.write(message)
                except ValueError:
                    self._log_line("server_stdout", line)
                    continue
                await self._deliver(message)
        except ValueError:
            self._too_large = True
            self._signal(signal.SIGKILL)
        finally:
            self._ended = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EXIT_SECONDS):
                    await self._process.wait()
            waiting = [mailbox for _, mailbox in self._waiting.values()]
            waiting += [] if self._listener is None else [self._listener]
            await asyncio.gather(*(mailbox.put(None) for mailbox in waiting))

    async def _deliver(self, message: Json) -> None:
        if "method" not in message:
            number = message.get("id")
            request_and_mailbox = self._waiting.pop(number, None) if type(number) is int else None
            if request_and_mailbox is not None:
                request, mailbox = request_and_mailbox
                await mailbox.put({**message, "id": request["id"]})
        elif message["method"] == "notifications/progress":
            await self._deliver_progress(message)
        elif (reader := self._reader()) is not None:
            await reader.put(message)

    async def _deliver_progress(self, message: Json) -> None:
        """Deliver a progress notification to its request; drop it if the request has ended."""
        params = members(message, "params")
        number = params.get("progressToken")
        if type(number) is int and number in self._waiting:
            request, mailbox = self._waiting[number]
            token = _progress_token(request)
            await mailbox.put({**message, "params": {**params, "progressToken": token}})

    def _reader(self) -> Mailbox | None:
        """Return the reader of a message that belongs to no request: the stream, or the latest."""
        if self._listener is not None:
            return self._listener
        return list(self._waiting.values())[-1][1] if self._waiting else None

    async def _read_stderr(self) -> None:
        stderr = self._process.stderr
        if stderr is None:
            raise AssertionError("it was started with pipes")
        while piece := await stderr.read(_STDERR_BYTES):
            for line in piece.splitlines():
                self._log_line("server_stderr", line)

    def _log_line(self, event: str, line: bytes) -> None:
        self._logged += 1
        if self._logged > _MAX_LOGGED:
            return
        text = one_line(line[:_STDERR_BYTES].decode("utf-8", "replace"))
        limit_notice = (
            " (no more lines of this process are logged)" if self._logged == _MAX_LOGGED else ""
        )
        if text:
            self._log({"event": event, "text": text + limit_notice})


def _progress_token(request: Json) -> object:
    return members(members(request, "params"), "_meta").get("progressToken")


def _for_child(request: Json, number: int) -> Json:
    """Return the request with its number as its ID, and as its progress token if it has one."""
    request = {**request, "id": number}
    if _progress_token(request) is not None:
        params = members(request, "params")
        meta = {**members(params, "_meta"), "progressToken": number}
        request["params"] = {**params, "_meta": meta}
    return request
