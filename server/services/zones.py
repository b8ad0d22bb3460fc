"""Time zones by their names."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo


def zone(name: str) -> tzinfo:
    """A time zone. Raises ValueError or OSError when this machine does not know it."""
    return UTC if name == "UTC" else ZoneInfo(name)
