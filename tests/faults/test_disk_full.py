"""A full disk: writes get 503, nothing is half done, and work resumes once there is space."""

import contextlib
import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from approver_tui.client.errors import ApiError
from approver_tui.state.approvals.approvals import Approval
from tests.support.checks.ledger import Ledger, read_ledger
from tests.support.checks.waiting import until
from tests.support.servers.load import WITHOUT_LIMITS, Load, new_load
from tests.support.servers.server import LiveServer, live_server

_DISK_BYTES = 16 * 1024 * 1024
_CAP_SYS_ADMIN = 21

Filler = Callable[[LiveServer], AbstractContextManager[None]]


def _may_mount() -> bool:
    status = Path("/proc/self/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff"))
    return os.geteuid() == 0 and bool(int(effective.split()[1], 16) >> _CAP_SYS_ADMIN & 1)


@contextlib.contextmanager
def _fill_disk(server: LiveServer) -> Iterator[None]:
    """Fills the small disk completely."""
    filler = server.folder / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    yield
    filler.unlink()


@contextlib.contextmanager
def _limit_file_size(server: LiveServer) -> Iterator[None]:
    """Limits the file size of every process of the server."""
    assert server.process is not None
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    workers = [int(child) for child in children.split()]
    before = [_limit(worker, (0, resource.RLIM_INFINITY)) for worker in workers]
    yield
    for worker, limits in zip(workers, before, strict=True):
        _limit(worker, limits)


def _limit(process: int, limits: tuple[int, int]) -> tuple[int, int]:
    return resource.prlimit(process, resource.RLIMIT_FSIZE, limits)


@pytest.fixture(params=[_limit_file_size, *([_fill_disk] if _may_mount() else [])])
def fill(request: pytest.FixtureRequest) -> Filler:
    """A way to run out of space. Filling a small disk needs the right to mount one."""
    filler: Filler = request.param
    return filler


@pytest.fixture
def folder(fill: Filler, tmp_path: Path) -> Iterator[Path]:
    """The server's folder: a small disk, if one is needed."""
    if fill is not _fill_disk:
        yield tmp_path
        return
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(disk)]
    subprocess.run(mount, check=True)
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def load(request: pytest.FixtureRequest, folder: Path) -> Iterator[Load]:
    """A server, with a planted fault if the test names one, and a load on it."""
    planted = ("--seed", request.param) if hasattr(request, "param") else ()
    with live_server(folder, forked=True, options=planted, **WITHOUT_LIMITS) as server:
        running_load = new_load(server)
        yield running_load
        running_load.close()


def test_a_full_disk_refuses_and_recovers_without_a_restart(load: Load, fill: Filler) -> None:
    """I21: decisions get 503 and reading continues; when there is space, writing resumes."""
    for _ in range(3):
        load.agent.request_approval(load.person.user)
    first = load.person.waiting()[0]
    with fill(load.server):
        with load.running():
            until(lambda: load.busy > 10 or load.faults or _find_lost_decisions(load), 30)
        assert load.faults == []
        assert not _find_lost_decisions(load)
        with pytest.raises(ApiError) as refusal:
            load.person.deny(first)
        assert (refusal.value.status, refusal.value.code) == (503, "unavailable")
        assert load.agent.http.get("/healthz").status_code == 200
        assert load.agent.http.get("/jwks").status_code == 200

    until(lambda: _deny_succeeds(load, first), 60)
    before = len(load.answers)
    with load.running():
        until(lambda: len(load.answers) > before + 5, 30)

    assert load.faults == []
    assert _ledger(load).discrepancies() == []
    assert not _find_lost_decisions(load)


@pytest.mark.parametrize("load", ["hidden_failures"], indirect=True)
def test_the_check_detects_a_decision_acknowledged_but_not_stored(load: Load, fill: Filler) -> None:
    """I21: the check fails if disk errors are ignored silently."""
    with pytest.raises(AssertionError, match=r"^assert "):
        test_a_full_disk_refuses_and_recovers_without_a_restart(load, fill)


def _ledger(load: Load) -> Ledger:
    return read_ledger(f"sqlite:///{load.server.folder / 'data' / 'sayso.db'}")


def _find_lost_decisions(load: Load) -> set[str]:
    """Returns the requests whose acknowledged decision is missing."""
    decided = dict(load.answers)
    stored = _ledger(load).decisions
    return {name for name, answer in decided.items() if stored.get(name) != answer}


def _deny_succeeds(load: Load, approval: Approval) -> bool:
    try:
        load.person.deny(approval)
    except ApiError:
        time.sleep(0.05)
        return False
    return True
