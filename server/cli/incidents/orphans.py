"""`sayso agents orphans`: agents that need an owner or a review."""

import click

from server.cli.opening import OpenInstallation
from server.cli.output import listed, moment, table
from server.cli.printed import Printed, prints
from server.services.incidents import incident_json
from server.services.incidents.orphans import SeenOwner

_WORDS = {
    "no_owner": "no enabled owner",
    "owner_away": "owners not seen for 90 days",
    "review_due": "review is due",
    "expired": "expired",
}


@click.command("orphans")
@prints
def orphans(admin: OpenInstallation) -> Printed:
    """List agents that need an owner or a review.

    An enabled agent without an enabled owner is quarantined when its grace period ends; see
    SAYSO_OWNER_GRACE_DAYS.
    """
    found = admin.orphans.all()
    rows = [
        (
            one.agent.name,
            one.agent.state,
            listed(_WORDS[why] for why in one.why),
            listed(map(_owner, one.owners)),
            moment(one.quarantine_at),
        )
        for one in found
    ]
    lines = table(("name", "state", "why", "owners", "quarantined at"), rows)
    lines += [
        f"To give it an owner: sayso agents update {one.agent.name} --add-owner USER"
        for one in found
        if "no_owner" in one.why
    ]
    return {"items": [incident_json.orphan(one) for one in found]}, lines


def _owner(one: SeenOwner) -> str:
    seen = "never seen" if one.seen_at is None else f"seen {moment(one.seen_at)}"
    return f"{one.user.name} ({one.user.state}, {seen})"
