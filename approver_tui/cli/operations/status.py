"""`sayso-approver status`: whether everything works, and any security warnings."""

import click

from approver_tui.cli import documents, lines
from approver_tui.cli.approvals import listing
from approver_tui.cli.inputs import this_client, warnings
from approver_tui.cli.lines import fact
from approver_tui.cli.printing import as_json, print_result


@click.command("status")
@as_json
def status() -> None:
    """Show whether everything works, and any weaknesses."""
    with this_client() as client:
        me, page = client.me(), client.waiting()
        weaknesses, profile = warnings(client), client.profile
    mine, others = listing.by_turn(page, me.user.id)
    document = {
        "schema": "sayso.status/1",
        "profile": client.home.name,
        "issuer": profile.issuer,
        "user": {"id": me.user.id, "name": me.user.name},
        "device": documents.to_json(me.device),
        "waiting": len(mine.items),
        "waiting_for_others": len(others),
        "unverified": len(page.unverified),
        "clock_skew_ms": client.skew,
        "secrets": profile.vault,
        "warnings": weaknesses,
    }
    text = [
        fact("server", f"{profile.issuer} (online)"),
        fact("user", me.user.name),
        fact("device", profile.device_name),
        fact("profile", client.home.name),
        fact("waiting", listing.waiting_count_text(mine)),
        fact("session key", profile.vault),
    ]
    text += [] if me.device is None else lines.pin_problems(me.device)
    text += [fact("clock", f"{client.skew / 1000:+.0f} s off")] if client.skew else []
    print_result(document, text + [f"Warning: {warning}" for warning in weaknesses])
