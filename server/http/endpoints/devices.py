"""A person's devices."""

from server.http import wire
from server.http.message import NO_STORE, HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.services import enrolment
from server.services.displays import rfc3339
from server.services.people import Person
from server.services.records import Device


def me(site: Site, _request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/me."""
    device = None if person.device is None else _device(site, person.device, person)
    answer = wire.Me(
        user=wire.user(person.user), device=device, server_time=rfc3339(site.clock.now())
    )
    return as_json(200, answer.model_dump())


def listed(site: Site, _request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/devices."""
    found = [_device(site, device, person) for device in site.devices.all_of(person)]
    return as_json(200, wire.Devices(items=found).model_dump())


def register(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/devices."""
    body = wire.read(wire.NewDevice, request.body)
    keys = {"low": body.approval_keys.low, "high": body.approval_keys.high}
    device = site.devices.register(person, body.name, keys)
    nonce = site.devices.statement_nonce(device, device)
    return as_json(201, wire.device(device, this=True, nonce=nonce).model_dump())


def code(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/devices/codes."""
    body = wire.read(wire.SignedStatement, request.body)
    issued = site.devices.code(person, body.statement)
    answer = wire.DeviceCode(
        enrolment_code=issued.code,
        link=enrolment.link(site.rules.issuer, issued.code),
        expires_at=rfc3339(issued.expires_at),
    )
    return as_json(201, answer.model_dump(), NO_STORE)


def rename(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """PATCH /api/devices/<id>, or `self`."""
    body = wire.read(wire.DeviceName, request.body)
    device = site.devices.rename(person, request.params["id"], body.name)
    return as_json(200, _device(site, device, person).model_dump())


def pin(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/devices/self/pin."""
    body = wire.read(wire.PinCall, request.body)
    answer = site.devices.pin(person, body.raw(), body.purpose)
    return as_json(200, wire.pin_answered(answer).model_dump())


def confirm_pin(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/devices/self/pin/confirmation."""
    body = wire.read(wire.SignedStatement, request.body)
    site.devices.confirm_pin(person, body.statement)
    return as_json(200, wire.PinConfirmed(tries=0).model_dump())


def unlock(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/devices/<id>/unlock."""
    body = wire.read(wire.SignedStatement, request.body)
    device = site.devices.unlock(person, request.params["id"], body.statement)
    return as_json(200, _device(site, device, person).model_dump())


def vouch(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/devices/<id>/vouch."""
    body = wire.read(wire.SignedStatement, request.body)
    device = site.devices.vouch(person, request.params["id"], body.statement)
    return as_json(200, _device(site, device, person).model_dump())


def revoke(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """DELETE /api/devices/<id>, or `self`."""
    site.devices.revoke(person, request.params["id"])
    return HttpResponse(204, headers=NO_STORE)


def _device(site: Site, device: Device, person: Person) -> wire.Device:
    signer = person.device
    this = signer is not None and signer.id == device.id
    nonce = None if signer is None else site.devices.statement_nonce(device, signer)
    return wire.device(device, this=this, nonce=nonce)
