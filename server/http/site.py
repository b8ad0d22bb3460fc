"""What the endpoints are handed: the services behind the routes."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.http.route import Route
from server.services.administration import Administration
from server.services.approvals import ApprovalService
from server.services.authorize import AuthorizeService
from server.services.ciba import CibaService
from server.services.client_auth import ClientAuthentication
from server.services.consents import ConsentService
from server.services.consumptions import Consumptions
from server.services.device_grant import DeviceGrantService
from server.services.devices import DeviceService
from server.services.feed import FeedService, Hub
from server.services.flows import Flows
from server.services.incidents import Incidents
from server.services.introspection import Introspection
from server.services.leaving import SignOuts
from server.services.passwords import OwnPasswords
from server.services.people import People
from server.services.ports import Clock, Store
from server.services.proofs import Proofs
from server.services.registration import RegistrationService
from server.services.reports import Reports
from server.services.revocation import Revocation
from server.services.rules import Rules
from server.services.sign_ins import SignIns
from server.services.token import TokenEndpoint
from server.services.user_codes import UserCodes
from server.services.userinfo import UserInfo


@dataclass(slots=True)
class Readiness:
    """Turned once, when the process begins to end."""

    ending: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that an endpoint may use."""

    clock: Clock
    store: Store
    rules: Rules
    clients: ClientAuthentication
    people: People
    ciba: CibaService
    proofs: Proofs
    token: TokenEndpoint
    introspection: Introspection
    revocation: Revocation
    consumptions: Consumptions
    authorize: AuthorizeService
    flows: Flows
    sign_ins: SignIns
    sign_outs: SignOuts
    userinfo: UserInfo
    approvals: ApprovalService
    reports: Reports
    incidents: Incidents
    consents: ConsentService
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
