"""Administration of rule sets: the one in force, earlier versions, setting a new one.

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
    """Lists and sets rule sets. A document is the text of a TOML file."""

    store: Store

    def show(self) -> PolicyRow:
        """The rule set in force: the newest version, else the built-in one."""
        with self.store.read() as view:
            return in_force(view)

    def versions(self) -> list[PolicyRow]:
        """All versions, newest first; the built-in one is version 0."""
        with self.store.read() as view:
            return [*view.policies.all(), binding.default_row()]

    def set(self, document: str, *, by: str) -> PolicyRow:
        """Put a rule set in force. It applies to pending requests too.

        Setting the rule set in force again changes nothing. Raises `InvalidPolicy`.
        """
        with self.store.administer() as tx:
            before = in_force(tx)
            row = binding.bind_names(tx, document, version=before.version + 1, by=by)
            if row.hash == before.hash:
                return before
            tx.policies.add(row)
            facts = {"version": row.version, "hash": row.hash, "was": before.hash}
            audit.record(tx, Entry(audit.Type.POLICY_SET, by, facts=facts))
            return row


def in_force(view: View) -> PolicyRow:
    """The rule set in force."""
    return view.directory.policy() or binding.default_row()
