"""What services are made from: an adapter for each port, and the installation's own policy."""

from collections.abc import Callable
from dataclasses import dataclass

from server.model.ports import Clock, PasswordHasher, Secrets, Signer, Verifier
from server.model.store import Store
from server.services.server_policy import ServerPolicy


@dataclass(frozen=True, slots=True)
class Adapters:
    """Made when the program starts; each capability's `wiring` takes them."""

    clock: Clock
    store: Store
    secrets: Secrets
    signer: Signer
    verifier: Verifier
    passwords: PasswordHasher
    rules: ServerPolicy
    endpoint_problem: Callable[[str], str]
    """Why an agent may not be called back at a URL; "" when it may."""
