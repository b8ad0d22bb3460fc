"""Time zones by name."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo


def zone(name: str) -> tzinfo:
    """Return the time zone. Raises ValueError or OSError if this machine does not know it."""
    return UTC if name == "UTC" else ZoneInfo(name)
