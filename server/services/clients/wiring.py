"""Creates the services of clients."""

from server.services.adapters import Adapters
from server.services.clients.client_auth import ClientAuthentication
from server.services.clients.icons import Icons
from server.services.clients.registration import RegistrationService


class ClientServices:
    """The services that authenticate clients, serve icons and register agents."""

    def __init__(self, given: Adapters) -> None:
        store, rules = given.store, given.rules
        self.auth = ClientAuthentication(store, given.verifier, rules)
        self.icons = Icons(store)
        self.registration = RegistrationService(store, given.secrets, rules, given.endpoint_problem)
