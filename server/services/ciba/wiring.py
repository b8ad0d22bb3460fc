"""The services of CIBA, each made once."""

from server.services.adapters import Adapters
from server.services.approvals.ceremonies import Ceremonies
from server.services.approvals.current_checks import ApprovalChecks, build_approval_checks
from server.services.approvers.substitutes import Substitutes
from server.services.ciba.callbacks import Callbacks
from server.services.ciba.grant import CibaGrant
from server.services.ciba.hints import Hints
from server.services.ciba.login_hints import LoginHints
from server.services.ciba.plans import Plans
from server.services.ciba.redemption import Redemption
from server.services.ciba.request_objects import RequestObjects
from server.services.ciba.requests import CibaService
from server.services.ciba.user_codes import UserCodes
from server.services.devices.statements import Statements
from server.services.notifications.feed import Hub
from server.services.tokens.issuing import Issuing
from server.services.users.proofs import Proofs


def callbacks_over(given: Adapters) -> Callbacks:
    """What pings and pushes say to agents."""
    return Callbacks(given.store, given.secrets, _redemption(given, build_approval_checks(given)))


def _redemption(given: Adapters, checks: ApprovalChecks) -> Redemption:
    return Redemption(Issuing(given.signer, given.secrets, given.rules), checks)


class CibaServices:
    """Take agents' requests and redeem what came of them."""

    def __init__(  # noqa: PLR0913  # what other capabilities lend it
        self,
        given: Adapters,
        checks: ApprovalChecks,
        *,
        hub: Hub,
        proofs: Proofs,
        ceremonies: Ceremonies,
        substitutes: Substitutes,
        statements: Statements,
    ) -> None:
        store, secrets, rules = given.store, given.secrets, given.rules
        self.login_hints = LoginHints(given.signer, given.verifier, secrets, rules)
        self.requests = CibaService(
            store,
            secrets,
            Plans(checks.schemas, checks.judge, rules),
            Hints(given.verifier, rules),
            RequestObjects(given.verifier, rules),
            proofs,
            self.login_hints,
            rules,
            ceremonies,
            substitutes,
        )
        self.grant = CibaGrant(store, secrets, _redemption(given, checks), hub)
        self.user_codes = UserCodes(store, secrets, statements, given.passwords)
