"""A terminal that signs in with the device flow: it shows a code and waits.

Owns: what such a device sends. Never: the device that approves the sign-in.
"""

from dataclasses import dataclass
from typing import Any

from approver_tui.client.jose import SigningKey, dpop_proof
from server.model.approvals import Approval
from server.protocol.names import APPROVER_CLIENT, GRANT_DEVICE_CODE
from tests.support.builders.callers import LocalTerminal
from tests.support.builders.site import ISSUER, PEER, Answer, LocalSite


@dataclass(slots=True)
class NewDevice:
    """A device that is signing in."""

    local: LocalSite
    key: SigningKey
    device_code: str = ""
    user_code: str = ""

    def proof(self, path: str, key: SigningKey | None = None) -> str:
        """Return a fresh DPoP proof for an endpoint."""
        now = self.local.clock.now() // 1000
        return dpop_proof(key or self.key, method="POST", uri=ISSUER + path, at=now)

    def begin(self, *, proofs: int = 1, **parameters: Any) -> Answer:
        """POST /device_authorization; a parameter that is None is left out."""
        form = {"client_id": APPROVER_CLIENT, "device_name": "desktop", **parameters}
        proofs_sent = [self.proof("/device_authorization") for _ in range(proofs)]
        answer = self.local.post_form("/device_authorization", form, proofs=proofs_sent)
        if answer.status == 200:
            self.device_code = answer.json["device_code"]
            self.user_code = answer.json["user_code"]
        return answer

    def poll(self, key: SigningKey | None = None, **parameters: Any) -> Answer:
        """POST /token with the device code; a parameter that is None is left out."""
        form = {
            "grant_type": GRANT_DEVICE_CODE,
            "client_id": APPROVER_CLIENT,
            "device_code": self.device_code,
            **parameters,
        }
        return self.local.post_form("/token", form, proofs=[self.proof("/token", key)])

    def poll_after_interval(self, **parameters: Any) -> Answer:
        """Poll after the interval."""
        self.local.clock.forward(5_000)
        return self.poll(**parameters)

    def type_code(self, name: str, code: str = "", peer: str = PEER) -> str:
        """Type the code on the page; return the error message, or "" if it was accepted."""
        return self.local.site.devices.grant.submit_code(
            name=name, typed=code or self.user_code, peer=peer
        )

    def approval(self, person: LocalTerminal) -> Approval:
        """Return the approval that the person is asked for after entering the code."""
        (shown,) = person.call("GET", "/api/approvals").json["items"]
        return self.local.stored_approval(shown["id"])

    def terminal(self, answer: Answer, person: LocalTerminal) -> LocalTerminal:
        """Return the terminal with the tokens from this response."""
        low, high = SigningKey.generate(), SigningKey.generate()
        return LocalTerminal(
            self.local,
            person.user,
            self.key,
            low,
            high,
            access_token=answer.json["access_token"],
            refresh_token=answer.json["refresh_token"],
        )


def begin_sign_in(local: LocalSite, **parameters: Any) -> NewDevice:
    """Start a sign-in; return the device, which shows its code."""
    device = NewDevice(local, SigningKey.generate())
    answer = device.begin(**parameters)
    assert answer.status == 200, answer.body
    return device


def approved_device(local: LocalSite, person: LocalTerminal, **parameters: Any) -> NewDevice:
    """Return a device whose sign-in the person has approved."""
    device = begin_sign_in(local, **parameters)
    assert device.type_code(person.user.name) == ""
    assert person.approve(device.approval(person).id).status == 200
    return device
