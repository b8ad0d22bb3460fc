"""`sayso-approver login`: enroll this machine as one of the user's devices."""

import sys
import threading
from contextlib import closing, nullcontext
from functools import partial
from shutil import get_terminal_size

import click

from approver_tui import settings
from approver_tui.cli import prompts
from approver_tui.cli.inputs import is_interactive, read_new_secret, stdin_line, warnings
from approver_tui.cli.printing import as_json, print_result, program
from approver_tui.cli.sign_in.homes import this_home
from approver_tui.client.api import Client, forget, open_client
from approver_tui.client.devices.enrolling import (
    DeviceAuthorization,
    DeviceGrant,
    Enrollment,
    default_device_name,
    enroll,
    find_issuer,
)
from approver_tui.client.devices.vault import FILES
from approver_tui.client.errors import AlreadyLoggedIn, BrokenProfile, ClientError, LoginFirst
from approver_tui.client.sign_in import profile
from approver_tui.client.sign_in.profile import Home

_PIN_RULE = "6 characters (you approve with it; it is not shown)"


@click.command("login")
@click.argument("url")
@click.option(
    "--code",
    help=(
        "The one-time code from your administrator. Without one, a device that you "
        "already use approves this one."
    ),
)
@click.option("--code-stdin", is_flag=True, help="Read the code from the first line of stdin.")
@click.option("--name", help="A name for this device. Defaults to the host name.")
@click.option("--pin-stdin", is_flag=True, help="Read the new PIN from stdin, after the code.")
@click.option("--insecure", is_flag=True, help="Allow http:// to a different machine.")
@as_json
def login(  # one argument per option
    *,
    url: str,
    code: str | None,
    code_stdin: bool,
    name: str | None,
    pin_stdin: bool,
    insecure: bool,
) -> None:
    """Make this machine one of your devices, with the server at URL.

    Without --code, this command shows a code and a page to type it on, and waits until you approve
    on a device that you already use. Your first device needs a code from your administrator.
    A second server needs a profile name: sayso-approver --profile NAME login URL

    The PIN you choose seals this device's approval keys. With both --code-stdin and --pin-stdin
    the first line is the code and the second the PIN.
    """
    home = this_home()
    _check_not_logged_in(home)
    with prompts.echo_off() if is_interactive() and not pin_stdin else nullcontext():
        # An unreachable server is reported before the PIN prompt.
        find_issuer(url, allow_insecure=insecure)
        typed_code = _read_code(code, from_stdin=code_stdin)
        pin = read_new_secret("PIN", _PIN_RULE, "--pin-stdin", from_stdin=pin_stdin)
    enrollment = Enrollment(
        url=url,
        code=DeviceGrant(partial(_show_authorization, url), threading.Event().wait)
        if typed_code is None
        else typed_code,
        name=default_device_name() if name is None else name,
        pin=pin,
        allow_insecure=insecure,
    )
    with closing(enroll(home, enrollment, clock=settings.wall_clock)) as client:
        print_result(_document(client), _lines(client))


def _check_not_logged_in(home: Home) -> None:
    """Refuse to replace an active login; an ended one is replaced."""
    try:
        login = profile.load(home)
        if login is None:
            return
        client = open_client(home, clock=settings.wall_clock)
    except (BrokenProfile, LoginFirst):
        return
    try:
        client.me()
    except LoginFirst:
        forget(home, login)
        return
    except ClientError:  # the state is unknown, so the login counts as active
        pass
    finally:
        client.close()
    raise AlreadyLoggedIn(
        f"{login.user_name} is logged in to {login.issuer} here. "
        "Log out first: sayso-approver logout. "
        "To add another server: sayso-approver --profile NAME login URL"
    )


def _read_code(code: str | None, *, from_stdin: bool) -> str | None:
    if code is not None and from_stdin:
        raise click.UsageError("Use --code or --code-stdin, not both.")
    return stdin_line() if from_stdin else code


def _show_authorization(url: str, authorization: DeviceAuthorization) -> None:
    """Print on stderr what to do; print the QR code only in a terminal."""
    lines = [
        "",
        "Open this page on any of your devices and type the code there:",
        "",
        f"    {authorization.page}",
        f"    {authorization.code}",
        "",
    ]
    click.echo("\n".join(lines), err=True)
    if sys.stderr.isatty():
        import segno  # noqa: PLC0415  # slow to import, and rarely used

        segno.make(authorization.link, error="m").terminal(sys.stderr, border=2, compact=True)
    lines = [
        "Then approve it on a device that you already use: it shows the same code.",
        "This command waits for 15 minutes. Press Ctrl+C to cancel.",
        "No browser? On that device, run sayso-approver devices add and use its code.",
        f"Your first device? Get a one-time code, then: sayso-approver login {url} --code CODE",
    ]
    click.echo("\n".join(lines), err=True)


def _document(client: Client) -> dict[str, object]:
    login = client.profile
    return {
        "schema": "sayso.login/1",
        "profile": client.home.name,
        "issuer": login.issuer,
        "user": {"id": login.user_id, "name": login.user_name},
        "device": {"id": login.device_id, "name": login.device_name},
        "secrets": login.vault,
        "warnings": warnings(client),
    }


def _lines(client: Client) -> list[str]:
    login = client.profile
    lines = [
        f"Logged in to {login.issuer} as {login.user_name}.",
        f'This device is called "{login.device_name}".',
    ]
    if login.vault == FILES:
        lines.append(f"Its session key is stored in files under {client.home.secrets_folder}.")
    width = get_terminal_size().columns
    lines += [click.wrap_text(f"Warning: {warning}", width) for warning in warnings(client)]
    return [*lines, "", f"See your requests: {program()}"]
