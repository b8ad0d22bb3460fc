"""From records to the bodies of the administration API."""

from collections.abc import Iterable
from typing import Any

from server.http import admin_wire as wire
from server.http.devices.device_wire import managed_device
from server.http.wire import moment
from server.model.clients import Secret
from server.model.devices import Device as DeviceRecord
from server.model.resources import Resource
from server.model.users import User as UserRecord
from server.protocol import names
from server.services.clients import power
from server.services.policy.displays import rfc3339
from server.services.resources.resources import NewResourceSecret
from server.services.users.enrolment_codes import IssuedCode


def user(record: UserRecord) -> wire.ManagedUser:
    """A person as JSON."""
    return wire.ManagedUser(**_user(record))


def user_sheet(record: UserRecord, devices: Iterable[DeviceRecord]) -> wire.UserSheet:
    """A person and their devices as JSON."""
    return wire.UserSheet(**_user(record), devices=[managed_device(one, record) for one in devices])


def code(record: UserRecord, issued: IssuedCode) -> wire.EnrolmentCode:
    """A fresh code as JSON."""
    return wire.EnrolmentCode(
        user=user(record), enrolment_code=issued.code, expires_at=rfc3339(issued.expires_at)
    )


def resource(record: Resource) -> wire.ManagedResource:
    """A protected API as JSON."""
    return wire.ManagedResource(
        id=names.name_id(record.uri),
        uri=record.uri,
        scopes={name: str(risk) for name, risk in record.scopes.items()},  # type: ignore[misc]  # the risks are these words
        requires=dict(record.requires),
        token_seconds=record.token_seconds,
        client_id=record.client_id,
        secrets=[secret(one) for one in record.secrets],
        created_at=rfc3339(record.created_at),
        version=power.version(record),
    )


def resource_secret(given: NewResourceSecret) -> wire.GivenResourceSecret:
    """A protected API with its fresh secret as JSON."""
    return wire.GivenResourceSecret(resource=resource(given.resource), client_secret=given.secret)


def _user(record: UserRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "email": record.email,
        "roles": list(record.roles),
        "state": record.state,
        "backup": record.backup,
        "created_at": rfc3339(record.created_at),
        "disabled_at": moment(record.disabled_at),
        "version": power.version(record),
    }


def secret(record: Secret) -> wire.ClientSecret:
    """Everything about a secret but the secret."""
    return wire.ClientSecret(
        id=record.id,
        hint=record.hint,
        created_at=rfc3339(record.created_at),
        expires_at=moment(record.expires_at),
        last_used_at=moment(record.last_used_at),
    )
