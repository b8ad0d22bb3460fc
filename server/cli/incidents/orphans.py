"""`sayso agents orphans`: agents that need an owner or a review."""

import click

from server.cli.opening import OpenInstallation, administers
from server.cli.output import answer, json_option, listed, moment, rfc3339, table
from server.services.incidents.orphans import Orphan, SeenOwner

_WORDS = {
    "no_owner": "no enabled owner",
    "owner_away": "owners not seen for 90 days",
    "review_due": "review is due",
    "expired": "expired",
}


@click.command("orphans")
@json_option
@administers
def orphans(admin: OpenInstallation, *, as_json: bool) -> None:
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
    answer({"items": [_document(one) for one in found]}, lines, as_json=as_json)


def _owner(one: SeenOwner) -> str:
    seen = "never seen" if one.seen_at is None else f"seen {moment(one.seen_at)}"
    return f"{one.user.name} ({one.user.state}, {seen})"


def _document(one: Orphan) -> dict[str, object]:
    return {
        "client_id": one.agent.id,
        "name": one.agent.name,
        "state": one.agent.state,
        "why": list(one.why),
        "owners": [
            {
                "id": keeper.user.id,
                "name": keeper.user.name,
                "state": keeper.user.state,
                "seen_at": rfc3339(keeper.seen_at),
            }
            for keeper in one.owners
        ],
        "quarantine_at": rfc3339(one.quarantine_at),
        "review_at": rfc3339(one.agent.review_at),
        "expires_at": rfc3339(one.agent.expires_at),
    }
