"""What the app does around its screens."""

import gc
from types import SimpleNamespace

import pytest

from approver_tui import app


@pytest.fixture
def frozen(monkeypatch):
    """How many objects the collector had been told to leave alone when the app began to run."""
    seen = []
    profile = SimpleNamespace(issuer="https://sayso.example")
    client = SimpleNamespace(profile=profile, now=lambda: 0, close=lambda: seen.append("closed"))
    monkeypatch.setattr(app, "keep_memory_private", lambda: None)
    monkeypatch.setattr(app, "open_client", lambda *_, **__: client)
    monkeypatch.setattr(app, "Feed", lambda _client: None)
    monkeypatch.setattr(app, "Decider", lambda _client: None)
    monkeypatch.setattr(app.ApproverApp, "run", lambda _self: seen.append(gc.get_freeze_count()))
    gc.unfreeze()
    yield seen
    gc.unfreeze()


def test_no_request_waits_for_a_look_at_all_that_was_imported(frozen):
    """A full collection over every module takes tens of milliseconds, in the thread that draws."""
    app.run()
    assert frozen[0] > 10_000
    assert frozen[1:] == ["closed"]
