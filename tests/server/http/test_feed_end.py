"""The end of a feed: the library's thread stops before the server closes the connection."""

import threading

import pytest
from simple_websocket import ConnectionClosed

from server.http import feed


class _Library:
    """A fake of the library's WebSocket, whose thread waits for the client."""

    def __init__(self, *, answers: bool) -> None:
        self.is_over = threading.Event()
        self.was_cut = False
        self.sock = self
        self._answers = answers
        self.thread = threading.Thread(target=self.is_over.wait, daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Send the close frame, which a reachable client answers."""
        if self._answers:
            self.is_over.set()

    def shutdown(self, _how: int) -> None:
        """End the connection, which the thread notices."""
        self.was_cut = True
        self.is_over.set()


class _Closed(_Library):
    """A WebSocket that the client has closed, while the thread still reads."""

    def close(self) -> None:
        """Raise, as the library does."""
        raise ConnectionClosed


@pytest.mark.parametrize("answers", [True, False])
def test_no_thread_watches_the_connection_when_the_request_ends(
    monkeypatch: pytest.MonkeyPatch, *, answers: bool
) -> None:
    """Closing a file descriptor that a thread still watches would abort the process."""
    if not answers:
        monkeypatch.setattr(feed, "_CLOSING_SECONDS", 0.01)
    library = _Library(answers=answers)
    feed.finish(library)  # type: ignore[arg-type]  # a fake
    assert not library.thread.is_alive()
    assert library.was_cut is not answers


def test_the_thread_of_a_closed_connection_stops_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread may not have noticed yet that the connection is closed."""
    monkeypatch.setattr(feed, "_CLOSING_SECONDS", 0.01)
    library = _Closed(answers=False)
    feed.finish(library)  # type: ignore[arg-type]  # a fake
    assert not library.thread.is_alive()
