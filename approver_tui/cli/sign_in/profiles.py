"""`sayso-approver profiles`, `whoami` and `logout`: the logins of this machine.

Owns: listing, showing and ending a login. Never: creating one (`login.py`).
"""

from collections.abc import Iterator
from dataclasses import asdict

import click

from approver_tui.cli import documents
from approver_tui.cli.inputs import this_client
from approver_tui.cli.lines import fact
from approver_tui.cli.printing import PROGRAM, as_json, print_result
from approver_tui.cli.sign_in.homes import this_home
from approver_tui.client.errors import BrokenProfile
from approver_tui.client.sign_in import profile
from approver_tui.client.sign_in.profile import Home, Profile
from approver_tui.state.text import display_safe


@click.command("profiles")
@as_json
def profiles() -> None:
    """List the servers this machine is logged in to.

    Choose the default one with `config set profile NAME`.
    """
    home = this_home()
    logins = {name: _load(home.with_profile(name)) for name in home.names}
    items = [_item(name, login, home) for name, login in logins.items()]
    print_result({"schema": "sayso.profiles/1", "items": items}, _lines(logins, home))


@click.command("whoami")
@as_json
def whoami() -> None:
    """Show who is logged in, and where."""
    with this_client() as client:
        me, login = client.me(), client.profile
    document = {
        "schema": "sayso.whoami/1",
        "profile": client.home.name,
        "issuer": login.issuer,
        "user": {**asdict(me.user), "roles": list(me.user.roles)},
        "device": documents.to_json(me.device),
    }
    lines = [fact("user", me.user.name), fact("server", login.issuer)]
    lines += [fact("device", login.device_name), fact("profile", client.home.name)]
    lines += [fact("roles", ", ".join(me.user.roles))] if me.user.roles else []
    print_result(document, lines)


@click.command("logout")
@as_json
def logout() -> None:
    """Sign this device out and delete its keys."""
    with this_client() as client:
        login, is_revoked = client.profile, client.logout()
    text = ["Logged out. The server has revoked this device."]
    if not is_revoked:
        text = [
            "Logged out here, but the server could not be reached.",
            f"Revoke {login.device_id} from another device, or ask an administrator.",
        ]
    device = {"id": login.device_id, "name": login.device_name}
    document = {"schema": "sayso.logout/1", "device": device, "server_confirmed": is_revoked}
    print_result(document, text)


def _load(home: Home) -> Profile | None:
    """Return a login, or None if its file cannot be read."""
    try:
        return profile.load(home)
    except BrokenProfile:
        return None


def _item(name: str, login: Profile | None, home: Home) -> dict[str, object]:
    return {
        "name": name,
        "in_use": name == home.name,
        "issuer": None if login is None else login.issuer,
        "user": None if login is None else {"id": login.user_id, "name": login.user_name},
        "device": None if login is None else {"id": login.device_id, "name": login.device_name},
    }


def _lines(logins: dict[str, Profile | None], home: Home) -> Iterator[str]:
    for name, login in logins.items():
        yield fact("profile", f"{name}, in use" if name == home.name else name)
        if login is None:
            yield f"  Its file cannot be read. Log in again: {PROGRAM} --profile {name} login URL"
        else:
            yield fact("server", display_safe(login.issuer))
            yield fact("user", display_safe(login.user_name))
            yield fact("device", display_safe(login.device_name))
        yield ""
    if not logins:
        yield f"No logins yet. Log in with: {PROGRAM} login URL"
        return
    yield f"For one command: {PROGRAM} --profile NAME COMMAND"
    yield f"As the default: {PROGRAM} config set profile NAME"
