"""Device authorization (RFC 8628 3.1 to 3.3): creates codes, and accepts a typed code.

A typed code creates an approval on the person's enrolled devices. A person without a device cannot
be asked: their first device needs an enrollment code.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from server.model.approval_requests import CreateApproval, NewApproval
from server.model.approvals import Approval
from server.model.audit import Entry
from server.model.clients import App
from server.model.devices import DeviceCode
from server.model.operations import CountedLimit
from server.model.ports import Secrets
from server.model.store import Store, Unit, View
from server.model.users import User
from server.protocol import errors, names
from server.protocol.approvals import decisions, kinds
from server.protocol.clients import client_auth
from server.protocol.devices import device_codes
from server.protocol.devices.device_codes import AppRequest
from server.protocol.forms import Form
from server.protocol.names import handle_hash
from server.protocol.policy.risks import Risk
from server.protocol.resources import scopes, uris
from server.protocol.times import rfc3339
from server.services.audit import audit
from server.services.clients.client_auth import ClientAuthentication, current_app, require_app
from server.services.consents.consents import ConsentService
from server.services.consents.displays import app_device_display, device_display
from server.services.consents.offers import check_offer
from server.services.notifications import request_limits
from server.services.resources import targets
from server.services.server_policy import ServerPolicy
from server.services.users.dpop_proofs import Proofs

_WINDOW_MS: Final = 10 * request_limits.MINUTE_MS
REQUESTS: Final = CountedLimit(
    "device_codes", "address", "Device codes", 30, _WINDOW_MS, "device codes:"
)
REQUESTS_OF_APP: Final = CountedLimit(
    "device_codes_of_app", "app", "Device codes", 1_000, _WINDOW_MS, "device codes of:"
)
"""Shared by all devices of an app that authenticates."""
WRONG_CODES: Final = CountedLimit(
    "wrong_device_codes", "address", "Wrong device codes", 10, _WINDOW_MS, "wrong user codes:"
)
LIMITS: Final = (REQUESTS, REQUESTS_OF_APP, WRONG_CODES)
MAX_WRONG_CODES: Final = 1_000
_TOTAL: Final = "wrong user codes"
_WRONG: Final = "That code is wrong, used or expired. Check the device that shows it."
_USER_CODE: Final = "user code"


@dataclass(frozen=True, slots=True)
class AppDevices:
    """Validates an app's request, creates its approval and stores the consent."""

    consents: ConsentService

    def target(self, view: View, app: App, app_request: AppRequest) -> tuple[str, tuple[str, ...]]:
        """Return the resource and its scopes; "" if the scopes are only about the person.

        Checks, in order, that: 1. the app has this grant; 2. scopes are within its permissions and
        do not require an action type; 3. none is critical, because critical scopes need an approval
        each time. Raises errors.ProtocolError.
        """
        if names.GRANT_DEVICE_CODE not in app.grant_types:
            raise errors.UnauthorizedClient("This client cannot use the device grant.")
        if app_request.openid and not app_request.scope:
            userinfo = self.consents.server_policy.userinfo_audience
            if not uris.may_name(app_request.resource, userinfo):
                raise errors.InvalidTarget("Request at least one scope of this resource.")
            return "", ()
        target = targets.resolve_or_default(
            view.directory, app, app_request.resource, app_request.scope
        )
        targets.check_required_types(target, frozenset())
        if target.risk is Risk.CRITICAL:
            raise errors.InvalidScope("A critical scope needs an approval each time.")
        return target.resource.uri, target.scope

    def create_approval(
        self, tx: Unit, code: DeviceCode, user: User, shown: str, *, phantom: bool
    ) -> Approval:
        """Create the approval for this person or a phantom. Raises errors.ProtocolError."""
        openid, scope = scopes.split(tuple(code.scope.split()))
        offer = check_offer(tx, user.id, code.client_id, code.resource, scope)
        terms = kinds.AppDeviceTerms(code.address, shown, rfc3339(offer.until))
        resource = code.resource or self.consents.server_policy.userinfo_audience
        return self.consents.create_approval(
            tx,
            NewApproval(
                client_id=code.client_id,
                scope=(*openid, *offer.risks),
                details=[kinds.app_device_details(terms)],
                actor=audit.SYSTEM,
                display=app_device_display(terms, offer, openid, user, resource),
                phantom=phantom,
                no_later_than=code.expires_at,
            ),
        )

    def store_consents(self, tx: Unit, approval: Approval, code: DeviceCode) -> None:
        """Store the consents as signed."""
        user_id = approval.user_id or ""
        openid, scope = scopes.split(tuple(approval.scope.split()))
        if openid:
            self.consents.save_identity_consent(tx, user_id, code.client_id, openid)
        if not scope:
            return
        consent = self.consents.signed_consent(tx, approval)
        self.consents.save(tx, replace(consent, app_id=code.client_id, scopes=scope))


@dataclass(frozen=True, slots=True)
class DeviceGrantService:
    """Creates codes for devices, and an approval when someone types one."""

    store: Store
    secrets: Secrets
    proofs: Proofs
    clients: ClientAuthentication
    apps: AppDevices
    server_policy: ServerPolicy
    create_approval: CreateApproval

    @property
    def page(self) -> str:
        """The page where people type the code."""
        return f"{self.server_policy.issuer}/device"

    def start(
        self, form: Form, *, authorization: str | None, proofs: Sequence[str], peer: str
    ) -> dict[str, object]:
        """Return the response of RFC 8628 3.2. Raises errors.ProtocolError.

        Checks, in order, that: 1. the client may use this grant; 2. its request is valid; 3. it is
        within its limit; 4. a terminal proves the key that its session will be bound to, so that
        no one else can use the result.
        """
        if form.get("client_id") != names.APPROVER_CLIENT:
            return self._start_app(form, authorization, peer)
        device_request = device_codes.parse_request(form)
        self._count_request(REQUESTS, peer)
        with self.store.write() as tx:
            jwk = self.proofs.terminal(tx, proofs, path="/device_authorization")
            jkt = decisions.thumbprint(jwk)
            return self._create_code(
                tx, peer, names.APPROVER_CLIENT, jkt=jkt, name=device_request.name
            )

    def _start_app(self, form: Form, authorization: str | None, peer: str) -> dict[str, object]:
        """Start the grant for an app. Counts per app if it authenticates, otherwise per address."""
        app = require_app(
            self.clients.authenticate(client_auth.read_credentials(authorization, form))
        )
        app_request = device_codes.parse_app_request(form)
        with self.store.read() as view:
            self.apps.target(view, app, app_request)
        is_authenticated = app.auth_method != names.AUTH_NONE
        limit, subject = (REQUESTS_OF_APP, app.id) if is_authenticated else (REQUESTS, peer)
        self._count_request(limit, subject)
        with self.store.write() as tx:
            resource, scopes_ = self.apps.target(tx, current_app(tx, app), app_request)
            scope = " ".join(sorted((*app_request.openid, *scopes_)))
            return self._create_code(tx, peer, app.id, resource=resource, scope=scope)

    def _count_request(self, limit: CountedLimit, subject: str) -> None:
        """Count a request, even one that fails later. Raises errors.TemporarilyUnavailable."""
        with self.store.write() as tx:
            is_exceeded = tx.counters.count_subject(limit, subject) > limit.value
        if is_exceeded:
            raise errors.TemporarilyUnavailable(
                "Too many device codes were requested.", retry_after=60
            )

    def format_code(self, typed: str) -> str:
        """Return a typed code in its displayed form; "" if it is not a code."""
        letters = device_codes.normalize_code(typed)
        return device_codes.format_code(letters) if letters else ""

    def form_token(self) -> str:
        """Return the token that binds a form to its page."""
        return self.secrets.salt()

    def _create_code(  # noqa: PLR0913  # the members of a code
        self,
        tx: Unit,
        peer: str,
        client_id: str,
        *,
        resource: str = "",
        scope: str = "",
        jkt: str = "",
        name: str = "",
    ) -> dict[str, object]:
        device_code = self.secrets.new_secret(names.PREFIX_DEVICE_CODE)
        user_code = self._free_code(tx)
        expires_at = tx.now + device_codes.LIFETIME_MS
        tx.device_codes.add(
            DeviceCode(
                id=self.secrets.new_id(names.PREFIX_DEVICE_REQUEST),
                device_code_hash=handle_hash(device_code),
                user_code_hash=self._hash(user_code),
                client_id=client_id,
                resource=resource,
                scope=scope,
                jkt=jkt,
                name=name,
                address=peer,
                created_at=tx.now,
                expires_at=expires_at,
                interval_ms=device_codes.INTERVAL_MS,
            )
        )
        shown = device_codes.format_code(user_code)
        return {
            "device_code": device_code,
            "user_code": shown,
            "verification_uri": self.page,
            "verification_uri_complete": f"{self.page}?user_code={shown}",
            "expires_in": device_codes.LIFETIME_MS // 1000,
            "interval": device_codes.INTERVAL_MS // 1000,
        }

    def _free_code(self, tx: Unit) -> str:
        """Return an unused user code."""
        while True:
            code = self.secrets.random_string(device_codes.ALPHABET, device_codes.LENGTH)
            if tx.device_codes.by_user_code(self._hash(code)) is None:
                return code

    def _hash(self, user_code: str) -> bytes:
        return self.secrets.code_hash(_USER_CODE, user_code)

    def submit_code(self, *, name: str, typed: str, peer: str) -> str:
        """Accept a typed code and a user name. Return an error message, or "" on success.

        The text does not reveal whether the user exists. If the user is unknown or has no device,
        nobody is asked, and the new device waits until its code expires.

        Rules, in order: 1. Guesses are limited, per address and in total. 2. The code is valid;
        each wrong code is counted. 3. The named user, or else a phantom, is asked. 4. One
        conditional UPDATE uses up the code.
        """
        with self.store.write() as tx:
            tx.lock("types user codes")  # so that all parallel attempts are counted
            if _is_limit_reached(tx, peer):
                return "Too many wrong codes. Wait ten minutes, then start again."
            letters = device_codes.normalize_code(typed)
            code = None if letters is None else tx.device_codes.by_user_code(self._hash(letters))
            if code is None or code.approval_id is not None or tx.now >= code.expires_at:
                tx.counters.count_subject(WRONG_CODES, peer)
                tx.counters.count(_TOTAL, _WINDOW_MS)
                return _WRONG
            user = self._find_approver(tx, name, code.client_id)
            shown = device_codes.format_code(letters or "")
            try:
                approval = self._create_approval(tx, code, user, name, shown)
            except errors.ProtocolError:  # the app was disabled or narrowed in the meantime
                return _WRONG
            tx.device_codes.use(code.id, approval.id, tx.now)
            return ""

    def _find_approver(self, tx: Unit, name: str, client_id: str) -> User | None:
        """Return the user with this name, if one of their devices can be asked now."""
        user = tx.directory.find_user(name) if name.isprintable() else None
        if user is None or not user.enabled:
            return None
        tx.lock(f"asked {user.id}")
        if tx.devices.active_count(user.id, tx.now) == 0:
            return None
        cause = request_limits.device_refusal(tx, client_id, user, self.server_policy)
        if cause is not None:
            _record_refusal(tx, user, client_id, cause)
            return None
        return user

    def _create_approval(
        self, tx: Unit, code: DeviceCode, user: User | None, name: str, shown: str
    ) -> Approval:
        approver = user or self._phantom_user(name)
        if code.client_id != names.APPROVER_CLIENT:
            return self.apps.create_approval(tx, code, approver, shown, phantom=user is None)
        terms = kinds.DeviceTerms(code.jkt, code.name, code.address, shown)
        return self.create_approval(
            tx,
            NewApproval(
                client_id=names.APPROVER_CLIENT,
                scope=(),
                details=[kinds.device_details(terms)],
                actor=audit.SYSTEM,
                display=device_display(terms, approver, self.server_policy.api_audience),
                phantom=user is None,
                no_later_than=code.expires_at,
            ),
        )

    def _phantom_user(self, name: str) -> User:
        """Return a phantom for an unknown name."""
        folded_name = name.casefold().encode(errors="replace").decode()
        phantom_id = self.secrets.nonce("nobody at a new device", folded_name)
        return User(names.PREFIX_USER + phantom_id, "nobody", None, (), "enabled", 0)


def _is_limit_reached(tx: Unit, peer: str) -> bool:
    wrong_codes = tx.counters.peek_subject(WRONG_CODES, peer)
    return wrong_codes >= WRONG_CODES.value or tx.counters.peek(_TOTAL) >= MAX_WRONG_CODES


def _record_refusal(tx: Unit, user: User, client_id: str, cause: str) -> None:
    tx.audit.add(
        Entry(
            type=audit.Type.APPROVAL_REFUSED,
            actor=audit.SYSTEM,
            subject=user.id,
            decision="refused",
            posture=Risk.HIGH,
            cause=cause,
            facts={"kind": "device" if client_id == names.APPROVER_CLIENT else "app_device"},
        ),
    )
