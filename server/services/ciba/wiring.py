"""Creates the CIBA services."""

from server.services.adapters import Adapters
from server.services.approvals.current_checks import ApprovalChecks, build_approval_checks
from server.services.approvers.substitutes import Substitutes
from server.services.ciba.callbacks import Callbacks
from server.services.ciba.grant import CibaGrant
from server.services.ciba.login_hints import LoginHints
from server.services.ciba.plans import RequestObjects, RequestPlanner
from server.services.ciba.redemption import Redemption
from server.services.ciba.requests import BackchannelService
from server.services.ciba.user_codes import UserCodes
from server.services.devices.statements import Statements
from server.services.notifications.feed import Hub
from server.services.tokens.issued_tokens import IssuedTokens
from server.services.tokens.issuing import TokenIssuer
from server.services.users.dpop_proofs import Proofs


def create_callbacks(adapters: Adapters) -> Callbacks:
    """Create the service for pings and pushes."""
    redemption = _redemption(adapters, build_approval_checks(adapters))
    return Callbacks(adapters.store, adapters.secrets, redemption)


def _redemption(adapters: Adapters, checks: ApprovalChecks) -> Redemption:
    issuer = TokenIssuer(adapters.signer, adapters.secrets, adapters.server_policy)
    return Redemption(issuer, checks)


class CibaServices:
    """The services that accept agents' requests and redeem approvals."""

    def __init__(  # the dependencies on other capabilities
        self,
        adapters: Adapters,
        checks: ApprovalChecks,
        *,
        hub: Hub,
        proofs: Proofs,
        substitutes: Substitutes,
        statements: Statements,
    ) -> None:
        store, secrets, policy = adapters.store, adapters.secrets, adapters.server_policy
        self.login_hints = LoginHints(adapters.signer, adapters.verifier, secrets, policy)
        self.requests = BackchannelService(
            store,
            secrets,
            RequestPlanner(checks.evaluator, policy),
            RequestObjects(adapters.verifier, policy),
            proofs,
            self.login_hints,
            policy,
            substitutes,
            IssuedTokens(adapters.verifier, policy),
        )
        self.grant = CibaGrant(store, secrets, _redemption(adapters, checks), hub)
        self.user_codes = UserCodes(store, secrets, statements, adapters.passwords)
