"""Initializes an installation: signing keys and the first administrator."""

from dataclasses import dataclass

from server.model.audit import Entry
from server.model.ports import Secrets, Signer
from server.model.store import Store, View
from server.model.users import User
from server.services.audit import audit
from server.services.refusals import Exists
from server.services.tokens import keys
from server.services.users import enrollment_codes, users
from server.services.users.enrollment_codes import IssuedCode


@dataclass(frozen=True, slots=True)
class Installation:
    """Initializes the installation."""

    store: Store
    secrets: Secrets
    signer: Signer

    def init(self, admin: str, *, by: str) -> tuple[User, IssuedCode]:
        """Create the keys and the first administrator, with a code for their first device.

        Raises `Exists` if there is an administrator; `Invalid` if the name is not allowed.
        """
        with self.store.administer() as tx:
            if (administrator := first_admin(tx)) is not None:
                raise Exists(
                    f"{administrator.name} is already the administrator of this installation. "
                    "Enroll another device instead.",
                    remedy=("user.enroll", administrator.name),
                )
            keys.ensure_keys(tx, self.signer, by=by)
            user = users.create(tx, self.secrets, users.NewUser(admin, roles=("admin",)), by=by)
            tx.audit.add(Entry(audit.Type.INSTALLATION_INITIALIZED, by, subject=user.id))
            return user, enrollment_codes.issue(tx, self.secrets, user, by=by)

    def admin(self) -> User | None:
        """Return the first administrator; None if there is none."""
        with self.store.read() as view:
            return first_admin(view)


def first_admin(view: View) -> User | None:
    """Return the first administrator; None if there is none."""
    admins = [user for user in view.users.all() if "admin" in user.roles]
    return min(admins, key=lambda user: (user.created_at, user.id), default=None)
