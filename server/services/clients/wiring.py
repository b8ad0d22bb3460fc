"""Creates the services of clients."""

from server.services.adapters import Adapters
from server.services.clients.app_registration import AppRegistrationService
from server.services.clients.client_auth import ClientAuthentication, ClientDocuments
from server.services.clients.icons import Icons
from server.services.clients.registration import RegistrationService


class ClientServices:
    """The services that authenticate clients, serve icons and register agents."""

    def __init__(self, given: Adapters) -> None:
        store, policy = given.store, given.server_policy
        self.documents = ClientDocuments(store, policy, given.fetch)
        self.auth = ClientAuthentication(store, given.verifier, policy, self.documents)
        self.icons = Icons(store)
        self.app_registration = AppRegistrationService(store, given.secrets, policy)
        self.registration = RegistrationService(
            store, given.secrets, policy, given.endpoint_problem
        )
