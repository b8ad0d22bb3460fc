"""A PostgreSQL server for the tests, in a temporary folder, on a free loopback port.

Owns: finding the binaries; creating, starting, killing and removing the cluster.
Never: creates a table; the test that asked for a database decides what is in it.

PostgreSQL refuses to run as root: for root it runs as `postgres`, or `nobody` if that is missing.
`python -m tests.support.servers.postgres` prints the folder of the binaries, or the remedy and
exit 1.
"""

import itertools
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from tests.support.servers.memory import memory_folder
from tests.support.servers.ports import free_port

REMEDY = (
    "No PostgreSQL server binaries (initdb, postgres) were found on PATH, via pg_config or under "
    "/usr/lib/postgresql. Install them (Debian, Ubuntu: apt-get install -y postgresql; "
    "Fedora: dnf install -y postgresql-server; macOS: brew install postgresql), or set "
    "SAYSO_TEST_WITHOUT_POSTGRESQL=1 to run scripts/test without everything that needs them."
)
_TIMEOUT = 60.0  # seconds for a start or a stop; a busy machine is slow, not broken
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",  # a test survives kill -9, not a power cut
    "full_page_writes": "off",
    "synchronous_commit": "on",  # an acknowledged COMMIT must outlive kill -9
    "max_connections": "200",
    "timezone": "UTC",
}


class PostgresMissing(RuntimeError):
    """The machine has no server binaries; the message says how to install them."""


class PostgresServer:
    """A private server: `with PostgresServer() as server: server.new_database()`.

    The constructor raises `PostgresMissing` if the machine has no server binaries. The port and
    every URL stay the same after `kill9`, `stop`, `start` and `restart`.
    """

    def __init__(self) -> None:
        self._binaries = find_binaries()
        self._password = secrets.token_urlsafe(24)
        self._numbers = itertools.count(1)
        self._port = free_port()
        self._folder = Path()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the SQLAlchemy URL of the database that every cluster has."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database, with the password."""
        return f"postgresql+psycopg://{self._address(database)}"

    def new_database(self, like: str = "template1") -> str:
        """Create a copy of a database, an empty one by default, and return its SQLAlchemy URL."""
        name = f"sayso_{next(self._numbers)}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with psycopg.connect(self._libpq_url("postgres"), autocommit=True) as connection:
            connection.execute(create.format(sql.Identifier(name), sql.Identifier(like)))
        return self.url_of(name)

    @property
    def process_id(self) -> int:
        """Return the ID of its first process, whose children serve the connections."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the server and return once it accepts connections.

        After `kill9` orphaned backends hold the shared memory for a moment, so starts are retried.
        """
        deadline = time.monotonic() + _TIMEOUT
        while not self._try_start(deadline):
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self._log_tail()}")
            time.sleep(0.1)

    def stop(self, *, immediate: bool = False) -> None:
        """Stop the server; `immediate` leaves recovery to the next start."""
        self._terminate(signal.SIGQUIT if immediate else signal.SIGINT)

    def restart(self, *, immediate: bool = False) -> None:
        """Stop and start the server; open connections are closed."""
        self.stop(immediate=immediate)
        self.start()

    def kill9(self) -> None:
        """Kill the server with SIGKILL, like a crash; `start` starts it again."""
        self._terminate(signal.SIGKILL)

    def stand_by(self) -> None:
        """Restart the server as a hot standby, which answers reads and refuses changes."""
        self.stop()
        (self._folder / "data" / "standby.signal").touch()
        self.start()

    def promote(self) -> None:
        """Let a standby accept changes."""
        with psycopg.connect(self._libpq_url("postgres"), autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="sayso-postgres-", dir=memory_folder()))
        try:
            self._initialise()
            self.start()
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._clean_up()

    def _initialise(self) -> None:
        (self._folder / "password").write_text(self._password)
        _give_to_server_user(self._folder, self._folder / "password")
        command = [
            *(self._program("initdb"), "--pgdata", str(self._folder / "data"), "--no-sync"),
            *("--username", "sayso", "--auth", "scram-sha-256"),
            *("--pwfile", str(self._folder / "password"), "--encoding", "UTF8", "--locale", "C"),
        ]
        if self._run(command).wait() != 0:
            raise RuntimeError(f"initdb failed:\n{self._log_tail()}")

    def _try_start(self, deadline: float) -> bool:
        options = {**_OPTIONS, "port": str(self._port), "unix_socket_directories": self._folder}
        settings = [f"--{name}={value}" for name, value in options.items()]
        self._process = self._run(
            [self._program("postgres"), "-D", str(self._folder / "data"), *settings]
        )
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._accepts_connections():
                return True
            time.sleep(0.05)
        return False

    def _accepts_connections(self) -> bool:
        try:
            psycopg.connect(self._libpq_url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            user = _unprivileged() if os.geteuid() == 0 else None
            return subprocess.Popen(
                command,
                cwd=self._folder,
                stdout=log,
                stderr=log,
                user=user and user.pw_uid,
                group=user and user.pw_gid,
                extra_groups=user and [],
            )

    def _terminate(self, stop_signal: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(stop_signal)
            self._process.wait(_TIMEOUT)

    def _clean_up(self) -> None:
        self.stop(immediate=True)
        shutil.rmtree(self._folder)

    def _program(self, name: str) -> str:
        return str(self._binaries / name)

    def _address(self, database: str) -> str:
        return f"sayso:{self._password}@127.0.0.1:{self._port}/{database}"

    def _libpq_url(self, database: str) -> str:
        return f"postgresql://{self._address(database)}"

    def _log_tail(self) -> str:
        return (self._folder / "log").read_text(errors="replace")[-2000:]


def find_binaries() -> Path:
    """Return the folder that has both `initdb` and `postgres`; of several, the newest.

    Debian does not put them on PATH, and sometimes puts only `pg_ctl` there: a folder counts only
    if it has both programs.
    """
    for folder in _candidates():
        if all((folder / program).is_file() for program in ("initdb", "postgres")):
            return folder
    raise PostgresMissing(REMEDY)


def main() -> int:
    """Print the folder of the binaries, or the remedy."""
    try:
        sys.stdout.write(f"{find_binaries()}\n")
    except PostgresMissing as missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    return 0


def _candidates() -> list[Path]:
    on_path = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    return [*on_path, *_from_pg_config(), *_debian_folders()]


def _from_pg_config() -> list[Path]:
    if shutil.which("pg_config") is None:
        return []
    result = subprocess.run(["pg_config", "--bindir"], check=False, capture_output=True, text=True)
    return [Path(result.stdout.strip())] if result.returncode == 0 else []


def _debian_folders() -> list[Path]:
    versions = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    return sorted(versions, key=lambda folder: float(folder.parent.name), reverse=True)


def _give_to_server_user(*paths: Path) -> None:
    if os.geteuid() == 0:
        for path in paths:
            os.chown(path, _unprivileged().pw_uid, _unprivileged().pw_gid)


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL cannot run as root, and there is no user postgres or nobody.")


if __name__ == "__main__":
    sys.exit(main())
