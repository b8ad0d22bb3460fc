"""What the endpoints are handed: the services behind the routes."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

from server.http.route import Route
from server.model.ports import Clock
from server.model.store import Busy, Store
from server.services.approvals.consumptions import Consumptions
from server.services.approvals.decisions import ApprovalService
from server.services.approvals.execution_outcomes import Outcomes
from server.services.approvals.extensions import Extensions
from server.services.approvals.receipts import Receipts
from server.services.approvals.retries import Retries
from server.services.approvers.deputies import Deputies
from server.services.ciba.requests import CibaService
from server.services.ciba.user_codes import UserCodes
from server.services.clients.client_auth import ClientAuthentication
from server.services.clients.icons import Icons
from server.services.clients.registration import RegistrationService
from server.services.consents.consents import ConsentService
from server.services.devices.browsers import Browsers
from server.services.devices.device_grant import DeviceGrantService
from server.services.devices.devices import DeviceService
from server.services.devices.own_passwords import OwnPasswords
from server.services.devices.passkeys import PasskeyService
from server.services.incidents.incidents import Incidents
from server.services.incidents.reports import Reports
from server.services.notifications.feed import FeedService, Hub
from server.services.notifications.push_losses import PushLosses
from server.services.notifications.push_subscriptions import PushSubscriptions
from server.services.notifications.quiet import Quiet
from server.services.operations.administration import Administration
from server.services.operations.statistics import Statistics
from server.services.server_policy import ServerPolicy
from server.services.sign_in.authorize import AuthorizeService
from server.services.sign_in.flows import Flows
from server.services.sign_in.passkey_sign_ins import PasskeySignIns
from server.services.sign_in.rp_logout import RpLogout
from server.services.sign_in.sign_ins import SignIns
from server.services.sign_in.userinfo import UserInfo
from server.services.standing_grants.standing_grants import StandingGrants
from server.services.tokens.acting import ActingService
from server.services.tokens.delegations import Ledger
from server.services.tokens.endpoint import TokenEndpoint
from server.services.tokens.introspection import Introspection
from server.services.tokens.revocation import Revocation
from server.services.users.device_auth import DeviceAuthentication
from server.services.users.proofs import Proofs

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
    clients: ClientAuthentication
    people: DeviceAuthentication
    browsers: Browsers
    passkeys: PasskeyService
    passkey_sign_ins: PasskeySignIns
    ciba: CibaService
    proofs: Proofs
    token: TokenEndpoint
    introspection: Introspection
    revocation: Revocation
    consumptions: Consumptions
    outcomes: Outcomes
    authorize: AuthorizeService
    flows: Flows
    sign_ins: SignIns
    sign_outs: RpLogout
    userinfo: UserInfo
    approvals: ApprovalService
    push_subscriptions: PushSubscriptions
    push_losses: PushLosses
    quiet: Quiet
    deputies: Deputies
    extensions: Extensions
    retries: Retries
    receipts: Receipts
    reports: Reports
    incidents: Incidents
    consents: ConsentService
    ledger: Ledger
    acting: ActingService
    icons: Icons
    statistics: Statistics
    standing_grants: StandingGrants
    device_grant: DeviceGrantService
    devices: DeviceService
    user_codes: UserCodes
    passwords: OwnPasswords
    administration: Administration
    registration: RegistrationService
    feed: FeedService
    hub: Hub
    readiness: Readiness
    routes: Sequence[Route]
    settings: Sequence[tuple[str, str, str]]
    """Each setting's name, its value without secrets, and where that came from."""
    most_feeds: int
    """Live feeds that this process may hold."""
