"""Who is wired to whom: the only file that knows every adapter, and the real clock.

`build` makes what commands and the server share and loads no Flask; `create_site` adds what answers
requests, and `create_app` what carries them.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from server import key_files, outward
from server.crypto.jose import JwtSigner, JwtVerifier
from server.crypto.passwords import Argon2Passwords, Elsewhere, here
from server.crypto.secrets import EntryIds, KeyedSecrets
from server.crypto.vapid import public_key
from server.last_seen import LastSeen
from server.protocol import names
from server.services.acting import ActingService
from server.services.administration import Administration
from server.services.app_actions import AppActions
from server.services.app_devices import AppDevices
from server.services.app_tokens import AppIssuing
from server.services.approvals import ApprovalService
from server.services.authorize import AuthorizeService
from server.services.bearers import Bearers
from server.services.browsers import Browsers
from server.services.callbacks import Callbacks
from server.services.ceremonies import Ceremonies
from server.services.ciba import CibaService
from server.services.client_auth import ClientAuthentication
from server.services.consents import ConsentService
from server.services.consumptions import Consumptions
from server.services.delegations import Ledger
from server.services.deputies import Deputies
from server.services.device_grant import DeviceGrantService
from server.services.devices import DeviceService
from server.services.escalations import Escalations
from server.services.exchanges import Exchanges
from server.services.expiry import Sweeper
from server.services.extensions import Extensions
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
from server.services.icons import Icons
from server.services.incidents import Incidents
from server.services.installation_rows import InstallationRow
from server.services.introspection import Introspection
from server.services.issued_tokens import IssuedTokens
from server.services.keys import ensure_keys
from server.services.leaving import SignOuts
from server.services.login_hints import LoginHints
from server.services.narrowings import Narrowings
from server.services.outcomes import Outcomes
from server.services.passkey_sign_ins import PasskeySignIns
from server.services.passkeys import PasskeyService
from server.services.passwords import OwnPasswords
from server.services.people import People
from server.services.plans import Plans
from server.services.policy.judging import Judge
from server.services.ports import Clock
from server.services.proofs import Proofs
from server.services.push_losses import PushLosses
from server.services.push_subscriptions import PushSubscriptions
from server.services.quiet import Quiet
from server.services.receipts import Receipts
from server.services.redemption import Redemption
from server.services.registration import RegistrationService
from server.services.reports import Reports
from server.services.request_objects import RequestObjects
from server.services.retries import Retries
from server.services.revocation import Revocation
from server.services.rights import Rights
from server.services.rules import Rules
from server.services.schemas import Schemas
from server.services.sign_ins import SignIns
from server.services.signatures import Signatures
from server.services.stand_ins import StandIns
from server.services.standing_exchanges import StandingExchanges
from server.services.standing_grants import StandingGrants
from server.services.standing_proposals import Proposals
from server.services.statements import Statements
from server.services.statistics import Statistics
from server.services.successions import Successions
from server.services.token import TokenEndpoint
from server.services.tokens import Issuing
from server.services.user_codes import UserCodes
from server.services.userinfo import UserInfo
from server.settings import Settings, described, is_loopback
from server.storage.open import open_store
from server.storage.store import SqlStore

if TYPE_CHECKING:
    from flask import Flask

    from server.delivery.outbox import OutboxWorker
    from server.http.site import Site


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
    escalations: Escalations
    successions: Successions


def build(
    settings: Settings,
    clock: Clock | None = None,
    *,
    serving: bool = False,
    elsewhere: Elsewhere = here,
) -> Services:
    """Open the database and the keys, in the process that uses them.

    Raises what `storage.open` and `crypto.sealing` say.
    `elsewhere` runs what is slow on purpose where it holds up nobody.
    """
    clock = clock or SystemClock()
    store = open_store(settings.sqlalchemy_url, clock, EntryIds().new, serving=serving)
    store.start()
    try:
        LastSeen(settings, store).check()
        master, pin = key_files.open_required(settings, store)
        with store.read() as view:
            installation = view.installation.row()
    except BaseException:
        store.close()
        raise
    secrets = KeyedSecrets(master, pin, installation.epoch)
    rules = _rules(settings, installation)
    return Services(
        settings=settings,
        clock=clock,
        store=store,
        secrets=secrets,
        signer=JwtSigner(secrets),
        verifier=JwtVerifier(),
        passwords=Argon2Passwords(elsewhere),
        rules=rules,
        hub=Hub(store, store.wake),
        sweeper=Sweeper(store),
        escalations=Escalations(store, StandIns(Judge(secrets), rules)),
        successions=Successions(store, secrets, rules),
    )


def key_problems(settings: Settings) -> list[str]:
    """What is wrong with any key file of the database. Raises what `storage.open` says."""
    store = open_store(settings.sqlalchemy_url, SystemClock(), EntryIds().new, serving=False)
    try:
        return key_files.problems(settings, store)
    finally:
        store.close()


def create_site(services: Services, *, most_feeds: int = sys.maxsize) -> "Site":
    """What answers requests, before anything carries them. Makes signing keys if there are none.

    `most_feeds` is how many live feeds this process may hold.
    """
    from server.crypto.passkeys import WebAuthn  # loads CBOR and X.509
    from server.http.routes import ROUTES
    from server.http.site import Readiness, Site

    with services.store.administer() as tx:
        ensure_keys(tx, services.signer)
    store, secrets, rules = services.store, services.secrets, services.rules
    callable_at = partial(outward.endpoint_problem, services.settings)
    clients = ClientAuthentication(store, services.verifier, rules)
    redemption = _redemption(services)
    issuing, rights = redemption.issuing, redemption.rights
    issued = IssuedTokens(services.verifier, rules)
    login_hints = LoginHints(services.signer, services.verifier, secrets, rules)
    proofs = Proofs(services.verifier, secrets, rules)
    consents = ConsentService(store, secrets, rules)
    sign_ins = SignIns(store, secrets, services.passwords)
    begun = AuthorizeService(store, secrets, proofs, rights.actions, rules)
    app_issuing = AppIssuing(services.signer, secrets, rules)
    app_devices = AppDevices(consents)
    device_grant = DeviceGrantService(store, secrets, proofs, clients, app_devices, rules)
    ceremonies = Ceremonies(secrets)
    narrowings = Narrowings(store, secrets, rights.schemas, rules)
    standing_grants = StandingGrants(store, secrets, rights.proposals, rules)
    authenticators = WebAuthn(rules.issuer)
    signatures = Signatures(services.verifier, authenticators)
    statements = Statements(secrets, signatures, rules)
    stand_ins = StandIns(rights.judge, rules)
    browsers = Browsers(store, secrets)
    passkeys = PasskeyService(store, secrets, authenticators, browsers, rules)
    approvals = ApprovalService(
        store,
        secrets,
        signatures,
        rights,
        rules,
        consents,
        narrowings,
        standing_grants,
        ceremonies,
    )
    return Site(
        clock=services.clock,
        store=store,
        rules=rules,
        clients=clients,
        people=People(store, services.verifier, proofs, rules),
        browsers=browsers,
        passkeys=passkeys,
        passkey_sign_ins=PasskeySignIns(store, passkeys, sign_ins),
        ciba=CibaService(
            store,
            secrets,
            Plans(rights.schemas, rights.judge, rules),
            Hints(services.verifier, rules),
            RequestObjects(services.verifier, rules),
            proofs,
            login_hints,
            rules,
            ceremonies,
            stand_ins,
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
                    StandingExchanges(secrets, issuing),
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
        push_losses=PushLosses(store),
        push_subscriptions=PushSubscriptions(
            store,
            secrets,
            public_key(outward.vapid_key(services.settings, store, secrets)),
            services.settings.push_services,
        ),
        quiet=Quiet(store),
        deputies=Deputies(store, secrets, statements, stand_ins),
        extensions=Extensions(store),
        retries=Retries(store),
        receipts=Receipts(store, services.signer, services.verifier, authenticators),
        reports=Reports(store, secrets, approvals),
        incidents=Incidents(store),
        consents=consents,
        ledger=Ledger(store),
        acting=ActingService(store),
        icons=Icons(store),
        statistics=Statistics(store),
        standing_grants=standing_grants,
        introspection=Introspection(store, issued, services.signer, rules),
        revocation=Revocation(store, issued),
        consumptions=Consumptions(store, issued, rights),
        outcomes=Outcomes(store),
        device_grant=device_grant,
        devices=DeviceService(store, secrets, statements),
        user_codes=UserCodes(store, secrets, statements, services.passwords),
        passwords=OwnPasswords(store, services.passwords, statements),
        registration=RegistrationService(store, secrets, rules, callable_at),
        administration=Administration(
            store, secrets, services.signer, statements, rules, callable_at
        ),
        feed=FeedService(store),
        hub=services.hub,
        readiness=Readiness(),
        routes=ROUTES,
        settings=described(services.settings),
        most_feeds=most_feeds,
    )


def create_app(site: "Site") -> "Flask":
    """The WSGI application: the site's API, its feed and its pages."""
    from server.http.feed import add_feed  # commands never load Flask
    from server.http.views import PlainFlask, add_routes
    from server.web.agent_icons import add_agent_icons
    from server.web.answer_pages import add_answer_pages
    from server.web.console.console import add_console
    from server.web.device_page import add_device_page
    from server.web.installable import add_installable
    from server.web.own.own_pages import add_own_pages
    from server.web.pages import add_pages
    from server.web.person_pages import add_person_pages
    from server.web.sign_in import add_sign_in

    app = PlainFlask("server.web", static_folder=None)
    add_routes(app, site)
    add_feed(app, site)
    add_pages(app, site)
    add_installable(app)
    add_agent_icons(app, site)
    add_person_pages(app, site)
    add_answer_pages(app, site)
    add_own_pages(app, site)
    add_console(app, site)
    add_device_page(app, site)
    add_sign_in(app, site)
    return app


def outbox_worker(services: Services, run: Callable[[Callable[[], None]], None]) -> "OutboxWorker":
    """What delivers the outbox; `run` begins one delivery beside the others."""
    settings, store, secrets = services.settings, services.store, services.secrets
    callbacks = Callbacks(store, secrets, _redemption(services))
    room = partial(services.hub.nudge, ANY_CHANGE)
    return outward.outbox_worker(settings, store, secrets, callbacks, run, room)


def _rules(settings: Settings, installation: InstallationRow) -> Rules:
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
        notify_per_minute=settings.notify_per_minute,
        notify_per_hour=settings.notify_per_hour,
        notify_per_agent=settings.notify_per_agent,
        notify_per_type=settings.notify_per_type,
        notify_low_per_hour=settings.notify_low_per_hour,
        owner_grace_days=settings.owner_grace_days,
        dpop_nonces=settings.dpop_nonce == "required",
        not_before=installation.restored_at or 0,
    )


def _redemption(services: Services) -> Redemption:
    issuing = Issuing(services.signer, services.secrets, services.rules)
    schemas = Schemas()
    judge = Judge(services.secrets)
    actions = AppActions(services.secrets, schemas, judge, services.rules)
    return Redemption(issuing, Rights(schemas, judge, actions, Proposals(schemas, judge)))
