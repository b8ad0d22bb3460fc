"""Reactions to an event: every event has a row, and a row runs its reactions in order."""

import pytest

from server.model import reactions as events
from server.model.reactions import Ended, Event
from server.services import reactions


def test_every_event_has_reactions():
    """An event without a row would have no effect, and no error would show it."""
    named = [value for value in vars(events).values() if isinstance(value, type)]
    found = {one for one in named if issubclass(one, Event) and one is not Event}
    assert found == set(reactions.REACTIONS)
    assert all(reactions.REACTIONS.values())


def test_reactions_run_in_order_and_their_counts_are_added(monkeypatch):
    """Each gets the unit of work and the event; a reaction that ends nothing adds nothing."""
    ran = []

    def first(tx, event):
        ran.append(("first", tx, event))
        return Ended(requests=2, approved=1)

    def second(tx, event):
        ran.append(("second", tx, event))

    def third(tx, event):
        ran.append(("third", tx, event))
        return Ended(requests=1, tokens=4, sign_ins=3)

    table = {events.AppDeactivated: (first, second, third)}
    monkeypatch.setattr(reactions, "REACTIONS", table)
    event = events.AppDeactivated("an app", "operator")

    assert reactions.react("a unit", event) == Ended(requests=3, approved=1, tokens=4, sign_ins=3)
    assert ran == [(name, "a unit", event) for name in ("first", "second", "third")]


def test_an_event_without_a_row_raises_key_error():
    """It is not ignored."""
    with pytest.raises(KeyError):
        reactions.react("a unit", Event())


def test_disabling_an_agent_withdraws_requests_before_it_ends_grants():
    """An approved request therefore cannot become a token while standing grants end."""
    modules = [one.__module__ for one in reactions.REACTIONS[events.AgentDeactivated]]
    assert [name.rsplit(".", 1)[1] for name in modules] == [
        "withdrawals",
        "ends",
        "security_events",
    ]
