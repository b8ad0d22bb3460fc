"""The services of users, each made once."""

from server.services.adapters import Adapters
from server.services.devices.statements import Statements
from server.services.users.device_auth import DeviceAuthentication
from server.services.users.passwords import OwnPasswords
from server.services.users.proofs import Proofs


class UserServices:
    """Authenticate people's devices, and let people set their password."""

    def __init__(self, given: Adapters, proofs: Proofs, statements: Statements) -> None:
        self.proofs = proofs
        self.device_auth = DeviceAuthentication(given.store, given.verifier, proofs, given.rules)
        self.passwords = OwnPasswords(given.store, given.passwords, statements)
