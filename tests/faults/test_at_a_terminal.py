"""`sayso serve` started by a person: the first line is the address, and no line is JSON."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pexpect
import pytest

from tests.support.servers import forking
from tests.support.servers.ports import free_port

_SAYSO = (sys.executable, "-m", "server")


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """Environment variables for a new installation that sets only its data folder."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SAYSO_")}
    variables = {**inherited, "SAYSO_DATA_DIR": str(tmp_path / "data")}
    assert forking.run(("init",), variables).returncode == 0
    return variables


@pytest.fixture
def serve(environment: Mapping[str, str]) -> Iterator[Callable[..., tuple[int, list[str]]]]:
    """Starts the server at a terminal and returns its port and its first two lines."""
    started: list[pexpect.spawn] = []

    def run(**settings: str) -> tuple[int, list[str]]:
        port = free_port()
        arguments = [*_SAYSO[1:], "serve", "--port", str(port)]
        started.append(pexpect.spawn(_SAYSO[0], arguments, env={**environment, **settings}))
        return port, [started[-1].readline().decode().rstrip() for _ in range(2)]

    yield run
    for child in started:
        child.kill(signal.SIGTERM)
        child.expect(pexpect.EOF)
        child.close()


def test_a_person_at_a_terminal_sees_the_address_first(serve):
    """The first line is the address, followed by log lines as text."""
    port, (first, second) = serve()
    assert first == f"Sayso is running at http://localhost:{port}"
    assert "serving.capacity" in second
    assert not second.startswith("{")


def test_an_explicit_log_format_is_used_at_a_terminal(serve):
    """The address is still first, and the log lines have the format that was set."""
    port, (first, second) = serve(SAYSO_LOG_FORMAT="json")
    assert first == f"Sayso is running at http://localhost:{port}"
    assert json.loads(second)["event"] == "serving.capacity"


def test_logs_are_json_elsewhere(environment):
    """Without a terminal, such as under systemd or in a container, every line is JSON."""
    server = subprocess.Popen(
        [*_SAYSO, "serve", "--port", str(free_port())],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert server.stderr is not None
    line = server.stderr.readline()
    server.terminate()
    server.communicate()
    assert json.loads(line)["event"] == "serving.capacity"
