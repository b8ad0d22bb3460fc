"""Standing grants as the JSON documents of `--json`. Members are only ever added."""

from approver_tui.cli.documents import members, who
from approver_tui.state.standing_grants.standing_grants import GrantPreview, Money, StandingGrant


def grant(value: StandingGrant) -> dict[str, object]:
    """Return a standing grant."""
    separate = ("agent_id", "agent_name")
    sums = {"sum": _money(value.sum), "spent": _money(value.spent)}
    return members(value, *separate, agent=who(value, "agent"), **sums)


def preview(value: GrantPreview) -> dict[str, object]:
    """Return the preview of a grant."""
    requests = [members(one, covered=one.mismatch is None) for one in value.requests]
    total = _money(value.sum)
    return members(value, "agent_name", agent=value.agent_name, sum=total, requests=requests)


def _money(value: Money | None) -> dict[str, object] | None:
    return None if value is None else members(value, "words", text=value.words)
