"""What the endpoints are handed: the services behind the routes."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from server.http.route import Route
from server.model.ports import Authenticators, Clock
from server.model.store import Busy, Store
from server.services.adapters import Adapters
from server.services.approvals.creation import approval_creator
from server.services.approvals.current_checks import build_approval_checks
from server.services.approvals.views import approver_view
from server.services.approvals.wiring import ApprovalServices
from server.services.approvers.approvers import get_for_approver
from server.services.approvers.wiring import ApproverServices
from server.services.ciba.wiring import CibaServices
from server.services.clients.wiring import ClientServices
from server.services.consents.consents import ConsentService
from server.services.devices.wiring import DeviceServices
from server.services.incidents.wiring import IncidentServices
from server.services.notifications.feed import Hub
from server.services.notifications.push_subscriptions import PushSubscriptions
from server.services.notifications.wiring import NotificationServices
from server.services.operations.administration import Administration
from server.services.operations.statistics import Statistics
from server.services.server_policy import ServerPolicy
from server.services.sign_in.wiring import SignInServices
from server.services.standing_grants.standing_grants import StandingGrants
from server.services.tokens.delegations import with_names
from server.services.tokens.issued_tokens import IssuedTokens
from server.services.tokens.wiring import TokenServices
from server.services.users.dpop_proofs import Proofs
from server.services.users.wiring import UserServices

_LONGEST_LOOK_SECONDS: Final = 1.5


@dataclass(slots=True)
class Readiness:
    """Whether requests should come here."""

    ending: bool = False
    """Turned once, when the process begins to end."""
    _look: Future[None] | None = None

    def check(self, store: Store) -> None:
        """Look whether the database answers; raises `Busy` when it does not, or not soon.

        Whoever asks while a look is under way waits for that one: a database that says nothing
        keeps one look waiting, and not one for each time that somebody asks.
        """
        if (look := self._look) is None:
            look = self._look = Future()
            threading.Thread(target=self._see, args=(store, look), daemon=True).start()
        try:
            look.result(_LONGEST_LOOK_SECONDS)
        except TimeoutError:
            raise Busy("The database does not answer.") from None

    def _see(self, store: Store, look: Future[None]) -> None:
        try:
            with store.read() as view:
                view.feed.head()
        except Exception as fault:  # noqa: BLE001  # whoever waits is told
            look.set_exception(fault)
        else:
            look.set_result(None)
        finally:
            self._look = None


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that an endpoint may use."""

    clock: Clock
    store: Store
    rules: ServerPolicy
    approvals: ApprovalServices
    approvers: ApproverServices
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
    """Each setting's name, its value without secrets, and where that came from."""
    most_feeds: int
    """Live feeds that this process may hold."""
    readiness: Readiness = field(default_factory=Readiness)

    @classmethod
    def over(  # noqa: PLR0913  # each thing that comes from outside
        cls,
        given: Adapters,
        authenticators: Authenticators,
        hub: Hub,
        push_subscriptions: PushSubscriptions,
        *,
        routes: Sequence[Route],
        settings: Sequence[tuple[str, str, str]],
        most_feeds: int,
    ) -> "Site":
        """Make every service that a request may need."""
        store, secrets, rules = given.store, given.secrets, given.rules
        proofs = Proofs(given.verifier, secrets, rules)
        checks = build_approval_checks(given)
        creates = approval_creator(secrets, rules)
        consents = ConsentService(store, secrets, rules, creates)
        clients = ClientServices(given)
        devices = DeviceServices(
            given, authenticators, proofs, clients.auth, consents, get_for_approver
        )
        standing_grants = StandingGrants(store, secrets, checks.proposals, rules, creates)
        issued = IssuedTokens(given.verifier, rules)
        approvals = ApprovalServices(
            given,
            checks,
            devices.signatures,
            consents,
            standing_grants,
            live=issued.live,
            held=with_names,
        )
        approvers = ApproverServices(given, checks.judge, devices.statements)
        ciba = CibaServices(
            given,
            checks,
            hub=hub,
            proofs=proofs,
            ceremonies=approvals.ceremonies,
            substitutes=approvers.substitutes,
            statements=devices.statements,
        )
        tokens = TokenServices(
            given,
            checks,
            clients=clients.auth,
            proofs=proofs,
            app_devices=devices.apps,
            hint=ciba.login_hints.make,
            ciba=ciba.grant,
        )
        return cls(
            clock=given.clock,
            store=store,
            rules=rules,
            approvals=approvals,
            approvers=approvers,
            ciba=ciba,
            clients=clients,
            consents=consents,
            devices=devices,
            incidents=IncidentServices(given, approvals.decisions),
            notifications=NotificationServices(
                store, hub, push_subscriptions, approver_view, get_for_approver
            ),
            sign_in=SignInServices(
                given, proofs, checks.actions, consents, devices.passkeys, tokens.access_token_auth
            ),
            standing_grants=standing_grants,
            tokens=tokens,
            users=UserServices(given, proofs),
            administration=Administration(given, devices.statements),
            statistics=Statistics(store),
            routes=routes,
            settings=settings,
            most_feeds=most_feeds,
        )
