"""The report of agents that somebody should find an owner for, or look at again."""

from dataclasses import replace

import pytest

from server.model.users import Password
from server.services.clients.agent_forms import AgentChanges
from server.services.incidents.orphan_quarantine import OrphanQuarantine
from server.services.incidents.orphans import Orphans
from server.services.refusals import NotFound
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, RULES, Desk, admitted, registered


@pytest.fixture
def orphans(desk: Desk) -> Orphans:
    """Over an installation with an agent of one owner."""
    admitted(desk)
    admitted(desk, "olga")
    registered(desk, owners=("olga",))
    return Orphans(desk.store, RULES)


def _whys(orphans: Orphans) -> dict[str, tuple[str, ...]]:
    return {one.agent.name: one.why for one in orphans.all()}


def test_an_agent_of_somebody_who_is_there_is_not_named(orphans: Orphans) -> None:
    """Nor has it a time of grace."""
    assert orphans.all() == []
    assert orphans.grace_end("invoice-bot") is None
    with pytest.raises(NotFound):
        orphans.grace_end("nobody")


def test_one_in_its_time_of_grace_is_named_with_its_end(orphans: Orphans, desk: Desk) -> None:
    """From the moment at which its owner was stopped; afterwards there is no end any more."""
    desk.users.disable("olga", by=BY)
    ends = desk.clock.now() + 14 * DAY
    desk.clock.forward(DAY)
    (one,) = orphans.all()
    assert (one.why, one.quarantine_at) == (("no_owner",), ends)
    assert [(keeper.user.name, keeper.user.state) for keeper in one.owners] == [
        ("olga", "disabled")
    ]
    assert orphans.grace_end("invoice-bot") == ends
    desk.clock.forward(13 * DAY)
    OrphanQuarantine(desk.store, desk.secrets, RULES).round()
    (one,) = orphans.all()
    assert (one.agent.state, one.why, one.quarantine_at) == ("quarantined", ("no_owner",), None)


def test_one_whose_owners_were_not_seen_for_90_days_is_named(orphans: Orphans, desk: Desk) -> None:
    """One of them at a device or with a password is enough; who never was counts from the start."""
    desk.clock.forward(90 * DAY - 1)
    assert _whys(orphans) == {}
    desk.clock.forward(1)
    assert _whys(orphans) == {"invoice-bot": ("owner_away",)}
    desk.agents.update("invoice-bot", AgentChanges(add_owners=("admin",)), by=BY)
    assert _whys(orphans) == {"invoice-bot": ("owner_away",)}
    admin, _ = desk.users.show("admin")
    seen = desk.clock.now()
    desk.device(admin, last_seen_at=seen)
    assert _whys(orphans) == {}
    desk.clock.forward(90 * DAY)
    (one,) = orphans.all()
    assert [keeper.seen_at for keeper in one.owners] == [None, seen]
    with desk.store.write() as tx:
        tx.passwords.put(Password(admin.id, "argon", desk.clock.now()))
        tx.passwords.mark_used(admin.id, desk.clock.now())
    assert _whys(orphans) == {}


def test_a_password_that_was_set_and_not_used_is_no_sign_of_life(
    orphans: Orphans, desk: Desk
) -> None:
    """An administrator may have set it."""
    desk.clock.forward(90 * DAY)
    olga, _ = desk.users.show("olga")
    with desk.store.write() as tx:
        tx.passwords.put(Password(olga.id, "argon", desk.clock.now()))
    assert _whys(orphans) == {"invoice-bot": ("owner_away",)}


def test_one_past_its_review_or_its_end_is_named(orphans: Orphans, desk: Desk) -> None:
    """Every reason of it, the gravest first."""
    soon = desk.clock.now() + DAY
    changes = AgentChanges(review_at=soon, expires_at=soon)
    desk.agents.update("invoice-bot", changes, by=BY)
    assert _whys(orphans) == {}
    desk.clock.forward(DAY)
    assert _whys(orphans) == {"invoice-bot": ("review_due", "expired")}
    desk.users.disable("olga", by=BY)
    assert _whys(orphans) == {"invoice-bot": ("no_owner", "review_due", "expired")}


def test_one_that_somebody_stopped_is_named_only_where_nobody_answers(
    orphans: Orphans, desk: Desk
) -> None:
    """It does nothing that anybody would have to look at."""
    desk.agents.update("invoice-bot", AgentChanges(review_at=desk.clock.now() + DAY), by=BY)
    desk.agents.disable("invoice-bot", by=BY)
    desk.clock.forward(90 * DAY)
    assert _whys(orphans) == {}
    desk.users.disable("olga", by=BY)
    (one,) = orphans.all()
    assert (one.why, one.quarantine_at) == (("no_owner",), None)


def test_the_report_comes_in_parts_and_shows_an_owner_their_own(
    orphans: Orphans, desk: Desk
) -> None:
    """By name, in any case."""
    for name in ("Beta", "alpha"):
        registered(desk, name, owners=("admin", "olga"))
    for name in ("admin", "olga"):
        desk.users.disable(name, by=BY)
    first = orphans.page("", 2)
    assert ([one.agent.name for one in first.items], first.next) == (["alpha", "Beta"], "beta")
    assert [one.agent.name for one in orphans.page("beta", 2).items] == ["invoice-bot"]
    admin, _ = desk.users.show("admin")
    mine = orphans.page("", 9, owner=admin.id)
    assert [one.agent.name for one in mine.items] == ["alpha", "Beta"]


@pytest.mark.usefixtures("orphans")
def test_the_time_of_grace_is_as_long_as_it_is_set(desk: Desk) -> None:
    """In days."""
    desk.users.disable("olga", by=BY)
    longer = Orphans(desk.store, replace(RULES, owner_grace_days=30))
    assert longer.grace_end("invoice-bot") == desk.clock.now() + 30 * DAY
