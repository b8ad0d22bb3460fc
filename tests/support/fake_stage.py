"""The terminal app with all its fakes, ready to be run or drawn."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC
from functools import partial
from types import MappingProxyType
from typing import Any

from approver_tui.app import ApproverApp, Ring
from approver_tui.attention.caller import Caller
from approver_tui.attention.ringer import Ringer
from approver_tui.screens.desk import Desk, NoOthers, Others, Place
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.inbox import InboxScreen
from approver_tui.state.approvals import Approval
from approver_tui.state.devices import Device
from approver_tui.state.events import EventName
from tests.support.fake_answers import FakeAnswers, FakeIntents
from tests.support.fake_bell import FakeBell
from tests.support.fake_client import FakeServer
from tests.support.fake_clock import FakeClock
from tests.support.fake_feed import FakeFeed
from tests.support.fake_grants import FakeAhead
from tests.support.fake_holdings import a_device


@dataclass
class Stage:
    """One app with all its fakes."""

    clock: FakeClock
    server: FakeServer
    answers: FakeAnswers
    feed: FakeFeed
    bell: FakeBell
    ahead: FakeAhead
    app: ApproverApp
    intents: FakeIntents = field(default_factory=FakeIntents)

    def request(self, approval: Approval) -> None:
        """Let an agent ask."""
        self.server.put(approval)
        self.feed.tell(EventName.REQUESTED, approval)


def a_stage(
    approvals: Iterable[Approval] = (),
    *,
    device: Device | None = None,
    folder_is_open: bool = False,
    place: Mapping[str, Any] = MappingProxyType({}),
    others: Others | None = None,
) -> Stage:
    """Return an app over fakes, in UTC, at NOW; `place` has what else is said of it."""
    clock = FakeClock()
    server = FakeServer(clock, device=device or a_device())
    server.put(*approvals)
    answers, feed = FakeAnswers(server), FakeFeed(clock)
    bell, intents = FakeBell(clock, server), FakeIntents()
    here = replace(Place(zone=UTC, folder_is_open=folder_is_open), **place)
    ahead, guard = FakeAhead(server), InputGuard(clock.ticks)

    def furnish(ring: Ring) -> Callable[[], InboxScreen]:
        desk = Desk(
            server=server,
            answers=answers,
            bell=bell,
            ahead=ahead,
            feed=feed,
            guard=guard,
            now=clock.now,
            ticks=clock.ticks,
            place=here,
            caller=Caller(Ringer(here.preferences, clock.ticks), here.surroundings, ring),
            intents=intents,
            others=others or NoOthers(),
        )
        return partial(InboxScreen, desk)

    app = ApproverApp(furnish, guard=guard, theme=here.theme, keymap=here.keymap)
    return Stage(clock, server, answers, feed, bell, ahead, app, intents)
