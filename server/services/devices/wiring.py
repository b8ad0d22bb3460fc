"""Creates the device services."""

from typing import Final

from server.model.approval_requests import FindForApprover
from server.model.ports import Authenticators
from server.services.adapters import Adapters
from server.services.clients.client_auth import ClientAuthentication
from server.services.consents.consents import ConsentService
from server.services.devices import device_grant, enrollment
from server.services.devices.browsers import Browsers
from server.services.devices.device_grant import AppDevices, DeviceGrantService
from server.services.devices.devices import DeviceService
from server.services.devices.passkeys import PasskeyService
from server.services.devices.password_changes import PasswordChanges
from server.services.devices.signatures import Signatures
from server.services.devices.statements import Statements
from server.services.users.dpop_proofs import Proofs

LIMITS: Final = (*device_grant.LIMITS, enrollment.UNKNOWN_CODES)


class DeviceServices:
    """The services that enroll terminals and passkeys, and check devices' signatures."""

    def __init__(
        self,
        adapters: Adapters,
        authenticators: Authenticators,
        proofs: Proofs,
        clients: ClientAuthentication,
        consents: ConsentService,
        owned: FindForApprover,
    ) -> None:
        store, secrets, policy = adapters.store, adapters.secrets, adapters.server_policy
        self.signatures = Signatures(adapters.verifier, authenticators)
        self.statements = Statements(secrets, self.signatures, policy)
        self.browsers = Browsers(store, secrets)
        self.passkeys = PasskeyService(store, secrets, authenticators, self.browsers, policy)
        self.devices = DeviceService(store, secrets, self.statements, owned)
        self.passwords = PasswordChanges(store, adapters.passwords, self.statements)
        self.apps = AppDevices(consents)
        self.grant = DeviceGrantService(
            store, secrets, proofs, clients, self.apps, policy, consents.create_approval
        )
