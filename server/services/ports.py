"""What the services need from outside. MUST and MUST NOT are promises that every adapter keeps."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from server.protocol.passkeys import Assertion
from server.services.approval_rows import ApprovalRows, ApproverRows, DecisionRows, DeliveryRows
from server.services.attention_rows import AttentionRows
from server.services.ceremony_rows import CeremonyTryRows
from server.services.deputy_rows import DeputyRows
from server.services.escalation_rows import EscalationRows
from server.services.group_rows import GroupRows
from server.services.history_rows import HistoryRows
from server.services.icon_rows import IconRows
from server.services.incident_rows import IncidentRows
from server.services.installation_rows import InstallationRows
from server.services.limit_rows import LimitRows
from server.services.messages import FeedRows, NotificationRows, OutboxRows
from server.services.name_rows import NameRows
from server.services.passkey_records import MadePasskey, Passkey
from server.services.passkey_rows import BrowserRows, PasskeyRows
from server.services.people_rows import CodeGrantRows, FlowRows, PasswordRows, SignInRows
from server.services.policy.records import PolicyRow, PolicyRows, UseRows
from server.services.push_rows import PushRows
from server.services.records import (
    ActionRow,
    Agent,
    App,
    Group,
    Resource,
    SigningKey,
    User,
)
from server.services.registration_rows import InvitationRows, RegistrationRows
from server.services.rows import (
    ActionRows,
    AgentRows,
    AppRows,
    AuditRows,
    CodeRows,
    ConsentRows,
    ConsumptionRows,
    CounterRows,
    DelegationRows,
    DeviceCodeRows,
    DeviceRows,
    KeyRows,
    OutcomeRows,
    ReplayRows,
    ResourceRows,
    SessionRows,
    UserCodeRows,
    UserRows,
)
from server.services.standing_grant_rows import StandingGrantRows
from server.services.traces import TraceRows


class Clock(Protocol):
    """The time. Only `app.py` has the real one."""

    def now(self) -> int:
        """Milliseconds since the epoch."""

    def adjust(self, moment: int) -> int:
        """What this clock says when the database says `moment`; the real one agrees with it."""


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

    @property
    def codes(self) -> CodeRows: ...
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


class Wake(Protocol):
    """Something may have changed. A wake carries no facts: whoever wakes reads the database."""

    def changed(self) -> None: ...
    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds; reports whether something may have changed."""


class Signer(Protocol):
    """Our signing keys. A JWT comes out; the private keys never do."""

    def sign(
        self, keys: Sequence[SigningKey], alg: str, typ: str, claims: Mapping[str, object]
    ) -> str: ...
    def new_key(self, alg: str, now: int) -> SigningKey: ...


class Verifier(Protocol):
    """Signatures of others, and of ourselves. Raises `BadToken` with a reason for the log."""

    def client_assertion(
        self, token: str, jwks: Sequence[Mapping[str, str]]
    ) -> tuple[str, Mapping[str, object]]:
        """The `kid` of the key that signed it, and the claims."""

    def request_object(
        self, token: str, jwks: Sequence[Mapping[str, str]]
    ) -> tuple[str, str, Mapping[str, object]]:
        """The `kid` and the algorithm of the key that signed this request, and its claims."""

    def own_token(
        self, token: str, typ: str, keys: Sequence[SigningKey]
    ) -> Mapping[str, object]: ...
    def dpop(self, token: str) -> tuple[Mapping[str, str], Mapping[str, object]]:
        """The key inside the proof, and the claims that it signed."""

    def signed_by(self, jws: str, typ: str, jwk: Mapping[str, str], kid: str) -> bytes:
        """The payload bytes of a decision or statement."""

    def key_of(self, jws: str) -> str:
        """The thumbprint that a decision or statement names."""

    def unverified_subject(self, token: str) -> str:
        """Who claims to have made this assertion; for finding the key to check it with."""


class Authenticators(Protocol):
    """Passkeys, for the one site that this is. Raises `BadToken` with a reason for the log.

    The person MUST have been verified by their authenticator, not only present.
    """

    def made(self, attestation: bytes, client_data: bytes, challenge: bytes) -> MadePasskey:
        """A passkey that was made for this challenge."""

    def signed(self, said: Assertion, passkey: Passkey) -> int:
        """How often the passkey has signed now, if it has signed this payload."""

    def public_jwk(self, passkey: Passkey) -> Mapping[str, str]:
        """Its public key, for whoever checks what it signed."""


class PasswordHasher(Protocol):
    """What passwords become. Slow on purpose; it MUST NOT keep other requests from being served.

    Never call it inside a unit of work. Raises `Busy` when too many wait for it.
    """

    def hash(self, password: str) -> str: ...
    def verify(self, password: str, hashed: str | None) -> bool:
        """Reports whether this is the password; without one it MUST take as long to say no."""


class BadToken(Exception):
    """A signed thing that is not what it must be. The text is for the log."""


class Secrets(Protocol):
    """Chance, and the keys that never lie in the database."""

    def new_id(self, prefix: str) -> str: ...
    def new_secret(self, prefix: str) -> str: ...
    def new_code(self) -> tuple[str, str]:
        """An enrolment code: public id and secret, both upper-case Crockford base32."""

    def new_user_code(self) -> str:
        """What a person types to let a device in; letters of `device_codes.ALPHABET`."""

    def salt(self) -> str:
        """128 random bits."""

    def auth_req_id(self, approval_id: str) -> str:
        """The agent's handle for this approval, recomputed whenever it is needed."""

    def code_hash(self, code_id: str, secret: str) -> bytes: ...
    def user_code_hash(self, user_id: str, code: str) -> bytes: ...
    def nonce(self, *parts: str) -> str:
        """What a device must sign for these parts: the same for the same parts, until a restore."""

    def keyed_hash(self, *parts: str) -> str:
        """What the database keeps instead of these parts; a restore does not change it."""

    def pin_answer(self, device_id: str, epoch: int, x: bytes) -> bytes: ...
    def seal(self, purpose: str, text: bytes) -> bytes: ...
    def open(self, purpose: str, sealed: bytes) -> bytes: ...
