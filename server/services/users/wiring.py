"""Creates the services of users."""

from server.services.adapters import Adapters
from server.services.users.device_auth import DeviceAuthentication
from server.services.users.dpop_proofs import Proofs


class UserServices:
    """The services that authenticate users by their devices."""

    def __init__(self, given: Adapters, proofs: Proofs) -> None:
        self.proofs = proofs
        self.device_auth = DeviceAuthentication(
            given.store, given.verifier, proofs, given.server_policy
        )
