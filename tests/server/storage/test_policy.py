"""Rows of policy, on both databases."""

from server.services.policy.records import PolicyRow
from server.storage.policy import _ANY, _COUNT

BOT = "sayso_ag_bot"


def _row(version):
    return PolicyRow(version, "text", {"bot": BOT}, {"ana": "u"}, f"h{version}", "operator", 7)


def test_the_newest_rule_set_is_in_force_and_all_are_kept(store):
    """Cached like everything that administration changes."""
    with store.read() as view:
        assert (view.directory.policy(), view.policies.all()) == (None, [])
    for version in (1, 2):
        with store.administer() as tx:
            tx.policies.add(_row(version))
    with store.read() as view:
        assert view.directory.policy() == _row(2)
        assert view.policies.all() == [_row(2), _row(1)]


def test_uses_are_found_by_agent_use_and_time(store):
    """Up to a moment, after another, and never more than is enough."""
    with store.write() as tx:
        for at in (10, 20, 30):
            tx.uses.add(BOT, f"t{at}", ("token", "scope x read"), at)
        tx.uses.add("sayso_ag_other", "t40", ("token", "scope x write"), 5)
    with store.read() as view:
        assert view.uses.any(BOT, "token", 10)
        assert not view.uses.any(BOT, "token", 9)
        assert not view.uses.any(BOT, "scope x write", 100)
        assert view.uses.count(BOT, "token", 10, 30, 9) == 2
        assert view.uses.count(BOT, "token", 9, 29, 9) == 2
        assert view.uses.count(BOT, "token", 0, 30, 2) == 2
        assert view.uses.count(BOT, "nothing", 0, 30, 2) == 0


def test_history_is_answered_by_the_key_alone(sqlite_url, open_one):
    """So that a decision costs the same after a million tokens."""
    values = {"agent": BOT, "what": "token", "since": 0, "until": 9, "enough": 3}
    with open_one(sqlite_url).read() as view:
        for statement in (_ANY, _COUNT):
            text, fixed = statement._compiled
            plan = view._connection.connection.driver_connection.execute(
                f"EXPLAIN QUERY PLAN {text}", {**fixed, **values}
            ).fetchall()
            told = " ".join(str(row[-1]) for row in plan)
            assert "USING PRIMARY KEY (agent_id=? AND use=? AND at" in told
            assert "SCAN uses" not in told
