"""The services that endpoints use. Capabilities that need little wiring are wired here."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from server.http.route import HttpRequest, Route
from server.model.ports import Authenticators, Clock
from server.model.store import Busy, Store
from server.services.adapters import Adapters
from server.services.approvals.creation import approval_creator
from server.services.approvals.current_checks import build_approval_checks
from server.services.approvals.decisions import ApprovalService
from server.services.approvals.views import approver_view
from server.services.approvals.wiring import ApprovalServices
from server.services.approvers.approvers import get_for_approver
from server.services.approvers.deputies import Deputies
from server.services.approvers.substitutes import Substitutes
from server.services.audit import audit
from server.services.audit.log import AuditLog
from server.services.ciba.wiring import CibaServices
from server.services.clients.app_registration import AppRegistrationService
from server.services.clients.client_auth import ClientAuthentication, ClientDocuments
from server.services.clients.icons import Icons
from server.services.clients.registration import RegistrationService
from server.services.consents.consents import ConsentService
from server.services.devices.statements import Statements
from server.services.devices.wiring import DeviceServices
from server.services.incidents.incidents import Incidents
from server.services.incidents.log_alarms import LogAlarms
from server.services.incidents.reports import Reports
from server.services.notifications.feed import FeedService, Hub
from server.services.notifications.notification_settings import NotificationSettingsService
from server.services.notifications.push_subscriptions import PushSubscriptions
from server.services.operations.administration import AdminServices
from server.services.operations.authority import (
    AccessRule,
    AdminRequest,
    Guard,
    GuardedStore,
    Role,
)
from server.services.operations.statistics import Statistics
from server.services.policy.evaluation import Evaluator
from server.services.server_policy import ServerPolicy
from server.services.sign_in.wiring import SignInServices
from server.services.standing_grants.standing_grants import StandingGrants
from server.services.tokens.delegations import with_names
from server.services.tokens.issued_tokens import IssuedTokens
from server.services.tokens.wiring import TokenServices
from server.services.users.device_auth import DeviceAuthentication, DeviceCall, Person
from server.services.users.dpop_proofs import Proofs


class NotificationServices:
    """The notification services."""

    def __init__(self, store: Store, hub: Hub, push_subscriptions: PushSubscriptions) -> None:
        self.hub = hub
        self.feed = FeedService(store, approver_view)
        self.push_subscriptions = push_subscriptions
        self.settings = NotificationSettingsService(store, get_for_approver)


class UserServices:
    """The services that authenticate users by their devices."""

    def __init__(self, adapters: Adapters, proofs: Proofs) -> None:
        self.proofs = proofs
        self.device_auth = DeviceAuthentication(
            adapters.store, adapters.verifier, proofs, adapters.server_policy
        )


class ClientServices:
    """The services that authenticate clients, serve icons and register agents."""

    def __init__(self, adapters: Adapters) -> None:
        store, policy = adapters.store, adapters.server_policy
        self.documents = ClientDocuments(store, policy, adapters.fetch)
        self.auth = ClientAuthentication(store, adapters.verifier, policy, self.documents)
        self.icons = Icons(store)
        self.app_registration = AppRegistrationService(store, adapters.secrets, policy)
        self.registration = RegistrationService(
            store, adapters.secrets, policy, adapters.endpoint_problem
        )


class ApproverServices:
    """The services that ask deputies and backups, and name deputies."""

    def __init__(self, adapters: Adapters, evaluator: Evaluator, statements: Statements) -> None:
        self.substitutes = Substitutes(evaluator, adapters.server_policy)
        self.deputies = Deputies(adapters.store, adapters.secrets, statements, self.substitutes)


class IncidentServices:
    """The services that accept reports and show incidents."""

    def __init__(self, adapters: Adapters, approvals: ApprovalService) -> None:
        self.incidents = Incidents(adapters.store)
        self.log_alarms = LogAlarms(adapters.store, adapters.secrets)
        self.reports = Reports(adapters.store, adapters.secrets, approvals.deny_reported)


_MAX_CHECK_SECONDS: Final = 1.5


@dataclass(frozen=True, slots=True)
class Administration:
    """Creates the services of each HTTP request."""

    adapters: Adapters
    statements: Statements

    def services_for(
        self, person: Person, rule: AccessRule, request: AdminRequest
    ) -> AdminServices:
        """The administration services over a store that authorizes this request."""
        store = GuardedStore(self.adapters.store, Guard(rule, person, request, self.statements))
        sees_all = {Role.ADMIN, Role.AUDITOR} & set(person.user.roles)
        return AdminServices(
            store,
            self.adapters,
            by=audit.by_user(person.user.id),
            owner_id=None if sees_all else person.user.id,
        )


@dataclass(slots=True)
class Readiness:
    """Whether this process can serve requests."""

    ending: bool = False
    """Set when the process begins to shut down."""
    _check: Future[None] | None = None

    def check(self, store: Store) -> None:
        """Check that the database answers in time. Raises `Busy` if not.

        Concurrent calls share one check, so a database that hangs blocks only one thread.
        """
        if (check := self._check) is None:
            check = self._check = Future()
            threading.Thread(target=self._read, args=(store, check), daemon=True).start()
        try:
            check.result(_MAX_CHECK_SECONDS)
        except TimeoutError:
            raise Busy("The database does not respond.") from None

    def _read(self, store: Store, check: Future[None]) -> None:
        try:
            with store.read() as view:
                view.feed.head()
        except Exception as error:  # noqa: BLE001  # raised in `check`
            check.set_exception(error)
        else:
            check.set_result(None)
        finally:
            self._check = None


@dataclass(frozen=True, slots=True)
class Site:
    """The services and settings that endpoints use."""

    clock: Clock
    store: Store
    server_policy: ServerPolicy
    approvals: ApprovalServices
    approvers: ApproverServices
    audit_log: AuditLog
    ciba: CibaServices
    clients: ClientServices
    consents: ConsentService
    devices: DeviceServices
    incidents: IncidentServices
    notifications: NotificationServices
    sign_in: SignInServices
    standing_grants: StandingGrants
    tokens: TokenServices
    users: UserServices
    administration: Administration
    statistics: Statistics
    routes: Sequence[Route]
    settings: Sequence[tuple[str, str, str]]
    """Each setting's name, its value without secrets, and its source."""
    max_feeds: int
    """The limit on live feeds of this process."""
    readiness: Readiness = field(default_factory=Readiness)

    def device_call(self, request: HttpRequest) -> DeviceCall:
        """The token and proofs of a request, and the method and URL that they must be for."""
        url = self.server_policy.issuer + request.path
        return DeviceCall(request.headers.get("authorization"), request.proofs, request.method, url)

    @classmethod
    def create(  # noqa: PLR0913  # each external dependency
        cls,
        adapters: Adapters,
        authenticators: Authenticators,
        hub: Hub,
        push_subscriptions: PushSubscriptions,
        audit_log: AuditLog,
        *,
        routes: Sequence[Route],
        settings: Sequence[tuple[str, str, str]],
        max_feeds: int,
    ) -> "Site":
        """Make every service that requests need."""
        store, secrets, server_policy = adapters.store, adapters.secrets, adapters.server_policy
        proofs = Proofs(adapters.verifier, secrets, server_policy)
        checks = build_approval_checks(adapters)
        create_approval = approval_creator(secrets, server_policy)
        consents = ConsentService(store, secrets, server_policy, create_approval)
        clients = ClientServices(adapters)
        devices = DeviceServices(
            adapters, authenticators, proofs, clients.auth, consents, get_for_approver
        )
        standing_grants = StandingGrants(
            store, secrets, lambda: checks.proposals, server_policy, create_approval
        )
        issued_tokens = IssuedTokens(adapters.verifier, server_policy)
        approvals = ApprovalServices(
            adapters,
            checks,
            devices.signatures,
            consents,
            standing_grants,
            audit_log,
            find_active_token=issued_tokens.live,
            name_delegation=with_names,
        )
        approvers = ApproverServices(adapters, checks.evaluator, devices.statements)
        ciba = CibaServices(
            adapters,
            checks,
            hub=hub,
            proofs=proofs,
            substitutes=approvers.substitutes,
            statements=devices.statements,
        )
        tokens = TokenServices(
            adapters,
            checks,
            clients=clients.auth,
            proofs=proofs,
            app_devices=devices.apps,
            hint=ciba.login_hints.make,
            ciba=ciba.grant,
        )
        return cls(
            clock=adapters.clock,
            store=store,
            server_policy=server_policy,
            approvals=approvals,
            approvers=approvers,
            audit_log=audit_log,
            ciba=ciba,
            clients=clients,
            consents=consents,
            devices=devices,
            incidents=IncidentServices(adapters, approvals.decisions),
            notifications=NotificationServices(store, hub, push_subscriptions),
            sign_in=SignInServices(
                adapters,
                proofs,
                checks.actions,
                consents,
                devices.passkeys,
                tokens.access_token_auth,
                clients.documents,
            ),
            standing_grants=standing_grants,
            tokens=tokens,
            users=UserServices(adapters, proofs),
            administration=Administration(adapters, devices.statements),
            statistics=Statistics(store),
            routes=routes,
            settings=settings,
            max_feeds=max_feeds,
        )
