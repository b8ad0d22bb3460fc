"""The other logins of this machine: how many requests wait at each.

Owns: a connection for each, kept from look to look, so that no token is renewed for a number.
Never: reads a request; never says why a server did not answer.
"""

from collections.abc import Mapping

from approver_tui.client.api import Client, open_client
from approver_tui.client.sign_in.profile import Home
from approver_tui.client.transport import Clock


class OtherLogins:
    """Every login but the one in `home`. One thread at a time may ask."""

    def __init__(self, home: Home, *, clock: Clock) -> None:
        self._home = home
        self._clock = clock
        self._clients: dict[str, Client] = {}

    def counts(self) -> Mapping[str, int | None]:
        """Ask each how many requests wait; None where it did not say. Blocks, raises nothing."""
        others = [name for name in self._home.names if name != self._home.name]
        return {name: self._count(name) for name in others}

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()

    def _count(self, name: str) -> int | None:
        try:
            return self._client(name).count()
        except Exception:  # noqa: BLE001  # a number is worth no alarm, whatever was in its way
            self._forget(name)
            return None

    def _forget(self, name: str) -> None:
        """The next look begins anew: somebody may have logged in again meanwhile."""
        if (client := self._clients.pop(name, None)) is not None:
            client.close()

    def _client(self, name: str) -> Client:
        if name not in self._clients:
            self._clients[name] = open_client(self._home.named(name), clock=self._clock)
        return self._clients[name]
