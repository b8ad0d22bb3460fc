"""What is unusual about a request now, as JSON: the words that every client shows."""

from typing import Literal

from pydantic import BaseModel

from server.protocol.unusual import Unusual


class Signal(BaseModel):
    """One thing that is unusual."""

    code: str
    severity: Literal["notice", "warning"]
    text: str


class UnusualNow(BaseModel):
    """All of them, and what the request was compared with."""

    signals: list[Signal]
    compared: str


def unusual_now(found: Unusual | None) -> UnusualNow | None:
    """What is unusual; None if the display has it."""
    if found is None:
        return None
    signals = [
        Signal(code=str(one.code), severity=one.severity.value, text=one.text)
        for one in found.oddities
    ]
    return UnusualNow(signals=signals, compared=found.compared)
