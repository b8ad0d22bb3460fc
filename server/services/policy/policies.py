"""Shows the current version of the policy, and sets a new one."""

from dataclasses import dataclass

from server.model.audit import Entry
from server.model.policy import PolicyRow
from server.model.store import Store, View
from server.services.audit import audit
from server.services.policy import builtin


@dataclass(frozen=True, slots=True)
class Policies:
    """Shows and sets the policy. A document is the text of a TOML file."""

    store: Store

    def show(self) -> PolicyRow:
        """Return the newest version, or the built-in policy if there is none."""
        with self.store.read() as view:
            return current_policy(view)

    def set(self, document: str, *, by: str) -> PolicyRow:
        """Activate a policy, which also applies to pending requests.

        Activating the current policy again has no effect. Raises `InvalidPolicy`.
        """
        with self.store.administer() as tx:
            before = current_policy(tx)
            row = builtin.bind_names(tx, document, version=before.version + 1, by=by)
            if row.hash == before.hash:
                return before
            tx.policies.add(row)
            facts = {"version": row.version, "hash": row.hash, "was": before.hash}
            tx.audit.add(Entry(audit.Type.POLICY_SET, by, facts=facts))
            return row


def current_policy(view: View) -> PolicyRow:
    """Return the newest version, or the built-in policy."""
    return view.directory.policy() or builtin.default_row()
