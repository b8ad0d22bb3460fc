"""The services of clients, each made once."""

from server.services.adapters import Adapters
from server.services.clients.client_auth import ClientAuthentication
from server.services.clients.icons import Icons
from server.services.clients.registration import RegistrationService


class ClientServices:
    """Authenticate clients, show their icons and let them register themselves."""

    def __init__(self, given: Adapters) -> None:
        store, rules = given.store, given.rules
        self.auth = ClientAuthentication(store, given.verifier, rules)
        self.icons = Icons(store)
        self.registration = RegistrationService(store, given.secrets, rules, given.endpoint_problem)
