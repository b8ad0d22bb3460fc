"""The targets of an audit log stream: JSON lines, syslog over TLS, and a webhook.

Never: deciding which entries are sent, or counting them as sent.
"""

import select
import ssl
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from server.audit_log.bundles import LoggedEntry
from server.delivery import egress, webhook
from server.delivery.audit_formats import Format
from server.services.audit.audit import ALARMS

_LOG_AUDIT: Final = 13 * 8
"""The facility "log audit" of RFC 5424 6.2.1."""
_CLOSE_SECONDS: Final = 2
_WARNING, _INFORMATIONAL = 4, 6


class Target(Protocol):
    """The target of a stream."""

    @property
    def name(self) -> str:
        """The name of the target in messages."""

    def send(self, entries: Sequence[LoggedEntry]) -> None:
        """Send entries in order. Raises `egress.Undeliverable`."""

    def close(self) -> None:
        """Close the connection, if there is one."""


@dataclass(frozen=True, slots=True)
class StdoutTarget:
    """Standard output."""

    line: Format

    @property
    def name(self) -> str:
        """The name of the target in messages."""
        return "standard output"

    def send(self, entries: Sequence[LoggedEntry]) -> None:
        """Print one line for each entry."""
        sys.stdout.writelines(f"{self.line(entry)}\n" for entry in entries)
        sys.stdout.flush()

    def close(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """A URL that receives JSON lines, signed like webhook events."""

    line: Format
    url: str
    key_file: Path

    @property
    def name(self) -> str:
        """The host only, because the URL's path may contain a secret."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    def send(self, entries: Sequence[LoggedEntry]) -> None:
        """POST the entries. Sending them again uses the same event ID."""
        body = "".join(f"{self.line(entry)}\n" for entry in entries).encode()
        event_id = f"audit-{entries[0].seq}-{entries[-1].seq}"
        headers = webhook.signed_headers(self.key_file, event_id, body)
        egress.post(self.url, body, {**headers, "Content-Type": "application/jsonl"})

    def close(self) -> None:
        """Do nothing."""


@dataclass(slots=True)
class SyslogTls:
    """A syslog server: RFC 5424 messages with octet counting over TLS (RFC 5425)."""

    line: Format
    host: str
    port: int
    ca_file: str | None
    _socket: ssl.SSLSocket | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The address of the server."""
        return f"{self.host}:{self.port}"

    def send(self, entries: Sequence[LoggedEntry]) -> None:
        """Send one message for each entry."""
        try:
            connection = self._connection()
            connection.sendall(b"".join(_to_frame(entry, self.line) for entry in entries))
            if _is_closed(connection):
                raise ConnectionResetError("the server closed the connection")
        except OSError as error:
            self.close()
            raise egress.Undeliverable(egress.reason(error), retry=True) from error

    def _connection(self) -> ssl.SSLSocket:
        if self._socket is not None and _is_closed(self._socket):
            self.close()
        if self._socket is None:
            self._socket = egress.connect_tls(self.host, self.port, self.ca_file)
        return self._socket

    def close(self) -> None:
        """Close the connection, after the server has read everything."""
        if self._socket is not None:
            self._socket.settimeout(_CLOSE_SECONDS)
            with suppress(OSError):  # the server closed the connection first, or does not respond
                self._socket.unwrap()
            self._socket.close()
            self._socket = None


def _is_closed(connection: ssl.SSLSocket) -> bool:
    """Return whether the server closed the connection. Syslog servers send no data."""
    readable, _, _ = select.select([connection], [], [], 0)
    if not readable:
        return False
    timeout = connection.gettimeout()
    connection.settimeout(0)
    try:
        return not connection.recv(1)
    except ssl.SSLWantReadError:  # a session ticket
        return False
    finally:
        connection.settimeout(timeout)


def _to_frame(entry: LoggedEntry, line: Format) -> bytes:
    message = _syslog_message(entry, line).encode()
    return f"{len(message)} ".encode() + message


def _syslog_message(entry: LoggedEntry, line: Format) -> str:
    members = entry.members
    severity = _WARNING if members["type"] in ALARMS else _INFORMATIONAL
    at = datetime.fromtimestamp(members["at"] / 1000, UTC).isoformat(timespec="milliseconds")
    head = f"<{_LOG_AUDIT + severity}>1 {at.replace('+00:00', 'Z')} - sayso -"
    return f"{head} {members['type']} - {line(entry)}"
