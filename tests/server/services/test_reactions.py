"""Reactions to an event: every event has a row, and a row runs its reactions in order."""

import pytest

from server.model import reactions as events
from server.model.reactions import Ended, Event
from server.services import reactions


def test_every_event_has_reactions():
    """An event without a row would have no effect, and no error would show it."""
    classes = [value for value in vars(events).values() if isinstance(value, type)]
    event_types = {
        class_ for class_ in classes if issubclass(class_, Event) and class_ is not Event
    }
    assert event_types == set(reactions.REACTIONS)
    assert all(reactions.REACTIONS.values())


def test_reactions_run_in_order_and_their_counts_are_added(monkeypatch):
    """Each reaction gets the unit of work and the event, and may return no counts."""
    calls = []

    def first(tx, event):
        calls.append(("first", tx, event))
        return Ended(requests=2, approved=1)

    def second(tx, event):
        calls.append(("second", tx, event))

    def third(tx, event):
        calls.append(("third", tx, event))
        return Ended(requests=1, tokens=4, sign_ins=3)

    table = {events.AppDeactivated: (first, second, third)}
    monkeypatch.setattr(reactions, "REACTIONS", table)
    event = events.AppDeactivated("an app", "operator")

    assert reactions.react("a unit", event) == Ended(requests=3, approved=1, tokens=4, sign_ins=3)
    assert calls == [(name, "a unit", event) for name in ("first", "second", "third")]


def test_an_event_without_a_row_raises_key_error():
    """An event without reactions must not be ignored."""
    with pytest.raises(KeyError):
        reactions.react("a unit", Event())


def test_disabling_an_agent_withdraws_requests_before_it_ends_grants():
    """An approved request cannot become a token while standing grants end."""
    modules = [reaction.__module__ for reaction in reactions.REACTIONS[events.AgentDeactivated]]
    assert [name.rsplit(".", 1)[1] for name in modules] == [
        "withdrawals",
        "ends",
        "security_events",
    ]
