"""Builds the approval services."""

from collections.abc import Callable

from server.model.store import Directory, View
from server.model.tokens import Delegation, LiveToken, NamedDelegation
from server.services.adapters import Adapters
from server.services.approvals.consumptions import Consumptions
from server.services.approvals.current_checks import ApprovalChecks
from server.services.approvals.decisions import ApprovalService
from server.services.approvals.execution_outcomes import Outcomes
from server.services.approvals.extensions import Extensions
from server.services.approvals.inbox import InboxService
from server.services.approvals.narrowing import Narrowings
from server.services.approvals.receipts import Receipts
from server.services.approvals.retries import Retries
from server.services.audit.log import AuditLog
from server.services.consents.consents import ConsentService
from server.services.devices.signatures import Signatures
from server.services.standing_grants.standing_grants import StandingGrants


class ApprovalServices:
    """The services that list, decide, narrow, extend, retry, consume and document approvals."""

    def __init__(  # noqa: PLR0913  # services of other capabilities
        self,
        adapters: Adapters,
        checks: ApprovalChecks,
        signatures: Signatures,
        consents: ConsentService,
        standing_grants: StandingGrants,
        audit_log: AuditLog,
        *,
        find_active_token: Callable[[View, str], LiveToken | None],
        name_delegation: Callable[[Directory, Delegation], NamedDelegation],
    ) -> None:
        store, secrets, policy = adapters.store, adapters.secrets, adapters.server_policy
        self.checks = checks
        self.narrowings = Narrowings(store, secrets, checks.evaluator.schemas, policy)
        self.decisions = ApprovalService(
            store,
            secrets,
            signatures,
            checks,
            policy,
            consents,
            self.narrowings,
            standing_grants,
        )
        self.inbox = InboxService(store)
        self.extensions = Extensions(store)
        self.retries = Retries(store)
        self.receipts = Receipts(
            store,
            adapters.signer,
            adapters.verifier,
            signatures.authenticators,
            audit_log,
            name_delegation,
        )
        self.consumptions = Consumptions(store, find_active_token, checks)
        self.outcomes = Outcomes(store)
