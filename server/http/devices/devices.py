"""Endpoints for a person's devices."""

from server.http import listing, wire
from server.http.devices import device_wire
from server.http.message import NO_STORE, HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.users import user_wire
from server.model.devices import Device
from server.services import paging
from server.services.devices import enrolment
from server.services.operations.administration import AdminServices
from server.services.policy.displays import rfc3339
from server.services.users.device_auth import Person


def me(site: Site, _request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/me."""
    device = None if person.device is None else _device(site, person.device, person)
    answer = user_wire.Me(
        user=user_wire.user(person.user), device=device, server_time=rfc3339(site.clock.now())
    )
    return as_json(200, answer.model_dump())


def listed(site: Site, _request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/devices."""
    found = [_device(site, device, person) for device in site.devices.devices.list_own(person)]
    return as_json(200, device_wire.Devices(items=found).model_dump())


def register(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/devices."""
    body = wire.read(device_wire.NewDevice, request.body)
    keys = {"low": body.approval_keys.low, "high": body.approval_keys.high}
    device = site.devices.devices.register(person, body.name, keys)
    nonce = site.devices.devices.statement_nonce(device, device)
    return as_json(201, device_wire.device(device, this=True, nonce=nonce).model_dump())


def code(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/devices/codes."""
    body = wire.read(wire.SignedStatement, request.body)
    issued = site.devices.devices.create_code(person, body.statement)
    answer = device_wire.DeviceCode(
        enrolment_code=issued.code,
        link=enrolment.link(site.rules.issuer, issued.code),
        expires_at=rfc3339(issued.expires_at),
    )
    return as_json(201, answer.model_dump(), NO_STORE)


def rename(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """PATCH /api/devices/<id>, or `self`."""
    body = wire.read(device_wire.DeviceName, request.body)
    device = site.devices.devices.rename(person, request.params["id"], body.name)
    return as_json(200, _device(site, device, person).model_dump())


def pin(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/devices/self/pin."""
    body = wire.read(device_wire.PinCall, request.body)
    answer = site.devices.devices.answer_pin_call(person, body.raw(), body.purpose)
    return as_json(200, device_wire.pin_answered(answer).model_dump())


def confirm_pin(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/devices/self/pin/confirmation."""
    body = wire.read(wire.SignedStatement, request.body)
    site.devices.devices.confirm_pin(person, body.statement)
    return as_json(200, device_wire.PinConfirmed(tries=0).model_dump())


def unlock(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/devices/<id>/unlock."""
    body = wire.read(wire.SignedStatement, request.body)
    device = site.devices.devices.unlock(person, request.params["id"], body.statement)
    return as_json(200, _device(site, device, person).model_dump())


def vouch(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/devices/<id>/vouch."""
    body = wire.read(wire.SignedStatement, request.body)
    device = site.devices.devices.vouch(person, request.params["id"], body.statement)
    return as_json(200, _device(site, device, person).model_dump())


def revoke(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """DELETE /api/devices/<id>, or `self`."""
    site.devices.devices.revoke(person, request.params["id"])
    return HttpResponse(204, headers=NO_STORE)


def all_listed(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/admin/devices."""
    limit, where = listing.limit(request), listing.moment_cursor(request) or (0, "")
    found = admin.oversight.device_page(request.query.get("user"), where, limit + 1)
    part = paging.part(found, limit, lambda pair: f"{pair[0].created_at}.{pair[0].id}")
    items = [device_wire.managed_device(device, user) for device, user in part.items]
    answer = device_wire.ManagedDevices(items=items, next=listing.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def revoke_managed(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """DELETE /api/admin/devices/<id>."""
    admin.oversight.revoke_device(request.params["id"], by=admin.by)
    return HttpResponse(204, headers=NO_STORE)


def _device(site: Site, device: Device, person: Person) -> device_wire.Device:
    signer = person.device
    this = signer is not None and signer.id == device.id
    nonce = None if signer is None else site.devices.devices.statement_nonce(device, signer)
    return device_wire.device(device, this=this, nonce=nonce)
