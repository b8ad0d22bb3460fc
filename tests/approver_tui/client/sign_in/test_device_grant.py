"""The device grant polls at the server's pace until the code expires."""

import json
from dataclasses import dataclass, field

import httpx
import pytest

from approver_tui.client.devices.enrolling import GRANT, DeviceAuthorization, DeviceGrant
from approver_tui.client.errors import ApiError, Unreachable
from approver_tui.client.sign_in.tokens import Tokens

DONE = Tokens("access", "refresh", 1)
CODES = {
    "device_code": "sayso_dc_x",
    "user_code": "BCDF-GHJK",
    "verification_uri": "https://elsewhere.example/device",
    "expires_in": 900,
    "interval": 5,
}


def _refusal(code, **members):
    return ApiError(code, 400, code, members)


@dataclass
class FakeTransport:
    """A transport that returns prepared answers; each pause moves its clock."""

    answers: list
    codes: dict = field(default_factory=lambda: CODES)
    issuer: str = "https://auth.example"
    at: int = 0
    shown: list[DeviceAuthorization] = field(default_factory=list)
    paused: list[float] = field(default_factory=list)
    forms: list = field(default_factory=list)

    def now(self):
        return self.at

    def send(self, outgoing):
        assert outgoing.path == "/device_authorization"
        self.forms.append(outgoing.form)
        return httpx.Response(200, content=json.dumps(self.codes))

    def tokens(self, form):
        self.forms.append(form)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def pause(self, seconds):
        self.paused.append(seconds)
        self.at += int(seconds * 1000)

    def sign_in(self):
        return DeviceGrant(self.shown.append, self.pause).tokens(self, "desktop")


def test_the_code_is_shown_and_the_server_polled_until_approved():
    """The request has the device name, and the page is always one of the issuer."""
    transport = FakeTransport([_refusal("authorization_pending"), DONE])
    assert transport.sign_in() == DONE
    assert transport.forms[0] == {"client_id": "sayso-approver", "device_name": "desktop"}
    assert transport.forms[1] == {"grant_type": GRANT, "device_code": "sayso_dc_x"}
    assert transport.paused == [5, 5]
    (shown,) = transport.shown
    assert (shown.page, shown.code) == ("https://auth.example/device", "BCDF-GHJK")
    assert shown.link == "https://auth.example/device?user_code=BCDF-GHJK"
    assert shown.until == 900_000


def test_slow_down_lengthens_the_interval_for_good():
    """The server's interval is used, or five seconds are added (RFC 8628, section 3.5)."""
    transport = FakeTransport(
        [
            _refusal("slow_down", interval=10),
            _refusal("authorization_pending"),
            _refusal("slow_down"),
            _refusal("slow_down", interval=999),
            DONE,
        ]
    )
    transport.sign_in()
    assert transport.paused == [5, 10, 10, 15, 30]


@pytest.mark.parametrize("code", ["access_denied", "expired_token", "invalid_grant"])
def test_a_denial_ends_the_polling(code):
    """After a final error, the client does not poll again."""
    transport = FakeTransport([_refusal(code)])
    with pytest.raises(ApiError) as caught:
        transport.sign_in()
    assert caught.value.code == code


def test_an_unreachable_server_is_polled_again():
    """An outage does not end the polling before the code expires."""
    transport = FakeTransport([Unreachable("down"), _refusal("temporarily_unavailable"), DONE])
    assert transport.sign_in() == DONE


def test_polling_an_unreachable_server_stops_when_the_code_expires():
    """The connection error is raised once the code has expired."""
    transport = FakeTransport([Unreachable("down")] * 500)
    with pytest.raises(Unreachable):
        transport.sign_in()
    assert 900_000 <= transport.at <= 905_000


@pytest.mark.parametrize("code", ["\x1b[2J", "a&b=c", "é?"])
def test_an_invalid_code_is_drawn_safely_and_not_linked(code):
    """No control character of the server's code reaches the terminal or the link."""
    transport = FakeTransport([DONE], codes={**CODES, "user_code": code})
    transport.sign_in()
    assert "\x1b" not in transport.shown[0].code
    assert transport.shown[0].link in {
        "https://auth.example",
        "https://auth.example/device?user_code=é",
    }
