"""Metrics: each declared metric is set by the event that it describes."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from server import telemetry
from tests.support.builders.databases import upgraded_database
from tests.support.checks.waiting import until
from tests.support.clients.agent import new_agent
from tests.support.clients.feed_frames import open_feed
from tests.support.clients.terminal import new_person
from tests.support.servers.server import LiveServer, live_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server whose log is on a full disk and whose webhook is unreachable."""
    (tmp_path / "server.log").symlink_to("/dev/full")
    hook = {"webhook_url": "http://127.0.0.1:9/", "webhook_secret_file": str(tmp_path / "key")}
    (tmp_path / "key").write_text("k" * 32)
    with live_server(tmp_path, forked=True, log_level="debug", **hook) as running:
        yield running


def _values(server: LiveServer) -> dict[str, float]:
    """Returns the largest value of each metric, by name."""
    text = server.client().get("/metrics").text
    return {
        family.name: max((sample.value for sample in family.samples), default=0.0)
        for family in text_string_to_metric_families(text)
    }


def test_each_metric_is_set_by_its_event(server: LiveServer) -> None:
    """A connection, a held poll, a pending message and a lost log line set every metric."""
    person, agent = new_person(server), new_agent(server)
    handle = agent.request_approval(person.user)
    with open_feed(person), ThreadPoolExecutor(1) as threads:
        held_poll = threads.submit(agent.poll, handle, prefer="wait=30")
        # Audit log metrics are 0 unless it has a problem: see test_views and test_unwritable_log.
        names = {family.name for family in telemetry.REGISTRY.collect()}
        names = {name for name in names if not name.startswith("sayso_audit_")}
        until(lambda: all(_values(server).get(name, 0) > 0 for name in names))
        assert _values(server)["sayso_held_polls"] == 1
        person.approve(person.only_request())
        assert held_poll.result(30).status_code == 200

    until(lambda: _values(server)["sayso_held_polls"] == 0)
    person.client.close()


@pytest.mark.postgresql
def test_two_workers_share_their_counters(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Each worker reports the counters of all workers, and a killed worker loses no count."""
    url = upgraded_database(request.getfixturevalue("postgres_server"))
    options = ("--workers", "2")
    with live_server(tmp_path, options=options, database_url=url) as server:
        person = new_person(server)
        before = 0.0
        workers = until(lambda: _workers(server))
        with open_feed(person):
            until(lambda: _values(server)["sayso_feed_sockets"] == 1)
            for count in range(1, 31):
                with server.client() as client:  # each connection may reach a different worker
                    assert client.get("/healthz").is_success
                    answered = _count_answers(server)
                assert answered >= max(before, count)
                before = answered
                if count == 15:
                    os.kill(workers[0], signal.SIGKILL)
                    until(lambda: len(_workers(server)) == 2 and _workers(server) != workers)
        assert before == 30
        until(lambda: _values(server)["sayso_feed_sockets"] == 0)
        person.client.close()


def _workers(server: LiveServer) -> list[int]:
    assert server.process is not None
    first = server.process.pid
    return [int(pid) for pid in Path(f"/proc/{first}/task/{first}/children").read_text().split()]


def _count_answers(server: LiveServer) -> float:
    """Returns how many times /healthz was answered."""
    with server.client() as client:
        text = client.get("/metrics").text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "sayso_answers_total" and sample.labels["endpoint"] == "GET /healthz"
    )
