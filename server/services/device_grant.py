"""The device grant before its tokens (RFC 8628): a code is made, and a person types it.

Typing the code opens an approval on that person's enrolled devices; one of them lets the new device
in. Somebody without a device cannot be asked: a first device comes by enrolment code.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.protocol import client_auth, decisions, device_codes, errors, kinds, names
from server.protocol.forms import Form
from server.protocol.risks import Risk
from server.services import audit, caps
from server.services.client_auth import ClientAuthentication
from server.services.consent_displays import DeviceAsked, device_text
from server.services.device_codes import DeviceCode
from server.services.openings import Opening, open_approval
from server.services.ports import Secrets, Store, Unit
from server.services.proofs import Proofs
from server.services.records import Approval, Entry, User
from server.services.rules import Rules

WINDOW_MS: Final = 10 * caps.MINUTE_MS
REQUESTS: Final = 30
"""How many codes one address may ask for in a window."""
WRONG_CODES: Final = 10
"""How many wrong codes one address may type in a window."""
WRONG_CODES_IN_ALL: Final = 1_000
_USER_CODE: Final = "user code"
_DEVICE_CODE: Final = "sayso_dc_"


class CodeRefused(Exception):
    """What was typed opens nothing; the text is for the person and says nothing about anybody."""


@dataclass(frozen=True, slots=True)
class DeviceGrantService:
    """Makes codes for devices, and opens the approval when somebody types one."""

    store: Store
    secrets: Secrets
    proofs: Proofs
    clients: ClientAuthentication
    rules: Rules

    @property
    def page(self) -> str:
        """Where people type the code."""
        return f"{self.rules.issuer}/device"

    def start(
        self, form: Form, *, authorization: str | None, proofs: Sequence[str], peer: str
    ) -> dict[str, object]:
        """The answer of RFC 8628 3.2. Raises errors.ProtocolError.

        1. The client may use this grant; today that is the terminal app.  2. What it sends is in
        order.  3. Its address has not asked too often.  4. It proves the key that the session is
        going to be bound to, so that nobody else can use what comes out.
        """
        if form.get("client_id") != names.APPROVER_CLIENT:
            self._refuse_others(form, authorization)
        asked = device_codes.parse_request(form)
        with self.store.write() as tx:
            if tx.counters.count(f"device codes:{peer}", WINDOW_MS) > REQUESTS:
                result: dict[str, object] | errors.ProtocolError = errors.TemporarilyUnavailable(
                    "Too many sign-ins were begun from here.", retry_after=60
                )
            else:
                jwk = self.proofs.terminal(tx, proofs, path="/device_authorization")
                result = self._begun(tx, asked.name, decisions.thumbprint(jwk), peer)
        if isinstance(result, errors.ProtocolError):
            raise result
        return result

    def _refuse_others(self, form: Form, authorization: str | None) -> None:
        """Raises errors.InvalidClient, or errors.UnauthorizedClient for who proved to be itself."""
        self.clients.authenticate(client_auth.read_credentials(authorization, form))
        raise errors.UnauthorizedClient("This client may not use the device grant.")

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

    def _begun(self, tx: Unit, name: str, jkt: str, peer: str) -> dict[str, object]:
        device_code = self.secrets.new_secret(_DEVICE_CODE)
        user_code = self._free_code(tx)
        expires_at = tx.now + device_codes.LIFETIME_MS
        tx.device_codes.add(
            DeviceCode(
                id=self.secrets.new_id(names.PREFIX_DEVICE_REQUEST),
                device_code_hash=hashlib.sha256(device_code.encode()).digest(),
                user_code_hash=self._hash(user_code),
                client_id=names.APPROVER_CLIENT,
                jkt=jkt,
                name=name,
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
        if _guessing(tx, peer):
            return CodeRefused("Too many wrong codes. Wait ten minutes, then begin again.")
        letters = device_codes.normalised(typed)
        code = None if letters is None else tx.device_codes.by_user_code(self._hash(letters))
        if code is None or code.approval_id is not None or tx.now >= code.expires_at:
            _count_wrong(tx, peer)
            return CodeRefused(
                "That code is wrong, used or too old. Look again at the device that shows it."
            )
        user = self._askable(tx, name)
        approval = self._open(tx, code, user, name, device_codes.shown(letters or ""))
        tx.device_codes.use(code.id, approval.id, tx.now)
        return None

    def _askable(self, tx: Unit, name: str) -> User | None:
        """The user of this name, if one of their devices can be asked now."""
        user = tx.directory.user_called(name) if name.isprintable() else None
        if user is None or not user.enabled:
            return None
        tx.queue(f"asked {user.id}")
        if tx.devices.active_count(user.id, tx.now) == 0:
            return None
        if (cause := caps.device_refusal(tx, user, self.rules)) is not None:
            _record_refusal(tx, user, cause)
            return None
        return user

    def _open(
        self, tx: Unit, code: DeviceCode, user: User | None, name: str, shown: str
    ) -> Approval:
        asked = user or self._nobody(name)
        terms = kinds.DeviceTerms(code.jkt, code.name, code.address, shown)

        def display(approval_id: str, expires_at: int) -> str:
            return device_text(
                DeviceAsked(approval_id, terms, asked, self.rules.api_audience, tx.now, expires_at)
            )

        return open_approval(
            tx,
            self.secrets,
            Opening(
                kind="device",
                client_id=names.APPROVER_CLIENT,
                user_id=asked.id,
                phantom=user is None,
                resource=self.rules.api_audience,
                scope=(),
                details=kinds.device_details(terms),
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


def _record_refusal(tx: Unit, user: User, cause: str) -> None:
    audit.record(
        tx,
        Entry(
            type=audit.Type.APPROVAL_REFUSED,
            actor=audit.SYSTEM,
            subject=user.id,
            decision="refused",
            posture=Risk.HIGH,
            cause=cause,
            facts={"kind": "device"},
        ),
    )
