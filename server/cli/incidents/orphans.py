"""`sayso agents orphans`: agents that need an owner or a review."""

import click

from server.cli.opening import OpenInstallation
from server.cli.output import join_names, moment, table
from server.cli.printed import Printed, prints
from server.services.incidents.orphans import SeenOwner, orphan_json

_REASON_TEXTS = {
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
    all_orphans = admin.orphans.all()
    rows = [
        (
            orphan.agent.name,
            orphan.agent.state,
            join_names(_REASON_TEXTS[reason] for reason in orphan.why),
            join_names(map(_owner, orphan.owners)),
            moment(orphan.quarantine_at),
        )
        for orphan in all_orphans
    ]
    lines = table(("name", "state", "why", "owners", "quarantined at"), rows)
    lines += [
        f"To give it an owner: sayso agents update {orphan.agent.name} --add-owner USER"
        for orphan in all_orphans
        if "no_owner" in orphan.why
    ]
    return {"items": [orphan_json(orphan) for orphan in all_orphans]}, lines


def _owner(owner: SeenOwner) -> str:
    last_seen = "never seen" if owner.seen_at is None else f"seen {moment(owner.seen_at)}"
    return f"{owner.user.name} ({owner.user.state}, {last_seen})"
