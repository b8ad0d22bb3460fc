"""The outcome of an execution is stored once and never changed."""

from dataclasses import replace

from server.model.approvals import Consumption, Outcome
from server.storage.store import SqlStore
from tests.support.builders.clock import NOON
from tests.support.builders.installation import approval_row

RUN = Consumption("sayso_ap_a", "run-1", "sayso_at_a", "https://pay.example", NOON)
EXECUTED = Outcome("sayso_ap_a", "executed", "Paid.", "A" * 43, NOON)


def test_the_first_outcome_is_stored(store: SqlStore) -> None:
    """Later outcomes are refused, even if they are the same."""
    with store.write() as tx:
        tx.approvals.add(approval_row("sayso_ap_a", "sayso_ag_a", "sayso_us_a", NOON))
        tx.consumptions.add_once(RUN)
        assert tx.outcomes.get("sayso_ap_a") is None
        assert tx.outcomes.add_once(EXECUTED)
    with store.write() as tx:
        assert not tx.outcomes.add_once(replace(EXECUTED, result="failed", text=None))
        assert not tx.outcomes.add_once(EXECUTED)
    with store.read() as view:
        assert view.outcomes.get("sayso_ap_a") == EXECUTED
