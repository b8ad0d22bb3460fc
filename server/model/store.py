"""The contracts of the store: units of work and readings."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias

from server.lazy_imports import lazily

with lazily():
    from server.model.approval_views import ApprovalReferenceRows
    from server.model.approvals import (
        ApprovalRows,
        ApproverRows,
        CeremonyAttemptRows,
        ConsumptionRows,
        DecisionRows,
        DeliveryRows,
        OutcomeRows,
    )
    from server.model.approvers import DeputyRows, EscalationRows, Group, GroupRows
    from server.model.audit import AuditLogRows, AuditRows
    from server.model.clients import (
        Agent,
        AgentRows,
        App,
        AppRows,
        AppUseRows,
        IconRows,
        InvitationRows,
        NameRows,
        RegistrationRows,
    )
    from server.model.consents import ConsentRows
    from server.model.devices import (
        BrowserRows,
        DeviceCodeRows,
        DeviceRows,
        EnrollmentCodeRows,
        PasskeyRows,
        SessionRows,
    )
    from server.model.history import HistoryRows
    from server.model.incidents import IncidentRows
    from server.model.notifications import (
        AttentionRows,
        FeedRows,
        NotificationRows,
        OutboxRows,
        PushRows,
    )
    from server.model.operations import (
        ApprovalStatisticsRows,
        CounterRows,
        InstallationRows,
        LimitRows,
    )
    from server.model.policy import ActionRow, ActionRows, PolicyRow, PolicyRows, UseRows
    from server.model.reactions import Ended, Event
    from server.model.resources import Resource, ResourceRows
    from server.model.sign_in import CodeGrantRows, FlowRows, SignInRows
    from server.model.standing_grants import StandingGrantRows
    from server.model.tokens import DelegationRows, KeyRows, ReplayRows, SigningKey
    from server.model.users import PasswordRows, User, UserCodeRows, UserRows


class Directory(Protocol):
    """Agents, apps, users, resources, action types and keys, as this unit of work sees them.

    The records MUST be those of the current `admin_version`; a cache MUST NOT use timeouts.
    """

    def agent(self, client_id: str) -> Agent | None: ...
    def agent_called(self, name_or_id: str) -> Agent | None: ...
    def app(self, client_id: str) -> App | None: ...
    def app_called(self, name_or_id: str) -> App | None: ...
    def user(self, user_id: str) -> User | None: ...
    def user_called(self, name_email_or_id: str) -> User | None: ...
    def administrators(self) -> tuple[str, ...]:
        """The user ids of administrators."""

    def group_called(self, name_or_id: str) -> Group | None: ...
    def members(self) -> Mapping[str, frozenset[str]]:
        """Group id → user ids of its members."""

    def resource(self, uri: str) -> Resource | None: ...
    def resource_client(self, client_id: str) -> Resource | None:
        """The resource with this client_id."""

    def action(self, action_type: str) -> ActionRow | None: ...
    def policy(self) -> PolicyRow | None:
        """The current policy; None for the default."""

    def signing_keys(self) -> tuple[SigningKey, ...]: ...


class View(Protocol):
    """A reading for display. It may be outdated, so no change may depend on it."""

    @property
    def now(self) -> int: ...
    @property
    def version(self) -> int:
        """The `admin_version` that this reading sees."""

    @property
    def directory(self) -> Directory: ...
    @property
    def users(self) -> UserRows: ...
    @property
    def groups(self) -> GroupRows: ...
    @property
    def names(self) -> NameRows: ...
    @property
    def agents(self) -> AgentRows: ...
    @property
    def apps(self) -> AppRows: ...
    @property
    def app_uses(self) -> AppUseRows: ...
    @property
    def resources(self) -> ResourceRows: ...
    @property
    def actions(self) -> ActionRows: ...
    @property
    def policies(self) -> PolicyRows: ...
    @property
    def uses(self) -> UseRows: ...
    @property
    def sessions(self) -> SessionRows: ...
    @property
    def passwords(self) -> PasswordRows: ...
    @property
    def passkeys(self) -> PasskeyRows: ...
    @property
    def browsers(self) -> BrowserRows: ...
    @property
    def icons(self) -> IconRows: ...
    @property
    def pushes(self) -> PushRows: ...
    @property
    def sign_ins(self) -> SignInRows: ...
    @property
    def flows(self) -> FlowRows: ...
    @property
    def code_grants(self) -> CodeGrantRows: ...
    @property
    def devices(self) -> DeviceRows: ...
    @property
    def approvals(self) -> ApprovalRows: ...
    @property
    def approvers(self) -> ApproverRows: ...
    @property
    def decisions(self) -> DecisionRows: ...
    @property
    def deliveries(self) -> DeliveryRows: ...
    @property
    def attention(self) -> AttentionRows: ...
    @property
    def deputies(self) -> DeputyRows: ...
    @property
    def escalations(self) -> EscalationRows: ...
    @property
    def ceremony_attempts(self) -> CeremonyAttemptRows: ...
    @property
    def invitations(self) -> InvitationRows: ...
    @property
    def registrations(self) -> RegistrationRows: ...
    @property
    def consents(self) -> ConsentRows: ...
    @property
    def consumptions(self) -> ConsumptionRows: ...
    @property
    def outcomes(self) -> OutcomeRows: ...
    @property
    def delegations(self) -> DelegationRows: ...
    @property
    def approval_statistics(self) -> ApprovalStatisticsRows: ...
    @property
    def limits(self) -> LimitRows: ...
    @property
    def approval_references(self) -> ApprovalReferenceRows: ...
    @property
    def history(self) -> HistoryRows: ...
    @property
    def incidents(self) -> IncidentRows: ...
    @property
    def standing_grants(self) -> StandingGrantRows: ...
    @property
    def audit(self) -> AuditRows: ...
    @property
    def audit_log(self) -> AuditLogRows: ...
    @property
    def feed(self) -> FeedRows: ...
    @property
    def outbox(self) -> OutboxRows: ...
    @property
    def installation(self) -> InstallationRows: ...


class Unit(View, Protocol):
    """One unit of work: all of it is stored, or nothing."""

    def lock(self, name: str) -> None:
        """Take the lock of this name until the end of the unit of work.

        Counting rows before adding one needs a lock, because units of work run concurrently.
        """

    def react(self, event: Event) -> Ended:
        """Run the functions that handle an event. Returns what they ended."""

    @property
    def codes(self) -> EnrollmentCodeRows: ...
    @property
    def device_codes(self) -> DeviceCodeRows: ...
    @property
    def keys(self) -> KeyRows: ...
    @property
    def user_codes(self) -> UserCodeRows: ...
    @property
    def replays(self) -> ReplayRows: ...
    @property
    def counters(self) -> CounterRows: ...
    @property
    def notifications(self) -> NotificationRows: ...


React: TypeAlias = Callable[[Unit, Event], Ended]
"""Runs the functions that handle an event (`services.reactions.react`)."""


class Taken(Exception):
    """A unique name is already used."""


class Busy(Exception):
    """The store did not answer in time. Nothing was changed."""


class Store(Protocol):
    """The database.

    `write()` MUST return only after the COMMIT, MUST raise `Busy` instead of waiting forever, and
    MUST roll back if the block raises. The block must not send or wait for anything.
    """

    def write(self) -> AbstractContextManager[Unit]: ...
    def administer(self) -> AbstractContextManager[Unit]:
        """A unit of work that changes agents, apps, users, resources, action types or keys.

        It MUST increment `admin_version`, and MUST exclude all other units of work.
        """

    def read(self) -> AbstractContextManager[View]: ...
