"""Gunicorn's log lines, such as those about a killed worker, in our own log format."""

import json
import logging
from datetime import UTC, datetime

from gunicorn.glogging import Logger


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's logger, with a JSON object on each line."""

    def setup(self, cfg: object) -> None:
        """Configure the logger, as gunicorn does at startup."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(_JsonFormatter())


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(
            {
                "event": super().format(record),
                "level": record.levelname.lower(),
                "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
                "correlation_id": "local",
            }
        )
