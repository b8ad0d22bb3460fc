"""States in which a screen is rarely met: offline, over, empty, told by somebody hostile."""

import threading
from dataclasses import replace

import pytest

from approver_tui.app import ApproverApp
from approver_tui.client.errors import BadServer, Unreachable
from approver_tui.client.sign_in.device_grant import Invitation
from approver_tui.client.sign_in.profile import Home
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.operations.settings_store import Login
from approver_tui.screens.sign_in.sign_in import InvitationPanel
from approver_tui.signing_in import SignInApp
from approver_tui.state.keymap import Keymap
from approver_tui.state.text import display_safe
from approver_tui.wiring import FileSettingsStore
from tests.approver_tui.test_signing_in import INVITATION, FakeDoor, _fill, _press
from tests.support.clients.driving import SIZES, cut_off, inbox, look, press, until
from tests.support.fakes.fake_account import a_consent, a_device, a_token
from tests.support.fakes.fake_app import a_stage
from tests.support.fakes.fake_approvals import an_approval
from tests.support.fakes.fake_clock import NOW, FakeClock
from tests.support.fakes.fake_requests import MINUTE, PRICES

EVIL = "inv\u202eoice-bot[b]\x1b[2J [@click=app.quit]here[/]" + "x" * 90
LATE = 6 * MINUTE / 1000
_OVER = pytest.mark.parametrize(
    "keys", [("question_mark",), ("colon", *"de")], ids=["help", "palette"]
)


class _HostileBook(FileSettingsStore):
    """Settings of this machine, and logins that say whatever a server said."""

    def logins(self):
        return (
            Login("default", f"https://{EVIL}", EVIL, EVIL, is_here=True),
            Login("work", f"https://{EVIL}", EVIL, EVIL, is_here=False),
        )

    def settings(self):
        return tuple(replace(each, value=EVIL, source=EVIL) for each in super().settings())


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Where this test keeps settings; the machine has a name."""
    monkeypatch.setenv("SAYSO_APPROVER_HOME", str(tmp_path))
    monkeypatch.setattr("approver_tui.signing_in.this_machine", lambda: "laptop")
    return tmp_path


@pytest.fixture
def sign_in(snap_compare):
    """Compare the sign-in after a try of it."""

    def compare(door, size, then, why="There is no login on this machine."):
        clock = FakeClock()
        app = SignInApp(door, why=why, theme="sayso", ticks=clock.ticks)

        async def steps(pilot):
            await _press(pilot, clock)
            await then(pilot, clock, app)
            await pilot.pause()

        return snap_compare(app, terminal_size=size, run_before=steps)

    return compare


def _book(home, kind=FileSettingsStore):
    return {"settings_store": kind(Home.at(home))}


async def _shown(pilot, stage):
    await until(pilot, lambda: stage.app.screen.found is not None)


async def _late(pilot, stage):
    stage.clock.move(LATE)
    look(stage)
    await pilot.pause()


@SIZES
def test_opening(snap_compare, size):
    """What stands there while the program is loaded."""
    goes_on = threading.Event()

    def load_app(_ring):
        goes_on.wait(30)
        raise Unreachable("It was never to come.")

    app = ApproverApp(load_app, guard=InputGuard(FakeClock().ticks), theme="sayso", keymap=Keymap())
    try:
        assert snap_compare(app, terminal_size=size)
    finally:
        goes_on.set()


@SIZES
def test_settings_offline(picture, size, home):
    """They lie on this machine: all can be read and changed, and the bar says how things are."""

    async def cut(pilot, stage):
        await _shown(pilot, stage)
        await cut_off(pilot, stage, "the server does not answer")
        await press(pilot, stage, "j")

    assert picture(a_stage([an_approval("pay")], place=_book(home)), size, "6", then=cut)


@SIZES
def test_settings_hostile_text(picture, size, home):
    """Whatever a server calls itself, its people and devices; and whatever a file says."""

    async def read(pilot, stage):
        await _shown(pilot, stage)
        await press(pilot, stage, "enter")

    assert picture(a_stage(place=_book(home, _HostileBook)), size, "6", then=read)


@SIZES
def test_palette_empty(picture, size):
    """Nothing is called what was typed."""
    assert picture(a_stage([an_approval("pay")]), size, "colon", *"xyz")


@_OVER
@SIZES
def test_offline_over_the_inbox(picture, keys, size):
    """Help says why Approve is off; both can be used."""

    async def cut(pilot, stage):
        await cut_off(pilot, stage, "the server does not answer")
        await press(pilot, stage, *keys)
        inbox(stage).tick()

    assert picture(a_stage([an_approval("pay")]), size, then=cut)


@_OVER
@SIZES
def test_expired_over_the_inbox(picture, keys, size):
    """Help says what became of the request, for that is why Approve is off."""

    async def late(pilot, stage):
        await _late(pilot, stage)
        await press(pilot, stage, *keys)
        inbox(stage).tick()

    assert picture(a_stage([an_approval("pay")]), size, then=late)


@_OVER
@SIZES
def test_hostile_text_over_the_inbox(picture, keys, size):
    """The agent's name in the reason, and all of it behind the panel, is inert."""

    async def late(pilot, stage):
        await _late(pilot, stage)
        await press(pilot, stage, *keys)
        inbox(stage).tick()

    terms = {"agent": EVIL[:120], "headline": f"Pay {EVIL}", "says": EVIL}
    assert picture(a_stage([an_approval("evil", **terms)]), size, then=late)


@SIZES
def test_help_over_what_can_be_approved(picture, size):
    """It says that Approve is on."""
    assert picture(a_stage([an_approval("pay")]), size, "question_mark")


@SIZES
def test_help_over_what_is_of_high_risk(picture, size):
    """Where the device is too new for it, the help says from when on it is not."""
    new = a_device(high_from=NOW + 60 * MINUTE)
    assert picture(a_stage([an_approval("pay")], device=new), size, "question_mark")


@SIZES
def test_similar_offline(picture, size):
    """The way on is closed, and it says why."""

    async def cut(pilot, stage):
        await cut_off(pilot, stage, "the server does not answer")

    assert picture(a_stage([an_approval("pay")]), size, "s", then=cut)


@SIZES
def test_similar_to_what_is_over(picture, size):
    """An example all the same."""

    async def late(pilot, stage):
        await _late(pilot, stage)
        await press(pilot, stage, "s")

    assert picture(a_stage([an_approval("prices", PRICES, left=4 * MINUTE)]), size, then=late)


@SIZES
def test_offline_before_something_ends(picture, size):
    """It stays, its button is off, and it says why."""

    async def cut(pilot, stage):
        await _shown(pilot, stage)
        await press(pilot, stage, "z")
        await cut_off(pilot, stage, "the server does not answer")
        stage.app.screen.draw()

    stage = a_stage()
    stage.server.given = [a_consent()]
    assert picture(stage, size, "4", then=cut)


@SIZES
def test_hostile_text_before_something_ends(picture, size):
    """Names and rights as inert text, and the buttons where they are."""

    async def end(pilot, stage):
        await _shown(pilot, stage)
        await press(pilot, stage, "z")

    evil, stage = display_safe(EVIL), a_stage()
    stage.server.given = [a_consent(client_name=evil, resource=evil, scopes=(evil,))]
    assert picture(stage, size, "4", then=end)


@SIZES
def test_history_of_what_expired(picture, size):
    """Nobody answered, and that is not a denial."""

    async def read(pilot, stage):
        await _shown(pilot, stage)
        await press(pilot, stage, "enter")

    stage = a_stage()
    stage.server.put(an_approval("lapsed", left=-60 * MINUTE))
    assert picture(stage, size, "2", then=read)


@SIZES
def test_agent_whose_request_expired(picture, size):
    """Among what it asked last, with the words of its end."""

    async def read(pilot, stage):
        await _shown(pilot, stage)
        await press(pilot, stage, "enter", "end")

    stage = a_stage()
    stage.server.put(an_approval("lapsed", left=-60 * MINUTE))
    stage.server.given, stage.server.tokens = [a_consent()], [a_token(last_used_at=None)]
    assert picture(stage, size, "3", then=read)


@pytest.mark.parametrize(
    "error",
    [
        BadServer("This code is used or over. Ask for a new one: sayso users enrol NAME."),
        Unreachable("The server does not answer at http://localhost:8470."),
        BadServer(EVIL),
    ],
    ids=["expired", "offline", "hostile"],
)
@SIZES
def test_sign_in_refused(sign_in, size, error):
    """The code is over; nobody answers; somebody answers anything."""

    async def refused(pilot, clock, app):
        await _fill(pilot, clock, code="7Q4N")
        await _press(pilot, clock, "enter")
        await until(pilot, lambda: bool(app.screen._problem))

    why = EVIL if error.args == (EVIL,) else "There is no login on this machine."
    assert sign_in(FakeDoor(failures=[error]), size, refused, why)


@pytest.mark.parametrize(
    "invitation",
    [
        replace(INVITATION, until=NOW - 1000),
        Invitation(display_safe(EVIL), display_safe(f"https://{EVIL}"), EVIL, NOW + 880_000),
    ],
    ids=["expired", "hostile"],
)
@SIZES
def test_invitation(sign_in, size, invitation):
    """Its time is up; or whatever a server calls its page and its code."""

    async def invited(pilot, _clock, app):
        app.push_screen(InvitationPanel(invitation, lambda: NOW))
        await until(pilot, lambda: isinstance(app.screen, InvitationPanel) and app.screen.is_ready)

    assert sign_in(FakeDoor(), size, invited)
