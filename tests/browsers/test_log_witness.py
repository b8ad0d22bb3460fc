"""The pages for approvers watch the audit log of a real server."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.audit_log import notes
from server.audit_log.notes import Promise
from tests.support.browsers.chromium import Chromium, stranger
from tests.support.browsers.first_sign_in import newcomer
from tests.support.browsers.live_pages import listening
from tests.support.browsers.log_vectors import differences
from tests.support.clients.agent import new_agent
from tests.support.servers.replaced_database import (
    add_log_entries,
    copy_database,
    replace,
    rotate_log_key,
)
from tests.support.servers.server import LiveServer, live_server

_WORDS = "The audit log of this server was changed or replaced. Do not approve."
_STORED_CHECKPOINT = "localStorage.getItem(`sayso-log-${document.body.dataset.user}`)"
_PROMISES = "localStorage.getItem(`sayso-promises-${document.body.dataset.user}`)"
_COUNT = """() => addEventListener(
  "promises", ({ detail }) => localStorage.setItem("count", detail.length))"""
_ALARM = "document.getElementById('log-alarm').checkVisibility()"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server for one test only, because its database is replaced."""
    with live_server(tmp_path, forked=True) as running:
        yield running


@pytest.fixture
def page(server: LiveServer, browser: Chromium) -> Iterator[Chromium]:
    """A user's inbox, in a browser that has stored a checkpoint."""
    with stranger(browser) as tab:
        tab.add_passkey_holder()
        newcomer(tab, server)
        listening(tab, f"{server.url}/")
        _wait_for_checkpoint(tab, server)
        yield tab


def _wait_for_checkpoint(tab: Chromium, server: LiveServer) -> Any:
    """Wait until the tab has stored the newest checkpoint, and return it."""
    newest = json.dumps(server.services.audit_log.newest())
    return json.loads(
        tab.see(
            f"JSON.parse({_STORED_CHECKPOINT})?.checkpoint === {newest} && {_STORED_CHECKPOINT}"
        )
    )


def test_the_scripts_judge_proofs_and_checkpoints_as_the_terminal_does(page: Chromium) -> None:
    """The scripts agree with the terminal on thousands of valid and invalid proofs."""
    assert differences(page) == []


def test_a_growing_log_raises_no_alarm(server: LiveServer, page: Chromium) -> None:
    """Reloads, restarts and a new log key signed by its predecessor cause no alarm either."""
    add_log_entries(server)
    page.open(f"{server.url}/")
    _wait_for_checkpoint(page, server)
    rotate_log_key(server)
    add_log_entries(server)
    server.stop()
    page.wait_for_text("Not connected.")
    server.start()
    stored = _wait_for_checkpoint(page, server)
    assert stored["log_key"] == server.services.audit_log.key.text
    assert not page.ask(_ALARM)


@pytest.mark.parametrize("more", [0, 20], ids=["older", "forked"])
def test_a_different_log_shows_a_banner_that_stays(
    server: LiveServer, page: Chromium, more: int
) -> None:
    """The banner is on every page, also after a reconnect, until the user accepts the log."""
    older = copy_database(server, "older.db")
    add_log_entries(server)
    page.open(f"{server.url}/")
    stored = _wait_for_checkpoint(page, server)

    def fork() -> None:
        page.wait_for_text("Not connected.")
        add_log_entries(server, more)  # before the page can see the older log

    replace(server, older, fork)
    page.wait_for_text(_WORDS)
    page.see(f"JSON.parse({_STORED_CHECKPOINT}).incident")
    with server.services.store.read() as view:
        (incident,) = view.incidents.search(closed=False, limit=10)
    assert json.loads(page.ask(_STORED_CHECKPOINT))["incident"] == incident.id
    assert json.loads(page.ask(_STORED_CHECKPOINT))["checkpoint"] == stored["checkpoint"]
    add_log_entries(server, 20)
    page.open(f"{server.url}/history")
    page.wait_for_text(_WORDS)
    page.open(f"{server.url}/settings")
    page.wait_for_text("of the audit log have changed" if more else "entries, but it had")
    assert page.ask("document.getElementById('log-accept').disabled")
    page.click("#log-explained")
    page.click("#log-accept")
    page.see(f"!{_ALARM}")
    _wait_for_checkpoint(page, server)
    assert len(page.ask("Object.keys(localStorage).filter((name) => /-log-.*-/.test(name))")) == 1
    page.open(f"{server.url}/")
    assert not page.ask(_ALARM)


def test_an_unannounced_key_shows_a_banner_in_the_approve_panel(
    server: LiveServer, page: Chromium
) -> None:
    """The previous key was lost, so it could not sign the new one."""
    agent = new_agent(server)
    agent.request_approval(page.ask("document.querySelector('.who').textContent"))
    (server.folder / "data" / "log.key").unlink()
    rotate_log_key(server)
    server.stop()
    page.wait_for_text("Not connected.")
    server.start()
    page.wait_for_text(_WORDS)
    page.open(page.see("document.querySelector('.row a')?.href"))
    page.click("#to-approve")
    page.see("document.getElementById('approve').checkVisibility()")
    assert page.ask(_ALARM)
    page.open(f"{server.url}/settings")
    page.wait_for_text("The audit log is signed with a new key")
    agent.http.close()


def test_a_promise_is_kept_until_its_entry_is_in_the_log(
    server: LiveServer, page: Chromium
) -> None:
    """The response to a decision contains a promise; if it is broken, the banner appears."""
    agent = new_agent(server)
    agent.request_approval(page.ask("document.querySelector('.who').textContent"))
    page.beforehand(_COUNT)
    page.open(page.see("document.querySelector('.row a')?.href"))
    page.click("#to-approve")
    page.click("#approve-now")
    page.wait_for_text("Approved by")
    assert page.ask("localStorage.getItem('count')") == "1"
    server.clock.forward(1_000)
    add_log_entries(server)
    page.open(f"{server.url}/")
    page.see(f"{_PROMISES} === '[]'")
    assert not page.ask(_ALARM)
    log, late = server.services.audit_log, server.clock.now() // 1000 - 61
    note = notes.promise(Promise("sayso_ae_none", b"l" * 32, late), log.origin, log.private_key())
    text = base64.b64encode(note.encode()).decode()
    page.ask(f"dispatchEvent(new CustomEvent('promises', {{ detail: ['AAAA', '{text}'] }}))")
    add_log_entries(server)
    page.open(f"{server.url}/settings")
    page.wait_for_text(
        "Entry sayso_ae_none of the audit log is missing, although the server promised it."
    )
    page.wait_for_text(_WORDS)
    agent.http.close()
