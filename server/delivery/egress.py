"""The only door outward. No redirects, short time limits, bounded answers, no proxy from outside.

A target that an administrator configured may be on this machine; nobody else names targets yet.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import requests
from requests_hardened import Config, Manager
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

_TIMES = (3, 5)
"""Seconds to connect, and between two pieces of the answer."""
_MOST_SECONDS = 5
"""For the whole body of the answer."""
_MOST_BYTES = 64 * 1024
_SUCCESS, _REDIRECT, _FAULT = 200, 300, 500
_LATER = frozenset({408, 425, 429})
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Undeliverable(Exception):
    """The message did not arrive. `retry` says whether another try can help."""

    def __init__(self, why: str, *, retry: bool) -> None:
        super().__init__(why)
        self.retry = retry


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: its status, and at most 64 KiB of its body."""

    status: int
    body: bytes


def send(method: str, url: str, *, body: bytes, headers: Mapping[str, str]) -> Answer:
    """One request to a target that the operator named. Raises `Undeliverable` without an answer."""
    if not _may_leave(url):
        raise Undeliverable("the target must be https", retry=False)
    try:
        with (
            _MANAGER.get_session() as session,
            session.request(method, url, data=body, headers=dict(headers), stream=True) as response,
        ):
            return Answer(response.status_code, _read(response.raw))
    except (requests.RequestException, HTTPError) as error:
        raise Undeliverable(type(error).__name__, retry=True) from error


def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """POST to a target that the operator configured; 2xx is success. Raises `Undeliverable`."""
    status = send("POST", url, body=body, headers=headers).status
    if not _SUCCESS <= status < _REDIRECT:
        raise Undeliverable(f"status {status}", retry=status >= _FAULT or status in _LATER)


def _may_leave(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _read(raw: HTTPResponse) -> bytes:
    """At most so many bytes in so many seconds, however slowly they come."""
    ends = time.monotonic() + _MOST_SECONDS
    body = b""
    while len(body) < _MOST_BYTES and (piece := raw.read1(_MOST_BYTES, decode_content=True)):
        body += piece
        if time.monotonic() > ends:
            raise Undeliverable("the answer takes too long", retry=True)
    return body[:_MOST_BYTES]


class _Manager(Manager):  # type: ignore[misc]  # requests_hardened has no types
    """Without what the environment says about proxies and passwords."""

    def get_session(self) -> requests.Session:
        session: requests.Session = super().get_session()
        session.trust_env = False
        return session


_MANAGER = _Manager(
    Config(
        default_timeout=_TIMES,
        never_redirect=True,
        ip_filter_enable=False,
        ip_filter_allow_loopback_ips=True,
        user_agent_override="sayso",
    )
)
