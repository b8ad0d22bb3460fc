"""The dependencies of services: an adapter for each port, and the server policy."""

from collections.abc import Callable
from dataclasses import dataclass

from server.model.ports import Clock, Fetch, PasswordHasher, Secrets, Signer, Verifier
from server.model.store import Store
from server.services.server_policy import ServerPolicy


@dataclass(frozen=True, slots=True)
class Adapters:
    """Created when the program starts and passed to each capability's `wiring`."""

    clock: Clock
    store: Store
    secrets: Secrets
    signer: Signer
    verifier: Verifier
    passwords: PasswordHasher
    rules: ServerPolicy
    endpoint_problem: Callable[[str], str]
    """Returns why a URL cannot be a callback endpoint; "" if it can."""
    fetch: Fetch
