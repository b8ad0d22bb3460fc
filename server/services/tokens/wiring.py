"""Creates the token services."""

from server.protocol import names
from server.services.adapters import Adapters
from server.services.approvals.current_checks import ApprovalChecks
from server.services.clients.client_auth import ClientAuthentication
from server.services.devices.device_grant import AppDevices
from server.services.tokens.access_revocation import AccessRevocation, Revocation
from server.services.tokens.access_token_auth import AccessTokenAuth
from server.services.tokens.app_issuing import AppTokenIssuer
from server.services.tokens.delegations import DelegationService
from server.services.tokens.endpoint import AgentGrant, TokenEndpoint
from server.services.tokens.exchange_checks import ExchangeChecks
from server.services.tokens.grants.app_refresh import AppRefreshGrant
from server.services.tokens.grants.authorization_code import AuthorizationCodeGrant
from server.services.tokens.grants.client_credentials import ClientCredentialsGrant
from server.services.tokens.grants.device_code import AppDeviceGrant, DeviceCodeGrant
from server.services.tokens.grants.enrollment import EnrollmentGrant
from server.services.tokens.grants.refresh_token import RefreshTokenGrant
from server.services.tokens.grants.token_exchange import HintMaker, TokenExchangeGrant
from server.services.tokens.introspection import Introspection
from server.services.tokens.issued_tokens import IssuedTokens
from server.services.tokens.issuing import TokenIssuer
from server.services.tokens.security_events import SecurityEventStream
from server.services.tokens.standing_grant_exchanges import StandingGrantExchanges
from server.services.users.dpop_proofs import Proofs


class TokenServices:
    """The token services, and the stream of security events for resource servers."""

    def __init__(  # noqa: PLR0913  # the dependencies of the grants
        self,
        adapters: Adapters,
        checks: ApprovalChecks,
        *,
        clients: ClientAuthentication,
        proofs: Proofs,
        app_devices: AppDevices,
        hint: HintMaker,
        ciba: AgentGrant,
    ) -> None:
        store, secrets, policy = adapters.store, adapters.secrets, adapters.server_policy
        issued_tokens = IssuedTokens(adapters.verifier, policy)
        token_issuer = TokenIssuer(adapters.signer, secrets, policy)
        app_token_issuer = AppTokenIssuer(adapters.signer, secrets, policy)
        exchange_grant = TokenExchangeGrant(
            store,
            adapters.verifier,
            ExchangeChecks(checks.evaluator, policy),
            hint,
            token_issuer,
            StandingGrantExchanges(secrets, token_issuer),
            policy,
        )
        self.endpoint = TokenEndpoint(
            store,
            proofs,
            clients,
            for_agents={
                names.GRANT_CIBA: ciba,
                names.GRANT_CLIENT_CREDENTIALS: ClientCredentialsGrant(
                    store, checks.evaluator, token_issuer
                ),
                names.GRANT_TOKEN_EXCHANGE: exchange_grant,
            },
            for_apps={
                names.GRANT_AUTHORIZATION_CODE: AuthorizationCodeGrant(app_token_issuer, checks),
                names.GRANT_DEVICE_CODE: AppDeviceGrant(app_token_issuer, checks, app_devices),
                names.GRANT_REFRESH_TOKEN: AppRefreshGrant(app_token_issuer),
            },
            for_people={
                names.GRANT_DEVICE_CODE: DeviceCodeGrant(secrets, proofs, token_issuer, checks),
                names.GRANT_ENROLLMENT: EnrollmentGrant(secrets, proofs, token_issuer),
                names.GRANT_REFRESH_TOKEN: RefreshTokenGrant(secrets, proofs, token_issuer),
            },
        )
        self.access_token_auth = AccessTokenAuth(issued_tokens, proofs)
        self.introspection = Introspection(store, issued_tokens, adapters.signer, policy)
        self.revocation = Revocation(store, issued_tokens)
        self.security_events = SecurityEventStream(store, adapters.signer, policy)
        self.delegations = DelegationService(store)
        self.access_revocation = AccessRevocation(store)
