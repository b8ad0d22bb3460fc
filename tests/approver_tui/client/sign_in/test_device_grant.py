"""Polling at the server's pace until the code expires."""

import json
from dataclasses import dataclass, field

import httpx
import pytest

from approver_tui.client.devices.enrolling import GRANT, DeviceGrant, Enrollment, Invitation, enroll
from approver_tui.client.errors import ApiError, BadServer, Unreachable
from approver_tui.client.sign_in.tokens import Tokens
from tests.approver_tui.client.conftest import PIN, clock

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
class Line:
    """A transport whose answers a test writes; each pause moves its clock."""

    answers: list
    codes: dict = field(default_factory=lambda: CODES)
    issuer: str = "https://auth.example"
    at: int = 0
    shown: list[Invitation] = field(default_factory=list)
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


def test_it_shows_the_code_and_polls_until_approved():
    """It sends the device name; the page is always the issuer's own."""
    line = Line([_refusal("authorization_pending"), DONE])
    assert line.sign_in() == DONE
    assert line.forms[0] == {"client_id": "sayso-approver", "device_name": "desktop"}
    assert line.forms[1] == {"grant_type": GRANT, "device_code": "sayso_dc_x"}
    assert line.paused == [5, 5]
    (shown,) = line.shown
    assert (shown.page, shown.code) == ("https://auth.example/device", "BCDF-GHJK")
    assert shown.link == "https://auth.example/device?user_code=BCDF-GHJK"
    assert shown.until == 900_000


def test_slow_down_lengthens_the_interval_for_good():
    """The server's value counts, or else five seconds are added (RFC 8628 3.5)."""
    line = Line(
        [
            _refusal("slow_down", interval=10),
            _refusal("authorization_pending"),
            _refusal("slow_down"),
            _refusal("slow_down", interval=999),
            DONE,
        ]
    )
    line.sign_in()
    assert line.paused == [5, 10, 10, 15, 30]


@pytest.mark.parametrize("code", ["access_denied", "expired_token", "invalid_grant"])
def test_a_denial_ends_the_polling(code):
    """It does not ask again."""
    line = Line([_refusal(code)])
    with pytest.raises(ApiError) as caught:
        line.sign_in()
    assert caught.value.code == code


def test_an_unreachable_server_is_polled_again():
    """The polling ends when the code expires."""
    line = Line([Unreachable("down"), _refusal("temporarily_unavailable"), DONE])
    assert line.sign_in() == DONE


def test_an_unreachable_server_ends_it_when_the_code_expires():
    """Polling is not endless."""
    line = Line([Unreachable("down")] * 500)
    with pytest.raises(Unreachable):
        line.sign_in()
    assert 900_000 <= line.at <= 905_000


@pytest.mark.parametrize("code", ["\x1b[2J", "a&b=c", "é?"])
def test_an_invalid_code_is_drawn_safely_and_not_linked(code):
    """No control character of the server's code reaches the terminal or the link."""
    line = Line([DONE], codes={**CODES, "user_code": code})
    line.sign_in()
    assert "\x1b" not in line.shown[0].code
    assert line.shown[0].link in {"https://auth.example", "https://auth.example/device?user_code=é"}


def test_without_a_code_a_device_grant_is_required(server, home):
    """Otherwise nothing is sent."""
    enrollment = Enrollment(url=server.url, code=None, name="laptop", pin=PIN)
    with pytest.raises(BadServer):
        enroll(home, enrollment, clock=clock)
