"""Endpoints for a person's devices."""

from typing import Final

from server.http import listing, wire
from server.http.devices import device_wire
from server.http.route import HttpRequest, managed, own
from server.http.site import Site
from server.http.users import user_wire
from server.model.devices import Device
from server.services import paging
from server.services.devices import enrollment
from server.services.operations.administration import AdminServices
from server.services.policy.displays import rfc3339
from server.services.users.device_auth import Person


def me(site: Site, _request: HttpRequest, person: Person) -> user_wire.Me:
    """GET /api/me."""
    device = None if person.device is None else _device(site, person.device, person)
    return user_wire.Me(
        user=user_wire.user(person.user), device=device, server_time=rfc3339(site.clock.now())
    )


def listed(site: Site, _request: HttpRequest, person: Person) -> device_wire.Devices:
    """GET /api/devices."""
    found = [_device(site, device, person) for device in site.devices.devices.list_own(person)]
    return device_wire.Devices(items=found)


def register(
    site: Site, _request: HttpRequest, person: Person, body: device_wire.NewDevice
) -> device_wire.Device:
    """POST /api/devices."""
    keys = {"low": body.approval_keys.low, "high": body.approval_keys.high}
    device = site.devices.devices.register(person, body.name, keys)
    nonce = site.devices.devices.statement_nonce(device, device)
    return device_wire.device(device, this=True, nonce=nonce)


def code(
    site: Site, _request: HttpRequest, person: Person, body: wire.SignedStatement
) -> device_wire.OwnDeviceLink:
    """POST /api/devices/codes."""
    issued = site.devices.devices.create_code(person, body.statement)
    return device_wire.OwnDeviceLink(
        enrolment_code=issued.code,
        link=enrollment.link(site.server_policy.issuer, issued.code),
        expires_at=rfc3339(issued.expires_at),
    )


def rename(
    site: Site, request: HttpRequest, person: Person, body: device_wire.DeviceName
) -> device_wire.Device:
    """PATCH /api/devices/<id>, or `self`."""
    device = site.devices.devices.rename(person, request.params["id"], body.name)
    return _device(site, device, person)


def pin(
    site: Site, _request: HttpRequest, person: Person, body: device_wire.PinInput
) -> device_wire.PinResult:
    """POST /api/devices/self/pin."""
    answer = site.devices.devices.answer_pin_call(person, body.raw(), body.purpose)
    return device_wire.pin_result(answer)


def confirm_pin(
    site: Site, _request: HttpRequest, person: Person, body: wire.SignedStatement
) -> device_wire.PinConfirmation:
    """POST /api/devices/self/pin/confirmation."""
    site.devices.devices.confirm_pin(person, body.statement)
    return device_wire.PinConfirmation(tries=0)


def unlock(
    site: Site, request: HttpRequest, person: Person, body: wire.SignedStatement
) -> device_wire.Device:
    """POST /api/devices/<id>/unlock."""
    device = site.devices.devices.unlock(person, request.params["id"], body.statement)
    return _device(site, device, person)


def vouch(
    site: Site, request: HttpRequest, person: Person, body: wire.SignedStatement
) -> device_wire.Device:
    """POST /api/devices/<id>/vouch."""
    device = site.devices.devices.vouch(person, request.params["id"], body.statement)
    return _device(site, device, person)


def revoke(site: Site, request: HttpRequest, person: Person) -> None:
    """DELETE /api/devices/<id>, or `self`."""
    site.devices.devices.revoke(person, request.params["id"])


def all_listed(
    _site: Site, request: HttpRequest, admin: AdminServices
) -> device_wire.ManagedDevices:
    """GET /api/admin/devices."""
    limit, where = listing.limit(request), listing.moment_cursor(request) or (0, "")
    found = admin.oversight.device_page(request.query.get("user"), where, limit + 1)
    part = paging.part(found, limit, lambda pair: f"{pair[0].created_at}.{pair[0].id}")
    return listing.page(
        device_wire.ManagedDevices, part, lambda pair: device_wire.managed_device(*pair)
    )


def revoke_managed(_site: Site, request: HttpRequest, admin: AdminServices) -> None:
    """DELETE /api/admin/devices/<id>."""
    admin.oversight.revoke_device(request.params["id"], by=admin.by)


def _device(site: Site, device: Device, person: Person) -> device_wire.Device:
    signer = person.device
    this = signer is not None and signer.id == device.id
    nonce = None if signer is None else site.devices.devices.statement_nonce(device, signer)
    return device_wire.device(device, this=this, nonce=nonce)


DEVICE_ROUTES: Final = (
    own("GET /api/me", me, "Get the current user and device."),
    own("GET /api/devices", listed, "List your devices."),
    own(
        "POST /api/devices",
        register,
        "Register this terminal as a device.",
        status=201,
        errors=(409, 422),
        browsers=False,
    ),
    own(
        "POST /api/devices/codes",
        code,
        "Create a one-time code for another device. It is shown once.",
        status=201,
        errors=(409, 422),
    ),
    own("PATCH /api/devices/<id>", rename, "Rename a device.", errors=(404, 422)),
    own(
        "POST /api/devices/self/pin",
        pin,
        "Get the server's half of the PIN. Every call is counted.",
        errors=(404, 422, 423),
        browsers=False,
    ),
    own(
        "POST /api/devices/self/pin/confirmation",
        confirm_pin,
        "Prove that the PIN was right.",
        errors=(422,),
        browsers=False,
    ),
    own("POST /api/devices/<id>/unlock", unlock, "Unlock a device.", errors=(404, 422)),
    own(
        "POST /api/devices/<id>/vouch",
        vouch,
        "Vouch for a new device, so that it decides high risk immediately.",
        errors=(404, 422),
    ),
    own(
        "DELETE /api/devices/<id>",
        revoke,
        "Remove a device. `self` signs this one out.",
        errors=(404,),
    ),
)

MANAGED_DEVICE_ROUTES: Final = (
    managed(
        "GET /api/admin/devices",
        all_listed,
        "List the devices of all users, oldest first.",
        query=("user", *listing.QUERY),
    ),
    managed(
        "DELETE /api/admin/devices/<id>",
        revoke_managed,
        "Remove a user's device. Must be signed if it is their last one.",
    ),
)
