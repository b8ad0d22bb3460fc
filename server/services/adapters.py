"""The dependencies of services: an adapter for each port, and the server policy."""

from collections.abc import Callable
from typing import Protocol

from server.model.ports import Clock, Fetch, PasswordHasher, Secrets, Signer, Verifier
from server.model.store import Store
from server.services.server_policy import ServerPolicy


class Adapters(Protocol):
    """Created when the program starts and passed to each capability's `wiring`."""

    @property
    def clock(self) -> Clock: ...
    @property
    def store(self) -> Store: ...
    @property
    def secrets(self) -> Secrets: ...
    @property
    def signer(self) -> Signer: ...
    @property
    def verifier(self) -> Verifier: ...
    @property
    def passwords(self) -> PasswordHasher: ...
    @property
    def server_policy(self) -> ServerPolicy: ...
    @property
    def endpoint_problem(self) -> Callable[[str], str]:
        """Returns why a URL cannot be a callback endpoint; "" if it can."""

    @property
    def fetch(self) -> Fetch: ...
