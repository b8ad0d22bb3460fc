"""The JSON of consents, for the command line and the API."""

from server.services.consents.consents import GivenConsent
from server.services.policy.displays import moment, rfc3339


def consent(given_consent: GivenConsent, now: int) -> dict[str, object]:
    """Return a consent as JSON."""
    record = given_consent.consent
    return {
        "id": record.id,
        "state": given_consent.state(now),
        "user": {"id": record.user_id, "name": given_consent.user_name},
        "client": {"id": record.client_id, "name": given_consent.client_name},
        "app": {"id": record.app_id or "", "name": given_consent.app_name}
        if given_consent.app_name
        else None,
        "resource": record.resource,
        "scopes": list(record.scopes),
        "created_at": rfc3339(record.created_at),
        "expires_at": rfc3339(record.expires_at),
        "revoked_at": moment(record.revoked_at),
        "approval": record.approval_id,
    }
