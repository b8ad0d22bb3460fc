"""Invitations: initial access tokens that agents register themselves with (RFC 7591 1.2).

An invitation sets the owner of the agents that register with it, and limits their permissions.
"""

from dataclasses import dataclass
from typing import Any, Final

from server.model.audit import Entry
from server.model.clients import Invitation
from server.model.ports import Secrets
from server.model.store import Store, Unit
from server.model.users import User
from server.protocol import names
from server.protocol.names import handle_hash
from server.services import paging
from server.services.audit import audit
from server.services.clients import agent_forms
from server.services.clients.agent_forms import NewAgent
from server.services.paging import ResultPage
from server.services.refusals import Invalid, NotFound, error_member
from server.services.users import user_checks, users

DEFAULT_LIFE_MS: Final = 7 * 24 * 60 * 60 * 1000
MAX_LIFE_MS: Final = 90 * 24 * 60 * 60 * 1000
MAX_USES: Final = 1_000
SAFE_GRANTS: Final = (names.GRANT_CIBA,)
"""The default grants of an agent that registers itself: it must request approval."""


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """A new invitation, as described by an administrator."""

    owner: str
    grant_types: tuple[str, ...] = SAFE_GRANTS
    resources: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    action_types: tuple[str, ...] | None = None
    asks: tuple[str, ...] | None = ()
    """Who its agents may ask: only the owner if empty, everyone if None."""
    uses: int = 1
    expires_at: int | None = None

    @property
    def for_apps(self) -> bool:
        """Whether it is for apps, which people use, instead of agents."""
        return names.GRANT_AUTHORIZATION_CODE in self.grant_types


@dataclass(frozen=True, slots=True)
class IssuedInvitation:
    """An invitation and its token, which is shown once."""

    invitation: Invitation
    owner: User
    token: str


@dataclass(frozen=True, slots=True)
class Invitations:
    """Administers invitations."""

    store: Store
    secrets: Secrets

    def issue(self, new: NewInvitation, *, by: str) -> IssuedInvitation:
        """Create an invitation. Raises `NotFound`, `Invalid`, or `Conflict` (disabled owner)."""
        if not 1 <= new.uses <= MAX_USES:
            raise Invalid(f"An invitation can have 1 to {MAX_USES} uses.", member="uses")
        token = self.secrets.new_secret(names.PREFIX_INITIAL_TOKEN)
        with self.store.write() as tx:
            owner = _owner(tx, new.owner)
            invitation = self._invitation(tx, new, owner, token, by)
            tx.invitations.add(invitation)
            _record(tx, audit.Type.INVITATION_ISSUED, invitation, by)
            return IssuedInvitation(invitation, owner, token)

    def page(self, after: str, limit: int) -> ResultPage[Invitation]:
        """Return the invitations after this ID, including those that are no longer valid."""
        with self.store.read() as view:
            invitations = view.invitations.page(after, limit + 1)
        return paging.part(invitations, limit, lambda invitation: invitation.id)

    def revoke(self, invitation_id: str, *, by: str) -> Invitation:
        """Revoke an invitation. Agents that used it stay registered. Raises `NotFound`."""
        with self.store.write() as tx:
            invitation = tx.invitations.get(invitation_id)
            if invitation is None:
                raise NotFound("invitation", invitation_id)
            if tx.invitations.revoke(invitation.id, tx.now):
                _record(tx, audit.Type.INVITATION_REVOKED, invitation, by)
            return tx.invitations.get(invitation_id) or invitation

    def _invitation(
        self, tx: Unit, new: NewInvitation, owner: User, token: str, by: str
    ) -> Invitation:
        expires_at = tx.now + DEFAULT_LIFE_MS if new.expires_at is None else new.expires_at
        if not tx.now < expires_at <= tx.now + MAX_LIFE_MS:
            raise Invalid(
                "An invitation must expire in the future, within 90 days.", member="expires_at"
            )
        limits = self._app_limits(new) if new.for_apps else self._agent_limits(tx, new, owner)
        return Invitation(
            id=self.secrets.new_id(names.PREFIX_INVITATION),
            token_hash=handle_hash(token),
            owner_id=owner.id,
            **limits,
            uses_left=new.uses,
            created_by=by,
            created_at=tx.now,
            expires_at=expires_at,
        )

    def _app_limits(self, new: NewInvitation) -> dict[str, Any]:
        """Return the limits for apps, which have the same permissions as every unregistered app."""
        if set(new.grant_types) != set(names.USUAL_APP_GRANTS) or new.resources or new.scopes:
            raise Invalid(
                "An invitation for apps has the grants authorization_code and refresh_token, and "
                "no resources or scopes. Open the resources to unregistered apps instead.",
                member="grant_types",
            )
        lists = {"resources": (), "scopes": (), "action_types": (), "asks": ()}
        return {"grant_types": names.USUAL_APP_GRANTS, **lists}

    def _agent_limits(self, tx: Unit, new: NewInvitation, owner: User) -> dict[str, Any]:
        """Return the limits for agents, validated by creating a sample agent."""
        new_agent = NewAgent(
            name="sample",
            owners=(owner.id,),
            grant_types=new.grant_types,
            resources=new.resources,
            scopes=new.scopes,
            action_types=new.action_types,
            asks=(owner.id,) if new.asks == () else new.asks,
        )
        agent = agent_forms.new_record(tx, new_agent, names.PREFIX_AGENT)
        limits = ("grant_types", "resources", "scopes", "action_types", "asks")
        return {name: getattr(agent, name) for name in limits}


@error_member("owner")
def _owner(tx: Unit, name_or_id: str) -> User:
    owner = user_checks.find(tx, name_or_id)
    if not owner.enabled:
        raise users.disabled_error(owner)
    return owner


def _record(tx: Unit, kind: audit.Type, invitation: Invitation, by: str) -> None:
    facts = {
        "invitation": invitation.id,
        "uses_left": invitation.uses_left,
        "expires_at": invitation.expires_at,
        "grant_types": list(invitation.grant_types),
        "resources": list(invitation.resources),
        "scopes": list(invitation.scopes),
    }
    tx.audit.add(Entry(kind, by, subject=invitation.owner_id, facts=facts))
