"""A page with an open socket, in either browser, and the messages that it gets.

Owns: a listener on the page's own `WebSocket`, which gets the same messages and changes nothing.
Never: the page's own polling; while the socket is open it polls every half minute, and no test
waits that long.
"""

from typing import Any, Protocol

from tests.support.servers.server import LiveServer

SOON_MS = 10_000
"""Other devices show an answer within this time: two seconds, plus time for a busy machine."""

_LISTENER = """() => {
  if (window.told) return;
  window.told = [];
  window.sockets = [];
  window.WebSocket = class extends WebSocket {
    constructor(...all) {
      super(...all);
      sockets.push(this);
      const hear = ({ data }) => told.push({ at: performance.now(), ...JSON.parse(data) });
      this.addEventListener("message", hear);
    }
  };
}"""
_POLLS = """performance.getEntriesByType('resource').filter(
  (each) => each.name === location.href || each.name.includes('/api/approvals'))"""
_IS_LIVE = f"""window.told?.[0]?.type === 'hello'
  && {_POLLS}.some((each) => each.startTime >= told[0].at)"""
"""The feed is open and the page has polled since, so the next poll is half a minute away."""


class Tab(Protocol):
    """A tab of either browser."""

    def beforehand(self, function: str) -> None: ...
    def open(self, url: str) -> None: ...
    def ask(self, expression: str) -> Any: ...  # whatever the page says
    def see(self, expression: str) -> Any: ...  # as above
    def wait_for_text(self, words: str) -> None: ...


def listening(tab: Tab, url: str) -> None:
    """Open a page, and wait until it gets live events."""
    tab.beforehand(_LISTENER)
    tab.open(url)
    tab.see(_IS_LIVE)


def polling(tab: Tab, url: str) -> None:
    """Open a page, and wait until it has polled three times."""
    tab.beforehand(_LISTENER)
    tab.open(url)
    tab.see(f"{_POLLS}.length >= 3")


def poll_times(tab: Tab) -> list[tuple[float, float]]:
    """Return the start and end of each poll of the page, in milliseconds since it was opened."""
    found: list[list[float]] = tab.ask(
        f"{_POLLS}.map((each) => [each.startTime, each.responseEnd])"
    )
    return [(start, end) for start, end in found]


def socket_messages(tab: Tab) -> list[str]:
    """Return the names of the socket messages that this page got since it was opened."""
    found: list[str] = tab.ask("told.map((each) => each.event ?? each.type)")
    return found


def says_soon(server: LiveServer, tab: Tab, words: str, *, since: int) -> None:
    """Wait until the page shows these words; this must happen before its next poll."""
    tab.wait_for_text(words)
    late = server.clock.now() - since
    assert late < SOON_MS, f"{words!r} after {late} ms"
