"""Erases a user's personal texts from the audit log.

Owns: recording each erasure in an entry. Never: deciding which texts are personal (`audit.py`).
"""

from dataclasses import dataclass

from server.model.audit import Entry
from server.model.store import Store
from server.model.users import User
from server.services.audit import audit
from server.services.refusals import NotFound


@dataclass(frozen=True, slots=True)
class Erasures:
    """Erases texts. USER is a name, an email address or an ID."""

    store: Store

    def erase(self, name_or_id: str, *, by: str) -> tuple[User, int]:
        """Delete a user's texts from every entry; returns their number. Raises `NotFound`."""
        with self.store.write() as tx:
            user = tx.directory.user_called(name_or_id)
            if user is None:
                raise NotFound("user", name_or_id)
            texts = tx.audit.openings.erase(user.id)
            facts = {"texts": texts}
            tx.audit.add(Entry(audit.Type.AUDIT_ERASED, by, subject=user.id, facts=facts))
            return user, texts
