"""The services of approvals, each made once."""

from server.services.adapters import Adapters
from server.services.approvals.app_actions import AppActions
from server.services.approvals.ceremonies import Ceremonies
from server.services.approvals.consumptions import Consumptions
from server.services.approvals.decisions import ApprovalService
from server.services.approvals.execution_outcomes import Outcomes
from server.services.approvals.extensions import Extensions
from server.services.approvals.narrowing import Narrowings
from server.services.approvals.receipts import Receipts
from server.services.approvals.retries import Retries
from server.services.approvals.rights import Rights
from server.services.consents.consents import ConsentService
from server.services.devices.signatures import Signatures
from server.services.policy.judging import Judge
from server.services.policy.schemas import Schemas
from server.services.standing_grants.proposals import Proposals
from server.services.standing_grants.standing_grants import StandingGrants
from server.services.tokens.issued_tokens import IssuedTokens


def rights_over(given: Adapters) -> Rights:
    """What judges open approvals again, with an engine and schemas of its own."""
    schemas, judge = Schemas(), Judge(given.secrets)
    actions = AppActions(given.secrets, schemas, judge, given.rules)
    return Rights(schemas, judge, actions, Proposals(schemas, judge))


class ApprovalServices:
    """Decide, narrow, extend, retry, consume and prove approvals."""

    def __init__(
        self,
        given: Adapters,
        rights: Rights,
        signatures: Signatures,
        consents: ConsentService,
        standing_grants: StandingGrants,
    ) -> None:
        store, secrets, rules = given.store, given.secrets, given.rules
        self.rights = rights
        self.ceremonies = Ceremonies(secrets)
        self.narrowings = Narrowings(store, secrets, rights.schemas, rules)
        self.decisions = ApprovalService(
            store,
            secrets,
            signatures,
            rights,
            rules,
            consents,
            self.narrowings,
            standing_grants,
            self.ceremonies,
        )
        self.extensions = Extensions(store)
        self.retries = Retries(store)
        self.receipts = Receipts(store, given.signer, given.verifier, signatures.authenticators)
        self.consumptions = Consumptions(store, IssuedTokens(given.verifier, rules), rights)
        self.outcomes = Outcomes(store)
