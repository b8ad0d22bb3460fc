"""What a page costs a browser that has nothing of it yet: bytes, hosts, and until it is usable.

Owns: counting what Chromium loads for a page, and what the service worker behind it loads. Nothing
is read from the page's own word: the browser's network says what came over the wire.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.support.browsers.chromium import Chromium
from tests.support.checks.waiting import until

_KEPT = "service_workers,cache_storage"
_READY = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
_STATUS = "performance.getEntriesByType('navigation')[0].responseStatus"
"""Scripts that are modules have run by then: whatever can be pressed does something."""
_USABLE = f"{_READY} > 0"
_OF_WORKER = """fetch(location, {cache: "reload"}).then((answer) => answer.text()).then(
  () => performance.getEntriesByType("resource").map((each) => [each.name, each.transferSize]))"""
"""The browser loads the worker's own script where nobody sees it; so it is loaded once more."""


@dataclass(frozen=True, slots=True)
class FirstView:
    """One visit."""

    loaded: dict[str, int]
    """Addresses, and bytes over the wire for each, headers of the answers included."""
    asked: frozenset[str]
    """Hosts with ports that anything was asked of, sockets too."""
    status: int
    """Of the page itself."""
    url: str
    """Where the browser ended, after redirects."""
    ready_ms: float
    """Milliseconds from the beginning of the navigation until all scripts of the page have run."""

    @property
    def bytes(self) -> int:
        """All that came."""
        return sum(self.loaded.values())


def first_view(tab: Chromium, url: str, *, worker: bool) -> FirstView:
    """Open a page as for the first time: nothing cached, and no service worker there yet.

    With `worker` the page may install its own, whose loading counts; without it there is none.
    """
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    tab.open("about:blank")
    tab.tell("Network.enable")
    tab.tell("Network.setBypassServiceWorker", bypass=not worker)
    tab.tell("Network.clearBrowserCache")
    tab.tell("Storage.clearDataForOrigin", origin=origin, storageTypes=_KEPT)
    tab.events.clear()
    tab.open(url)
    tab.see(_USABLE)
    until(lambda: _at_rest(tab), 30)
    requests = _requests(tab)
    loaded = {url: requests.get(name, 0) for name, url in _asked(tab).items()}
    if worker:
        loaded |= _behind(tab, origin)
    asked = {urlsplit(one).netloc for one in (*loaded, *_sockets(tab))}
    hosts = frozenset(asked - {""})  # the browser has the icon of a field for days as data
    tab.tell("Network.setBypassServiceWorker", bypass=False)
    status, final = tab.ask(f"[{_STATUS}, location.href]")
    return FirstView(loaded, hosts, status, final, float(tab.ask(_READY)))


@contextmanager
def transferred(tab: Chromium) -> Iterator[Callable[[], int]]:
    """Count what a page that is open sends and gets in this block: answers and socket messages.

    The count is complete when the block has ended. Messages count as they are before compression.
    """
    tab.ask("1")
    tab.events.clear()
    found: list[int] = []
    yield lambda: found[0]
    until(lambda: _at_rest(tab), 30)
    frames = [*_events(tab, "webSocketFrameReceived"), *_events(tab, "webSocketFrameSent")]
    messages = (len(frame["response"]["payloadData"].encode()) for frame in frames)
    found.append(sum(_requests(tab).values()) + sum(messages))


def _at_rest(tab: Chromium) -> bool:
    """Reports whether all that was asked has been answered; asking reads the events, too."""
    tab.ask("1")
    over = _requests(tab).keys() | {event["requestId"] for event in _events(tab, "loadingFailed")}
    return _asked(tab).keys() <= over


def _events(tab: Chromium, name: str) -> list[dict[str, Any]]:
    method = f"Network.{name}"
    mine = [event for event in tab.events if event.get("sessionId") == tab.session]
    return [one["params"] for one in mine if one["method"] == method]


def _asked(tab: Chromium) -> dict[str, str]:
    """Requests, and their addresses."""
    sent = _events(tab, "requestWillBeSent")
    return {one["requestId"]: one["request"]["url"] for one in sent}


def _requests(tab: Chromium) -> dict[str, int]:
    """Requests that are over, and what came for each."""
    done = _events(tab, "loadingFinished")
    return {one["requestId"]: round(one["encodedDataLength"]) for one in done}


def _sockets(tab: Chromium) -> list[str]:
    return [event["url"] for event in _events(tab, "webSocketCreated")]


def _behind(tab: Chromium, origin: str) -> dict[str, int]:
    """What the service worker loaded; under names of its own, as a page may load the same."""
    tab.see("navigator.serviceWorker.ready.then((there) => there.active.state === 'activated')")
    found = tab.worker(origin).ask(_OF_WORKER)
    return {f"{name}#worker": size for name, size in found}
