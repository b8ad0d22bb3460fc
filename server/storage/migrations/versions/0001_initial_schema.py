"""Create the initial schema, described below in one block of text per table.

table     its name and primary key
has       columns as `name:type`; text if there is no type, and `?` if NULL is allowed
unique    columns that are unique together
refers    a column and the column it refers to
cascades  the same, and the row is deleted with the row it refers to
index     its name, columns and condition

The types are `bytes`, `bool`, `int`, `big` (64 bits), `serial` (an integer that the database
chooses) and `number` (an integer key that the server chooses).
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from server.storage.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES: Final = """
table action_types type
  has type document version:int created_at:big
table agents id
  has id name name_key description auth_method auth_before? auth_before_until:big? jwks
  has grant_types delivery resources scopes only serves labels token_seconds:int?
  has action_types? asks? id_token_alg state expires_at:big? created_at:big dpop_bound:bool
  has request_alg? notification_endpoint? takes_user_code:bool high_grants:bool
  has interactive:bool external_id? review_at:big? icon?
  unique name_key
table approvals id
  has id auth_req_hash:bytes agent_id user_id? resource scope openid_scope details risk
  has ceremony action display action_digest display_digest acr_values state reason?
  has created_at:big expires_at:big interval_ms:int last_poll_at:big? polls:int holder?
  has seen_at:big? decided_at:big? idempotency_hash:bytes? request_hash:bytes answer:bytes?
  has answer_key:bytes? answer_until:big? parent_id? kind delivery notification_token:bytes?
  has jkt? policy past granted? granted_rows held_back:bool delivered_at:big? quorum:int
  has several:bool decided_by? life_ms:big extensions:int escalate_at:big? escalated:int
  has supersedes? retry_asked_at:big?
  unique agent_id idempotency_hash
  unique auth_req_hash
  index ix_approvals_asked agent_id user_id created_at
  index ix_approvals_decided user_id decided_at
  index ix_approvals_denied agent_id decided_at user_id where state = 'denied'
  index ix_approvals_due expires_at where state IN ('pending', 'approved')
  index ix_approvals_escalate escalate_at where state = 'pending'
  index ix_approvals_made created_at
  index ix_approvals_of_agent agent_id created_at
  index ix_approvals_open agent_id user_id expires_at where state IN ('pending', 'approved')
  index ix_approvals_waiting user_id risk expires_at id where state = 'pending'
table audit_entries id
  has id seq:big? at:big type actor agent_id? subject? resource? action? decision?
  has correlation_id posture? cause? approval_id? body:bytes leaf:bytes
  unique seq
  index ix_audit_entries_approval_id approval_id
  index ix_audit_entries_at at
  index ix_audit_entries_refused at where type IN ('approval.refused', 'agent.paused', \
'refusals.counted')
table ceremony_tries approval_id step user_id
  has approval_id step user_id tries:int
  refers approval_id approvals.id
table counters key
  has key window_ends_at:big count:int
  index ix_counters_window_ends_at window_ends_at
table delegations id
  has id approval_id? parent_id? consent_id? client_id user_id? resource scope details chain
  has depth:int jkt? issued_at:big expires_at:big last_used_at:big? revoked_at:big?
  unique approval_id
  index ix_delegations_live client_id expires_at
  index ix_delegations_user user_id expires_at
  index ix_delegations_parent parent_id where parent_id IS NOT NULL
  index ix_delegations_consent consent_id where consent_id IS NOT NULL
table feed_events id
  has id:serial seq:big? user_id event at:big approval_id? device_id? held? agent_id?
  has incident_id?
  unique seq
  index ix_feed_events_user user_id seq
table history owner key
  has owner key count:big total:big
table installation id
  has id:int admin_version:big created_at:big
table outbox id
  has id:serial channel target body state attempts:int not_before:big lease_until:big?
  has lease_by? created_at:big last_error?
  index ix_outbox_due state not_before
  index ix_outbox_next state channel target not_before id
  index ix_outbox_trouble channel target last_error state
table replays kind key
  has kind key:bytes expires_at:big
  index ix_replays_expires_at expires_at
table resources uri
  has uri client_id scopes requires token_seconds:int? created_at:big
  unique client_id
table signing_keys kid
  has kid alg public_jwk sealed:bytes state created_at:big retires_at:big?
table users id
  has id name name_key email? email_key? roles state created_at:big backup? disabled_at:big?
  refers backup users.id
  unique email_key
  unique name_key
table user_codes user_id
  has user_id hash:bytes set_at:big
  refers user_id users.id
table agent_owners agent_id user_id
  has agent_id user_id since:big
  cascades agent_id agents.id
  refers user_id users.id
table agent_secrets id
  has id agent_id hash:bytes hint created_at:big expires_at:big? last_used_at:big?
  cascades agent_id agents.id
  unique hash
  index ix_agent_secrets_agent_id agent_id
table consents id
  has id user_id client_id app_id? resource scopes created_at:big expires_at:big
  has revoked_at:big? approval_id?
  refers user_id users.id
  index ix_consents_client client_id
  index ix_consents_live user_id client_id resource
table consumptions approval_id
  has approval_id execution_id token_id resource at:big
  refers approval_id approvals.id
table outcomes approval_id
  has approval_id result text? executed_digest? at:big
  refers approval_id consumptions.approval_id
table decisions approval_id user_id
  has approval_id user_id device_id decision code? note? ceremony channel jws at:big
  has voided_at:big? reason? retry_at:big? ask_user? private_note?
  refers approval_id approvals.id
  refers user_id users.id
table device_codes id
  has id device_code_hash:bytes user_code_hash:bytes client_id resource scope jkt name
  has address created_at:big expires_at:big interval_ms:int last_poll_at:big? approval_id?
  unique device_code_hash
  unique user_code_hash
  index ix_device_codes_expires_at expires_at
table devices id
  has id user_id session_id name kind state created_at:big last_seen_at:big? high_from:big
  has keys kids pin_tries:int pin_calls:int pin_unconfirmed:int pin_epoch:int pin_for?
  has pin_for_at:big? statements:int
  refers user_id users.id
  unique session_id
  index ix_devices_user_id user_id
table enrolment_codes id
  has id user_id secret_hash:bytes created_by created_at:big expires_at:big used_at:big?
  has tries:int first:bool
  refers user_id users.id
  index ix_enrolment_codes_user_id user_id
table resource_secrets id
  has id resource hash:bytes hint created_at:big expires_at:big? last_used_at:big?
  cascades resource resources.uri
  unique hash
  index ix_resource_secrets_resource resource
table invitations id
  has id token_hash:bytes owner_id grant_types resources scopes action_types? asks?
  has uses_left:int created_by created_at:big expires_at:big revoked_at:big?
  refers owner_id users.id
  unique token_hash
table registrations agent_id
  has agent_id invitation_id token_hash:bytes created_at:big
table sessions id
  has id user_id code_id jkt public_jwk refresh_hash:bytes previous_hash:bytes?
  has rotated_at:big created_at:big expires_at:big revoked_at:big? device_id? first:bool
  has admitted_as?
  refers user_id users.id
  unique refresh_hash
  index ix_sessions_previous_hash previous_hash
  index ix_sessions_user_id user_id
table apps id
  has id name name_key auth_method jwks redirect_uris post_logout_redirect_uris grant_types
  has resources scopes action_types? id_token_alg dpop_bound:bool state created_at:big
  unique name_key
table app_secrets id
  has id app_id hash:bytes hint created_at:big expires_at:big? last_used_at:big?
  cascades app_id apps.id
  unique hash
  index ix_app_secrets_app_id app_id
table passwords user_id
  has user_id hash changed_at:big used_at:big?
  refers user_id users.id
table password_tries key
  has key:bytes tries:int not_before:big forget_at:big
  index ix_password_tries_forget_at forget_at
table sign_ins id
  has id token_hash:bytes user_id auth_time:big expires_at:big ended_at:big? acr
  refers user_id users.id
  unique token_hash
  index ix_sign_ins_user_id user_id
  index ix_sign_ins_expires_at expires_at
table flows hash
  has hash:bytes app_id parameters created_at:big expires_at:big sign_in_id? allowed_at:big?
  has approvals done_at:big?
  index ix_flows_expires_at expires_at
table pushed_requests hash
  has hash:bytes app_id parameters expires_at:big used_at:big?
  index ix_pushed_requests_expires_at expires_at
table authorization_codes hash
  has hash:bytes grant challenge expires_at:big used_at:big? jti? family_id?
  index ix_authorization_codes_expires_at expires_at
table refresh_families id
  has id app_id user_id sign_in_id grant created_at:big expires_at:big ended_at:big?
  index ix_refresh_families_app_id app_id
  index ix_refresh_families_user_id user_id
  index ix_refresh_families_sign_in_id sign_in_id
  index ix_refresh_families_expires_at expires_at
table refresh_tokens hash
  has hash:bytes family_id created_at:big used_at:big?
  cascades family_id refresh_families.id
  index ix_refresh_tokens_family_id family_id
table family_tokens jti
  has jti family_id created_at:big
  cascades family_id refresh_families.id
  index ix_family_tokens_family_id family_id
table quiet_hours user_id
  has user_id days begins ends zone set_at:big
  refers user_id users.id
table mutes user_id agent_id
  has user_id agent_id since:big until:big?
  refers user_id users.id
  cascades agent_id agents.id
table holds user_id approval_id
  has user_id approval_id until:big why
  refers user_id users.id
  refers approval_id approvals.id
  index ix_holds_until until
table notifications id
  has id:serial user_id agent_id types lane at:big
  index ix_notifications_at at
  index ix_notifications_user user_id lane at
table deputies id
  has id user_id deputy_id from_at:big to_at:big state device_id created_at:big
  has revoked_at:big?
  refers user_id users.id
  refers deputy_id users.id
  index ix_deputies_user user_id to_at where state <> 'over'
  index ix_deputies_deputy deputy_id to_at where state <> 'over'
table policies version
  has version:number document agents users hash set_by set_at:big
table uses agent_id use at token_id
  has agent_id use at:big token_id
table incidents id
  has id state cause scope approval_id? user_id? device_id? note? evidence opened_at:big
  has closed_at:big? closed_by? closing_note?
  refers approval_id approvals.id
  refers user_id users.id
  index ix_incidents_approval approval_id
  index ix_incidents_opened opened_at
  index ix_incidents_user user_id where state = 'open'
table groups id
  has id name name_key created_at:big
  unique name_key
table group_members group_id user_id
  has group_id user_id
  cascades group_id groups.id
  refers user_id users.id
table approvers approval_id user_id
  has approval_id user_id why approves:bool stands_for? group_id? added_at:big ends_at:big
  has risk over_at:big? held_back:bool
  refers approval_id approvals.id
  refers user_id users.id
  index ix_approvers_over user_id over_at where over_at IS NOT NULL
  index ix_approvers_waiting user_id risk ends_at approval_id where over_at IS NULL
table standing_grants id
  has id user_id agent_id resource scopes details vary type? version:int? risk ceremony
  has uses:int sum_minor:big? sum_currency? tell:bool used:int spent_minor:big numbered:int
  has approval_id created_at:big expires_at:big ended_at:big? ended_because?
  refers approval_id approvals.id
  refers user_id users.id
  index ix_standing_grants_agent agent_id where ended_at IS NULL
  index ix_standing_grants_live user_id agent_id resource where ended_at IS NULL
  index ix_standing_grants_made created_at
table grant_uses grant_id number
  has grant_id number:number approval_id minor:big state at:big
  refers grant_id standing_grants.id
  unique approval_id
table deliveries approval_id device_id
  has approval_id device_id delivered_at:big seen_at:big?
  refers approval_id approvals.id
  refers device_id devices.id
table passkeys device_id
  has device_id credential:bytes public_key:bytes signs:big synced:bool
  refers device_id devices.id
  unique credential
table browsers token_hash
  has token_hash:bytes device_id signed_in_at:big expires_at:big ended_at:big?
  refers device_id devices.id
  index ix_browsers_device_id device_id
  index ix_browsers_expires_at expires_at
table push_subscriptions id
  has id user_id device_id endpoint_hash:bytes origin sealed:bytes created_at:big
  has opened_at:big delivered_at:big? warned_at:big? checked_at:big? problem?
  refers user_id users.id
  refers device_id devices.id
  unique endpoint_hash
  index ix_push_subscriptions_user_id user_id
  index ix_push_subscriptions_opened_at opened_at
table push_losses id
  has id user_id device_id origin lost_at:big
  refers user_id users.id
  refers device_id devices.id
  index ix_push_losses_user_id user_id
table agent_keys agent_id kid
  has agent_id kid last_used_at:big?
  cascades agent_id agents.id
table icons digest
  has digest media_type body:bytes
"""
_TYPES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "": sa.Text(),
        "int": sa.Integer(),
        "number": sa.Integer(),
        "big": sa.BigInteger(),
        "serial": sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        "bytes": sa.LargeBinary(),
        "bool": sa.Boolean(),
    }
)
_AUTOINCREMENT: Final[Mapping[str, bool]] = MappingProxyType({"serial": True, "number": False})
_OPTIONS: Final[Mapping[str, Mapping[str, bool]]] = MappingProxyType(
    {
        "feed_events": {"sqlite_autoincrement": True},
        "outbox": {"sqlite_autoincrement": True},
        "history": {"sqlite_with_rowid": False},
        "uses": {"sqlite_with_rowid": False},
    }
)


def upgrade() -> None:
    """Create the tables."""
    tables = sa.MetaData(naming_convention=metadata.naming_convention)
    for block in _TABLES.split("\ntable ")[1:]:
        head, *lines = block.splitlines()
        name, *key = head.split()
        parts = [part for line in lines for part in _parts(line, key)]
        sa.Table(name, tables, *parts, **_OPTIONS.get(name, {}))
    tables.create_all(op.get_bind())
    _create_indexes()


def _create_indexes() -> None:
    """Create indexes in this order, because SQLite picks the last of two equally good indexes."""
    for block in _TABLES.split("\ntable ")[1:]:
        table, *lines = block.splitlines()
        for words, _, condition in (line.partition(" where ") for line in lines):
            kind, name, *columns = words.split()
            where = sa.text(condition) if condition else None
            if kind == "index":
                options = {"sqlite_where": where, "postgresql_where": where}
                op.create_index(name, table.split()[0], columns, **options)


def _parts(line: str, key: Sequence[str]) -> Iterator[sa.schema.SchemaItem]:
    kind, *names = line.split()
    match kind:
        case "has":
            yield from (_column(name, key) for name in names)
        case "unique":
            yield sa.UniqueConstraint(*names)
        case "refers":
            yield sa.ForeignKeyConstraint([names[0]], [names[1]])
        case "cascades":
            yield sa.ForeignKeyConstraint([names[0]], [names[1]], ondelete="CASCADE")


def _column(text: str, key: Sequence[str]) -> sa.Column[Any]:
    name, _, kind = text.rstrip("?").partition(":")
    return sa.Column(
        name,
        _TYPES[kind],
        primary_key=name in key,
        nullable=text.endswith("?"),
        autoincrement=_AUTOINCREMENT.get(kind, "auto"),
    )
