"""A page whose socket is up, in either browser, and what it heard there.

Owns: a listener at the page's own `WebSocket`, which hears what the page hears and changes nothing.
Never: what the page looks at by itself; once it listens that is every half minute, and no test
waits so long.
"""

from typing import Any, Protocol

from tests.support.servers.server import LiveServer

SOON_MS = 10_000
"""Within this, what one device answers is shown by the others: two seconds, and a busy machine."""

_EAR = """() => {
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
_LOOKS = """performance.getEntriesByType('resource').filter(
  (each) => each.name === location.href || each.name.includes('/api/approvals'))"""
_LISTENS = f"""window.told?.[0]?.type === 'hello'
  && {_LOOKS}.some((each) => each.startTime >= told[0].at)"""
"""The server has greeted it, and it has looked since: its next look by itself is far away."""


class Tab(Protocol):
    """A tab of either browser."""

    def beforehand(self, function: str) -> None: ...
    def open(self, url: str) -> None: ...
    def ask(self, expression: str) -> Any: ...  # whatever the page says
    def see(self, expression: str) -> Any: ...  # likewise
    def says(self, words: str) -> None: ...


def listening(tab: Tab, url: str) -> None:
    """Open a page, and wait until whatever happens is told to it."""
    tab.beforehand(_EAR)
    tab.open(url)
    tab.see(_LISTENS)


def polling(tab: Tab, url: str) -> None:
    """Open a page, and wait until it has looked three times by itself."""
    tab.beforehand(_EAR)
    tab.open(url)
    tab.see(f"{_LOOKS}.length >= 3")


def looks(tab: Tab) -> list[tuple[float, float]]:
    """Begin and end of each look of the page, in milliseconds since it was opened."""
    found: list[list[float]] = tab.ask(
        f"{_LOOKS}.map((each) => [each.startTime, each.responseEnd])"
    )
    return [(begun, ended) for begun, ended in found]


def told(tab: Tab) -> list[str]:
    """What this page heard over its socket since it was opened, by name."""
    found: list[str] = tab.ask("told.map((each) => each.event ?? each.type)")
    return found


def says_soon(server: LiveServer, tab: Tab, words: str, *, since: int) -> None:
    """Wait until the page shows these words: soon after this moment, long before it looks."""
    tab.says(words)
    late = server.clock.now() - since
    assert late < SOON_MS, f"{words!r} after {late} ms"
