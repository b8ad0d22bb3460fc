"""A terminal that signs in without a code of an administrator: it shows one, and waits.

Owns: what such a device sends. Never: the person who types its code, nor the device that decides.
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
    """A device that has begun to sign in."""

    local: LocalSite
    key: SigningKey
    device_code: str = ""
    user_code: str = ""

    def proof(self, path: str, key: SigningKey | None = None) -> str:
        """A fresh proof for one endpoint."""
        now = self.local.clock.now() // 1000
        return dpop_proof(key or self.key, method="POST", uri=ISSUER + path, at=now)

    def begin(self, *, proofs: int = 1, **parameters: Any) -> Answer:
        """POST /device_authorization; a parameter that is None is left out."""
        form = {"client_id": APPROVER_CLIENT, "device_name": "desktop", **parameters}
        sent = [self.proof("/device_authorization") for _ in range(proofs)]
        answer = self.local.post_form("/device_authorization", form, proofs=sent)
        if answer.status == 200:
            self.device_code = answer.json["device_code"]
            self.user_code = answer.json["user_code"]
        return answer

    def poll(self, key: SigningKey | None = None, **parameters: Any) -> Answer:
        """POST /token."""
        form = {
            "grant_type": GRANT_DEVICE_CODE,
            "client_id": APPROVER_CLIENT,
            "device_code": self.device_code,
            **parameters,
        }
        return self.local.post_form("/token", form, proofs=[self.proof("/token", key)])

    def later(self, **parameters: Any) -> Answer:
        """Poll after the interval."""
        self.local.clock.forward(5_000)
        return self.poll(**parameters)

    def typed(self, name: str, code: str = "", peer: str = PEER) -> str:
        """Somebody types the code; what they are told, "" when it was taken."""
        return self.local.site.devices.grant.submit_code(
            name=name, typed=code or self.user_code, peer=peer
        )

    def approval(self, person: LocalTerminal) -> Approval:
        """What the person's screens show since the code was typed."""
        (shown,) = person.call("GET", "/api/approvals").json["items"]
        return self.local.stored(shown["id"])

    def terminal(self, answer: Answer, person: LocalTerminal) -> LocalTerminal:
        """The terminal that it becomes with its first tokens."""
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


def begun(local: LocalSite, **parameters: Any) -> NewDevice:
    """A device that shows its code."""
    device = NewDevice(local, SigningKey.generate())
    answer = device.begin(**parameters)
    assert answer.status == 200, answer.body
    return device


def let_in(local: LocalSite, person: LocalTerminal, **parameters: Any) -> NewDevice:
    """A device that the person's own has approved."""
    device = begun(local, **parameters)
    assert device.typed(person.user.name) == ""
    assert person.approve(device.approval(person).id).status == 200
    return device
