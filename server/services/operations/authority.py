"""Who may administer what, and when it takes more than a session.

Every check is made in the unit of work that it is about, so nothing can change in between: the
person, their role, the record that they believe to be changing, and what the change turned out
to be. What removes power needs a session. What adds power needs a statement about this very
request: under a terminal's high key after a PIN call that named it, or by the device's passkey. So
does what puts out of sight what somebody reported, and ending the last device of another person.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

from server.model.clients import Agent
from server.model.devices import Device
from server.model.store import Store, Unit, View
from server.model.users import User
from server.protocol import errors
from server.protocol.approvals import decisions
from server.protocol.names import name_id
from server.services.clients import power
from server.services.clients.power import Governed
from server.services.devices import new_devices
from server.services.devices.statements import Statements
from server.services.users import device_auth
from server.services.users.device_auth import Person


class Role(StrEnum):
    """As what somebody acts."""

    ADMIN = "admin"
    AUDITOR = "auditor"
    OWNER = "owner"
    """Of the agent that it is about; of the agents that are listed, where it is about none."""


OWNER_MAY_ADD: Final = frozenset({"secrets", "jwks"})
"""An owner rotates, with a signature; everything else that adds power is an administrator's."""


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Who may do something."""

    roles: tuple[Role, ...]
    target: Literal["agent", "app", "group", "user", "resource", "action", "device"] | None = None
    """What the id in the path names, if it is something that is compared before and after."""
    signed: bool = False
    """It always takes a statement, whatever it turns out to change."""
    versioned: bool = False
    """It takes the version of the record that the caller has seen."""


@dataclass(frozen=True, slots=True)
class AdminRequest:
    """One request, as far as its authority goes."""

    digest: str
    """Of method, path and body; what a statement is about."""
    target: str = ""
    version: str | None = None
    statement: str | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """One person's request to administer."""

    rule: AccessRule
    person: Person
    asked: AdminRequest
    statements: Statements

    def look(self, view: View) -> Governed | None:
        """The record that it is about. Raises errors.Problem.

        1. Session, user and device are in force.  2. The role is theirs now.  3. It is there.
        """
        device_auth.current_device(view, self.person)
        before = self._target(view)
        self._check_role(view, before)
        if self.rule.target is not None and before is None:
            raise errors.Problem(404, "not_found", f"There is no such {self.rule.target}.")
        return before

    def enter(self, tx: Unit) -> Governed | None:
        """Likewise, before it is changed: it is the one that the caller has seen."""
        before = self.look(tx)
        if self.rule.versioned and before is not None:
            self._check_version(before)
        return before

    def leave(self, tx: Unit, before: Governed | None) -> None:
        """What the unit of work made of it, before it is stored. Raises errors.Problem.

        1. An owner has not widened, nor put another owner out.  2. More power was signed for, and
        so was the end of the last device that another person uses.
        """
        user, after = self._user(tx), self._target(tx)
        usual = self.statements.rules.access_token_seconds
        grown = power.widened_members(before, after, usual_seconds=usual)
        if Role.ADMIN not in user.roles:
            _check_owner(user, before, after, grown)
        if grown or self.rule.signed or self._ended_last_device(tx, before, after):
            self._check_signed(tx)

    def _ended_last_device(self, tx: Unit, before: Governed | None, after: Governed | None) -> bool:
        """Reports whether nothing is left on which another person would notice a new device."""
        if not isinstance(before, Device) or not isinstance(after, Device):
            return False
        ended = before.state != after.state and after.user_id != self.person.user.id
        return ended and not new_devices.has_one_in_use(tx, after.user_id)

    def _check_role(self, view: View, target: Governed | None) -> None:
        user = self._user(view)
        if set(user.roles) & set(self.rule.roles) or self._owns(user, target):
            return
        if Role.OWNER in self.rule.roles and not set(user.roles) & {Role.ADMIN, Role.AUDITOR}:
            raise errors.Problem(404, "not_found", "You own no such agent.")
        raise errors.Problem(
            403, "forbidden", f"This takes the role {' or '.join(self.rule.roles)}."
        )

    def _owns(self, user: User, target: Governed | None) -> bool:
        if Role.OWNER not in self.rule.roles:
            return False
        if self.rule.target is None:  # what they own is looked up where it is; who reads all, reads
            return Role.AUDITOR not in user.roles
        return isinstance(target, Agent) and user.id in target.owners

    def _check_version(self, record: Governed) -> None:
        if self.asked.version is None:
            raise errors.Problem(
                428, "version_required", "Send If-Match with the version that you have seen."
            )
        if self.asked.version != power.version(record):
            raise errors.Problem(
                412, "changed_meanwhile", "Somebody has changed this. Look at it again."
            )

    def _check_signed(self, tx: Unit) -> None:
        """Raise errors.Problem unless the person signed for this very request.

        1. A statement is there.  2. The device may do this by now.  3. Its high key or its passkey
        signed this request and our nonce.  4. The person was there for it.  5. It counts once.
        """
        device = device_auth.current_device(tx, self.person)
        if self.asked.statement is None:
            raise self._wanted(device)
        self.statements.check_with_pin(
            tx,
            self.asked.statement,
            device,
            purpose=decisions.ADMINISTER,
            subject=self.asked.digest,
        )
        self.statements.spend(tx, device)

    def _wanted(self, device: Device) -> errors.Problem:
        wanted = {
            "purpose": decisions.ADMINISTER,
            "subject": self.asked.digest,
            "nonce": self.statements.nonce(device, device),
        }
        return errors.Problem(
            403,
            "statement_required",
            "This gives somebody more power, closes a report, or ends somebody else's last "
            "device. "
            "Sign it with this device's high key, or its passkey.",
            members={"wanted": wanted},
        )

    def _user(self, view: View) -> User:
        user = view.directory.user(self.person.user.id)
        return self.person.user if user is None else user

    def _target(self, view: View) -> Governed | None:
        find = _FIND.get(self.rule.target or "")
        return None if find is None else find(view, self.asked.target)


_FIND: Final[Mapping[str, Callable[[View, str], Governed | None]]] = MappingProxyType(
    {
        "agent": lambda view, wanted: view.agents.get(wanted),
        "app": lambda view, wanted: view.apps.get(wanted),
        "group": lambda view, wanted: next((g for g in view.groups.all() if g.id == wanted), None),
        "user": lambda view, wanted: view.users.get(wanted),
        "resource": lambda view, wanted: next(
            (r for r in view.resources.all() if name_id(r.uri) == wanted), None
        ),
        "action": lambda view, wanted: next(
            (a for a in view.actions.all() if name_id(a.type) == wanted), None
        ),
        "device": lambda view, wanted: view.devices.get(wanted),
    }
)
"""How the record is found that an id in a path names."""


def _check_owner(
    user: User, before: Governed | None, after: Governed | None, grown: frozenset[str]
) -> None:
    if grown - OWNER_MAY_ADD:
        raise errors.Problem(
            403, "forbidden", "An owner narrows an agent; an administrator can widen it."
        )
    if not isinstance(before, Agent) or not isinstance(after, Agent):
        return
    if set(before.owners) - set(after.owners) - {user.id}:
        raise errors.Problem(
            403, "forbidden", "An owner may leave; an administrator puts another owner out."
        )


@dataclass(frozen=True, slots=True)
class GuardedStore:
    """A store every unit of work of which begins and ends with one request's guard."""

    store: Store
    guard: Guard

    @contextmanager
    def write(self) -> Iterator[Unit]:
        """A unit of work that the guard lets in and lets out."""
        with self.store.write() as tx:
            before = self.guard.enter(tx)
            yield tx
            self.guard.leave(tx, before)

    @contextmanager
    def administer(self) -> Iterator[Unit]:
        """Likewise, of administration; strangers are turned away before anybody waits for them."""
        with self.read():
            pass
        with self.store.administer() as tx:
            before = self.guard.enter(tx)
            yield tx
            self.guard.leave(tx, before)

    @contextmanager
    def read(self) -> Iterator[View]:
        """A reading that the guard lets in."""
        with self.store.read() as view:
            self.guard.look(view)
            yield view
