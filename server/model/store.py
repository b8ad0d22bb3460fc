"""The store: units of work, readings, and what each promises."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias

from server.model.approvals import (
    ApprovalRows,
    ApproverRows,
    CeremonyTryRows,
    ConsumptionRows,
    DecisionRows,
    DeliveryRows,
    OutcomeRows,
)
from server.model.approvers import DeputyRows, EscalationRows, Group, GroupRows
from server.model.audit import AuditRows
from server.model.clients import (
    Agent,
    AgentRows,
    App,
    AppRows,
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
    EnrolmentCodeRows,
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
from server.model.operations import CounterRows, InstallationRows, LimitRows, TraceRows
from server.model.policy import ActionRow, ActionRows, PolicyRow, PolicyRows, UseRows
from server.model.reactions import Ended, Event
from server.model.resources import Resource, ResourceRows
from server.model.sign_in import CodeGrantRows, FlowRows, SignInRows
from server.model.standing_grants import StandingGrantRows
from server.model.tokens import DelegationRows, KeyRows, ReplayRows, SigningKey
from server.model.users import PasswordRows, User, UserCodeRows, UserRows


class Directory(Protocol):
    """Agents, apps, users, resources, action types and keys as they stand in this unit of work.

    Answers MUST be those of the current `admin_version`; a cache is keyed by it, never by time.
    """

    def agent(self, client_id: str) -> Agent | None: ...
    def agent_called(self, name_or_id: str) -> Agent | None: ...
    def app(self, client_id: str) -> App | None: ...
    def app_called(self, name_or_id: str) -> App | None: ...
    def user(self, user_id: str) -> User | None: ...
    def user_called(self, name_email_or_id: str) -> User | None: ...
    def administrators(self) -> tuple[str, ...]:
        """User ids of those who administer."""

    def group_called(self, name_or_id: str) -> Group | None: ...
    def members(self) -> Mapping[str, frozenset[str]]:
        """Group ids → user ids, of every group."""

    def resource(self, uri: str) -> Resource | None: ...
    def resource_client(self, client_id: str) -> Resource | None:
        """The resource that authenticates by this name."""

    def action(self, action_type: str) -> ActionRow | None: ...
    def policy(self) -> PolicyRow | None:
        """The rule set in force; None while it is the default."""

    def signing_keys(self) -> tuple[SigningKey, ...]: ...


class View(Protocol):
    """Reading, consistent enough to show. Nothing may be decided from it."""

    @property
    def now(self) -> int: ...
    @property
    def version(self) -> int:
        """The `admin_version` that this reading stands on."""

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
    def ceremony_tries(self) -> CeremonyTryRows: ...
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
    def traces(self) -> TraceRows: ...
    @property
    def limits(self) -> LimitRows: ...
    @property
    def history(self) -> HistoryRows: ...
    @property
    def incidents(self) -> IncidentRows: ...
    @property
    def standing_grants(self) -> StandingGrantRows: ...
    @property
    def audit(self) -> AuditRows: ...
    @property
    def feed(self) -> FeedRows: ...
    @property
    def outbox(self) -> OutboxRows: ...
    @property
    def installation(self) -> InstallationRows: ...


class Unit(View, Protocol):
    """One unit of work: all of it is stored, or none."""

    def queue(self, name: str) -> None:
        """Wait until no other unit of work that queued under this name is open.

        What is counted before it is written needs this wherever several write at once.
        """

    def react(self, event: Event) -> Ended:
        """Run what follows from an event, in its fixed order; returns what ended with it."""

    @property
    def codes(self) -> EnrolmentCodeRows: ...
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
"""Runs what follows from an event. Whoever opens a store hands it the one of the services."""


class Taken(Exception):
    """A name that must be unique is used already."""


class Busy(Exception):
    """The store could not be reached in time; nothing was changed."""


class Store(Protocol):
    """The database.

    `write()` MUST return only after the COMMIT, MUST raise `Busy` rather than wait for ever, and
    MUST undo everything when the block raises. Nothing may be sent or awaited inside.
    """

    def write(self) -> AbstractContextManager[Unit]: ...
    def administer(self) -> AbstractContextManager[Unit]:
        """A unit of work that changes agents, apps, users, resources, action types or keys.

        It MUST raise `admin_version`, and MUST wait until no other unit of work stands on the
        version before.
        """

    def read(self) -> AbstractContextManager[View]: ...
