"""The services of tokens, each made once."""

from server.protocol import names
from server.services.adapters import Adapters
from server.services.approvals.current_checks import ApprovalChecks
from server.services.clients.client_auth import ClientAuthentication
from server.services.devices.app_devices import AppDevices
from server.services.tokens.access_revocation import AccessRevocation
from server.services.tokens.app_tokens import AppIssuing
from server.services.tokens.bearers import Bearers
from server.services.tokens.delegations import Ledger
from server.services.tokens.endpoint import AgentGrant, TokenEndpoint
from server.services.tokens.exchanges import Exchanges
from server.services.tokens.grants.app_device import AppDeviceGrant
from server.services.tokens.grants.app_refresh import AppRefreshGrant
from server.services.tokens.grants.authorization_code import AuthorizationCodeGrant
from server.services.tokens.grants.client_credentials import ClientCredentialsGrant
from server.services.tokens.grants.device_code import DeviceCodeGrant
from server.services.tokens.grants.enrolment import EnrolmentGrant
from server.services.tokens.grants.refresh_token import RefreshTokenGrant
from server.services.tokens.grants.token_exchange import HintMaker, TokenExchangeGrant
from server.services.tokens.introspection import Introspection
from server.services.tokens.issued_tokens import IssuedTokens
from server.services.tokens.issuing import Issuing
from server.services.tokens.revocation import Revocation
from server.services.tokens.standing_exchanges import StandingExchanges
from server.services.users.proofs import Proofs


class TokenServices:
    """Issue, introspect, revoke and list tokens."""

    def __init__(  # noqa: PLR0913  # what the grants take from other capabilities
        self,
        given: Adapters,
        checks: ApprovalChecks,
        *,
        clients: ClientAuthentication,
        proofs: Proofs,
        app_devices: AppDevices,
        hint: HintMaker,
        ciba: AgentGrant,
    ) -> None:
        store, secrets, rules = given.store, given.secrets, given.rules
        issued = IssuedTokens(given.verifier, rules)
        issuing = Issuing(given.signer, secrets, rules)
        app_issuing = AppIssuing(given.signer, secrets, rules)
        exchange = TokenExchangeGrant(
            store,
            given.verifier,
            Exchanges(checks.schemas, checks.judge, rules),
            hint,
            issuing,
            StandingExchanges(secrets, issuing),
            rules,
        )
        self.endpoint = TokenEndpoint(
            store,
            proofs,
            clients,
            for_agents={
                names.GRANT_CIBA: ciba,
                names.GRANT_CLIENT_CREDENTIALS: ClientCredentialsGrant(
                    store, checks.judge, issuing
                ),
                names.GRANT_TOKEN_EXCHANGE: exchange,
            },
            for_apps={
                names.GRANT_AUTHORIZATION_CODE: AuthorizationCodeGrant(store, app_issuing, checks),
                names.GRANT_DEVICE_CODE: AppDeviceGrant(store, app_issuing, checks, app_devices),
                names.GRANT_REFRESH_TOKEN: AppRefreshGrant(store, app_issuing),
            },
            for_people={
                names.GRANT_DEVICE_CODE: DeviceCodeGrant(store, secrets, proofs, issuing, checks),
                names.GRANT_ENROLMENT: EnrolmentGrant(store, secrets, proofs, issuing),
                names.GRANT_REFRESH_TOKEN: RefreshTokenGrant(store, secrets, proofs, issuing),
            },
        )
        self.bearers = Bearers(issued, proofs)
        self.introspection = Introspection(store, issued, given.signer, rules)
        self.revocation = Revocation(store, issued)
        self.ledger = Ledger(store)
        self.acting = AccessRevocation(store)
