"""Endpoints for a person's devices."""

from server.http import listing, wire
from server.http.devices import device_wire
from server.http.route import HttpRequest, managed, own
from server.http.site import Site
from server.http.users import user_wire
from server.model.devices import Device
from server.protocol.times import rfc3339
from server.services import paging
from server.services.devices import enrollment
from server.services.operations.administration import AdminServices
from server.services.users.device_auth import Person


@own("GET /api/me")
def me(site: Site, person: Person) -> user_wire.Me:
    """Get the current user and device."""
    device = None if person.device is None else _device(site, person.device, person)
    return user_wire.Me(
        user=user_wire.User.of(person.user), device=device, server_time=rfc3339(site.clock.now())
    )


@own("GET /api/devices")
def list_devices(site: Site, person: Person) -> device_wire.Devices:
    """List your devices."""
    devices = [_device(site, device, person) for device in site.devices.devices.list_own(person)]
    return device_wire.Devices(items=devices)


@own("POST /api/devices", status=201, errors=(409, 422), browsers=False)
def register(site: Site, person: Person, body: device_wire.NewDevice) -> device_wire.Device:
    """Register this terminal as a device."""
    keys = {"low": body.approval_keys.low, "high": body.approval_keys.high}
    device = site.devices.devices.register(person, body.name, keys)
    nonce = site.devices.statements.nonce(device, device)
    return device_wire.device(device, this=True, nonce=nonce)


@own("POST /api/devices/codes", status=201, errors=(409, 422))
def code(site: Site, person: Person, body: wire.SignedStatement) -> device_wire.OwnDeviceLink:
    """Create a one-time code for another device. It is shown once."""
    issued = site.devices.devices.create_code(person, body.statement)
    link = enrollment.link(site.server_policy.issuer, issued.code)
    return device_wire.OwnDeviceLink.of(issued, enrollment_code=issued.code, link=link)


@own("PATCH /api/devices/<id>", errors=(404, 422))
def rename(
    site: Site, person: Person, record_id: str, body: device_wire.DeviceName
) -> device_wire.Device:
    """Rename a device."""
    device = site.devices.devices.rename(person, record_id, body.name)
    return _device(site, device, person)


@own("POST /api/devices/self/pin", errors=(404, 422, 423), browsers=False)
def pin(site: Site, person: Person, body: device_wire.PinInput) -> device_wire.PinResult:
    """Get the server's share of the PIN. Every call counts as an attempt."""
    answer = site.devices.devices.answer_pin_call(person, body.raw(), body.purpose)
    return device_wire.pin_result(answer)


@own("POST /api/devices/self/pin/confirmation", errors=(422,), browsers=False)
def confirm_pin(
    site: Site, person: Person, body: wire.SignedStatement
) -> device_wire.PinConfirmation:
    """Prove that the PIN was correct."""
    site.devices.devices.confirm_pin(person, body.statement)
    return device_wire.PinConfirmation(tries=0)


@own("POST /api/devices/<id>/unlock", errors=(404, 422))
def unlock(
    site: Site, person: Person, record_id: str, body: wire.SignedStatement
) -> device_wire.Device:
    """Unlock a device."""
    device = site.devices.devices.unlock(person, record_id, body.statement)
    return _device(site, device, person)


@own("POST /api/devices/<id>/vouch", errors=(404, 422))
def vouch(
    site: Site, person: Person, record_id: str, body: wire.SignedStatement
) -> device_wire.Device:
    """Vouch for a new device, so that it can approve high-risk requests immediately."""
    device = site.devices.devices.vouch(person, record_id, body.statement)
    return _device(site, device, person)


@own("DELETE /api/devices/<id>", errors=(404,))
def revoke(site: Site, person: Person, record_id: str) -> None:
    """Remove a device. `self` signs this one out."""
    site.devices.devices.revoke(person, record_id)


@managed("GET /api/admin/devices", query=("user", *listing.QUERY))
def list_all(request: HttpRequest, admin: AdminServices) -> device_wire.ManagedDevices:
    """List the devices of all users, oldest first."""
    limit, after_position = listing.limit(request), listing.timestamp_cursor(request) or (0, "")
    pairs = admin.oversight.devices(request.query.get("user"), after_position, limit + 1)
    part = paging.part(pairs, limit, lambda pair: f"{pair[0].created_at}.{pair[0].id}")
    return listing.page(
        device_wire.ManagedDevices, part, lambda pair: device_wire.managed_device(*pair)
    )


@managed("DELETE /api/admin/devices/<id>")
def revoke_managed(admin: AdminServices, record_id: str) -> None:
    """Remove a user's device. Removing their last device requires a signature."""
    admin.oversight.revoke_device(record_id, by=admin.by)


def _device(site: Site, device: Device, person: Person) -> device_wire.Device:
    signer = person.device
    is_signer = signer is not None and signer.id == device.id
    nonce = None if signer is None else site.devices.statements.nonce(device, signer)
    return device_wire.device(device, this=is_signer, nonce=nonce)
