"""The device grant before its tokens (RFC 8628): a code is made, and a person types it.

Typing the code opens an approval on that person's enrolled devices; one of them lets the new device
in. Somebody without a device cannot be asked: a first device comes by enrolment code.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.model.approval_requests import OpenApproval, Opening
from server.model.approvals import Approval
from server.model.audit import Entry
from server.model.devices import DeviceCode
from server.model.ports import Secrets
from server.model.store import Store, Unit
from server.model.users import User
from server.protocol import errors, names
from server.protocol.approvals import decisions, kinds
from server.protocol.clients import client_auth
from server.protocol.devices import device_codes
from server.protocol.forms import Form
from server.protocol.policy.risks import Risk
from server.services.audit import audit
from server.services.clients.client_auth import ClientAuthentication, current_app, only_app
from server.services.consents.displays import DeviceAsked, device_text
from server.services.devices.app_devices import AppDevices
from server.services.notifications import request_limits
from server.services.server_policy import ServerPolicy
from server.services.users.proofs import Proofs

WINDOW_MS: Final = 10 * request_limits.MINUTE_MS
REQUESTS: Final = 30
"""How many codes one address may ask for in a window."""
REQUESTS_OF_APP: Final = 1_000
"""How many an app that proves who it is may ask for in a window, for all of its devices."""
WRONG_CODES: Final = 10
"""How many wrong codes one address may type in a window."""
WRONG_CODES_IN_ALL: Final = 1_000
_WRONG: Final = "That code is wrong, used or too old. Look again at the device that shows it."
_USER_CODE: Final = "user code"
_DEVICE_CODE: Final = "sayso_dc_"


class CodeRefused(Exception):
    """What was typed opens nothing; the text is for the person and says nothing about anybody."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """What a device began, as its code remembers it."""

    client_id: str
    resource: str
    scope: str
    jkt: str
    name: str


@dataclass(frozen=True, slots=True)
class DeviceGrantService:
    """Makes codes for devices, and opens the approval when somebody types one."""

    store: Store
    secrets: Secrets
    proofs: Proofs
    clients: ClientAuthentication
    apps: AppDevices
    rules: ServerPolicy
    open_approval: OpenApproval

    @property
    def page(self) -> str:
        """Where people type the code."""
        return f"{self.rules.issuer}/device"

    def start(
        self, form: Form, *, authorization: str | None, proofs: Sequence[str], peer: str
    ) -> dict[str, object]:
        """The answer of RFC 8628 3.2. Raises errors.ProtocolError.

        1. The client may use this grant.  2. What it sends is in order.  3. It has not asked too
        often.  4. A terminal proves the key that the session is going to be bound to, so that
        nobody else can use what comes out.
        """
        if form.get("client_id") != names.APPROVER_CLIENT:
            return self._start_app(form, authorization, peer)
        asked = device_codes.parse_request(form)
        many = self._too_many(f"device codes:{peer}", REQUESTS)
        if many is not None:
            raise many
        with self.store.write() as tx:
            jwk = self.proofs.terminal(tx, proofs, path="/device_authorization")
            code = _Begun(names.APPROVER_CLIENT, "", "", decisions.thumbprint(jwk), asked.name)
            return self._begun(tx, code, peer)

    def _start_app(self, form: Form, authorization: str | None, peer: str) -> dict[str, object]:
        """Apps that prove who they are are counted by themselves, others by address."""
        app = only_app(self.clients.authenticate(client_auth.read_credentials(authorization, form)))
        asked = device_codes.parse_app_request(form)
        with self.store.read() as view:
            self.apps.target(view, app, asked)
        proven = app.auth_method != names.AUTH_NONE
        many = (
            self._too_many(f"device codes of:{app.id}", REQUESTS_OF_APP)
            if proven
            else self._too_many(f"device codes:{peer}", REQUESTS)
        )
        if many is not None:
            raise many
        with self.store.write() as tx:
            resource = self.apps.target(tx, current_app(tx, app), asked)
            scope = " ".join(sorted((*asked.openid, *asked.scope)))
            return self._begun(tx, _Begun(app.id, resource, scope, "", ""), peer)

    def _too_many(self, key: str, most: int) -> errors.TemporarilyUnavailable | None:
        """Count one more; the count is stored whatever comes after."""
        with self.store.write() as tx:
            if tx.counters.count(key, WINDOW_MS) <= most:
                return None
        return errors.TemporarilyUnavailable(
            "Too many sign-ins were begun from here.", retry_after=60
        )

    def form_token(self) -> str:
        """What ties a form to the page that showed it."""
        return self.secrets.salt()

    def enter(self, *, name: str, typed: str, peer: str) -> None:
        """Somebody typed a code and says who they are. Raises `CodeRefused`.

        Whether there is such a user, with a device, is never told: then nobody is asked, and the
        device waits as long as it would for somebody who does not answer.
        """
        with self.store.write() as tx:
            refused = self._enter(tx, name, typed, peer)
        if refused is not None:
            raise refused

    def _begun(self, tx: Unit, begun: "_Begun", peer: str) -> dict[str, object]:
        device_code = self.secrets.new_secret(_DEVICE_CODE)
        user_code = self._free_code(tx)
        expires_at = tx.now + device_codes.LIFETIME_MS
        tx.device_codes.add(
            DeviceCode(
                id=self.secrets.new_id(names.PREFIX_DEVICE_REQUEST),
                device_code_hash=hashlib.sha256(device_code.encode()).digest(),
                user_code_hash=self._hash(user_code),
                client_id=begun.client_id,
                resource=begun.resource,
                scope=begun.scope,
                jkt=begun.jkt,
                name=begun.name,
                address=peer,
                created_at=tx.now,
                expires_at=expires_at,
                interval_ms=device_codes.INTERVAL_MS,
                last_poll_at=None,
                approval_id=None,
            )
        )
        shown = device_codes.shown(user_code)
        return {
            "device_code": device_code,
            "user_code": shown,
            "verification_uri": self.page,
            "verification_uri_complete": f"{self.page}?user_code={shown}",
            "expires_in": device_codes.LIFETIME_MS // 1000,
            "interval": device_codes.INTERVAL_MS // 1000,
        }

    def _free_code(self, tx: Unit) -> str:
        """A code that stands for no other device."""
        while True:
            code = self.secrets.new_user_code()
            if tx.device_codes.by_user_code(self._hash(code)) is None:
                return code

    def _hash(self, user_code: str) -> bytes:
        return self.secrets.code_hash(_USER_CODE, user_code)

    def _enter(self, tx: Unit, name: str, typed: str, peer: str) -> CodeRefused | None:
        """Open the approval, in a unit of work of its own.

        1. Whoever guesses is stopped, by address and in all.  2. The code is one, in time, and not
        used; each wrong one counts.  3. Whom the name means, if they can be asked now.  4. The code
        is used up in the statement that says so, whoever was meant.
        """
        tx.lock("types user codes")  # so that tries at once do not all see the same count
        if _guessing(tx, peer):
            return CodeRefused("Too many wrong codes. Wait ten minutes, then begin again.")
        letters = device_codes.normalised(typed)
        code = None if letters is None else tx.device_codes.by_user_code(self._hash(letters))
        if code is None or code.approval_id is not None or tx.now >= code.expires_at:
            _count_wrong(tx, peer)
            return CodeRefused(_WRONG)
        user = self._askable(tx, name, code.client_id)
        try:
            approval = self._open(tx, code, user, name, device_codes.shown(letters or ""))
        except errors.ProtocolError:  # the app was stopped or narrowed meanwhile
            return CodeRefused(_WRONG)
        tx.device_codes.use(code.id, approval.id, tx.now)
        return None

    def _askable(self, tx: Unit, name: str, client_id: str) -> User | None:
        """The user of this name, if one of their devices can be asked now."""
        user = tx.directory.user_called(name) if name.isprintable() else None
        if user is None or not user.enabled:
            return None
        tx.lock(f"asked {user.id}")
        if tx.devices.active_count(user.id, tx.now) == 0:
            return None
        if (cause := request_limits.device_refusal(tx, client_id, user, self.rules)) is not None:
            _record_refusal(tx, user, client_id, cause)
            return None
        return user

    def _open(
        self, tx: Unit, code: DeviceCode, user: User | None, name: str, shown: str
    ) -> Approval:
        asked = user or self._nobody(name)
        if code.client_id != names.APPROVER_CLIENT:
            return self.apps.open(tx, code, asked, shown, phantom=user is None)
        terms = kinds.DeviceTerms(code.jkt, code.name, code.address, shown)

        def display(approval_id: str, expires_at: int) -> str:
            return device_text(
                DeviceAsked(approval_id, terms, asked, self.rules.api_audience, tx.now, expires_at)
            )

        return self.open_approval(
            tx,
            Opening(
                kind="device",
                client_id=names.APPROVER_CLIENT,
                user_id=asked.id,
                phantom=user is None,
                resource=self.rules.api_audience,
                scope=(),
                details=[kinds.device_details(terms)],
                risk=Risk.HIGH,
                actor=audit.SYSTEM,
                peer=code.address,
                display=display,
                no_later_than=code.expires_at,
            ),
        )

    def _nobody(self, name: str) -> User:
        """Whom a name that means nobody stands for."""
        typed = name.casefold().encode(errors="replace").decode()
        made_up = self.secrets.nonce("nobody at a new device", typed)
        return User(names.PREFIX_USER + made_up, "nobody", None, (), "enabled", 0)


def _guessing(tx: Unit, peer: str) -> bool:
    of_peer = tx.counters.peek(f"wrong user codes:{peer}")
    return of_peer >= WRONG_CODES or tx.counters.peek(_IN_ALL) >= WRONG_CODES_IN_ALL


def _count_wrong(tx: Unit, peer: str) -> None:
    tx.counters.count(f"wrong user codes:{peer}", WINDOW_MS)
    tx.counters.count(_IN_ALL, WINDOW_MS)


_IN_ALL: Final = "wrong user codes"


def _record_refusal(tx: Unit, user: User, client_id: str, cause: str) -> None:
    audit.record(
        tx,
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
