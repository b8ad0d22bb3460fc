"""`sayso-approver profiles`: the servers that this machine is logged in to.

Owns: the list of logins. Never: asking a server; `whoami` and `status` do.
"""

from collections.abc import Iterator

import click

from approver_tui.cli.lines import fact
from approver_tui.cli.printing import PROGRAM, as_json, print_result
from approver_tui.cli.sign_in.homes import this_home
from approver_tui.client.errors import BrokenProfile
from approver_tui.client.sign_in import profile
from approver_tui.client.sign_in.profile import Home, Profile
from approver_tui.state.text import display_safe


@click.command("profiles")
@as_json
def command() -> None:
    """List the servers this machine is logged in to.

    Choose the default one with `config set profile NAME`.
    """
    here = this_home()
    known = {name: _load(here.named(name)) for name in here.names}
    items = [_item(name, found, here) for name, found in known.items()]
    print_result({"schema": "sayso.profiles/1", "items": items}, _lines(known, here))


def _load(home: Home) -> Profile | None:
    """Return a login; an unreadable one is listed too."""
    try:
        return profile.load(home)
    except BrokenProfile:
        return None


def _item(name: str, found: Profile | None, here: Home) -> dict[str, object]:
    return {
        "name": name,
        "in_use": name == here.name,
        "issuer": None if found is None else found.issuer,
        "user": None if found is None else {"id": found.user_id, "name": found.user_name},
        "device": None if found is None else {"id": found.device_id, "name": found.device_name},
    }


def _lines(known: dict[str, Profile | None], here: Home) -> Iterator[str]:
    for name, found in known.items():
        yield fact("profile", f"{name}, in use" if name == here.name else name)
        if found is None:
            yield f"  Its file cannot be read. Log in again: {PROGRAM} --profile {name} login URL"
        else:
            yield fact("server", display_safe(found.issuer))
            yield fact("user", display_safe(found.user_name))
            yield fact("device", display_safe(found.device_name))
        yield ""
    if not known:
        yield f"No logins yet. Log in with: {PROGRAM} login URL"
        return
    yield f"Use one: {PROGRAM} --profile NAME"
    yield f"Use it always: {PROGRAM} config set profile NAME"
