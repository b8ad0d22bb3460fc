"""Problems on this machine or with its connection to the server, and their fixes.

Owns: the checks, in order of dependency. Never: changing anything, printing.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from approver_tui.client.api import Client
from approver_tui.client.devices.vault import FILES
from approver_tui.client.errors import CertificateRefused, ClientError, LoginFirst, StorageFailed
from approver_tui.client.notifications.feed import Feed, FeedListeners
from approver_tui.client.sign_in.profile import Home
from approver_tui.client.transport import LOOPBACK
from approver_tui.state.devices.devices import Device
from approver_tui.state.notifications.connection import Connection
from approver_tui.state.text import pluralize

_OTHERS_MODE = 0o077
_FEED_SECONDS = 5.0
_LOGIN_FIX = "Log in with: sayso-approver login URL"


class Severity(StrEnum):
    """The severity of a finding, worst first."""

    BROKEN = "broken"
    WEAK = "weak"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, and how to fix it."""

    level: Severity
    what: str
    fix: str


def file_findings(home: Home) -> Iterator[Finding]:
    """Check who else can read the files of this installation."""
    paths = [home.profile_file, *sorted(home.secrets_folder.glob("*"))]
    for path in filter(Path.exists, paths):
        if path.stat().st_mode & _OTHERS_MODE:
            yield Finding(Severity.BROKEN, f"Others can read {path}.", f"Run: chmod 600 {path}")


def profile_finding(home: Home) -> Finding:
    """Report which login is checked, and how to check another."""
    others = [name for name in home.names if name != home.name]
    fix = "To add another server: sayso-approver --profile NAME login URL"
    if others:
        fix = (
            f"Other profiles: {', '.join(others)}. Check one: sayso-approver --profile NAME doctor"
        )
    return Finding(Severity.NOTE, f"Checked profile: {home.name}.", fix)


def installation_findings(client: Client) -> Iterator[Finding]:
    """Check how the login is stored."""
    profile = client.profile
    address = urlsplit(profile.issuer)
    if address.scheme == "http" and address.hostname not in LOOPBACK:
        yield Finding(
            Severity.WEAK,
            f"{profile.issuer} does not use https, so requests can be changed in transit.",
            "Ask your administrator for an https address, and log in there.",
        )
    if profile.vault == FILES and client.home.may_use_keyring:
        yield Finding(
            Severity.NOTE,
            "The session key is stored in a file under "
            f"{client.home.secrets_folder}: no keyring was found.",
            "Every program you run can deny and report with it, but not approve.",
        )


def server_findings(client: Client) -> Iterator[Finding]:
    """Check that the server answers, knows this device, and sends events."""
    try:
        me = client.me()
    except LoginFirst as error:
        yield Finding(Severity.BROKEN, f"The session has ended: {error.detail}", _LOGIN_FIX)
        return
    except CertificateRefused as error:
        fix = "Fix the certificate, or set SSL_CERT_FILE to a certificate authority to trust."
        yield Finding(Severity.BROKEN, str(error), fix)
        return
    except StorageFailed as error:
        fix = "Make the folder writable, free space on its disk, or unlock the keyring."
        yield Finding(Severity.BROKEN, str(error), fix)
        return
    except ClientError as error:
        fix = "Check that the server is running and the network is up, then try again."
        yield Finding(Severity.BROKEN, str(error), fix)
        return
    if client.skew:
        seconds = abs(client.skew) / 1000
        direction = "behind" if client.skew > 0 else "ahead of"
        yield Finding(
            Severity.WEAK,
            f"This machine's clock is {seconds:.0f} s {direction} the server's.",
            "Turn on time synchronization (NTP).",
        )
    if me.device is not None:
        yield from _device_findings(me.device, client.now())
    yield from _feed_findings(client)


def permanent_findings() -> Iterator[Finding]:
    """Report the risks that no setting removes."""
    yield Finding(
        Severity.NOTE,
        "A program that runs as your user can read your PIN as you type it, and a script that uses "
        "--pin-stdin exposes it.",
        "Approve on a different machine than your agents, or as a different user.",
    )


def _device_findings(device: Device, now: int) -> Iterator[Finding]:
    if device.pin.locked:
        fix = (
            "From another device: sayso-approver devices unlock ID. Or ask your "
            "administrator to run: sayso users unlock"
        )
        yield Finding(Severity.BROKEN, "This device is locked after too many wrong PINs.", fix)
    elif device.pin.exhausted:
        yield Finding(Severity.BROKEN, "This PIN has had too many wrong attempts.", _LOGIN_FIX)
    elif device.pin.tries:
        tries = pluralize(device.pin.tries, "wrong PIN was", "wrong PINs were")
        yield Finding(
            Severity.WEAK,
            f"{tries} entered here since the last correct one.",
            "Not you? Run sayso-approver devices, and revoke the ones that you do not recognize.",
        )
    if device.high_from > now:
        yield Finding(
            Severity.NOTE,
            "This device is new and cannot approve high-risk requests yet.",
            "From an older device: sayso-approver devices vouch ID",
        )


def _feed_findings(client: Client) -> Iterator[Finding]:
    """Connect to the feed, and report if that takes more than a few seconds."""
    stop, is_connected = threading.Event(), threading.Event()
    reasons = [""]

    def on_connection(connection: Connection) -> None:
        reasons.append(connection.reason)
        if connection.is_live:
            is_connected.set()
            stop.set()

    timer = threading.Timer(_FEED_SECONDS, stop.set)
    timer.start()
    try:
        Feed(client).run(FeedListeners(lambda _event: None, on_connection), stop)
    except ClientError as error:
        reasons.append(str(error))
    finally:
        timer.cancel()
    if not is_connected.is_set():
        yield Finding(
            Severity.BROKEN,
            f"The live feed cannot connect: {reasons[-1] or 'no answer in time'}",
            "If you use a proxy, allow WebSockets to /api/feed.",
        )
