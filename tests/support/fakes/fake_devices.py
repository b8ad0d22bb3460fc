"""The devices of the fake server's only user: their keys, PINs, codes and passwords."""

import hmac
import secrets
from typing import cast

from tests.support.builders.approval_texts import b64, digest, to_rfc3339
from tests.support.fakes.fake_device_auth import DEVICE, Proving, thumbprint
from tests.support.fakes.fake_wire import Call, Refused

OTHER_DEVICE = "sayso_dv_eeeeeeeeeeeeeeee"
TRIES = 10


class FakeDevices(Proving):
    """The terminal's device, and a second one if a test requests it."""

    def __init__(self) -> None:
        super().__init__()
        self.pin_tries = 0
        self.statements: list[str] = []
        self.user_code: str | None = None
        self.password: str | None = None
        self._pin_key = secrets.token_bytes(32)

    def device(self, *, other: bool = False) -> dict[str, object]:
        """Return a device as the API shows it."""
        keys = {name: thumbprint(jwk) for name, jwk in self.device_keys.items()}
        return {
            "id": OTHER_DEVICE if other else DEVICE,
            "name": "desktop" if other else "laptop",
            "kind": "terminal",
            "state": "active",
            "created_at": to_rfc3339(self.now()),
            "last_seen_at": None,
            "high_from": to_rfc3339(self.now()),
            "this": not other,
            "keys": keys or {"session": "s", "low": "l", "high": "h"},
            "pin": {
                "tries": self.pin_tries,
                "left": TRIES - self.pin_tries,
                "locked": self.pin_tries >= TRIES,
                "exhausted": False,
            },
            "nonce": "device-nonce",
        }

    def _add_device(self, body: dict[str, object]) -> object:
        approval_keys = cast("dict[str, dict[str, str]]", body["approval_keys"])
        self.device_keys = {"session": cast("dict[str, str]", self.session_key), **approval_keys}
        return self.device() | {"name": body["name"]}

    def _devices(self) -> object:
        return {"items": [self.device(), self.device(other=True)]}

    def _revoke(self, device: str) -> None:
        self.revoked.append(device)

    def _pin(self, body: dict[str, object]) -> object:
        if self.pin_tries >= TRIES:
            raise Refused(423, "device_locked")
        self.pin_tries += 1
        self.pin_calls.append(str(body["for"]))
        y = hmac.digest(self._pin_key, str(body["x"]).encode(), "sha256")
        left = TRIES - self.pin_tries
        return {"y": b64(y), "nonce": "pin-nonce", "tries": self.pin_tries, "left": left}

    def _confirm(self, body: dict[str, object]) -> object:
        _, claims = self._verified(str(body["statement"]), {"high"}, "sayso-statement+jws")
        named = (claims["purpose"], claims["subject"], claims["nonce"])
        if named != ("pin", DEVICE, "pin-nonce"):
            raise Refused(422, "invalid_statement")
        self.pin_tries = 0
        return {"tries": 0}

    def _about(self, call: Call) -> object:
        device, purpose = call.names
        signed = str(call.body["statement"])
        _, claims = self._verified(signed, {"high"}, "sayso-statement+jws")
        named = (claims["purpose"], claims["subject"], claims["nonce"])
        if named != (purpose, device, "device-nonce"):
            raise Refused(422, "invalid_statement")
        if self.pin_calls[-1:] != [device]:
            raise Refused(403, "pin_required")
        self.statements.append(purpose)
        self.pin_tries = 0
        return self.device(other=True)

    def _user_code(self, body: dict[str, object]) -> object:
        _, claims = self._verified(str(body["statement"]), {"high"}, "sayso-statement+jws")
        expected = digest(f"device-nonce\n{body['code'] or ''}")
        named = (claims["purpose"], claims["subject"], claims["nonce"])
        if named != ("user_code", expected, "device-nonce"):
            raise Refused(422, "invalid_statement")
        if self.pin_calls[-1:] != [expected]:
            raise Refused(403, "pin_required")
        self.user_code = None if body["code"] is None else str(body["code"])
        self.pin_tries = 0
        return {"set": self.user_code is not None}

    def _one_time_code(self, body: dict[str, object]) -> object:
        _, claims = self._verified(str(body["statement"]), {"high"}, "sayso-statement+jws")
        expected = digest("device-nonce")
        named = (claims["purpose"], claims["subject"], claims["nonce"])
        if named != ("enroll", expected, "device-nonce"):
            raise Refused(422, "invalid_statement")
        if self.pin_calls[-1:] != [expected]:
            raise Refused(403, "pin_required")
        self.pin_tries = 0
        issued = {"enrollment_code": "7Q4N-0001", "link": "https://sayso.example/enroll#7Q4N-0001"}
        return {**issued, "expires_at": "2026-11-26T12:00:00.000Z"}

    def _password(self, body: dict[str, object]) -> object:
        _, claims = self._verified(str(body["statement"]), {"high"}, "sayso-statement+jws")
        expected = digest(f"device-nonce\n{body['password']}")
        named = (claims["purpose"], claims["subject"], claims["nonce"])
        if named != ("password", expected, "device-nonce"):
            raise Refused(422, "invalid_statement")
        if self.pin_calls[-1:] != [expected]:
            raise Refused(403, "pin_required")
        previous, self.password = self.password, str(body["password"])
        self.pin_tries = 0
        return {"set": True, "sign_ins_ended": 0 if previous is None else 1}
