"""A feed event redraws only what it changed, so it costs the inbox few Python calls."""

import gc
import sys

from approver_tui.state.approvals.decision import Answer
from approver_tui.state.notifications.events import Event, EventName
from tests.support.clients.driving import inbox, open_inbox, until
from tests.support.fakes.fake_app import make_stage
from tests.support.fakes.fake_approvals import an_approval, with_decision
from tests.support.fakes.fake_requests import MINUTE

_MAX_CALLS = 800
_WAITING = 10


def _calls(act) -> int:
    """Return how many Python functions run, ours and the framework's; the collector is off."""
    count = 0

    def note(_frame, event, _argument):
        nonlocal count
        count += event == "call"

    gc.disable()
    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


def _request(number: int):
    return an_approval(f"r{number}", expires_in=10 * MINUTE, headline=f"Pay EUR {number}.00 to Bo")


def _events():
    """Return one event of each kind: requested, decided elsewhere, extended, voted on."""
    return {
        EventName.REQUESTED: _request(_WAITING),
        EventName.DECIDED: with_decision(_request(2), Answer.APPROVE),
        EventName.EXTENDED: _request(3),
        EventName.VOTED: _request(4),
    }


async def test_an_event_redraws_only_what_it_changed():
    """With a stopped clock, the most frequent events need fewer calls than the limit on average."""
    stage = make_stage([_request(number) for number in range(_WAITING)])
    async with open_inbox(stage) as pilot:
        screen, costs = inbox(stage), {}
        screen.tick()
        await pilot.pause()
        for seq, (name, approval) in enumerate(_events().items(), 100):
            screen.app.export_screenshot()  # draws what is not drawn yet
            event = Event(seq, name, stage.clock.now(), approval, None, None)
            costs[name.value] = _calls(lambda event=event: screen.handle_event(event))
            await pilot.pause()
        await until(pilot, lambda: len(screen.state.inbox.rows) == _WAITING + 1)
    assert sum(costs.values()) / len(costs) < _MAX_CALLS, costs
