"""The other logins on this machine, and the number of requests that wait at each.

Owns: one connection for each, kept between queries, so that no token is renewed just for a count.
Never: reading a request; reporting why a server did not answer.
"""

from collections.abc import Mapping

from approver_tui.client.api import Client, open_client
from approver_tui.client.sign_in.profile import Home
from approver_tui.client.transport import Clock


class OtherLogins:
    """Every login except the one in `home`. Only one thread at a time may use it."""

    def __init__(self, home: Home, *, clock: Clock) -> None:
        self._home = home
        self._clock = clock
        self._clients: dict[str, Client] = {}

    def counts(self) -> Mapping[str, int | None]:
        """Return how many requests wait at each; None without a response. Never raises."""
        others = [name for name in self._home.names if name != self._home.name]
        return {name: self._count(name) for name in others}

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()

    def _count(self, name: str) -> int | None:
        try:
            return self._client(name).count()
        except Exception:  # noqa: BLE001  # a missing count is not an error
            self._forget(name)
            return None

    def _forget(self, name: str) -> None:
        """Drop a connection; the user may have logged in again since."""
        if (client := self._clients.pop(name, None)) is not None:
            client.close()

    def _client(self, name: str) -> Client:
        if name not in self._clients:
            self._clients[name] = open_client(self._home.with_profile(name), clock=self._clock)
        return self._clients[name]
