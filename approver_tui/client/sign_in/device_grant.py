"""Signs in with the approval of an enrolled device (RFC 8628).

Owns: requesting the two codes, polling at the server's pace. Never: how the code is shown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from approver_tui.client.errors import ApiError, Unreachable
from approver_tui.client.reading import JsonObject
from approver_tui.client.sign_in.tokens import Tokens
from approver_tui.client.transport import CLIENT_ID, OutgoingRequest, Transport
from approver_tui.state.text import SafeText, display_safe

GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_PATH: Final = "/device_authorization"
_LONGEST_PAUSE: Final = 30
_WAITING: Final = frozenset({"authorization_pending", "slow_down", "temporarily_unavailable"})

Pause = Callable[[float], None]
"""Waits for a number of seconds."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """The data that the user needs to approve this device. `until` is on the server's clock."""

    code: SafeText
    page: SafeText
    link: str
    """The page with the code filled in; for a QR code."""
    until: int


@dataclass(frozen=True, slots=True)
class DeviceGrant:
    """How the invitation is shown, and how time passes."""

    show: Callable[[Invitation], None]
    pause: Pause

    def tokens(self, transport: Transport, name: str) -> Tokens:
        """Show the code, and wait until it was approved.

        Raises ApiError with `access_denied` or `expired_token` if it was not. A server that does
        not answer meanwhile is asked again until the code has expired.
        """
        form = {"client_id": CLIENT_ID, "device_name": name}
        outgoing = OutgoingRequest(method="POST", path=_PATH, form=form)
        answer = JsonObject.parse(transport.send(outgoing).content)
        until = transport.now() + answer.integer("expires_in") * 1000
        self.show(_invitation(answer, transport.issuer, until))
        form = {"grant_type": GRANT, "device_code": answer.text("device_code")}
        seconds = answer.integer("interval")
        while True:
            self.pause(seconds)
            try:
                return transport.tokens(form)
            except ApiError as refused:
                if refused.code not in _WAITING:
                    raise
                seconds = _next_pause(refused, seconds)
            except Unreachable:
                if transport.now() >= until:
                    raise


def _invitation(answer: JsonObject, issuer: str, until: int) -> Invitation:
    """Return the invitation; its page is always the issuer's own."""
    code = answer.text("user_code")
    return Invitation(
        code=display_safe(code, max_len=20),
        page=display_safe(f"{issuer}/device", max_len=200),
        link=f"{issuer}/device?user_code={code}" if code.replace("-", "").isalnum() else issuer,
        until=until,
    )


def _next_pause(refused: ApiError, seconds: int) -> int:
    """Return the polling interval: five seconds longer on `slow_down` (3.5), or the server's."""
    if refused.code != "slow_down":
        return seconds
    interval = refused.members.get("interval")
    return min(interval if isinstance(interval, int) else seconds + 5, _LONGEST_PAUSE)
