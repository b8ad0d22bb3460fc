"""The line about waiting requests at other servers.

Owns: the line below the inbox, the words for each server. Never: showing the content of a request.
"""

from approver_tui.state.notifications.other_logins import OtherLoginCount, OtherLoginCounts
from approver_tui.state.text import SafeText, pluralize
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.times import age

_MAX_NAMED = 3
"""The number of servers that are named; the rest are combined."""


def other_logins_line(counts: OtherLoginCounts, now: int) -> SafeText:
    """Return the line that says where requests are waiting; empty if no server has any."""
    busy = [login_count for login_count in counts.values() if login_count.count]
    if not busy:
        return SafeText("")
    parts = [
        fmt("{} at {}", count_with_age(login_count, now), SafeText(login_count.login))
        for login_count in busy[:_MAX_NAMED]
    ]
    rest = busy[_MAX_NAMED:]
    if rest:
        count = sum(login_count.count for login_count in rest)
        parts.append(fmt("{} on {}", count, pluralize(len(rest), "other server")))
    return fmt("Waiting elsewhere: {}", SafeText(", ".join(parts)))


def count_with_age(login_count: OtherLoginCount, now: int) -> SafeText:
    """Return the count, with its age if the server did not answer the latest query."""
    if not login_count.is_old:
        return fmt("{}", login_count.count)
    return fmt("{} ({} ago)", login_count.count, age(login_count.at, now))
