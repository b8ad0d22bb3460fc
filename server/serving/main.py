"""`sayso serve`: runs the server with gunicorn.

This process imports only settings and gunicorn. The application is imported in the worker, after
gevent has monkey-patched the standard library.
"""

import contextlib
import fcntl
import gc
import os
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gunicorn.app.base import BaseApplication

from server import folders
from server.protocol.names import LOOPBACK
from server.serving import descriptors
from server.serving.parent_log import JsonLogger
from server.settings import ISSUER_FILE, BadSetting, Settings, is_loopback, share_metrics

if TYPE_CHECKING:
    from server.model.ports import Clock
    from server.serving.worker import SaysoWorker

GRACEFUL_SECONDS: Final = 9
"""How long running requests may take after the process gets the signal to stop."""
_WORKER = "server.serving.worker.SaysoWorker"
_ISSUER_LOCK: Final = "issuer.lock"


class CannotStart(Exception):
    """The server cannot start, because of files, the database or settings."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The address and the number of processes."""

    host: str = "127.0.0.1"
    port: int = 8470
    workers: int = 1
    insecure: bool = False


def run(settings: Settings, options: ServeOptions, clock: "Clock | None" = None) -> None:
    """Run the server until it is stopped. Raises `BadSetting` or `CannotStart`."""
    _check_address(options)
    settings = prepare_settings(settings, options)
    application = _Application(settings, options, clock)
    if options.workers > 1:
        _share_metrics(application.metrics)
    try:
        with holding_issuer(settings):
            application.run()
    finally:
        if reason := application.startup_error():
            raise CannotStart(reason)


def prepare_settings(settings: Settings, options: ServeOptions) -> Settings:
    """Return the settings with the issuer."""
    issuer = settings.issuer or f"http://localhost:{options.port}".removesuffix(":80")
    _check(issuer, settings, options)
    return replace(settings, issuer=issuer)


@contextlib.contextmanager
def holding_issuer(settings: Settings) -> Iterator[None]:
    """Store the issuer for the command line, and keep it while the server runs.

    Raises `BadSetting` if a running server of the same data folder has a different issuer.
    """
    folders.make_private(settings.data_dir)
    stored = settings.data_dir / ISSUER_FILE
    lock = os.open(settings.data_dir / _ISSUER_LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        with contextlib.suppress(BlockingIOError):  # running servers share the lock
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folders.replace_private(stored, f"{settings.issuer}\n")
        fcntl.flock(lock, fcntl.LOCK_SH)
        if (running := stored.read_text().strip()) != settings.issuer:
            raise BadSetting(
                f"The server that is running on {settings.data_dir} has the issuer {running}, not "
                f"{settings.issuer}. Use a different --data-dir, or set SAYSO_ISSUER to its issuer."
            )
        yield
    finally:
        os.close(lock)


def _share_metrics(folder: Path) -> None:
    """Let each worker answer `/metrics` for all workers, with files in this folder.

    The library reads this setting when it is imported, so this runs before gunicorn loads the
    worker. The files of an earlier run are deleted. Counters of workers that exit are kept.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folders.make_private(folder)
    share_metrics(folder)


def _check(issuer: str, settings: Settings, options: ServeOptions) -> None:
    public = options.host not in LOOPBACK
    if public and not options.insecure and (is_loopback(issuer) or issuer.startswith("http:")):
        raise BadSetting(
            f"--host {options.host} accepts connections from other machines, but the issuer is "
            f"{issuer}. Set SAYSO_ISSUER to the https URL that they use, or use --insecure."
        )
    if options.workers > 1 and settings.on_sqlite:
        raise BadSetting(
            "SQLite supports one worker. Use --workers 1, or PostgreSQL: "
            "SAYSO_DATABASE_URL=postgresql://…"
        )


def _check_address(options: ServeOptions) -> None:
    """Fail immediately if the address is in use; gunicorn would retry for five seconds."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((options.host, options.port))
    except OSError as error:
        raise BadSetting(
            f"Cannot listen on {options.host} port {options.port}: {error.strerror}. "
            "If sayso serve is already running, use a different address with --host and --port."
        ) from None


class _Application(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(self, settings: Settings, options: ServeOptions, clock: "Clock | None") -> None:
        self.settings = settings
        self.options = options
        self.clock = clock
        self._parent_pid = os.getpid()
        self._error_pipe = os.pipe()
        self.metrics = settings.data_dir / f"metrics-{options.port}"
        self.capacity = descriptors.capacity(descriptors.raise_limit(), settings.max_connections)
        super().__init__()

    def startup_error(self) -> str:
        """Return why a worker could not start, or "" if all started. Always "" in a worker.

        Workers also return from `run`, and must not wait for others.
        """
        if os.getpid() != self._parent_pid:
            return ""
        read_end, write_end = self._error_pipe
        os.close(write_end)
        with os.fdopen(read_end, encoding="utf-8") as pipe:
            return pipe.readline().strip()

    def load_config(self) -> None:
        host = f"[{self.options.host}]" if ":" in self.options.host else self.options.host
        gunicorn_options: dict[str, Any] = {
            "bind": f"{host}:{self.options.port}",
            "workers": self.options.workers,
            "worker_class": _WORKER,
            "worker_connections": self.capacity.connections,
            "backlog": 2048,
            "graceful_timeout": GRACEFUL_SECONDS,
            "timeout": 60,
            "loglevel": "warning",
            "accesslog": None,
            "proc_name": "sayso",
            "worker_tmp_dir": str(self.settings.data_dir),
            "control_socket_disable": True,
            "post_worker_init": self._report_ready,
            "child_exit": self._forget_gauges,
        }
        if _as_json(self.settings.log_format):
            gunicorn_options["logger_class"] = JsonLogger
        for name, value in gunicorn_options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:  # noqa: ANN401  # a WSGI application
        """Load the application and start the background loops, in the worker.

        A worker that cannot open the database or its keys reports the reason to the parent process
        and stops it. Otherwise gunicorn would keep starting workers that fail.
        """
        from server.crypto.secrets import BadKeyFile  # noqa: PLC0415  # only after gevent has monkey-patched
        from server.model.store import Busy  # noqa: PLC0415  # as above
        from server.rollback_guard import OldDatabase  # noqa: PLC0415  # as above
        from server.services.audit.log import BrokenLog  # noqa: PLC0415  # as above
        from server.storage.open import SchemaMismatch  # noqa: PLC0415  # as above

        try:
            return self._create()
        except (BadKeyFile, SchemaMismatch, OldDatabase, BrokenLog, Busy, OSError) as error:
            os.write(self._error_pipe[1], f"{_reason(error)}\n".encode())
            os.kill(os.getppid(), signal.SIGTERM)
            os._exit(0)  # skips the cleanup, which is up to the parent process

    def _create(self) -> Any:  # noqa: ANN401  # as above
        from server import app, telemetry  # noqa: PLC0415  # only after gevent has monkey-patched
        from server.serving import loops  # noqa: PLC0415  # only after gevent has monkey-patched
        from server.serving.worker import QUEUES, on_a_real_thread, use_own_resolver  # noqa: PLC0415  # only after gevent has monkey-patched

        telemetry.configure_logging(
            as_json=_as_json(self.settings.log_format), level=self.settings.log_level
        )
        use_own_resolver()
        services = app.build(self.settings, self.clock, serving=True, background=on_a_real_thread)
        services.audit_log.check()
        services.audit_log.sign()
        services.hub.on_hold = QUEUES.release
        services.hub.on_held = telemetry.HELD_POLLS.set
        self.site = app.create_site(services, max_feeds=self.capacity.feeds)
        flask = app.create_app(self.site)
        loops.start(services, app.outbox_worker(services, loops.run_concurrently))
        _freeze_garbage_collector()
        return flask

    def _forget_gauges(self, _arbiter: object, worker: "SaysoWorker") -> None:
        """Delete the gauges of a worker that exited, such as its open sockets.

        This is `prometheus_client.multiprocess.mark_process_dead`, without loading the library in
        the parent process.
        """
        for path in self.metrics.glob(f"gauge_live*_{worker.pid}.db"):
            path.unlink(missing_ok=True)

    def _report_ready(self, worker: "SaysoWorker") -> None:
        worker.site = self.site
        with contextlib.suppress(OSError):  # the reader of this line may have exited
            sys.stdout.write(f"Sayso is running at {self.settings.issuer}\n")
            sys.stdout.flush()
        _log_capacity(self.capacity)


def _reason(error: Exception) -> str:
    """Return the error in one line; for a file, its path and what is wrong with it."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}."
    return str(error)


def _as_json(log_format: str) -> bool:
    return log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())


def _log_capacity(capacity: descriptors.Capacity) -> None:
    """Log the capacity, as a warning if it allows few feeds."""
    from server import telemetry  # noqa: PLC0415  # only after gevent has monkey-patched

    log = telemetry.log().info
    if capacity.feeds < descriptors.MIN_FEEDS:
        log = telemetry.log().warning
    log("serving.capacity", **asdict(capacity))


def _freeze_garbage_collector() -> None:
    """Exclude loaded modules from garbage collection, which saves 40 µs per request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
