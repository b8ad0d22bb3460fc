"""`python -m tests.bench.pages`: the first load of pages, and their cost as history grows.

The first part is measured in Chromium: the bytes loaded with an empty cache, and when every button
worked. The second is measured on the server: the same pages of a user who decided little and of one
who decided 100,000, in turn. Little is one request; for lists it is a full page, for statistics all
of their days: an empty page beside a full one would say nothing about growth.
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
from tests.bench.answers import Expected, check
from tests.bench.measuring import Target, compare, product
from tests.bench.table import growth, run, say, verdict
from tests.support.browsers.chromium import Chromium, chromium, stranger
from tests.support.browsers.first_sign_in import enroll
from tests.support.browsers.first_view import FirstView, first_view
from tests.support.browsers.web_person import WebPerson, new_web_person
from tests.support.builders import decided_rows
from tests.support.clients.agent import new_agent
from tests.support.servers.server import BY, LiveServer

_ROUNDS = 5
"""Of each page, with and without a service worker."""
_LITTLE, _MUCH = 100, 100_000
_FORTNIGHT = 14 * 24 * 60
"""What was decided in the days that charts show, one each minute; what was before is the past."""
_KILOBYTES_BAR = 100.0
_READY_BAR_MS = 300.0
_GROWTH_BAR = 1.2
_OF_ONE = {
    "the inbox": "/",
    "a request": "/r/{waiting}",
    "what came of an answer": "/done/{last}",
}
_OF_MANY = {"the history": "/history"}
_OF_DAYS = {
    "an agent": "/agents/{agent}",
    "the console": "/admin",
    "an agent in the console": "/admin/agents/{agent}",
    "the limits": "/admin/limits",
}


def main() -> None:
    """The browser's part, then the server's."""
    _first_views()
    _growth()


def _first_views() -> None:
    """Each round begins with empty caches; each page has its own verdict."""
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
        seen = {name: _both_ways(tab, name, server.url + path) for name, path in pages.items()}
    say("")
    for name, found in seen.items():
        verdict(f"{name}: bytes", max(one.bytes for one in found) / 1000, _KILOBYTES_BAR, " kB")
        verdict(f"{name}: other hosts", max(len(one.asked) - 1 for one in found), 0)
        ready = statistics.median(one.ready_ms for one in found)
        verdict(f"{name}: usable after, median", ready, _READY_BAR_MS, " ms")


def _signed_in(server: LiveServer, tab: Chromium) -> Mapping[str, str]:
    """The pages of an administrator who approved one request; a high-risk one is pending."""
    tab.add_passkey_holder()
    name, code = server.user()
    users = Users(server.services.store, server.services.secrets)
    users.update(name, UserChanges(roles=("admin",)), by=BY)
    agent = new_agent(server, owners=(name,))
    enroll(tab, server, code)
    agent.asked(name)
    done = _first_in_the_inbox(server, tab)
    for button in ("#to-approve", "#approve-now"):
        tab.click(button)
    tab.says("Approved by")
    agent.ask_payment(name)
    return {
        "the inbox": "/",
        "a request": f"/r/{_first_in_the_inbox(server, tab)}",
        "what came of an answer": f"/done/{done}",
        "the history": "/history",
        "an agent": f"/agents/{agent.key.id}",
        "the console": "/admin",
        "an agent in the console": f"/admin/agents/{agent.key.id}",
    }


def _first_in_the_inbox(server: LiveServer, tab: Chromium) -> str:
    """Open the pending request; its id."""
    tab.open(f"{server.url}/")
    tab.open(tab.see("document.querySelector('.row a')?.href"))
    opened: str = tab.ask("location.pathname").rpartition("/")[2]
    return opened


def _both_ways(tab: Chromium, name: str, url: str) -> Sequence[FirstView]:
    """Measure without a service worker, and while it is installed."""
    return [one for worker in (False, True) for one in _rounds(tab, name, url, worker=worker)]


def _rounds(tab: Chromium, name: str, url: str, *, worker: bool) -> Sequence[FirstView]:
    found = [first_view(tab, url, worker=worker) for _ in range(_ROUNDS)]
    check_views(name, url, found)
    largest = max(found, key=lambda one: one.bytes)
    ready = [one.ready_ms for one in found]
    say(
        f"| {name} | {'installs itself' if worker else 'none'} | {len(largest.loaded)} "
        f"| {largest.bytes} | {len(largest.asked) - 1} "
        f"| {statistics.median(ready):.0f} | {max(ready):.0f} |"
    )
    return found


def check_views(name: str, url: str, found: Sequence[FirstView]) -> None:
    """Raise `WrongAnswers` when the browser got an error or another page."""
    check(name, f"200 {url}", Counter(f"{one.status} {one.url}" for one in found))


def _growth() -> None:
    """Two servers: on one a user decided little, on the other one decided much."""
    with product() as short, product() as long:
        pasts = [_person(short), _person(long)]
        pasts[0].decide(1)
        pasts[1].decide(_MUCH)
        for name, path in _OF_ONE.items():
            _compare(name, path, pasts)
        pasts[0].decide(_LITTLE)
        for name, path in _OF_MANY.items():
            _compare(name, path, pasts)
        pasts[0].decide(_FORTNIGHT)
        for name, path in _OF_DAYS.items():
            _compare(name, path, pasts)


@dataclass(slots=True)
class _Past:
    """A user with one pending request, and how many they decided."""

    person: WebPerson
    waiting: Approval
    agent: str
    last: str = ""
    """What they decided last."""
    decided: int = 0

    def decide(self, count: int) -> None:
        """Let them have decided so many, all approved."""
        services, device = self.person.server.services, self.person.me["device"]["id"]
        self.last = decided_rows.past(services, self.waiting, device, count - self.decided)
        self.decided = count

    def path(self, pattern: str) -> str:
        """Path of the user's page for this pattern."""
        return pattern.format(waiting=self.waiting.id, agent=self.agent, last=self.last)


def _person(server: LiveServer) -> _Past:
    """An administrator, so that the console is included."""
    person, agent = new_web_person(server), new_agent(server)
    users = Users(server.services.store, server.services.secrets)
    users.update(person.name, UserChanges(roles=("admin",)), by=BY)
    agent.ask_payment(person.name)
    with server.services.store.read() as view:
        user_id = person.me["user"]["id"]
        (waiting,) = view.approvals.waiting(user_id, view.now, 2, None)
    return _Past(person, waiting, agent.key.id)


def _compare(name: str, path: str, pasts: Sequence[_Past]) -> None:
    """One page of both, in turn."""
    little, much = (past.decided for past in pasts)
    say(f"## Pages: {name}, with {little} and with {much} decided approvals")
    targets = [_target(past.person, f"{name}, {past.decided}", past.path(path)) for past in pasts]
    growth(compare(targets), bar=_GROWTH_BAR)


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
