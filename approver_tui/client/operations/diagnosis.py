"""What is weak or broken on this machine and on its way to the server, and the fix.

Owns: looking, in the order in which one thing needs the other. Never: changes anything, prints.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from approver_tui.client.api import Client
from approver_tui.client.devices.vault import FILES
from approver_tui.client.errors import CertificateRefused, ClientError, LoginFirst
from approver_tui.client.notifications.feed import Feed, FeedListeners
from approver_tui.client.sign_in.profile import Home
from approver_tui.client.transport import LOOPBACK
from approver_tui.state.devices.devices import Device
from approver_tui.state.notifications.connection import Connection

_BY_OTHERS = 0o077
_FEED_SECONDS = 5.0
_LOGIN = "Log in with: sayso-approver login URL"


class Severity(StrEnum):
    """How bad it is; the worst first."""

    BROKEN = "broken"
    WEAK = "weak"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, and what to do about it."""

    level: Severity
    what: str
    fix: str


def files(home: Home) -> Iterator[Finding]:
    """Who else may read what this installation keeps."""
    kept = [home.profile_file, *sorted(home.secrets_folder.glob("*"))]
    for path in filter(Path.exists, kept):
        if path.stat().st_mode & _BY_OTHERS:
            yield Finding(Severity.BROKEN, f"Others may read {path}.", f"Run: chmod 600 {path}")


def profile_in_use(home: Home) -> Finding:
    """Which login was looked at, and how to look at another."""
    others = [name for name in home.names if name != home.name]
    fix = "Another server takes a name of its own: sayso-approver --profile NAME login URL"
    if others:
        fix = f"There is also: {', '.join(others)}. Look: sayso-approver --profile NAME doctor"
    return Finding(Severity.NOTE, f"This is about the profile {home.name}.", fix)


def installation(client: Client) -> Iterator[Finding]:
    """What an enrolment is worth where it lies."""
    known = client.profile
    address = urlsplit(known.issuer)
    if address.scheme == "http" and address.hostname not in LOOPBACK:
        yield Finding(
            Severity.WEAK,
            f"{known.issuer} is not https: what you read can be changed on its way.",
            "Ask whoever runs the server for an https address, and log in there.",
        )
    if known.vault == FILES and client.home.may_use_keyring:
        yield Finding(
            Severity.NOTE,
            f"The session key lies in a file under {client.home.secrets_folder}: there was no "
            "keyring.",
            "Every program of yours can deny and report with it, but not approve.",
        )


def server(client: Client) -> Iterator[Finding]:
    """Whether the server answers, knows this device, and sends what happens."""
    try:
        me = client.me()
    except LoginFirst as error:
        yield Finding(Severity.BROKEN, f"The session has ended: {error.detail}", _LOGIN)
        return
    except CertificateRefused as error:
        fix = "Have the certificate mended, or name the authority that this machine is to believe."
        yield Finding(Severity.BROKEN, str(error), fix)
        return
    except ClientError as error:
        fix = "Is the server running, and is the network there? Then try again."
        yield Finding(Severity.BROKEN, str(error), fix)
        return
    if client.skew:
        away = abs(client.skew) / 1000
        word = "behind" if client.skew > 0 else "ahead of"
        yield Finding(
            Severity.WEAK,
            f"This machine's clock is {away:.0f} s {word} the server's.",
            "Let the machine set its clock from the network.",
        )
    if me.device is not None:
        yield from _device(me.device, client.now())
    yield from _feed(client)


def limits() -> Iterator[Finding]:
    """What no setting can mend, said honestly."""
    yield Finding(
        Severity.NOTE,
        "A program that runs as you can read along when you enter your PIN, and a script that uses "
        "--pin-stdin gives it away.",
        "Decide on another machine, or as another user, than your agents run on.",
    )


def _device(device: Device, now: int) -> Iterator[Finding]:
    if device.pin.locked:
        fix = (
            "From another device: sayso-approver devices unlock ID. Or ask for: sayso users unlock"
        )
        yield Finding(Severity.BROKEN, "This device is locked after too many wrong PINs.", fix)
    elif device.pin.exhausted:
        yield Finding(Severity.BROKEN, "This PIN had too many tries in its life.", _LOGIN)
    elif device.pin.tries:
        yield Finding(
            Severity.WEAK,
            f"{device.pin.tries} wrong PINs were tried here since the last right one.",
            "Was it not you? Then: sayso-approver devices, and revoke what you do not know.",
        )
    if device.high_from > now:
        yield Finding(
            Severity.NOTE,
            "This device is new and may not approve high risk yet.",
            "From an older device: sayso-approver devices vouch ID",
        )


def _feed(client: Client) -> Iterator[Finding]:
    """Listen until the feed stands, or for a few seconds."""
    stop, stood = threading.Event(), threading.Event()
    reasons = [""]

    def heard(connection: Connection) -> None:
        reasons.append(connection.reason)
        if connection.is_live:
            stood.set()
            stop.set()

    timer = threading.Timer(_FEED_SECONDS, stop.set)
    timer.start()
    try:
        Feed(client).run(FeedListeners(lambda _event: None, heard), stop)
    except ClientError as error:
        reasons.append(str(error))
    finally:
        timer.cancel()
    if not stood.is_set():
        yield Finding(
            Severity.BROKEN,
            f"The live feed does not open: {reasons[-1] or 'no answer in time'}",
            "Is there a proxy? It has to let WebSockets through to /api/feed.",
        )
