"""The only door outward. No redirects, short time limits, bounded answers, no proxy from outside.

A target that an administrator configured may be on this machine; nobody else names targets yet.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import requests
from requests_hardened import Config, Manager

_CONNECT_SECONDS, _READ_SECONDS = 3, 5
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Undeliverable(Exception):
    """The message did not arrive. `retry` says whether another try can help."""

    def __init__(self, why: str, *, retry: bool) -> None:
        super().__init__(why)
        self.retry = retry


def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """POST to a target that the operator configured; 2xx is success. Raises `Undeliverable`."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise Undeliverable("the target must be https", retry=False)
    try:
        with _MANAGER.send_request(
            "POST", url, data=body, headers=dict(headers), stream=True
        ) as response:
            status = response.status_code
    except requests.RequestException as error:
        raise Undeliverable(type(error).__name__, retry=True) from error
    if not 200 <= status < 300:  # noqa: PLR2004  # the class of success
        raise Undeliverable(f"status {status}", retry=status >= 500 or status in {408, 425, 429})  # noqa: PLR2004


_MANAGER = Manager(
    Config(
        default_timeout=(_CONNECT_SECONDS, _READ_SECONDS),
        never_redirect=True,
        ip_filter_enable=False,
        ip_filter_allow_loopback_ips=True,
        user_agent_override="sayso",
    )
)
