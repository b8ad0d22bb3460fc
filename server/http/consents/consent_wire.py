"""Consents as JSON."""

from typing import Literal

from pydantic import BaseModel

from server.http.wire import Listed, Reference
from server.services.consents import consent_json
from server.services.consents.consents import GivenConsent


class Consent(BaseModel):
    """A consent: the scopes that a person gave a client, and until when."""

    id: str
    state: Literal["live", "expired", "revoked"]
    client: Reference
    app: Reference | None
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
    """Items revoked with a client's access."""

    client_id: str
    grants_ended: int
    consents_revoked: int
    tokens_revoked: int


class ManagedConsent(Consent):
    """A consent with its user and the approval that gave it."""

    user: Reference
    approval: str | None


class ManagedConsents(Listed[ManagedConsent]):
    """A page of the list of consents, newest first."""


class ManagedConsentRevoked(BaseModel):
    """A consent that an administrator ended, and how many tokens ended with it."""

    consent: ManagedConsent
    tokens_revoked: int


def consent(given: GivenConsent, now: int) -> Consent:
    """A consent as JSON."""
    return Consent.model_validate(consent_json.consent(given, now))


def managed(given: GivenConsent, now: int) -> ManagedConsent:
    """A consent for administrators, as JSON."""
    return ManagedConsent.model_validate(consent_json.consent(given, now))
