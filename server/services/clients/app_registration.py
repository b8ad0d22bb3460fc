"""Dynamic registration of apps (RFC 7591). Registered apps are public clients and unverified.

Agents register in `registration.py`. A registration cannot be changed; register again instead.
"""

from dataclasses import dataclass
from typing import Final

from server.model.clients import App, Invitation
from server.model.ports import Secrets
from server.model.store import Store, Unit
from server.protocol import addresses, errors, names
from server.protocol.clients import app_registration
from server.protocol.clients.app_registration import AppMetadata
from server.protocol.names import handle_hash
from server.services.audit import audit
from server.services.clients import unknown_apps
from server.services.server_policy import ServerPolicy
from server.services.users import user_checks

MAX_PER_ADDRESS: Final = 20
MAX_TOTAL: Final = 200
"""Maximum numbers of registrations per hour."""
_WINDOW_MS: Final = 60 * 60 * 1000
_INVITATION_REQUIRED: Final = "Send the initial access token of an app invitation."
_TOO_MANY: Final = "Too many apps were registered. Try again later."


@dataclass(frozen=True, slots=True)
class AppRegistrationService:
    """Registers apps."""

    store: Store
    secrets: Secrets
    server_policy: ServerPolicy

    def register(self, token: str | None, metadata: AppMetadata, address: str) -> dict[str, object]:
        """Register an app (RFC 7591 3.2.1).

        Checks, in order, that: 1. the rate limits, which include failed attempts, are not
        exceeded; 2. if an invitation is required, its owner is enabled and it has uses left. Raises
        errors.ProtocolError.
        """
        self._check_rate_limits(address)
        with self.store.administer() as tx:
            by = audit.SYSTEM
            if self.server_policy.app_registration != "open":
                by = f"invitation:{_redeem_invitation(tx, token or '').id}"
            app = unknown_apps.add(tx, self._new_app(metadata, tx.now), by=by)
            return _client_information(app, metadata)

    def _check_rate_limits(self, address: str) -> None:
        network = addresses.network(address)
        with self.store.write() as tx:
            of_network = tx.counters.count(f"app registrations:{network}", _WINDOW_MS)
            total = tx.counters.count("app registrations", _WINDOW_MS)
        if of_network > MAX_PER_ADDRESS or total > MAX_TOTAL:
            raise errors.TemporarilyUnavailable(_TOO_MANY, retry_after=600)

    def _new_app(self, metadata: AppMetadata, now: int) -> App:
        app_id = self.secrets.new_id(names.PREFIX_APP)
        name = app_registration.name_from_redirect_uri(metadata.redirect_uris[0])
        blank = unknown_apps.blank_record(app_id, name, "registration", now)
        return unknown_apps.with_metadata(blank, metadata)


def _redeem_invitation(tx: Unit, token: str) -> Invitation:
    """Use an app invitation once. Raises errors.InvalidToken."""
    invitation = tx.invitations.by_token(handle_hash(token))
    if (
        invitation is None
        or not user_checks.is_enabled(tx, invitation.owner_id)
        or names.GRANT_AUTHORIZATION_CODE not in invitation.grant_types
        or not tx.invitations.spend(invitation.id, tx.now)
    ):
        raise errors.InvalidToken(_INVITATION_REQUIRED)
    return invitation


def _client_information(app: App, metadata: AppMetadata) -> dict[str, object]:
    """Return the client information. Apps have no secret, and registrations cannot be changed."""
    members: dict[str, object] = {
        "client_id": app.id,
        "client_id_issued_at": app.created_at // 1000,
        "client_name": app.claimed_name,
        "redirect_uris": list(app.redirect_uris),
        "application_type": metadata.application_type,
        "token_endpoint_auth_method": app.auth_method,
        "grant_types": list(app.grant_types),
        "response_types": ["code"],
        "id_token_signed_response_alg": app.id_token_alg,
        "authorization_details_types": list(app.action_types or ()),
        "dpop_bound_access_tokens": app.dpop_bound,
        "require_pushed_authorization_requests": app.requires_par,
    }
    return {name: value for name, value in members.items() if value is not None}
