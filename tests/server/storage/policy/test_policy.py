"""Rows of policies and of token uses, in both databases."""

from server.model.policy import PolicyRow
from server.storage.policy.policy import _COUNT, _SEEN
from tests.support.checks import query_plans

BOT = "sayso_ag_bot"


def _row(version):
    return PolicyRow(version, "text", {"bot": BOT}, {"ana": "u"}, f"h{version}", "operator", 7)


def test_the_newest_policy_is_in_force(store):
    """The newest policy is cached like all administrative data."""
    with store.read() as view:
        assert view.directory.policy() is None
    for version in (1, 2):
        with store.administer() as tx:
            tx.policies.add(_row(version))
    with store.read() as view:
        assert view.directory.policy() == _row(2)


def test_uses_are_found_by_agent_use_and_time(store):
    """Uses are found within a time span, up to a limit."""
    with store.write() as tx:
        for at in (10, 20, 30):
            tx.uses.add(BOT, f"t{at}", ("token", "scope x read"), at)
        tx.uses.add("sayso_ag_other", "t40", ("token", "scope x write"), 5)
    with store.read() as view:
        uses = ("token", "scope x write")
        assert view.uses.known_uses(BOT, uses, 10) == {"token"}
        assert view.uses.known_uses(BOT, uses, 9) == set()
        many_uses = [*(f"value {n}" for n in range(20)), "scope x read"]
        assert view.uses.known_uses(BOT, many_uses, 100) == {"scope x read"}
        assert view.uses.known_uses(BOT, (), 100) == set()
        assert view.uses.count(BOT, "token", 10, 30, 9) == 2
        assert view.uses.count(BOT, "token", 9, 29, 9) == 2
        assert view.uses.count(BOT, "token", 0, 30, 2) == 2
        assert view.uses.count(BOT, "nothing", 0, 30, 2) == 0


def test_use_history_is_read_by_its_primary_key(sqlite_url, open_database):
    """Decisions do not become slower with the number of tokens."""
    with open_database(sqlite_url).read() as view:
        for statement in (_SEEN, _COUNT):
            plan = query_plans.query_plan(view._connection.connection.driver_connection, statement)
            assert "USING PRIMARY KEY (agent_id=? AND use=? AND at" in plan
            assert "SCAN uses" not in plan
