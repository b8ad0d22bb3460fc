"""Creates the services for signing in to apps."""

from server.services.adapters import Adapters
from server.services.approvals.app_actions import AppActions
from server.services.clients.client_auth import ClientDocuments
from server.services.consents.consents import ConsentService
from server.services.devices.passkeys import PasskeyService
from server.services.sign_in.authorize import AuthorizeService
from server.services.sign_in.flows import Flows
from server.services.sign_in.rp_logout import RpLogout
from server.services.sign_in.sign_ins import SignIns
from server.services.sign_in.userinfo import UserInfo
from server.services.tokens.access_token_auth import AccessTokenAuth
from server.services.users.dpop_proofs import Proofs


class SignInServices:
    """The services that sign people in to apps, and out."""

    def __init__(  # noqa: PLR0913, PLR0917  # the services that it uses
        self,
        adapters: Adapters,
        proofs: Proofs,
        actions: AppActions,
        consents: ConsentService,
        passkeys: PasskeyService,
        access_tokens: AccessTokenAuth,
        documents: ClientDocuments,
    ) -> None:
        store, secrets, verifier = adapters.store, adapters.secrets, adapters.verifier
        policy = adapters.server_policy
        self.sign_ins = SignIns(store, secrets, adapters.passwords, passkeys)
        self.authorize = AuthorizeService(store, secrets, proofs, actions, policy, documents)
        self.flows = Flows(
            store, secrets, verifier, self.authorize, consents, actions, self.sign_ins
        )
        self.rp_logout = RpLogout(store, verifier, policy, self.sign_ins)
        self.userinfo = UserInfo(store, access_tokens, policy)
