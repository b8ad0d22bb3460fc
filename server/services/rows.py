"""What the services need of each kind of row. MUST is a promise that storage keeps.

The store that hands these out, and the other edges, are in `ports.py`.
"""

from dataclasses import dataclass
from typing import Protocol

from server.services.device_codes import DeviceCode
from server.services.records import (
    ActionRow,
    Agent,
    App,
    Consent,
    Delegation,
    Device,
    EnrolmentCode,
    Entry,
    Resource,
    Session,
    SigningKey,
    StoredEntry,
    User,
)
from server.services.searches import EntrySearch
from server.services.token_records import Consumption, Outcome


class UserRows(Protocol):
    """People. `add` MUST fail with `Taken` if the name or the e-mail is used."""

    def add(self, user: User) -> None: ...
    def replace(self, user: User) -> None: ...
    def get(self, user_id: str) -> User | None: ...
    def all(self) -> list[User]: ...
    def page(self, after: str, limit: int) -> list[User]:
        """Those whose names come after this one."""


class AgentRows(Protocol):
    """Agents, their owners and secrets. `add` MUST fail with `Taken` if the name is used."""

    def add(self, agent: Agent, now: int) -> None: ...
    def replace(self, agent: Agent, now: int) -> None:
        """Write every member, owners and secrets included."""

    def delete(self, agent_id: str) -> None: ...
    def get(self, agent_id: str) -> Agent | None: ...
    def all(self) -> list[Agent]: ...
    def page(self, owner: str | None, after: str, limit: int) -> list[Agent]:
        """Those of one owner or of everybody whose names come after this one."""

    def owned_by(self, user_id: str) -> list[Agent]:
        """Those for which this user answers, by name."""

    def orphans(self) -> list[Agent]:
        """The enabled ones of which no owner is enabled, by name."""

    def secret_used(self, secret_id: str, now: int) -> None:
        """Remember the use, at most once a minute."""

    def key_used(self, agent_id: str, kid: str, now: int) -> None:
        """Likewise."""


class AppRows(Protocol):
    """Apps and their secrets. `add` and `replace` MUST fail with `Taken` if the name is used."""

    def add(self, app: App) -> None: ...
    def replace(self, app: App) -> None:
        """Write every member, secrets included."""

    def delete(self, app_id: str) -> None: ...
    def get(self, app_id: str) -> App | None: ...
    def all(self) -> list[App]: ...
    def secret_used(self, secret_id: str, now: int) -> None:
        """Remember the use, at most once a minute."""


class SecretRows(Protocol):
    """Clients that have secrets."""

    def secret_used(self, secret_id: str, now: int) -> None:
        """Remember the use, at most once a minute."""


class ResourceRows(Protocol):
    """Protected APIs. `add` MUST fail with `Taken` if the URI is there."""

    def add(self, resource: Resource) -> None: ...
    def replace(self, resource: Resource) -> None:
        """Write its scopes and its secrets."""

    def delete(self, uri: str) -> None: ...
    def all(self) -> list[Resource]: ...
    def secret_used(self, secret_id: str, now: int) -> None:
        """Remember the use, at most once a minute."""


class ActionRows(Protocol):
    """Action types. `add` MUST fail with `Taken` if the type is there."""

    def add(self, action: ActionRow) -> None: ...
    def replace(self, action: ActionRow) -> None: ...
    def delete(self, action_type: str) -> None: ...
    def all(self) -> list[ActionRow]: ...


class KeyRows(Protocol):
    """Signing keys."""

    def add(self, key: SigningKey) -> None: ...
    def retire(self, kid: str, retires_at: int) -> None: ...
    def revoke(self, kid: str) -> bool: ...
    def drop_retired(self, now: int) -> list[str]: ...


class CodeRows(Protocol):
    """Enrolment codes."""

    def add(self, code: EnrolmentCode) -> None: ...
    def get(self, code_id: str) -> EnrolmentCode | None: ...
    def missed(self, code_id: str) -> int:
        """Count one wrong secret and return how many there were."""

    def use(self, code_id: str, now: int) -> bool:
        """Reports whether this call used it up; at most one call ever gets True."""

    def withdraw(self, user_id: str, now: int) -> None:
        """End the user's unused codes."""


class UserCodeRows(Protocol):
    """The codes that people want of agents, as keyed hashes; one each."""

    def get(self, user_id: str) -> bytes | None: ...
    def put(self, user_id: str, code_hash: bytes, now: int) -> None: ...
    def drop(self, user_id: str) -> bool:
        """Reports whether there was one."""


class DeviceCodeRows(Protocol):
    """Device grants under way."""

    def add(self, code: DeviceCode) -> None: ...
    def by_device_code(self, device_code_hash: bytes) -> DeviceCode | None: ...
    def by_user_code(self, user_code_hash: bytes) -> DeviceCode | None: ...
    def use(self, code_id: str, approval_id: str, now: int) -> bool:
        """Tie it to the approval that it opened; at most one call ever gets True."""

    def paced(self, code_id: str, *, now: int, interval_ms: int) -> None:
        """Remember a poll; MUST touch nothing else."""

    def prune(self, before: int) -> int: ...


class SessionRows(Protocol):
    """Sign-ins of terminals."""

    def add(self, session: Session) -> None: ...
    def get(self, session_id: str) -> Session | None: ...
    def any_resumes(self) -> bool:
        """Reports whether there are sessions that terminals may resume after a restore."""

    def resuming(self, jkt: str) -> Session | None:
        """The session that the holder of this key may resume after a restore."""

    def by_refresh(self, refresh_hash: bytes) -> Session | None:
        """The session whose current or previous refresh token this is."""

    def rotate(self, session_id: str, old: bytes, new: bytes, now: int, expires_at: int) -> bool:
        """Replace the refresh token if it still is `old`."""

    def bind(self, session_id: str, device_id: str, expires_at: int) -> None: ...
    def revoke(self, session_id: str, now: int) -> None: ...


class DeviceRows(Protocol):
    """What people decide from."""

    def add(self, device: Device) -> None: ...
    def get(self, device_id: str) -> Device | None: ...
    def of_user(self, user_id: str) -> list[Device]: ...
    def all(self) -> list[Device]: ...
    def active_count(self, user_id: str, now: int) -> int: ...
    def present(self, user_id: str, *, not_ended_before: int, used_after: int) -> bool:
        """Reports whether a device of the user, ended ones too, fits both moments."""

    def in_use(self, user_id: str, *, now: int, used_after: int) -> bool:
        """Reports whether a device of the user is in force, no longer waits, and was used since."""

    def seen(self, device_id: str, now: int) -> None:
        """Remember the visit, at most once a minute."""

    def count_try(
        self, device_id: str, purpose: str | None, now: int, *, tries: int, calls: int
    ) -> Device | None:
        """One more PIN call, naming an approval; MUST be one statement with its limits."""

    def confirm(self, device_id: str, *, entered: bool) -> None:
        """A valid signature of the high key or a passkey: the tries start again."""

    def unlock(self, device_id: str) -> None: ...
    def vouch(self, device_id: str, now: int) -> None: ...
    def alarmed(self, device_id: str, now: int) -> None: ...
    def rename(self, device_id: str, name: str) -> None: ...
    def stated(self, device_id: str, seen: int) -> bool:
        """Count a statement if as many were counted before as its nonce says."""

    def page(self, user_id: str | None, after: tuple[int, str], limit: int) -> list[Device]: ...
    def enable(self, device_id: str, high_from: int) -> None:
        """Enable a device that a restore turned off, for high risk from that moment on."""

    def revoke(self, device_id: str) -> bool: ...


class ConsentRows(Protocol):
    """Consents. `renew` and `revoke` MUST be one conditional UPDATE; None means: it is over."""

    def add(self, consent: Consent) -> None: ...
    def get(self, consent_id: str) -> Consent | None: ...
    def live(self, user_id: str, client_id: str, resource: str, now: int) -> Consent | None: ...
    def of_user(self, user_id: str, now: int, *, ended: bool) -> list[Consent]: ...
    def search(
        self,
        *,
        user_id: str | None,
        client_id: str | None,
        live_at: int | None,
        limit: int,
        before: tuple[int, str] | None,
    ) -> list[Consent]: ...
    def renew(self, consent: Consent, now: int) -> Consent | None:
        """Give one in force the scopes and the end of this record; created_at stays."""

    def revoke(self, consent_id: str, now: int) -> Consent | None: ...
    def revoke_client(self, client_id: str, now: int) -> list[Consent]: ...
    def revoke_at(self, resource: str, now: int) -> list[Consent]: ...


class ConsumptionRows(Protocol):
    """Approvals that were spent at a resource."""

    def first(self, wanted: Consumption) -> bool:
        """Reports whether it is spent now; at most one call for an approval ever gets True."""

    def get(self, approval_id: str) -> Consumption | None: ...


class OutcomeRows(Protocol):
    """What resources said of their executions."""

    def first(self, wanted: Outcome) -> bool:
        """Reports whether it is written now; at most one call for an approval ever gets True."""

    def get(self, approval_id: str) -> Outcome | None: ...


class DelegationRows(Protocol):
    """Issued access tokens."""

    def add(self, delegation: Delegation) -> None: ...
    def get(self, jti: str) -> Delegation | None: ...
    def of_approval(self, approval_id: str) -> Delegation | None: ...
    def extend(self, jti: str, now: int) -> Delegation | None:
        """The token, if something may come out of it now; remembers the use.

        It MUST be one conditional UPDATE, so that nobody revokes it before this unit is over.
        """

    def used(self, jti: str, now: int) -> None:
        """Remember that it was seen in use, at most once a minute."""

    def ancestors(self, jti: str) -> list[Delegation]:
        """What it came from, its parent first."""

    def descendants(self, jti: str) -> list[Delegation]:
        """What came from it, oldest first."""

    def search(
        self,
        *,
        client_id: str | None,
        user_id: str | None,
        resource: str | None,
        live_at: int | None,
        limit: int,
        before: tuple[int, str] | None = None,
    ) -> list[Delegation]:
        """The newest that match all that is given; `live_at` leaves out what is over then."""

    def clients_for(self, user_id: str, now: int) -> list[str]:
        """Who has a live token that acts for this user."""

    def revoke_tree(self, jti: str, now: int) -> list[str]:
        """Revoke a token and all that came from it; returns the ids that were live.

        Each of the four MUST also find what is being made from a token while it is revoked.
        """

    def revoke_consent(self, consent_id: str, now: int) -> list[str]:
        """Revoke what stands on a consent and all that came from it."""

    def live_of_client(self, client_id: str, now: int) -> tuple[int, int]:
        """How many live tokens are its own, and how many of others came from them."""

    def revoke_client(self, client_id: str, now: int) -> list[str]:
        """Revoke an agent's or app's tokens and all that came from them."""

    def revoke_at(self, resource: str, now: int) -> list[str]:
        """Revoke the tokens for this resource, and all that came from them."""

    def revoke_user(self, user_id: str, now: int) -> list[str]:
        """Revoke the tokens that act for this user."""


class AuditRows(Protocol):
    """The log. Entries are only ever added."""

    def add(self, entry: Entry) -> str:
        """Store the entry with its canonical bytes; returns its id."""

    def tail(self, limit: int, after: str | None = None) -> list[StoredEntry]:
        """The last `limit` entries, or those after an id, oldest first."""

    def of_approval(self, approval_id: str) -> list[StoredEntry]: ...
    def get(self, entry_id: str) -> StoredEntry | None: ...
    def search(self, wanted: EntrySearch, before: str | None, limit: int) -> list[StoredEntry]:
        """The newest entries that match, behind an id."""


class ReplayRows(Protocol):
    """Things that count once."""

    def first_use(self, kind: str, key: bytes, expires_at: int) -> bool: ...
    def prune(self, now: int) -> int: ...


@dataclass(frozen=True, slots=True)
class Window:
    """What was counted in one window."""

    key: str
    count: int
    ends_at: int


class CounterRows(Protocol):
    """Tries per window."""

    def count(self, key: str, window_ms: int) -> int:
        """One more; returns how many there are in the window that is open now."""

    def ended(self, key: str) -> list[Window]:
        """Take the window of this key away, if it is over."""

    def ended_below(self, prefix: str) -> list[Window]:
        """Likewise for all keys that begin so, oldest first."""

    def peek(self, key: str) -> int: ...
    def prune(self, now: int) -> int: ...
