"""Authorization of administrative requests: roles, versions and signed statements.

Every check runs in the unit of work of the change, so nothing can change in between: the person,
their role, the version of the record, and the effect of the change. A change that removes access
needs only a session. A change that adds access needs a statement that signs this request, made with
the terminal's high key after a PIN call for it, or with the device's passkey. Closing an incident,
deleting from the audit log and revoking another person's last device also need a statement.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from server.model.clients import Agent
from server.model.devices import Device
from server.model.store import Store, Unit, View
from server.model.users import User
from server.protocol import errors
from server.protocol.approvals import decisions
from server.protocol.names import name_id
from server.services.clients import apps
from server.services.devices import new_devices
from server.services.devices.statements import Statements
from server.services.operations import power
from server.services.operations.power import Governed
from server.services.policy import policies
from server.services.users import device_auth
from server.services.users.device_auth import Person


class Role(StrEnum):
    """Administrative roles."""

    ADMIN = "admin"
    AUDITOR = "auditor"
    OWNER = "owner"
    """An owner of the agent. Owners see only their own agents in lists."""


OWNER_MAY_ADD: Final = frozenset({"secrets", "jwks"})
"""The members that an owner may widen, with a signature, to rotate credentials."""


Target: TypeAlias = Literal[
    "agent", "app", "group", "user", "resource", "action", "device", "policy"
]


@dataclass(frozen=True, slots=True)
class AccessRule:
    """The access rule of an administration route."""

    roles: tuple[Role, ...]
    target: Target | None = None
    """The kind of record that the path names, if it is compared before and after."""
    signed: bool = False
    """Whether it always needs a signed statement."""
    versioned: bool = False
    """Whether it requires `If-Match`."""


@dataclass(frozen=True, slots=True)
class AdminRequest:
    """The parts of a request that authorization needs."""

    digest: str
    """The digest of method, path and body, which a statement signs."""
    target: str = ""
    version: str | None = None
    statement: str | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """Authorizes one administrative request."""

    rule: AccessRule
    person: Person
    request: AdminRequest
    statements: Statements

    def check_read(self, view: View) -> Governed | None:
        """Authorize reading; return the record. Raises errors.Problem.

        Checks, in order, that: 1. session, user and device are active; 2. the user has the role; 3.
        the record exists.
        """
        device_auth.current_device(view, self.person)
        before = self._target(view)
        self._check_role(view, before)
        if self.rule.target is not None and before is None:
            raise errors.not_found(f"This {self.rule.target} does not exist.")
        return before

    def check_before(self, tx: Unit) -> Governed | None:
        """Authorize the start of a change; also checks the version. Returns the record."""
        before = self.check_read(tx)
        if self.rule.versioned and before is not None:
            self._check_version(before)
        return before

    def check_after(self, tx: Unit, before: Governed | None) -> None:
        """Authorize the effect of a change before it is stored. Raises errors.Problem.

        Checks, in order, that: 1. an owner has not widened the agent or removed another owner; 2.
        added access, and revoking another person's last device, are signed for.
        """
        user, after = self._user(tx), self._target(tx)
        default_seconds = self.statements.server_policy.access_token_seconds
        widened = power.widened_members(before, after, default_seconds=default_seconds)
        if Role.ADMIN not in user.roles:
            _check_owner(user, before, after, widened)
        if widened or self.rule.signed or self._ended_last_device(tx, before, after):
            self._check_signed(tx)

    def _ended_last_device(self, tx: Unit, before: Governed | None, after: Governed | None) -> bool:
        """Return whether another person now has no device that would warn them about a new one."""
        if not isinstance(before, Device) or not isinstance(after, Device):
            return False
        ended = before.state != after.state and after.user_id != self.person.user.id
        return ended and not new_devices.has_one_in_use(tx, after.user_id)

    def _check_role(self, view: View, target: Governed | None) -> None:
        user = self._user(view)
        if set(user.roles) & set(self.rule.roles) or self._owns(user, target):
            return
        if Role.OWNER in self.rule.roles and not set(user.roles) & {Role.ADMIN, Role.AUDITOR}:
            raise errors.not_found("You do not own this agent.")
        raise errors.forbidden(f"This requires the role {' or '.join(self.rule.roles)}.")

    def _owns(self, user: User, target: Governed | None) -> bool:
        if Role.OWNER not in self.rule.roles:
            return False
        if self.rule.target is None:  # a list, which the service filters by owner
            return Role.AUDITOR not in user.roles
        return isinstance(target, Agent) and user.id in target.owners

    def _check_version(self, record: Governed) -> None:
        if self.request.version is None:
            raise errors.Problem(
                428, "version_required", "Send If-Match with the version that you read."
            )
        if self.request.version != power.version(record):
            raise errors.Problem(
                412,
                "changed_meanwhile",
                "Someone else has changed this in the meantime. Load it again.",
            )

    def _check_signed(self, tx: Unit) -> None:
        """Raise errors.Problem unless the person signed this request.

        Checks, in order, that: 1. there is a statement; 2. the device is old enough for it; 3. its
        high key or passkey signed this request and our nonce; 4. the user was verified; 5. the
        statement is used only once.
        """
        device = device_auth.current_device(tx, self.person)
        if self.request.statement is None:
            raise self._statement_required(device)
        self.statements.check_with_pin(
            tx,
            self.request.statement,
            device,
            purpose=decisions.ADMINISTER,
            subject=self.request.digest,
        )
        self.statements.spend(tx, device)

    def _statement_required(self, device: Device) -> errors.Problem:
        statement_to_sign = {
            "purpose": decisions.ADMINISTER,
            "subject": self.request.digest,
            "nonce": self.statements.nonce(device, device),
        }
        return errors.Problem(
            403,
            "statement_required",
            "This grants access, closes an incident, deletes from the audit log, or revokes the "
            "last device of another user. Sign it with this device's high key or passkey.",
            members={"wanted": statement_to_sign},
        )

    def _user(self, view: View) -> User:
        user = view.directory.user(self.person.user.id)
        return self.person.user if user is None else user

    def _target(self, view: View) -> Governed | None:
        find = _FINDERS.get(self.rule.target or "")
        return None if find is None else find(view, self.request.target)


_FINDERS: Final[Mapping[str, Callable[[View, str], Governed | None]]] = {
    "agent": lambda view, record_id: view.agents.get(record_id),
    "app": apps.by_path,
    "group": lambda view, record_id: next(
        (g for g in view.groups.all() if g.id == record_id), None
    ),
    "user": lambda view, record_id: view.users.get(record_id),
    "resource": lambda view, record_id: next(
        (r for r in view.resources.all() if name_id(r.uri) == record_id), None
    ),
    "action": lambda view, record_id: next(
        (a for a in view.actions.all() if name_id(a.type) == record_id), None
    ),
    "device": lambda view, record_id: view.devices.get(record_id),
    "policy": lambda view, _record_id: policies.current_policy(view),
}
"""Kind → a function that finds the record named in the path."""


def _check_owner(
    user: User, before: Governed | None, after: Governed | None, widened: frozenset[str]
) -> None:
    if widened - OWNER_MAY_ADD:
        raise errors.forbidden(
            "An owner can only narrow an agent. Ask an administrator to widen it."
        )
    if not isinstance(before, Agent) or not isinstance(after, Agent):
        return
    if set(before.owners) - set(after.owners) - {user.id}:
        raise errors.forbidden("An owner can only remove themselves. Ask an administrator.")


@dataclass(frozen=True, slots=True)
class GuardedStore:
    """A store whose reads and units of work are authorized by the guard of one request."""

    store: Store
    guard: Guard

    @contextmanager
    def write(self) -> Iterator[Unit]:
        """Yield an authorized unit of work."""
        with self.store.write() as tx:
            before = self.guard.check_before(tx)
            yield tx
            self.guard.check_after(tx, before)

    @contextmanager
    def administer(self) -> Iterator[Unit]:
        """Yield an authorized administrative unit of work. Checks access before blocking others."""
        with self.read():
            pass
        with self.store.administer() as tx:
            before = self.guard.check_before(tx)
            yield tx
            self.guard.check_after(tx, before)

    @contextmanager
    def read(self) -> Iterator[View]:
        """Yield an authorized view."""
        with self.store.read() as view:
            self.guard.check_read(view)
            yield view
