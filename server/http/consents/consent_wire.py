"""Consents as JSON."""

from typing import Literal

from pydantic import BaseModel

from server.http.wire import Listed, Named
from server.services.consents.consents import GivenConsent
from server.services.policy.displays import rfc3339


class Consent(BaseModel):
    """What a person lets a client do, until when."""

    id: str
    state: Literal["live", "expired", "revoked"]
    client: Named
    app: Named | None
    resource: str
    scopes: list[str]
    created_at: str
    expires_at: str
    revoked_at: str | None


class Consents(BaseModel):
    """A person's consents."""

    items: list[Consent]


class ConsentRevoked(BaseModel):
    """An ended consent, and how many tokens ended with it."""

    consent: Consent
    tokens_revoked: int


class AccessRevoked(BaseModel):
    """What ended when a client's access was revoked."""

    client_id: str
    grants_ended: int
    consents_revoked: int
    tokens_revoked: int


class ManagedConsent(Consent):
    """A consent with its user and the approval that gave it."""

    user: Named
    approval: str | None


class ManagedConsents(Listed[ManagedConsent]):
    """A page of the list of consents, newest first."""


class ManagedConsentRevoked(BaseModel):
    """A consent that an administrator ended, and how many tokens ended with it."""

    consent: ManagedConsent
    tokens_revoked: int


def consent(given: GivenConsent, now: int) -> Consent:
    """A consent as JSON."""
    record = given.consent
    app = None if given.app_name is None else Named(id=record.app_id or "", name=given.app_name)
    return Consent(
        id=record.id,
        state=given.state(now),
        client=Named(id=record.client_id, name=given.client_name),
        app=app,
        resource=record.resource,
        scopes=list(record.scopes),
        created_at=rfc3339(record.created_at),
        expires_at=rfc3339(record.expires_at),
        revoked_at=None if record.revoked_at is None else rfc3339(record.revoked_at),
    )


def managed(given: GivenConsent, now: int) -> ManagedConsent:
    """A consent for administrators, as JSON."""
    user = Named(id=given.consent.user_id, name=given.user_name)
    members = consent(given, now).model_dump()
    return ManagedConsent(**members, user=user, approval=given.consent.approval_id)
