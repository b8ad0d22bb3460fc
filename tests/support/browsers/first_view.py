"""What a page costs a browser with an empty cache: bytes, hosts, and time until it is usable.

Owns: counting what Chromium loads for a page, and what its service worker loads. The numbers come
from the browser's network events, not from the page.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.support.browsers.chromium import Chromium
from tests.support.checks.waiting import until

_STORAGE_TYPES = "service_workers,cache_storage"
_READY = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
_STATUS = "performance.getEntriesByType('navigation')[0].responseStatus"
"""Module scripts have run by then, so every button works."""
_USABLE = f"{_READY} > 0"
_WORKER_LOADS = """fetch(location, {cache: "reload"}).then((answer) => answer.text()).then(
  () => performance.getEntriesByType("resource").map((each) => [each.name, each.transferSize]))"""
"""The browser does not report loading the worker's own script, so it is loaded again."""


@dataclass(frozen=True, slots=True)
class FirstView:
    """One visit to a page."""

    loaded: dict[str, int]
    """URL → bytes over the wire, with the response headers."""
    asked: frozenset[str]
    """Hosts with ports of all requests and sockets."""
    status: int
    """The HTTP status of the page itself."""
    url: str
    """The final URL, after redirects."""
    ready_ms: float
    """Milliseconds from the start of the navigation until all scripts of the page have run."""

    @property
    def bytes(self) -> int:
        """Return the number of all bytes."""
        return sum(self.loaded.values())


def first_view(tab: Chromium, url: str, *, worker: bool) -> FirstView:
    """Open a page as for the first time: nothing is cached and no service worker is installed.

    With `worker` the page may install its worker, and what that loads counts; without it, it may
    not.
    """
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    tab.open("about:blank")
    tab.tell("Network.enable")
    tab.tell("Network.setBypassServiceWorker", bypass=not worker)
    tab.tell("Network.clearBrowserCache")
    tab.tell("Storage.clearDataForOrigin", origin=origin, storageTypes=_STORAGE_TYPES)
    tab.events.clear()
    tab.open(url)
    tab.see(_USABLE)
    until(lambda: _at_rest(tab), 30)
    requests = _requests(tab)
    loaded = {url: requests.get(name, 0) for name, url in _request_urls(tab).items()}
    if worker:
        loaded |= _loaded_by_worker(tab, origin)
    asked = {urlsplit(address).netloc for address in (*loaded, *_sockets(tab))}
    hosts = frozenset(asked - {""})  # data: URLs, such as the icon of a number field, have no host
    tab.tell("Network.setBypassServiceWorker", bypass=False)
    status, final = tab.ask(f"[{_STATUS}, location.href]")
    return FirstView(loaded, hosts, status, final, float(tab.ask(_READY)))


@contextmanager
def transferred(tab: Chromium) -> Iterator[Callable[[], int]]:
    """Count the bytes of responses and socket messages of an open page in this block.

    The count is complete when the block has ended. Messages count with their uncompressed size.
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
    """Report whether all requests have been answered; the `ask` call also reads new events."""
    tab.ask("1")
    over = _requests(tab).keys() | {event["requestId"] for event in _events(tab, "loadingFailed")}
    return _request_urls(tab).keys() <= over


def _events(tab: Chromium, name: str) -> list[dict[str, Any]]:
    method = f"Network.{name}"
    own_events = [event for event in tab.events if event.get("sessionId") == tab.session]
    return [event["params"] for event in own_events if event["method"] == method]


def _request_urls(tab: Chromium) -> dict[str, str]:
    """Return the URL of each request, by request ID."""
    request_events = _events(tab, "requestWillBeSent")
    return {event["requestId"]: event["request"]["url"] for event in request_events}


def _requests(tab: Chromium) -> dict[str, int]:
    """Return the bytes of each finished request, by request ID."""
    done = _events(tab, "loadingFinished")
    return {event["requestId"]: round(event["encodedDataLength"]) for event in done}


def _sockets(tab: Chromium) -> list[str]:
    return [event["url"] for event in _events(tab, "webSocketCreated")]


def _loaded_by_worker(tab: Chromium, origin: str) -> dict[str, int]:
    """Return what the service worker loaded, marked, because the page may load the same URLs."""
    tab.see("navigator.serviceWorker.ready.then((there) => there.active.state === 'activated')")
    loaded = tab.worker(origin).ask(_WORKER_LOADS)
    return {f"{name}#worker": size for name, size in loaded}
