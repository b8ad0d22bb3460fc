"""The first steps of a person, below their inbox until all are done.

Owns: which steps there are, and by what each is done. Never: taking them; each links to its page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from server.web.visit import Visit

_AGENTS: Final = "GET /api/agents"
_REQUESTS: Final = "GET /api/admin/approvals"


@dataclass(frozen=True, slots=True)
class Step:
    """One step."""

    label: str
    path: str
    """The page where it is taken."""
    is_done: Callable[[Visit], bool]
    route: str = ""
    """The API route that a person must be allowed to call to be asked; "" for everyone."""


def _notified_here(visit: Visit) -> bool:
    known = visit.site.notifications.push_subscriptions.of_person(visit.person)
    return any(one.this for one in known)


def _has_second_device(visit: Visit) -> bool:
    own = visit.site.devices.devices.list_own(visit.person)
    return sum(one.state == "active" for one in own) > 1


def _lists(route: str) -> Callable[[Visit], bool]:
    return lambda visit: bool(visit.read(route, limit="1")["items"])


STEPS: Final = (
    Step("Turn on notifications in this browser", "/devices#notifications", _notified_here),
    Step("Add a second device, in case you lose this one", "/devices#another", _has_second_device),
    Step("Register the first agent", "/admin/new/agent", _lists(_AGENTS), "POST /api/agents"),
    Step("Let an agent ask: try it", "/admin/agents", _lists(_REQUESTS), "POST /api/agents"),
)


def load(visit: Visit) -> list[tuple[Step, bool]]:
    """Each step of this person, and whether it is done; nothing if all are."""
    own = [one for one in STEPS if not one.route or visit.may(one.route)]
    steps = [(one, one.is_done(visit)) for one in own]
    return [] if all(done for _, done in steps) else steps
