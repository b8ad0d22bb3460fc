"""Time zones by name."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone(name: str) -> tzinfo:
    """Return the time zone. Raises ValueError or OSError if this machine does not know it."""
    return UTC if name == "UTC" else ZoneInfo(name)


def is_known(name: str) -> bool:
    """Return whether this machine knows the time zone."""
    try:
        zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
