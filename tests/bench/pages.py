"""`python -m tests.bench.pages`: the first load of pages, and their cost as history grows.

The first part is measured in Chromium: the bytes loaded with an empty cache, and the time until
every button works. The second is measured on the server: the same pages of a user with few decided
requests and of a user with 100,000, in turn. Few means one request; for lists it means a full page,
and for statistics all of their days, because comparing with an empty page would not show growth.
"""

import statistics
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from server.model.approvals import Approval
from server.services.users.users import UserChanges, Users
from tests.bench.measuring import Target, compare, product
from tests.bench.responses import Expected, check
from tests.bench.table import at_most, growth, run, say
from tests.support.browsers.chromium import Chromium, chromium, stranger
from tests.support.browsers.first_sign_in import enroll
from tests.support.browsers.first_view import FirstView, first_view
from tests.support.browsers.web_person import WebPerson, new_web_person
from tests.support.builders import decided_rows
from tests.support.clients.agent import new_agent
from tests.support.servers.server import BY, LiveServer

_ROUNDS = 5
"""Rounds for each page, with and without a service worker."""
_FEW, _MANY = 100, 100_000
_FORTNIGHT = 14 * 24 * 60
"""Requests decided in the days that charts show, one each minute; older ones are history."""
_MAX_KILOBYTES = 100.0
_MAX_READY_MS = 300.0
_MAX_GROWTH = 1.2
_REQUEST_PAGES = {
    "the inbox": "/",
    "a request": "/r/{waiting}",
    "the result of a decision": "/done/{last}",
}
_LIST_PAGES = {"the history": "/history"}
_CHART_PAGES = {
    "an agent": "/agents/{agent}",
    "the console": "/admin",
    "an agent in the console": "/admin/agents/{agent}",
    "the limits": "/admin/limits",
}


def main() -> None:
    """Measure in the browser, then on the server."""
    _first_views()
    _growth()


def _first_views() -> None:
    """Measure every page; each round starts with empty caches."""
    say("## Pages: first view in Chromium, cold, on the loopback")
    with (
        tempfile.TemporaryDirectory(prefix="sayso-bench-") as folder,
        product() as server,
        chromium(Path(folder)) as browser,
        stranger(browser) as tab,
    ):
        pages = _signed_in(server, tab)
        say("| page | service worker | requests | bytes | other hosts | usable, ms | slowest |")
        say("|---|---|---|---|---|---|---|")
        views_by_page = {
            name: _both_ways(tab, name, server.url + path) for name, path in pages.items()
        }
    say("")
    for name, views in views_by_page.items():
        at_most(f"{name}: bytes", max(view.bytes for view in views) / 1000, _MAX_KILOBYTES, " kB")
        at_most(f"{name}: other hosts", max(len(view.asked) - 1 for view in views), 0)
        ready = statistics.median(view.ready_ms for view in views)
        at_most(f"{name}: usable after, median", ready, _MAX_READY_MS, " ms")


def _signed_in(server: LiveServer, tab: Chromium) -> Mapping[str, str]:
    """Approve one request as an administrator, leave a high-risk one pending; return the pages."""
    tab.add_passkey_holder()
    name, code = server.user()
    users = Users(server.services.store, server.services.secrets)
    users.update(name, UserChanges(roles=("admin",)), by=BY)
    agent = new_agent(server, owners=(name,))
    enroll(tab, server, code)
    agent.request_approval(name)
    done = _first_in_the_inbox(server, tab)
    for button in ("#to-approve", "#approve-now"):
        tab.click(button)
    tab.wait_for_text("Approved by")
    agent.ask_payment(name)
    return {
        "the inbox": "/",
        "a request": f"/r/{_first_in_the_inbox(server, tab)}",
        "the result of a decision": f"/done/{done}",
        "the history": "/history",
        "an agent": f"/agents/{agent.key.id}",
        "the console": "/admin",
        "an agent in the console": f"/admin/agents/{agent.key.id}",
    }


def _first_in_the_inbox(server: LiveServer, tab: Chromium) -> str:
    """Open the pending request; return its ID."""
    tab.open(f"{server.url}/")
    tab.open(tab.see("document.querySelector('.row a')?.href"))
    opened_id: str = tab.ask("location.pathname").rpartition("/")[2]
    return opened_id


def _both_ways(tab: Chromium, name: str, url: str) -> Sequence[FirstView]:
    """Measure without a service worker, and while it is installed."""
    return [view for worker in (False, True) for view in _rounds(tab, name, url, worker=worker)]


def _rounds(tab: Chromium, name: str, url: str, *, worker: bool) -> Sequence[FirstView]:
    views = [first_view(tab, url, worker=worker) for _ in range(_ROUNDS)]
    check_views(name, url, views)
    largest = max(views, key=lambda view: view.bytes)
    ready = [view.ready_ms for view in views]
    say(
        f"| {name} | {'installs itself' if worker else 'none'} | {len(largest.loaded)} "
        f"| {largest.bytes} | {len(largest.asked) - 1} "
        f"| {statistics.median(ready):.0f} | {max(ready):.0f} |"
    )
    return views


def check_views(name: str, url: str, found: Sequence[FirstView]) -> None:
    """Raise `UnexpectedResponses` if the browser got an error or a different page."""
    check(name, f"200 {url}", Counter(f"{view.status} {view.url}" for view in found))


def _growth() -> None:
    """Compare two servers: one with few decided requests, one with many."""
    with product() as short, product() as long:
        users_with_history = [_person(short), _person(long)]
        users_with_history[0].decide(1)
        users_with_history[1].decide(_MANY)
        for name, path in _REQUEST_PAGES.items():
            _compare(name, path, users_with_history)
        users_with_history[0].decide(_FEW)
        for name, path in _LIST_PAGES.items():
            _compare(name, path, users_with_history)
        users_with_history[0].decide(_FORTNIGHT)
        for name, path in _CHART_PAGES.items():
            _compare(name, path, users_with_history)


@dataclass(slots=True)
class _UserWithHistory:
    """A user with one pending request and a number of decided ones."""

    person: WebPerson
    waiting: Approval
    agent: str
    last: str = ""
    """The ID of one of their decided requests."""
    decided: int = 0

    def decide(self, count: int) -> None:
        """Store approved requests until the user has this many."""
        services, device = self.person.server.services, self.person.me["device"]["id"]
        self.last = decided_rows.past(services, self.waiting, device, count - self.decided)
        self.decided = count

    def path(self, pattern: str) -> str:
        """Return the path of the user's page for this pattern."""
        return pattern.format(waiting=self.waiting.id, agent=self.agent, last=self.last)


def _person(server: LiveServer) -> _UserWithHistory:
    """Return a user who is an administrator, so that the console is included."""
    person, agent = new_web_person(server), new_agent(server)
    users = Users(server.services.store, server.services.secrets)
    users.update(person.name, UserChanges(roles=("admin",)), by=BY)
    agent.ask_payment(person.name)
    with server.services.store.read() as view:
        user_id = person.me["user"]["id"]
        (waiting,) = view.approvals.waiting(user_id, view.now, 2, None)
    return _UserWithHistory(person, waiting, agent.key.id)


def _compare(name: str, path: str, users_with_history: Sequence[_UserWithHistory]) -> None:
    """Measure a page of both users in turn."""
    little, much = (user.decided for user in users_with_history)
    say(f"## Pages: {name}, with {little} and with {much} decided approvals")
    targets = [
        _target(user.person, f"{name}, {user.decided}", user.path(path))
        for user in users_with_history
    ]
    growth(compare(targets), max_ratio=_MAX_GROWTH)


def _target(person: WebPerson, name: str, path: str) -> Target:
    server = person.server
    assert server.process is not None
    expected = Expected(HTTPStatus.OK, "data-sign-out")
    request = (
        f"GET {path} HTTP/1.1\r\nHost: localhost:{server.port}\r\nCookie: {person.cookie}\r\n\r\n"
    )
    return Target(name, server.process.pid, server.port, expected, lambda: [request], again=True)


if __name__ == "__main__":
    run(main)
