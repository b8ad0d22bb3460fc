"""What follows from an event: every event has its row, and a row runs in its order."""

import pytest

from server.model import reactions as events
from server.model.reactions import Ended, Event
from server.services import reactions


def test_every_event_has_a_row():
    """An event without one would have no effect, and nobody would notice."""
    named = [one for one in vars(events).values() if isinstance(one, type)]
    found = {one for one in named if issubclass(one, Event) and one is not Event}
    assert found == set(reactions.REACTIONS)
    assert all(reactions.REACTIONS.values())


def test_a_row_runs_in_its_order_and_counts_what_ended(monkeypatch):
    """Each reaction gets the unit of work and the event; one that ends nothing adds nothing."""
    ran = []

    def first(tx, event):
        ran.append(("first", tx, event))
        return Ended(requests=2, approved=1)

    def second(tx, event):
        ran.append(("second", tx, event))

    def third(tx, event):
        ran.append(("third", tx, event))
        return Ended(requests=1, tokens=4, sign_ins=3)

    table = {events.AppStopped: (first, second, third)}
    monkeypatch.setattr(reactions, "REACTIONS", table)
    event = events.AppStopped("an app")

    assert reactions.react("a unit", event) == Ended(requests=3, approved=1, tokens=4, sign_ins=3)
    assert ran == [(name, "a unit", event) for name in ("first", "second", "third")]


def test_an_event_that_nobody_wired_is_an_error():
    """It is not passed over in silence."""
    with pytest.raises(KeyError):
        reactions.react("a unit", Event())


def test_requests_end_before_what_could_answer_them():
    """What was approved can become no token while standing grants end."""
    stopped = [one.__module__ for one in reactions.REACTIONS[events.AgentStopped]]
    assert [name.rsplit(".", 1)[1] for name in stopped] == ["withdrawals", "ends"]
