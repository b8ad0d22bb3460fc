"""From records to the bodies of the administration API."""

from collections.abc import Iterable, Mapping
from typing import Any

from server.http import admin_wire as wire
from server.http.devices.device_wire import managed_device
from server.http.wire import Named, moment
from server.model.clients import Agent, Secret
from server.model.devices import Device as DeviceRecord
from server.model.resources import Resource
from server.model.users import User as UserRecord
from server.protocol import names
from server.services.clients import icons, power
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


def agent(record: Agent, called: Mapping[str, str]) -> wire.ManagedAgent:
    """An agent as JSON; `called` are the names of people by their ids."""
    return wire.ManagedAgent(
        client_id=record.id,
        name=record.name,
        description=record.description,
        state=record.state,
        owners=_people(record.owners, called),
        auth_method=record.auth_method,
        auth_before=record.auth_before,
        auth_before_until=moment(record.auth_before_until),
        grant_types=list(record.grant_types),
        delivery=record.delivery,
        backchannel_client_notification_endpoint=record.notification_endpoint,
        backchannel_user_code_parameter=record.takes_user_code,
        high_grants=record.high_grants,
        interactive=record.interactive,
        resources=list(record.resources),
        scopes=list(record.scopes),
        only={uri: list(may) for uri, may in record.only.items()},
        serves=list(record.serves),
        labels=list(record.labels),
        external_id=record.external_id,
        review_at=moment(record.review_at),
        icon=icons.path(record),
        token_seconds=record.token_seconds,
        action_types=None if record.action_types is None else list(record.action_types),
        asks=None if record.asks is None else _people(record.asks, called),
        id_token_signed_response_alg=record.id_token_alg,
        dpop_bound_access_tokens=record.dpop_bound,
        backchannel_authentication_request_signing_alg=record.request_alg,
        secrets=[secret(one) for one in record.secrets],
        keys=[dict(key) for key in record.jwks],
        key_uses={key["kid"]: moment(record.key_uses.get(key["kid"])) for key in record.jwks},
        expires_at=moment(record.expires_at),
        created_at=rfc3339(record.created_at),
        named_at=rfc3339(record.named_at),
        version=power.version(record),
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


def _people(ids: Iterable[str], called: Mapping[str, str]) -> list[Named]:
    return [Named(id=user_id, name=called.get(user_id, user_id)) for user_id in ids]
