"""The rows about who is calling, and the devices from which a person decides."""

from typing import Final

from server.http import listing, wire
from server.http.devices import device_wire, devices
from server.http.route import ADMIN, CHANGES, READS, STAFF, Caller, Route
from server.http.users import user_wire
from server.services.operations.authority import AccessRule

_PERSON = Caller.PERSON

DEVICE_ROUTES: Final = (
    Route(
        "GET",
        "/api/me",
        devices.me,
        _PERSON,
        "Who is calling, from which device.",
        answer=user_wire.Me,
        errors=(401, 403),
        browsers=True,
    ),
    Route(
        "GET",
        "/api/devices",
        devices.listed,
        _PERSON,
        "My devices.",
        answer=device_wire.Devices,
        errors=(401, 403),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/devices",
        devices.register,
        _PERSON,
        "Register this terminal.",
        body=device_wire.NewDevice,
        answer=device_wire.Device,
        status=201,
        errors=(401, 403, 409, 422),
    ),
    Route(
        "POST",
        "/api/devices/codes",
        devices.code,
        _PERSON,
        "A one-time code for one more device of mine, told once.",
        body=wire.SignedStatement,
        answer=device_wire.DeviceCode,
        status=201,
        errors=(401, 403, 409, 422),
        browsers=True,
    ),
    Route(
        "PATCH",
        "/api/devices/<id>",
        devices.rename,
        _PERSON,
        "Call a device of mine otherwise.",
        body=device_wire.DeviceName,
        answer=device_wire.Device,
        errors=(401, 403, 404, 422),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/devices/self/pin",
        devices.pin,
        _PERSON,
        "The server's half of my PIN; every call is counted.",
        body=device_wire.PinCall,
        answer=device_wire.PinAnswered,
        errors=(401, 403, 404, 422, 423),
    ),
    Route(
        "POST",
        "/api/devices/self/pin/confirmation",
        devices.confirm_pin,
        _PERSON,
        "Prove that the PIN was right.",
        body=wire.SignedStatement,
        answer=device_wire.PinConfirmed,
        errors=(401, 403, 422),
    ),
    Route(
        "POST",
        "/api/devices/<id>/unlock",
        devices.unlock,
        _PERSON,
        "Let a locked device of mine try again.",
        body=wire.SignedStatement,
        answer=device_wire.Device,
        errors=(401, 403, 404, 422),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/devices/<id>/vouch",
        devices.vouch,
        _PERSON,
        "Let a new device of mine decide high risk at once.",
        body=wire.SignedStatement,
        answer=device_wire.Device,
        errors=(401, 403, 404, 422),
        browsers=True,
    ),
    Route(
        "DELETE",
        "/api/devices/<id>",
        devices.revoke,
        _PERSON,
        "End a device of mine; `self` signs out.",
        status=204,
        errors=(401, 403, 404),
        browsers=True,
    ),
)

MANAGED_DEVICE_ROUTES: Final = (
    Route(
        "GET",
        "/api/admin/devices",
        devices.all_listed,
        Caller.PERSON,
        "Devices of everybody, oldest first.",
        query=("user", *listing.QUERY),
        answer=device_wire.ManagedDevices,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "DELETE",
        "/api/admin/devices/<id>",
        devices.revoke_managed,
        Caller.PERSON,
        "End somebody's device and its sign-in. Must be signed if it is their last device.",
        status=204,
        errors=CHANGES,
        rule=AccessRule(ADMIN, "device"),
    ),
)
