"""How far the audit streams of this data folder are behind, and what follows from it."""

from dataclasses import dataclass
from typing import Final

from server import telemetry
from server.delivery.audit_streams import FOLDER, positions
from server.services.audit.streams import AuditStream, Position
from server.settings import Settings
from server.storage.store import SqlStore

MAX_BEHIND_MS: Final = 60_000
"""A required stream may not be behind for longer."""


@dataclass(frozen=True, slots=True)
class StreamWatch:
    """Measures the streams of this data folder. Without the required ones, nothing takes effect."""

    settings: Settings
    store: SqlStore

    def round(self) -> None:
        """Set the metrics, and refuse new entries while a required stream is behind."""
        found, required = positions(self.settings.data_dir / FOLDER), self.settings.required_streams
        source = AuditStream(self.store)
        lags = {name: source.lag(position) for name, position in found.items()}
        for name, lag in lags.items():
            telemetry.UNSENT_ENTRIES.labels(name).set(lag.entries)
            telemetry.UNSENT_SECONDS.labels(name).set(lag.milliseconds / 1000)
        lags |= {name: source.lag(Position()) for name in required - lags.keys()}
        late = sorted(name for name in required if lags[name].milliseconds > MAX_BEHIND_MS)
        self.store.refuse_entries(f"The audit stream {late[0]} is behind." if late else "")
