"""Enrolls this machine as one of the user's devices.

Owns: the steps from a one-time code to a saved profile. Never: prompts.
"""

import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx

from approver_tui.client import api, errors, files, wire
from approver_tui.client.api import Client
from approver_tui.client.devices import keys, vault
from approver_tui.client.devices.keys import KeyLevel
from approver_tui.client.devices.unlocking import SESSION_PURPOSE, OpenedKey, confirm_pin
from approver_tui.client.devices.vault import Vault
from approver_tui.client.jose import SigningKey, b64, unb64
from approver_tui.client.reading import JsonObject
from approver_tui.client.sign_in import profile, tokens
from approver_tui.client.sign_in.profile import Home, Profile
from approver_tui.client.sign_in.session import Session
from approver_tui.client.sign_in.tokens import Tokens
from approver_tui.client.transport import (
    CLIENT_ID,
    LOOPBACK,
    Clock,
    OutgoingRequest,
    Transport,
    exchange,
    new_http,
    refusal,
)
from approver_tui.state.text import SafeText, display_safe

GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_PATH: Final = "/device_authorization"
_MAX_INTERVAL: Final = 30
_STILL_WAITING: Final = frozenset({"authorization_pending", "slow_down", "temporarily_unavailable"})

Pause = Callable[[float], object]
"""Waits for a number of seconds."""


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """The data that the user needs to approve this device. `until` is on the server's clock."""

    code: SafeText
    page: SafeText
    link: str
    """The page with the code filled in; for a QR code."""
    until: int


ShowAuthorization = Callable[[DeviceAuthorization], None]
"""Shows the device authorization to the user."""


@dataclass(frozen=True, slots=True)
class DeviceGrant:
    """How to show the authorization, and how to wait between polls."""

    show: ShowAuthorization
    pause: Pause

    def tokens(self, transport: Transport, name: str) -> Tokens:
        """Show the code, and wait until a user approves it.

        Raises ApiError with `access_denied` or `expired_token` if it was not approved. If the
        server does not answer, it is polled again until the code expires.
        """
        form = {"client_id": CLIENT_ID, "device_name": name}
        outgoing = OutgoingRequest(method="POST", path=_PATH, form=form)
        answer = JsonObject.parse(transport.send(outgoing).content)
        until = transport.now() + answer.integer("expires_in") * 1000
        self.show(_authorization(answer, transport.issuer, until))
        form = {"grant_type": GRANT, "device_code": answer.text("device_code")}
        seconds = answer.integer("interval")
        while True:
            self.pause(seconds)
            try:
                return transport.tokens(form)
            except errors.ApiError as error:
                if error.code not in _STILL_WAITING:
                    raise
                seconds = _next_pause(error, seconds)
            except errors.Unreachable:
                if transport.now() >= until:
                    raise


def _authorization(answer: JsonObject, issuer: str, until: int) -> DeviceAuthorization:
    """Return the authorization; its page is always the issuer's own."""
    code = answer.text("user_code")
    return DeviceAuthorization(
        code=display_safe(code, max_len=20),
        page=display_safe(f"{issuer}/device", max_len=200),
        link=f"{issuer}/device?user_code={code}" if code.replace("-", "").isalnum() else issuer,
        until=until,
    )


def _next_pause(error: errors.ApiError, seconds: int) -> int:
    """Return the next polling interval.

    After `slow_down`, use the server's interval, or add five seconds.
    """
    if error.code != "slow_down":
        return seconds
    interval = error.members.get("interval")
    return min(interval if isinstance(interval, int) else seconds + 5, _MAX_INTERVAL)


ENROLLMENT = "urn:sayso:grant-type:enrollment"
_DISCOVERY = "/.well-known/openid-configuration"
_NAME_LENGTH = 64
_FORBIDDEN_CHARACTERS = frozenset("[]<>{}\\")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment:
    """The inputs for enrolling: the server, a code or another device, a name and a PIN."""

    url: str
    code: str | DeviceGrant
    """The one-time code, or how an enrolled device approves this one."""
    name: str
    pin: str
    allow_insecure: bool = False
    """Accept a server on another machine without TLS."""


def enroll(home: Home, enrollment: Enrollment, *, clock: Clock) -> Client:
    """Enroll this machine and save the result.

    1. The PIN and the name must be valid, and files can be stored, before the code is used.
    2. Discovery names the issuer, which must be the requested server.
    3. A session key is created. Tokens bound to it are issued for the code or by another device.
    4. Two approval keys are created; their public halves define the device.
    5. The server's half of the PIN seals the private keys, and a signature confirms the PIN.
    6. Only then are the files that later commands use written.

    Raises BadPin, BadName, BadServer, StorageFailed, ApiError, Unreachable.
    """
    keys.check_pin(enrollment.pin)
    check_name(enrollment.name)
    issuer = find_issuer(enrollment.url, allow_insecure=enrollment.allow_insecure)
    _check_storage(home)
    secrets = vault.choose_vault(home)
    session = Session(issuer, SigningKey.generate(), secrets, lock_file=home.lock_file, clock=clock)
    try:
        first_tokens = _first_tokens(session.transport, enrollment)
    except (errors.ClientError, KeyboardInterrupt):
        session.transport.close()
        raise
    try:
        with tokens.storage_errors():
            tokens.save(secrets, first_tokens)
            client = _create_device(home, session, secrets, enrollment)
            secrets.put(api.SESSION_KEY, b64(session.key.scalar))
            profile.save(home, client.profile)
    except errors.ClientError:
        _revoke_device(session, secrets)
        raise
    return client


def _check_storage(home: Home) -> None:
    """Raise StorageFailed if the login could not be stored, because a code works only once."""
    with tokens.storage_errors():
        for file in (home.profile_file, home.lock_file):
            files.check_writable(file.parent)


def find_issuer(url: str, *, allow_insecure: bool = False) -> str:
    """Return the issuer of the server at `url`. Raises BadServer or Unreachable."""
    requested = _parse_url(url, allow_insecure=allow_insecure)
    with new_http(url) as http:
        response = exchange(http, http.build_request("GET", url.rstrip("/") + _DISCOVERY))
    if response.status_code != httpx.codes.OK:
        raise errors.BadServer(
            f"There is no Sayso server at this address: {refusal(response).detail}"
        )
    try:
        issuer = JsonObject.parse(response.content).text("issuer").rstrip("/")
    except errors.WireError as error:
        raise errors.BadServer("There is no Sayso server at this address.") from error
    if _authority(urlsplit(issuer)) != _authority(requested):
        raise errors.BadServer("The server has a different address. Log in with that address.")
    return issuer


def check_name(name: str) -> None:
    """Raise BadName if the device name is invalid."""
    is_plain = name.isprintable() and _FORBIDDEN_CHARACTERS.isdisjoint(name)
    is_trimmed = name == name.strip() and "  " not in name
    if not (is_plain and is_trimmed and len(name) <= _NAME_LENGTH and any(map(str.isalnum, name))):
        raise errors.BadName(
            f"A device name must have 1 to {_NAME_LENGTH} characters, at least one letter or "
            "digit, single spaces, and no [ ] < > { } or backslash."
        )


def default_device_name() -> str:
    """Return the host name if it is a valid device name."""
    name = platform.node()
    try:
        check_name(name)
    except errors.BadName:
        return "terminal"
    return name


def normalize_code(code: str) -> str:
    """Return a code in the form that the server compares, however it was typed or pasted."""
    plain = code.strip().upper().replace("-", "").replace(" ", "")
    return plain.replace("O", "0").replace("I", "1").replace("L", "1")


def _first_tokens(transport: Transport, enrollment: Enrollment) -> Tokens:
    if isinstance(enrollment.code, DeviceGrant):
        return enrollment.code.tokens(transport, enrollment.name)
    form = {"grant_type": ENROLLMENT, "code": normalize_code(enrollment.code)}
    return transport.tokens(form)


def _create_device(home: Home, session: Session, secrets: Vault, enrollment: Enrollment) -> Client:
    since = session.transport.clock()
    me = wire.read_me(session.get("/api/me"))
    session.transport.observe(me.server_time, since)
    low, high = SigningKey.generate(), SigningKey.generate()
    public = {"low": low.jwk, "high": high.jwk}
    answer = session.post("/api/devices", {"name": enrollment.name, "approval_keys": public})
    device = wire.read_device(answer)
    unsealed = Profile(
        issuer=session.transport.issuer,
        user_id=me.user.id,
        user_name=me.user.name,
        device_id=device.id,
        device_name=device.name,
        salt=b64(keys.new_salt()),
        low_blob="",
        high_blob="",
        low_key=low.thumbprint,
        high_key=high.thumbprint,
        vault=secrets.kind,
    )
    client = Client(session, home, unsealed)
    client.profile = _seal_keys(client, low, high, enrollment.pin)
    return client


def _seal_keys(client: Client, low: SigningKey, high: SigningKey, pin: str) -> Profile:
    x = keys.stretch(pin, unb64(client.profile.salt))
    answer = client.pin(x, SESSION_PURPOSE)
    blobs = (
        keys.seal(key.scalar, x=x, y=answer.y, level=level, device=client.profile.device_id)
        for key, level in ((low, KeyLevel.LOW), (high, KeyLevel.HIGH))
    )
    low_blob, high_blob = map(b64, blobs)
    confirm_pin(client, OpenedKey(bytearray(high.scalar), answer.nonce))
    return replace(client.profile, low_blob=low_blob, high_blob=high_blob)


def _revoke_device(session: Session, secrets: Vault) -> None:
    """Remove a half-enrolled device; if the server is unreachable, the user sees it in the list."""
    try:
        session.delete("/api/devices/self")
    except errors.ClientError:
        return
    finally:
        tokens.delete(secrets)
        session.transport.close()


def _parse_url(url: str, *, allow_insecure: bool) -> SplitResult:
    try:
        parts = urlsplit(url)
        httpx.URL(url).host.encode("idna")  # The connection would raise the same errors.
    except (ValueError, httpx.InvalidURL) as error:
        raise errors.BadAddress("The server address is invalid.") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise errors.BadAddress(
            "A server address starts with https:// or, on this machine, http://."
        )
    is_insecure = parts.scheme == "http" and parts.hostname not in LOOPBACK
    if is_insecure and not allow_insecure:
        raise errors.BadAddress("Without https://, others on the network could read the code.")
    return parts


def _authority(parts: SplitResult) -> tuple[str, str, int | None]:
    """Return scheme, host and port; the loopback names count as one host."""
    host = parts.hostname or ""
    name = "localhost" if host in LOOPBACK else host
    return parts.scheme, name, parts.port or _PORTS.get(parts.scheme)
