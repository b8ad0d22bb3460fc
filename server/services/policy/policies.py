"""Administration of policy: which rule set is in force, since when, by whom; setting the next.

Owns: versions. Never: what a rule means, or who may set one.
"""

from dataclasses import dataclass

from server.model.audit import Entry
from server.model.policy import PolicyRow
from server.model.store import Store, View
from server.services.audit import audit
from server.services.policy import binding


@dataclass(frozen=True, slots=True)
class Policies:
    """Rule sets. A document is the text of a TOML file."""

    store: Store

    def show(self) -> PolicyRow:
        """The rule set in force: the newest that was set, else the one that Sayso comes with."""
        with self.store.read() as view:
            return in_force(view)

    def versions(self) -> list[PolicyRow]:
        """Every version, the newest first; the default is version 0."""
        with self.store.read() as view:
            return [*view.policies.all(), binding.default_row()]

    def set(self, document: str, *, by: str) -> PolicyRow:
        """Put a rule set in force, from the next request on; requests that wait are held to it.

        Setting the one in force again changes nothing. Raises `InvalidPolicy`.
        """
        with self.store.administer() as tx:
            before = in_force(tx)
            row = binding.bound(tx, document, version=before.version + 1, by=by)
            if row.hash == before.hash:
                return before
            tx.policies.add(row)
            facts = {"version": row.version, "hash": row.hash, "was": before.hash}
            audit.record(tx, Entry(audit.Type.POLICY_SET, by, facts=facts))
            return row


def in_force(view: View) -> PolicyRow:
    """The rule set that answers now."""
    return view.directory.policy() or binding.default_row()
