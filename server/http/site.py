"""What the endpoints are handed: the services behind the routes."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

from server.http.route import Route
from server.services.acting import ActingService
from server.services.administration import Administration
from server.services.approvals import ApprovalService
from server.services.authorize import AuthorizeService
from server.services.browsers import Browsers
from server.services.ciba import CibaService
from server.services.client_auth import ClientAuthentication
from server.services.consents import ConsentService
from server.services.consumptions import Consumptions
from server.services.delegations import Ledger
from server.services.deputies import Deputies
from server.services.device_grant import DeviceGrantService
from server.services.devices import DeviceService
from server.services.extensions import Extensions
from server.services.feed import FeedService, Hub
from server.services.flows import Flows
from server.services.icons import Icons
from server.services.incidents import Incidents
from server.services.introspection import Introspection
from server.services.leaving import SignOuts
from server.services.outcomes import Outcomes
from server.services.passkey_sign_ins import PasskeySignIns
from server.services.passkeys import PasskeyService
from server.services.passwords import OwnPasswords
from server.services.people import People
from server.services.ports import Busy, Clock, Store
from server.services.proofs import Proofs
from server.services.push_losses import PushLosses
from server.services.push_subscriptions import PushSubscriptions
from server.services.quiet import Quiet
from server.services.receipts import Receipts
from server.services.registration import RegistrationService
from server.services.reports import Reports
from server.services.retries import Retries
from server.services.revocation import Revocation
from server.services.rules import Rules
from server.services.sign_ins import SignIns
from server.services.standing_grants import StandingGrants
from server.services.statistics import Statistics
from server.services.token import TokenEndpoint
from server.services.user_codes import UserCodes
from server.services.userinfo import UserInfo

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
    rules: Rules
    clients: ClientAuthentication
    people: People
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
    sign_outs: SignOuts
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
