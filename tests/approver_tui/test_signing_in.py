"""Signing in from the terminal."""

import threading
from dataclasses import dataclass, field, replace

import pytest
from textual.widgets import Input

from approver_tui import app
from approver_tui.app import INTRODUCTION
from approver_tui.client.devices import enrolling, keys
from approver_tui.client.devices.enrolling import DeviceAuthorization
from approver_tui.client.errors import BadServer, LoginFirst, SignInCanceled, Unreachable
from approver_tui.client.sign_in import profile
from approver_tui.client.sign_in.profile import Home
from approver_tui.screens.sign_in.sign_in import (
    DeviceAuthorizationPanel,
    SignInRequest,
    SignInScreen,
    whole_address,
)
from approver_tui.signing_in import LocalLogin, SignInApp, free_name
from approver_tui.state.text import SafeText
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.qr_code import qr_rows
from tests.approver_tui.client.sign_in.test_profile import MINE
from tests.support.clients.driving import NARROW, WIDE, until
from tests.support.fakes.fake_clock import NOW, FakeClock
from tests.support.fakes.fake_server import CODE, FakeServer

PIN = "271828"
DEVICE_AUTHORIZATION = DeviceAuthorization(
    SafeText("BCDF-GHJK"),
    SafeText("https://auth.example/device"),
    "https://auth.example/device?user_code=BCDF-GHJK",
    NOW + 880_000,
)


@dataclass
class FakeLoginService:
    """A login service that signs in, fails, or waits for approval from another device."""

    failures: list = field(default_factory=list)
    invites: bool = False
    breaks: list = field(default_factory=list)
    """Errors to raise while it waits."""
    opens: threading.Event = field(default_factory=threading.Event)
    requests: list = field(default_factory=list)

    def now(self):
        return NOW

    def enroll(self, request, show, stop):
        self.requests.append(request)
        if self.failures:
            raise self.failures.pop(0)
        if self.invites:
            show(DEVICE_AUTHORIZATION)
            while not self.opens.wait(0.01):
                if self.breaks:
                    raise self.breaks.pop(0)
                if stop.is_set():
                    raise SignInCanceled("Canceled. Nothing was saved.")
        return "default"


def _app(service, clock):
    return SignInApp(
        service, message_text="There is no login here.", theme="sayso", ticks=clock.ticks
    )


async def _press(pilot, clock, *names):
    for name in names:
        clock.move(1)
        await pilot.press(name)
    clock.move(1)
    await pilot.pause()


async def _fill(pilot, clock, *, code=None):
    """Fill in the fields after the address, and stop at the button."""
    method_keys = ["2", "tab", *code] if code else ["1"]
    await _press(pilot, clock, "tab", *method_keys, "tab", "tab", *PIN, "tab", *PIN, "tab")


@pytest.mark.parametrize("size", [WIDE, NARROW, (60, 20), (40, 12)])
async def test_a_code_signs_in(size):
    """Signing in works at every screen size, and the app ends with the name of the login."""
    service, clock = FakeLoginService(), FakeClock()
    running = _app(service, clock)
    async with running.run_test(size=size) as pilot:
        await _press(pilot, clock)
        await _fill(pilot, clock, code="7Q4N")
        await _press(pilot, clock, "enter")
        await until(pilot, lambda: running.return_value == "default")
    (request,) = service.requests
    assert (request.code, request.pin, request.url) == ("7Q4N", PIN, "http://localhost:8470")


@pytest.mark.parametrize("size", [WIDE, NARROW, (60, 20), (40, 12)])
async def test_the_screen_opens_at_its_introduction_and_cursor(size):
    """At every screen size, the introduction and the focused field can be seen."""
    running = SignInApp(
        FakeLoginService(),
        message_text=f"You are not logged in on this machine. {INTRODUCTION}",
        theme="sayso",
    )
    async with running.run_test(size=size) as pilot:
        url = running.screen.query_one("#url")
        await until(pilot, lambda: url.has_focus and running.screen.can_view_entire(url))
        words = running.screen.query_one("#words")
        await until(pilot, lambda: running.screen.can_view_entire(words))
        assert running.screen.query_one("#headline").region.y >= 0
        assert not url.region.overlaps(running.screen.query_one(KeyBar).region)


async def test_another_device_approves_this_one():
    """While the app waits, it shows the time left, and it ends when the device is approved."""
    service, clock = FakeLoginService(invites=True), FakeClock()
    running = _app(service, clock)
    async with running.run_test(size=WIDE) as pilot:
        await _press(pilot, clock)
        await _fill(pilot, clock)
        await _press(pilot, clock, "enter")
        await until(pilot, lambda: isinstance(running.screen, DeviceAuthorizationPanel))
        await until(pilot, lambda: running.screen.is_ready)
        assert "14:30 left" in str(running.screen.query_one("#left").render())
        service.opens.set()
        await until(pilot, lambda: running.return_value == "default")


async def test_canceling_goes_back_to_the_fields():
    """Canceling stores nothing, and the user must type the PIN again."""
    service, clock = FakeLoginService(invites=True), FakeClock()
    running = _app(service, clock)
    async with running.run_test(size=NARROW) as pilot:
        await _press(pilot, clock)
        await _fill(pilot, clock)
        await _press(pilot, clock, "enter")
        await until(pilot, lambda: isinstance(running.screen, DeviceAuthorizationPanel))
        await _press(pilot, clock, "escape")
        await until(pilot, lambda: isinstance(running.screen, SignInScreen))
        await until(pilot, lambda: not running.screen._is_busy)
        assert [field.value for field in running.screen._pins] == ["", ""]
        await _press(pilot, clock, "escape")
    assert running.return_value is None


async def test_a_lost_server_closes_the_device_authorization():
    """The sign-in screen comes back with the error."""
    service, clock = FakeLoginService(invites=True), FakeClock()
    running = _app(service, clock)
    async with running.run_test(size=WIDE) as pilot:
        await _press(pilot, clock)
        await _fill(pilot, clock)
        await _press(pilot, clock, "enter")
        await until(pilot, lambda: isinstance(running.screen, DeviceAuthorizationPanel))
        service.breaks.append(Unreachable("The server does not respond."))
        await until(pilot, lambda: isinstance(running.screen, SignInScreen))
        assert running.screen._problem == "The server does not respond."
        await _press(pilot, clock, "escape")


async def test_a_refusal_is_shown_next_to_the_fields():
    """All entries are kept, so that the user only corrects what was wrong."""
    service, clock = (
        FakeLoginService(failures=[BadServer("There is no Sayso server here.")]),
        FakeClock(),
    )
    running = _app(service, clock)
    async with running.run_test(size=WIDE) as pilot:
        await _press(pilot, clock)
        await _fill(pilot, clock, code="7Q4N")
        await _press(pilot, clock, "enter")
        await until(pilot, lambda: bool(running.screen._problem))
        assert running.screen._problem == "There is no Sayso server here."
        assert running.screen._code.value == "7Q4N"
        assert [field.value for field in running.screen._pins] == [PIN, PIN]
        assert running.screen._blocker() == ""


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"url": " "}, "enter the server address."),
        ({"url": "sayso.example:port"}, "enter an address such as https://sayso.example."),
        ({"url": "ftp://sayso.example"}, "enter an address such as https://sayso.example."),
        ({"name": " "}, "enter a device name."),
        ({"pin": "123"}, "choose a PIN of 6 characters or more."),
        ({"again": "2718281"}, "the PINs do not match."),
    ],
)
async def test_the_button_is_off_until_everything_is_entered(change, hint):
    """The hint names the missing or invalid entry."""
    clock = FakeClock()
    running = _app(FakeLoginService(), clock)
    async with running.run_test(size=WIDE) as pilot:
        assert running.screen._blocker() == "choose how to sign in: 1 or 2."
        running.screen.query_one("#ways").action_pick(0)
        for name, value in ({"pin": PIN, "again": PIN} | change).items():
            running.screen.query_one(f"#{name}", Input).value = value
        await pilot.pause()
        assert running.screen._blocker() == hint
        assert running.screen.query_one("#sign-in-now").is_off


async def test_fast_typing_and_pastes_fill_no_pin():
    """A key that is pressed before the screen accepts input changes no field."""
    clock = FakeClock()
    running = _app(FakeLoginService(), clock)
    async with running.run_test(size=WIDE) as pilot:
        await pilot.press("x")
        assert running.screen._url.value == "http://localhost:8470"


def test_a_qr_code_is_square_with_a_quiet_border():
    """Each line of text shows two rows of modules, with an empty border."""
    rows = qr_rows(DEVICE_AUTHORIZATION.link)
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) == (len(rows[0]) + 1) // 2
    assert rows[0].strip() == ""
    assert all(row[:2] == row[-2:] == "  " for row in rows)


@pytest.fixture
def login(tmp_path, monkeypatch):
    """The login service of this machine, with cheap PIN stretching."""
    monkeypatch.setattr(keys, "_MEMORY_KIB", 64)
    return LocalLogin(Home.in_folder(tmp_path))


def test_a_code_makes_a_login_that_opens(login):
    """Signing in over a real socket creates a profile with the device name."""
    with FakeServer() as server:
        request = SignInRequest(url=server.url, code=CODE, name="laptop", pin=PIN)
        login.enroll(request, lambda _authorization: None, threading.Event())
    assert profile.load(login.home).device_name == "laptop"


def test_an_additional_login_is_named_after_its_server(login):
    """The existing login is not changed."""
    profile.save(login.home, MINE)
    additional = replace(login, is_additional=True)
    with FakeServer() as server:
        request = SignInRequest(url=server.url, code=CODE, name="laptop", pin=PIN)
        name = additional.enroll(request, lambda _authorization: None, threading.Event())
    assert login.home.names == tuple(sorted(["default", name]))
    assert profile.load(login.home) == MINE
    assert profile.load(login.home.with_profile(name)).issuer == server.issuer


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://sayso.example:8470/x", "sayso-example"),
        ("https://taken.example", "taken-example-2"),
        ("http://[::1]:8470", "1"),
        ("https://" + "long" * 10 + ".example", "long" * 6),
        ("nonsense", "server"),
    ],
)
def test_a_login_is_named_after_its_host(url, name):
    """The name is a valid profile name that is not in use."""
    proposed = free_name(url, ["taken-example"])
    assert proposed == name
    assert profile.is_name(proposed)


def test_a_canceled_sign_in_stores_nothing(login):
    """The sign-in is canceled while it polls, and no profile exists."""
    stop, shown = threading.Event(), []
    stop.set()
    with FakeServer() as server:
        request = SignInRequest(url=server.url, code=None, name="laptop", pin=PIN)
        with pytest.raises(SignInCanceled):
            login.enroll(request, shown.append, stop)
    assert len(shown) == 1
    assert profile.load(login.home) is None


def test_an_invalid_host_name_becomes_terminal(monkeypatch):
    """If the host name is not a valid device name, the proposed name is `terminal`."""
    monkeypatch.setattr(enrolling.platform, "node", lambda: "bad[name]")
    assert enrolling.default_device_name() == "terminal"


def test_without_a_login_the_app_asks_for_one_first(monkeypatch, tmp_path):
    """The sign-in screen says that there is no login, and the app exits if nobody signs in."""
    monkeypatch.setenv("SAYSO_APPROVER_HOME", str(tmp_path))
    monkeypatch.setattr(app, "keep_memory_private", lambda: None)
    introductions = []
    monkeypatch.setattr(SignInApp, "run", lambda self: introductions.append(self._introduction))
    app.run(Home.in_folder(tmp_path))
    assert len(introductions) == 1
    assert "You are not logged in on this machine" in introductions[0]


@pytest.mark.parametrize(
    ("typed", "used"),
    [
        ("localhost:8470", "http://localhost:8470"),
        ("sayso.example:8443", "https://sayso.example:8443"),
        (" sayso.example ", "https://sayso.example"),
        ("http://10.0.0.5", "http://10.0.0.5"),
    ],
)
def test_an_address_needs_no_scheme(typed, used):
    """The scheme is https, except for an address of this machine."""
    assert whole_address(typed) == used


async def test_after_a_revocation_the_known_server_is_offered(tmp_path, monkeypatch):
    """The address of the revoked login is filled in. An additional login has the default."""
    monkeypatch.setenv("SAYSO_APPROVER_HOME", str(tmp_path))
    home = Home.in_folder(tmp_path)
    profile.save(home, replace(MINE, issuer="https://sayso.example"))
    offered = []
    monkeypatch.setattr(SignInApp, "run", lambda self: offered.append(self._url))
    assert app._sign_in(home, "", "sayso") is None
    assert app._sign_in(home, "", "sayso", is_additional=True) is None
    assert offered == ["https://sayso.example", "http://localhost:8470"]


@pytest.mark.parametrize(("has_new_login", "asked"), [(True, 0), (False, 1)])
def test_a_login_that_another_program_made_is_used(tmp_path, monkeypatch, has_new_login, asked):
    """A second login in the same profile would replace that one and leave its device behind."""
    monkeypatch.setenv("SAYSO_APPROVER_HOME", str(tmp_path))
    home = Home.in_folder(tmp_path)
    profile.save(home, MINE)
    failures, questions = [LoginFirst("This device was signed out."), None], []

    def run(self):
        self.fatal_error = failures.pop(0)
        if has_new_login:
            profile.save(home, replace(MINE, device_id="sayso_dv_new"))

    monkeypatch.setattr(app, "keep_memory_private", lambda: None)
    monkeypatch.setattr(app.ApproverApp, "run", run)
    monkeypatch.setattr(app, "_sign_in", lambda home, *_: questions.append(home) or home)
    app.run(home)
    assert (failures, len(questions)) == ([], asked)
