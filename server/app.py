"""Who is wired to whom: the only file that knows every adapter, and the real clock.

`build` makes what commands and the server share and loads no Flask; `create_app` puts HTTP on top.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from server.crypto.jose import JwtSigner, JwtVerifier, sealed_as
from server.crypto.passwords import Argon2Passwords, Elsewhere, here
from server.crypto.sealing import read_or_make_key
from server.crypto.secrets import KeyedSecrets
from server.protocol import names
from server.services.administration import Administration
from server.services.app_actions import AppActions
from server.services.app_devices import AppDevices
from server.services.app_tokens import AppIssuing
from server.services.approvals import ApprovalService
from server.services.authorize import AuthorizeService
from server.services.bearers import Bearers
from server.services.callbacks import Callbacks
from server.services.ciba import CibaService
from server.services.client_auth import ClientAuthentication
from server.services.consents import ConsentService
from server.services.consumptions import Consumptions
from server.services.device_grant import DeviceGrantService
from server.services.devices import DeviceService
from server.services.exchanges import Exchanges
from server.services.expiry import Sweeper
from server.services.feed import ANY_CHANGE, FeedService, Hub
from server.services.flows import Flows
from server.services.grants.app_device import AppDeviceGrant
from server.services.grants.app_refresh import AppRefreshGrant
from server.services.grants.authorization_code import AuthorizationCodeGrant
from server.services.grants.ciba import CibaGrant
from server.services.grants.client_credentials import ClientCredentialsGrant
from server.services.grants.device_code import DeviceCodeGrant
from server.services.grants.enrolment import EnrolmentGrant
from server.services.grants.refresh_token import RefreshTokenGrant
from server.services.grants.token_exchange import TokenExchangeGrant
from server.services.hints import Hints
from server.services.incidents import Incidents
from server.services.introspection import Introspection
from server.services.issued_tokens import IssuedTokens
from server.services.keys import ensure_keys
from server.services.leaving import SignOuts
from server.services.login_hints import LoginHints
from server.services.narrowings import Narrowings
from server.services.notices import WEBHOOK
from server.services.passwords import OwnPasswords
from server.services.people import People
from server.services.plans import Plans
from server.services.policy.judging import Judge
from server.services.ports import Clock
from server.services.proofs import Proofs
from server.services.redemption import Redemption
from server.services.registration import RegistrationService
from server.services.reports import Reports
from server.services.request_objects import RequestObjects
from server.services.revocation import Revocation
from server.services.rights import Rights
from server.services.rules import Rules
from server.services.schemas import Schemas
from server.services.sign_ins import SignIns
from server.services.statements import Statements
from server.services.token import TokenEndpoint
from server.services.tokens import Issuing
from server.services.user_codes import UserCodes
from server.services.userinfo import UserInfo
from server.settings import Settings, is_loopback
from server.storage.open import open_store
from server.storage.store import SqlStore

if TYPE_CHECKING:
    from flask import Flask

    from server.delivery.egress import Reach
    from server.delivery.outbox import Channel, OutboxWorker
    from server.http.site import Site

MASTER_KEY: Final = "master.key"
PIN_KEY: Final = "pin.key"
WEBHOOK_KEY: Final = "webhook.key"


class SystemClock:
    """The machine's time."""

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def adjust(self, moment: int) -> int:
        """The database's time is the time."""
        return moment


@dataclass(frozen=True, slots=True)
class Services:
    """What commands and the server share."""

    settings: Settings
    clock: Clock
    store: SqlStore
    secrets: KeyedSecrets
    signer: JwtSigner
    verifier: JwtVerifier
    passwords: Argon2Passwords
    rules: Rules
    hub: Hub
    sweeper: Sweeper


def build(
    settings: Settings,
    clock: Clock | None = None,
    *,
    serving: bool = False,
    elsewhere: Elsewhere = here,
) -> Services:
    """Open the database and the keys. Raises what `storage.open` and `crypto.sealing` say.

    `elsewhere` runs what is slow on purpose where it holds up nobody.
    """
    clock = clock or SystemClock()
    secrets = KeyedSecrets(
        read_or_make_key(Path(settings.master_key_file or settings.data_dir / MASTER_KEY)),
        read_or_make_key(settings.data_dir / PIN_KEY),
    )
    store = open_store(settings.sqlalchemy_url, clock, secrets.entry_id, serving=serving)
    _refuse_a_stranger(store, secrets)
    return Services(
        settings=settings,
        clock=clock,
        store=store,
        secrets=secrets,
        signer=JwtSigner(secrets),
        verifier=JwtVerifier(),
        passwords=Argon2Passwords(elsewhere),
        rules=_rules(settings),
        hub=Hub(store, store.wake),
        sweeper=Sweeper(store),
    )


def create_app(services: Services) -> "tuple[Flask, Site]":
    """The WSGI application, and the site behind it. Makes signing keys if there are none."""
    from flask import Flask  # noqa: PLC0415  # commands never load Flask

    from server.http.feed import add_feed  # noqa: PLC0415
    from server.http.views import add_routes  # noqa: PLC0415
    from server.web.device_page import add_device_page  # noqa: PLC0415
    from server.web.pages import add_pages  # noqa: PLC0415
    from server.web.sign_in import add_sign_in  # noqa: PLC0415

    with services.store.administer() as tx:
        ensure_keys(tx, services.signer)
    site = _site(services)
    app = Flask("server.web", static_folder=None)
    add_routes(app, site)
    add_feed(app, site)
    add_pages(app, site)
    add_device_page(app, site)
    add_sign_in(app, site)
    return app, site


def outbox_worker(services: Services, run: Callable[[Callable[[], None]], None]) -> "OutboxWorker":
    """What delivers the outbox; `run` begins one delivery beside the others."""
    from server.delivery.ciba_ping import CibaPing  # noqa: PLC0415  # loads an HTTP client
    from server.delivery.ciba_push import CibaPush  # noqa: PLC0415
    from server.delivery.outbox import OutboxWorker  # noqa: PLC0415
    from server.delivery.webhook import Webhook  # noqa: PLC0415

    store, settings = services.store, services.settings
    callbacks = Callbacks(store, services.secrets, _redemption(services))
    channels: dict[str, Channel] = {
        "ping": CibaPing(callbacks, reach(settings)),
        "push": CibaPush(callbacks, reach(settings)),
    }
    if settings.webhook_url:
        channels[WEBHOOK] = Webhook(settings.webhook_url, _webhook_key(settings))
    room = partial(services.hub.nudge, ANY_CHANGE)
    return OutboxWorker(store, services.secrets, channels, run, room)


def reach(settings: Settings) -> "Reach":
    """How far a call to an agent's endpoint may go."""
    from server.delivery.egress import Reach  # noqa: PLC0415  # loads an HTTP client

    return Reach(
        ports=settings.open_ports,
        networks=settings.open_networks,
        development=is_loopback(settings.issuer_url),
        ca_file=settings.callback_ca_file,
    )


def endpoint_problem(settings: Settings, url: str) -> str:
    """Why an agent may not be called back at this URL, as things are now; "" when it may."""
    from server.delivery.egress import problem  # noqa: PLC0415  # loads an HTTP client

    return problem(url, reach(settings))


def _webhook_key(settings: Settings) -> Path:
    if settings.webhook_secret_file:
        return Path(settings.webhook_secret_file)
    key_file = settings.data_dir / WEBHOOK_KEY
    if not key_file.exists():
        read_or_make_key(key_file)
    return key_file


def _refuse_a_stranger(store: SqlStore, secrets: KeyedSecrets) -> None:
    """Raises `BadKeyFile` when another master key sealed this database; the files stay as they are.

    The key of a restored database may be missing, and a new one was made in its place: it opens
    nothing, and putting the old file back is all that is needed.
    """
    with store.read() as view:
        keys = view.directory.signing_keys()
    if keys:
        secrets.open(sealed_as(keys[0].kid), keys[0].sealed)


def _rules(settings: Settings) -> Rules:
    return Rules(
        issuer=settings.issuer_url,
        on_loopback=is_loopback(settings.issuer_url),
        access_token_alg=settings.access_token_alg,
        access_token_seconds=settings.access_token_seconds,
        assertion_audience=settings.assertion_audience,  # type: ignore[arg-type]  # checked there
        hide_unknown_users=settings.unknown_user == "hide",
        open_per_agent=settings.open_per_agent,
        open_per_user=settings.open_per_user,
        open_in_all=settings.open_in_all,
        denials_before_pause=settings.denials_before_pause,
        dpop_nonces=settings.dpop_nonce == "required",
    )


def _redemption(services: Services) -> Redemption:
    issuing = Issuing(services.signer, services.secrets, services.rules)
    schemas = Schemas()
    actions = AppActions(services.secrets, schemas, services.rules)
    return Redemption(issuing, Rights(schemas, Judge(), actions))


def _site(services: Services) -> "Site":
    from server.http.routes import ROUTES  # noqa: PLC0415
    from server.http.site import Readiness, Site  # noqa: PLC0415

    store, secrets, rules = services.store, services.secrets, services.rules
    callable_at = partial(endpoint_problem, services.settings)
    clients = ClientAuthentication(store, services.verifier, rules)
    redemption = _redemption(services)
    issuing, rights = redemption.issuing, redemption.rights
    issued = IssuedTokens(services.verifier, rules)
    login_hints = LoginHints(services.signer, services.verifier, secrets, rules)
    proofs = Proofs(services.verifier, secrets, rules)
    consents = ConsentService(store, secrets, rules)
    statements = Statements(secrets, services.verifier, rules)
    sign_ins = SignIns(store, secrets, services.passwords)
    begun = AuthorizeService(store, secrets, proofs, rights.actions, rules)
    app_issuing = AppIssuing(services.signer, secrets, rules)
    app_devices = AppDevices(consents)
    device_grant = DeviceGrantService(store, secrets, proofs, clients, app_devices, rules)
    narrowings = Narrowings(store, secrets, rights.schemas, rules)
    approvals = ApprovalService(
        store, secrets, services.verifier, rights, rules, consents, narrowings
    )
    return Site(
        clock=services.clock,
        store=store,
        rules=rules,
        clients=clients,
        people=People(store, services.verifier, proofs, rules),
        ciba=CibaService(
            store,
            secrets,
            Plans(rights.schemas, rights.judge),
            Hints(services.verifier, rules),
            RequestObjects(services.verifier, rules),
            proofs,
            login_hints,
            rules,
        ),
        proofs=proofs,
        token=TokenEndpoint(
            store,
            proofs,
            clients,
            for_agents={
                names.GRANT_CIBA: CibaGrant(store, secrets, redemption, services.hub),
                names.GRANT_CLIENT_CREDENTIALS: ClientCredentialsGrant(
                    store, rights.judge, issuing
                ),
                names.GRANT_TOKEN_EXCHANGE: TokenExchangeGrant(
                    store,
                    services.verifier,
                    Exchanges(rights.schemas, rights.judge, rules),
                    login_hints,
                    issuing,
                    rules,
                ),
            },
            for_apps={
                names.GRANT_AUTHORIZATION_CODE: AuthorizationCodeGrant(store, app_issuing, rights),
                names.GRANT_DEVICE_CODE: AppDeviceGrant(store, app_issuing, rights, app_devices),
                names.GRANT_REFRESH_TOKEN: AppRefreshGrant(store, app_issuing),
            },
            for_people={
                names.GRANT_DEVICE_CODE: DeviceCodeGrant(store, secrets, proofs, issuing, rights),
                names.GRANT_ENROLMENT: EnrolmentGrant(store, secrets, proofs, issuing),
                names.GRANT_REFRESH_TOKEN: RefreshTokenGrant(store, secrets, proofs, issuing),
            },
        ),
        authorize=begun,
        flows=Flows(store, secrets, services.verifier, begun, consents, rights.actions, sign_ins),
        sign_ins=sign_ins,
        sign_outs=SignOuts(store, services.verifier, rules, sign_ins),
        userinfo=UserInfo(store, Bearers(issued, proofs), rules),
        approvals=approvals,
        reports=Reports(store, secrets, approvals),
        incidents=Incidents(store),
        consents=consents,
        introspection=Introspection(store, issued, services.signer, rules),
        revocation=Revocation(store, issued),
        consumptions=Consumptions(store, issued, rights),
        device_grant=device_grant,
        devices=DeviceService(store, secrets, services.verifier, rules),
        user_codes=UserCodes(store, secrets, statements, services.passwords),
        passwords=OwnPasswords(store, services.passwords, statements),
        registration=RegistrationService(store, secrets, rules, callable_at),
        administration=Administration(
            store, secrets, services.signer, services.verifier, rules, callable_at
        ),
        feed=FeedService(store),
        hub=services.hub,
        readiness=Readiness(),
        routes=ROUTES,
    )
