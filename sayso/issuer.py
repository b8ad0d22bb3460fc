"""The authorization server: its URL and the endpoints that it names (RFC 8414).

Owns: the check of the issuer's URL, and discovery, which happens once. Never: calls to the
endpoints.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from sayso.errors import Refused
from sayso.transport import Flow, Send

_WELL_KNOWN: Final = "/.well-known/oauth-authorization-server"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Issuer:
    """A Sayso server by its issuer URL, as its metadata spells it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and not is_loopback(url):
            raise ValueError(
                f"issuer must be an https URL (http only on localhost), not {url!r}. "
                "Use the URL that `sayso serve` prints when it starts."
            )
        if parts.query or parts.fragment or url.endswith("/"):
            raise ValueError(
                f"issuer must not have a query, a fragment or a trailing slash: {url!r}."
            )
        self.url = url
        self._metadata: Mapping[str, Any] | None = None

    def endpoint(self, name: str) -> Flow[str]:
        """Return the URL of an endpoint by its name in the metadata, such as `token_endpoint`."""
        if self._metadata is None:
            self._metadata = yield from self._discover()
        url = self._metadata.get(name)
        if not isinstance(url, str) or (urlsplit(url).scheme != "https" and not is_loopback(url)):
            raise Refused(
                "invalid_metadata", f"The metadata of {self.url} has no usable {name}.", {}
            )
        return url

    def _discover(self) -> Flow[Mapping[str, Any]]:
        parts = urlsplit(self.url)
        reply = yield Send("GET", f"{parts.scheme}://{parts.netloc}{_WELL_KNOWN}{parts.path}")
        named_issuer = reply.body.get("issuer")
        if reply.status != 200 or not isinstance(named_issuer, str):  # noqa: PLR2004  # OK
            raise Refused(
                "invalid_metadata",
                f"{self.url} has no authorization server metadata (status {reply.status}). "
                "Check the issuer.",
                {},
            )
        if named_issuer != self.url:
            raise Refused(
                "invalid_metadata",
                f"The server at {self.url} has the issuer {named_issuer}. Use that issuer.",
                {},
            )
        return reply.body


def is_loopback(url: str) -> bool:
    """Return whether a URL is an http URL on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in _LOOPBACK
