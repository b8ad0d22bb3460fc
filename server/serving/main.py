"""`sayso serve`: one command that is the whole product.

This process imports settings and gunicorn only; the application is loaded in the worker, after
gevent has patched what it stands on.
"""

import contextlib
import gc
import os
import signal
import socket
import sys
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from gunicorn.app.base import BaseApplication

from server import folders
from server.serving import descriptors
from server.settings import ISSUER_FILE, LOOPBACK, BadSetting, Settings, is_loopback

if TYPE_CHECKING:
    from server.model.ports import Clock
    from server.serving.worker import SaysoWorker

GRACEFUL_SECONDS: Final = 9
"""How long running requests may take once the process was told to end."""
_WORKER = "server.serving.worker.SaysoWorker"


class CannotStart(Exception):
    """The server cannot start with these files, this database or these settings."""


@dataclass(frozen=True, slots=True)
class ServerShape:
    """Where and in how many processes to serve."""

    host: str = "127.0.0.1"
    port: int = 8470
    workers: int = 1
    insecure: bool = False


def run(settings: Settings, shape: ServerShape, clock: "Clock | None" = None) -> None:
    """Serve until told to end. Raises `BadSetting` or `CannotStart`."""
    _check_address(shape)
    settings = prepared(settings, shape)
    application = _Application(settings, shape, clock)
    try:
        application.run()
    finally:
        if reason := application.refusal():
            raise CannotStart(reason)


def prepared(settings: Settings, shape: ServerShape) -> Settings:
    """The settings with the issuer that this shape serves, recorded for the command line."""
    issuer = settings.issuer or f"http://localhost:{shape.port}"
    _check(issuer, settings, shape)
    folders.make_private(settings.data_dir)
    folders.write_private(settings.data_dir / ISSUER_FILE, issuer + "\n")
    return replace(settings, issuer=issuer)


def _check(issuer: str, settings: Settings, shape: ServerShape) -> None:
    public = shape.host not in LOOPBACK
    if public and not shape.insecure and (is_loopback(issuer) or issuer.startswith("http:")):
        raise BadSetting(
            f"--host {shape.host} serves other machines, but the issuer is {issuer}. "
            "Set SAYSO_ISSUER to the https URL that they use, or say --insecure."
        )
    if shape.workers > 1 and settings.on_sqlite:
        raise BadSetting(
            "SQLite takes one worker. Use --workers 1, or PostgreSQL: "
            "SAYSO_DATABASE_URL=postgresql://…"
        )


def _check_address(shape: ServerShape) -> None:
    """Fail at once where gunicorn would try for five seconds and name no remedy."""
    family = socket.AF_INET6 if ":" in shape.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((shape.host, shape.port))
    except OSError as error:
        raise BadSetting(
            f"Nothing can listen on {shape.host} port {shape.port}: {error.strerror}. "
            "Is sayso serve running already? Choose another address with --host and --port."
        ) from None


class _Application(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(self, settings: Settings, shape: ServerShape, clock: "Clock | None") -> None:
        self.settings = settings
        self.shape = shape
        self.clock = clock
        self._first = os.getpid()
        self._refusals = os.pipe()
        self.capacity = descriptors.capacity(descriptors.raise_limit(), settings.max_connections)
        super().__init__()

    def refusal(self) -> str:
        """Why a worker could not start; "" when none refused, and in the workers themselves."""
        if os.getpid() != self._first:  # a worker ends in `run` too, and must not wait for others
            return ""
        reading, writing = self._refusals
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as told:
            return told.readline().strip()

    def load_config(self) -> None:
        host = f"[{self.shape.host}]" if ":" in self.shape.host else self.shape.host
        options: dict[str, Any] = {
            "bind": f"{host}:{self.shape.port}",
            "workers": self.shape.workers,
            "worker_class": _WORKER,
            "worker_connections": self.capacity.connections,
            "backlog": 2048,
            "graceful_timeout": GRACEFUL_SECONDS,
            "timeout": 60,
            "loglevel": "warning",
            "accesslog": None,
            "proc_name": "sayso",
            "control_socket_disable": True,
            "post_worker_init": self._ready,
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:  # noqa: ANN401  # a WSGI application
        """In the worker: the application, with its background loops running.

        A worker that cannot open the database or its keys tells the first process why and ends it:
        otherwise gunicorn starts the next worker, which fails likewise.
        """
        from server.crypto.sealing import BadKeyFile  # noqa: PLC0415  # gevent has patched now
        from server.last_seen import OldDatabase  # noqa: PLC0415  # likewise
        from server.model.store import Busy  # noqa: PLC0415  # likewise
        from server.storage.open import SchemaMismatch  # noqa: PLC0415  # likewise

        try:
            return self._loaded()
        except (BadKeyFile, SchemaMismatch, OldDatabase, Busy) as error:
            os.write(self._refusals[1], f"{error}\n".encode())
            os.kill(os.getppid(), signal.SIGTERM)
            os._exit(0)  # what was called in the first process must not go on here too

    def _loaded(self) -> Any:  # noqa: ANN401  # likewise
        from server import app, telemetry  # noqa: PLC0415  # only after gevent has patched
        from server.serving import loops  # noqa: PLC0415  # gevent has patched now
        from server.serving.worker import TURNS, look_up_apart, on_a_real_thread  # noqa: PLC0415  # gevent has patched now

        telemetry.configure_logging(
            as_json=self.settings.log_format == "json", level=self.settings.log_level
        )
        look_up_apart()
        services = app.build(self.settings, self.clock, serving=True, elsewhere=on_a_real_thread)
        services.hub.on_hold = TURNS.let_go
        telemetry.HELD_POLLS.set_function(lambda: services.hub.held)
        self.site = app.create_site(services, most_feeds=self.capacity.feeds)
        _say(self.capacity)
        flask = app.create_app(self.site)
        loops.start(services, app.outbox_worker(services, loops.beside))
        _spare_the_collector()
        return flask

    def _ready(self, worker: "SaysoWorker") -> None:
        worker.site = self.site
        with contextlib.suppress(OSError):  # whoever waited for this line may have gone
            sys.stdout.write(f"Sayso serves {self.settings.issuer}\n")
            sys.stdout.flush()


def _say(capacity: descriptors.Capacity) -> None:
    """Log how many feeds fit, as a warning if they are few."""
    from server import telemetry  # noqa: PLC0415  # only after gevent has patched

    log = telemetry.log().info
    if capacity.feeds < descriptors.FEW:
        log = telemetry.log().warning
    log("serving.capacity", **asdict(capacity))


def _spare_the_collector() -> None:
    """What was loaded stays for good; looking through it again and again costs 40 µs a request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
