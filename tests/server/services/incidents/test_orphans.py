"""The report of agents that have no owner, have absent owners or are due for review."""

from dataclasses import replace

import pytest

from server.model.users import Password
from server.services.clients.agent_forms import AgentChanges
from server.services.incidents.orphan_quarantine import OrphanQuarantine
from server.services.incidents.orphans import Orphans
from server.services.refusals import NotFound
from tests.support.builders.clock import DAY
from tests.support.builders.installation import (
    BY,
    SERVER_POLICY,
    LocalAdmin,
    add_user,
    register_agent,
)


@pytest.fixture
def orphans(admin_services: LocalAdmin) -> Orphans:
    """The report for an installation with one agent that has one owner."""
    add_user(admin_services)
    add_user(admin_services, "olga")
    register_agent(admin_services, owners=("olga",))
    return Orphans(admin_services.store, SERVER_POLICY)


def _reported_reasons(orphans: Orphans) -> dict[str, tuple[str, ...]]:
    return {orphan.agent.name: orphan.why for orphan in orphans.all()}


def test_an_agent_with_a_present_owner_is_not_reported(orphans: Orphans) -> None:
    """Such an agent has no grace period."""
    assert orphans.all() == []
    assert orphans.grace_end("invoice-bot") is None
    with pytest.raises(NotFound):
        orphans.grace_end("nobody")


def test_an_agent_in_its_grace_period_is_reported_with_its_end(
    orphans: Orphans, admin_services: LocalAdmin
) -> None:
    """The period begins when the owner is disabled; a quarantined agent has no end."""
    admin_services.users.disable("olga", by=BY)
    expected_end = admin_services.clock.now() + 14 * DAY
    admin_services.clock.forward(DAY)
    (orphan,) = orphans.all()
    assert (orphan.why, orphan.quarantine_at) == (("no_owner",), expected_end)
    assert [(owner.user.name, owner.user.state) for owner in orphan.owners] == [
        ("olga", "disabled")
    ]
    assert orphans.grace_end("invoice-bot") == expected_end
    admin_services.clock.forward(13 * DAY)
    OrphanQuarantine(admin_services.store, admin_services.secrets, SERVER_POLICY).round()
    (orphan,) = orphans.all()
    assert (orphan.agent.state, orphan.why, orphan.quarantine_at) == (
        "quarantined",
        ("no_owner",),
        None,
    )


def test_an_agent_whose_owners_were_absent_for_90_days_is_reported(
    orphans: Orphans, admin_services: LocalAdmin
) -> None:
    """One active owner is enough; an owner never seen is absent since the registration."""
    admin_services.clock.forward(90 * DAY - 1)
    assert _reported_reasons(orphans) == {}
    admin_services.clock.forward(1)
    assert _reported_reasons(orphans) == {"invoice-bot": ("owner_away",)}
    admin_services.agents.update("invoice-bot", AgentChanges(add_owners=("admin",)), by=BY)
    assert _reported_reasons(orphans) == {"invoice-bot": ("owner_away",)}
    admin, _ = admin_services.users.show("admin")
    seen = admin_services.clock.now()
    admin_services.device(admin, last_seen_at=seen)
    assert _reported_reasons(orphans) == {}
    admin_services.clock.forward(90 * DAY)
    (orphan,) = orphans.all()
    assert [owner.seen_at for owner in orphan.owners] == [None, seen]
    with admin_services.store.write() as tx:
        tx.passwords.put(Password(admin.id, "argon", admin_services.clock.now()))
        tx.passwords.mark_used(admin.id, admin_services.clock.now())
    assert _reported_reasons(orphans) == {}


def test_an_unused_password_does_not_count_as_activity(
    orphans: Orphans, admin_services: LocalAdmin
) -> None:
    """An administrator may have set the password."""
    admin_services.clock.forward(90 * DAY)
    olga, _ = admin_services.users.show("olga")
    with admin_services.store.write() as tx:
        tx.passwords.put(Password(olga.id, "argon", admin_services.clock.now()))
    assert _reported_reasons(orphans) == {"invoice-bot": ("owner_away",)}


def test_an_agent_past_its_review_or_expiry_is_reported(
    orphans: Orphans, admin_services: LocalAdmin
) -> None:
    """The report has every reason, with the most serious reason first."""
    soon = admin_services.clock.now() + DAY
    changes = AgentChanges(review_at=soon, expires_at=soon)
    admin_services.agents.update("invoice-bot", changes, by=BY)
    assert _reported_reasons(orphans) == {}
    admin_services.clock.forward(DAY)
    assert _reported_reasons(orphans) == {"invoice-bot": ("review_due", "expired")}
    admin_services.users.disable("olga", by=BY)
    assert _reported_reasons(orphans) == {"invoice-bot": ("no_owner", "review_due", "expired")}


def test_a_disabled_agent_is_reported_only_without_an_owner(
    orphans: Orphans, admin_services: LocalAdmin
) -> None:
    """A disabled agent does nothing that needs a review."""
    admin_services.agents.update(
        "invoice-bot", AgentChanges(review_at=admin_services.clock.now() + DAY), by=BY
    )
    admin_services.agents.disable("invoice-bot", by=BY)
    admin_services.clock.forward(90 * DAY)
    assert _reported_reasons(orphans) == {}
    admin_services.users.disable("olga", by=BY)
    (orphan,) = orphans.all()
    assert (orphan.why, orphan.quarantine_at) == (("no_owner",), None)


def test_the_report_has_pages_and_shows_owners_only_their_agents(
    orphans: Orphans, admin_services: LocalAdmin
) -> None:
    """The agents are sorted by name, ignoring letter case."""
    for name in ("Beta", "alpha"):
        register_agent(admin_services, name, owners=("admin", "olga"))
    for name in ("admin", "olga"):
        admin_services.users.disable(name, by=BY)
    first = orphans.page("", 2)
    assert ([item.agent.name for item in first.items], first.next) == (["alpha", "Beta"], "beta")
    assert [item.agent.name for item in orphans.page("beta", 2).items] == ["invoice-bot"]
    admin, _ = admin_services.users.show("admin")
    mine = orphans.page("", 9, owner=admin.id)
    assert [item.agent.name for item in mine.items] == ["alpha", "Beta"]


@pytest.mark.usefixtures("orphans")
def test_the_grace_period_is_configured_in_days(admin_services: LocalAdmin) -> None:
    """With a setting of 30 days, the grace period ends after 30 days."""
    admin_services.users.disable("olga", by=BY)
    longer = Orphans(admin_services.store, replace(SERVER_POLICY, owner_grace_days=30))
    assert longer.grace_end("invoice-bot") == admin_services.clock.now() + 30 * DAY
