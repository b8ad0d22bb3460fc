"""The baseline: a Flask view that does nothing, under the same gunicorn, worker and collector.

`python -m tests.bench.bare PORT` serves it.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from server.serving.main import ServeOptions, _Application, _freeze_garbage_collector
from server.settings import Settings


class _Bare(_Application):
    """The server's setup around an application that does nothing."""

    site = None

    def load(self) -> Any:
        """Return the application; the worker calls this after gevent has patched."""
        from flask import Flask  # noqa: PLC0415  # gevent has patched now

        app = Flask("bare")

        @app.post("/bare")
        def view() -> dict[str, str]:
            return {"status": "ok"}

        _freeze_garbage_collector()
        return app


def main(port: int) -> None:
    """Serve on this port."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), issuer=f"http://localhost:{port}")
        _Bare(settings, ServeOptions(port=port), None).run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
