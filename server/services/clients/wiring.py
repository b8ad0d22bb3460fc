"""Creates the services of clients."""

from server.services.adapters import Adapters
from server.services.clients.app_registration import AppRegistrationService
from server.services.clients.client_auth import ClientAuthentication
from server.services.clients.client_documents import ClientDocuments
from server.services.clients.icons import Icons
from server.services.clients.registration import RegistrationService


class ClientServices:
    """The services that authenticate clients, serve icons and register agents."""

    def __init__(self, given: Adapters) -> None:
        store, rules = given.store, given.rules
        self.documents = ClientDocuments(store, rules, given.fetch)
        self.auth = ClientAuthentication(store, given.verifier, rules, self.documents)
        self.icons = Icons(store)
        self.app_registration = AppRegistrationService(store, given.secrets, rules)
        self.registration = RegistrationService(store, given.secrets, rules, given.endpoint_problem)
