"""Users: add, change, enable and disable, enroll devices, unlock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from server.model.approvers import Group
from server.model.audit import Entry
from server.model.clients import Agent
from server.model.devices import MAX_ATTEMPTS, Device
from server.model.ports import Secrets
from server.model.reactions import DeviceUnlocked, UserDisabled, UserEnabled
from server.model.store import Store, Unit
from server.model.users import User
from server.protocol.confusables import name_keys
from server.protocol.names import PREFIX_USER, is_group
from server.services import members, paging
from server.services.audit import audit
from server.services.members import Written, members_for_new, members_for_update, names_of
from server.services.paging import ResultPage
from server.services.refusals import Conflict, Exists, Invalid, error_member
from server.services.users import enrollment_codes
from server.services.users.enrollment_codes import IssuedCode
from server.services.users.user_checks import clients_named, find
from server.services.users.user_members import USER_MEMBERS

_NO_FACTS: Mapping[str, object] = {}


class NewUser(Written):
    """A new user. A user without roles can only decide requests and use apps."""

    member_names = names_of(members_for_new(USER_MEMBERS))

    def __init__(
        self, name: str, email: str | None = None, roles: Sequence[str] = (), **values: object
    ) -> None:
        super().__init__(name=name, email=email, roles=roles, **values)


class UserChanges(Written):
    """The changed fields of a user."""

    member_names = names_of(members_for_update(USER_MEMBERS))


@dataclass(frozen=True, slots=True)
class DisabledUser:
    """A disabled user, with the numbers of revoked tokens and canceled requests."""

    user: User
    tokens_revoked: int = 0
    requests_cancelled: int = 0


@dataclass(frozen=True, slots=True)
class Users:
    """Administers users. USER is a name, an email address or an ID."""

    store: Store
    secrets: Secrets

    def all(self) -> list[User]:
        """Return all users, by name."""
        with self.store.read() as view:
            return view.users.all()

    def page(self, after: str, limit: int, *, search: str = "") -> ResultPage[User]:
        """Return the users after this name whose name or email address contains `search`."""
        with self.store.read() as view:
            users = view.users.page(after, limit + 1, search)
        return paging.part(users, limit, lambda user: user.name)

    def names(self, ids: Iterable[str]) -> dict[str, str]:
        """Return the names of existing users and groups by ID."""
        with self.store.read() as view:
            directory = view.directory
            records: list[User | Group | None] = [
                directory.find_group(record_id)
                if is_group(record_id)
                else directory.user(record_id)
                for record_id in ids
            ]
        return {record.id: record.name for record in records if record is not None}

    def show(self, name_or_id: str) -> tuple[User, list[Device]]:
        """Return one user and their devices. Raises `NotFound`."""
        with self.store.read() as view:
            user = find(view, name_or_id)
            return user, view.devices.of_user(user.id)

    def add(self, new: NewUser, *, by: str) -> tuple[User, IssuedCode]:
        """Add a user, with a code for their first device. Raises `Exists` or `Invalid`."""
        with self.store.administer() as tx:
            user = create(tx, self.secrets, new, by=by)
            return user, enrollment_codes.issue(tx, self.secrets, user, by=by)

    def update(
        self, name_or_id: str, changes: UserChanges, *, by: str, force: bool = False
    ) -> User:
        """Change email address, roles or backup. Raises `NotFound`, `Exists` or `Invalid`.

        Raises `Conflict` if no enabled administrator would be left, unless `force` is set.
        """
        with self.store.administer() as tx:
            before = find(tx, name_or_id)
            user = replace(before, **members.check_changes(tx, USER_MEMBERS, changes))
            if user.backup == user.id:
                raise Invalid(
                    "A user cannot be their own backup. Choose a different user.", member="backup"
                )
            if user == before:
                return user
            _refuse_used_email(tx, user)
            if not force:
                with error_member("roles"):
                    _refuse_last_administrator(tx, before, user)
            tx.users.replace(user)
            # The audit log is permanent, so it must not contain email addresses.
            changed = {"email_changed": user.email != before.email}
            facts = changed | members.facts(members_for_update(USER_MEMBERS), user)
            _record(tx, audit.Type.USER_UPDATED, user, by, facts)
            return user

    def disable(self, name_or_id: str, *, by: str, force: bool = False) -> DisabledUser:
        """Disable a user, cancel their open requests, and revoke their tokens.

        Idempotent. Raises `NotFound`, or `Conflict` for the last enabled
        administrator, unless `force` is set.
        """
        with self.store.administer() as tx:
            before = find(tx, name_or_id)
            if not before.enabled:
                return DisabledUser(before)
            user = replace(before, state="disabled", disabled_at=tx.now)
            if not force:
                _refuse_last_administrator(tx, before, user)
            tx.users.replace(user)
            tx.codes.withdraw(user.id, tx.now)
            tokens = len(tx.delegations.revoke_user(user.id, tx.now))
            ended = tx.react(UserDisabled(user, by))
            facts = {"tokens_revoked": tokens, "requests_cancelled": ended.requests}
            _record(tx, audit.Type.USER_DISABLED, user, by, facts)
            # The user's open sockets close when they read this event.
            tx.feed.add(user.id, "user.disabled")
            return DisabledUser(user, **facts)

    def enable(self, name_or_id: str, *, by: str) -> User:
        """Enable a user; requests stay canceled and tokens stay revoked. Raises `NotFound`."""
        with self.store.administer() as tx:
            before = find(tx, name_or_id)
            user = replace(before, state="enabled", disabled_at=None)
            if not before.enabled:
                tx.users.replace(user)
                tx.installation.release("users", user.id)
                tx.react(UserEnabled(user, by))
                _record(tx, audit.Type.USER_ENABLED, user, by)
            return user

    def enroll(self, name_or_id: str, *, by: str) -> tuple[User, IssuedCode]:
        """Issue a code for a device; older codes become invalid. Raises `NotFound`, `Conflict`."""
        with self.store.write() as tx:
            user = find(tx, name_or_id)
            if not user.enabled:
                raise disabled_error(user)
            return user, enrollment_codes.issue(tx, self.secrets, user, by=by)

    def unlock(self, name_or_id: str, *, by: str) -> tuple[User, list[Device]]:
        """Unlock and return the devices that are locked after wrong PINs. Raises `NotFound`."""
        with self.store.write() as tx:
            user = find(tx, name_or_id)
            locked = [d for d in tx.devices.of_user(user.id) if _is_locked(d)]
            for device in locked:
                tx.devices.unlock(device.id)
                tx.react(DeviceUnlocked(user.id, device.id))
            if locked:
                facts = {"devices": [device.id for device in locked]}
                _record(tx, audit.Type.USER_UNLOCKED, user, by, facts)
            return user, locked


def disabled_error(user: User) -> Conflict:
    """Return the error for a change that requires an enabled user."""
    return Conflict(
        f"{user.name} is disabled. Enable the user first.", remedy=("user.enable", user.name)
    )


def create(tx: Unit, secrets: Secrets, new: NewUser, *, by: str) -> User:
    """Add a user in an administrative unit of work."""
    user = User(
        id=secrets.new_id(PREFIX_USER),
        state="enabled",
        created_at=tx.now,
        **members.initial_values(tx, USER_MEMBERS, new),
    )
    _refuse_taken_name(tx, user.name)
    _refuse_used_email(tx, user)
    tx.users.add(user)
    _record(tx, audit.Type.USER_ADDED, user, by, members.facts(members_for_new(USER_MEMBERS), user))
    return user


@error_member("name")
def _refuse_taken_name(tx: Unit, name: str) -> None:
    """Refuse a name that looks like the name of a user, an agent or an app."""
    similar = map(tx.directory.user, tx.names.ids_with_name_like("user", name_keys(name)))
    for existing in (*similar, tx.directory.find_user(name)):
        if existing is not None:
            raise Exists(
                f"The user {existing.name} already exists. Choose a name that cannot be confused "
                f"with it, or enroll another device for {existing.name}.",
                remedy=("user.enroll", existing.name),
            )
    refuse_client_name(tx, name)


@error_member("email")
def _refuse_used_email(tx: Unit, user: User) -> None:
    existing = tx.directory.find_user(user.email) if user.email else None
    if existing is not None and existing.id != user.id:
        raise Exists(f"{user.email} already belongs to {existing.name}.")


def _refuse_last_administrator(tx: Unit, before: User, after: User) -> None:
    """Refuse a change that would leave no enabled administrator."""
    if not _is_administrator(before) or _is_administrator(after):
        return
    if not any(_is_administrator(user) for user in tx.users.all() if user.id != after.id):
        raise Conflict(
            f"{before.name} is the last enabled administrator. "
            "Make another user an administrator first.",
            remedy=("user.last_administrator",),
        )


def _is_administrator(user: User) -> bool:
    return user.enabled and "admin" in user.roles


def _is_locked(device: Device) -> bool:
    return device.state == "active" and device.pin_tries >= MAX_ATTEMPTS


def _record(
    tx: Unit, kind: audit.Type, user: User, by: str, facts: Mapping[str, object] = _NO_FACTS
) -> None:
    tx.audit.add(Entry(kind, by, subject=user.id, facts=facts))


@error_member("name")
def refuse_client_name(tx: Unit, name: str) -> None:
    """Refuse a user's name that looks like the name of an agent or an app. Raises `Exists`."""
    for client in clients_named(tx, name):
        kind = "agent" if isinstance(client, Agent) else "app"
        raise Exists(
            f"The {kind} {client.name} already exists. Choose a name that cannot be confused with "
            f"it, or rename the {kind}.",
            remedy=(f"{kind}.rename", client.id),
        )
