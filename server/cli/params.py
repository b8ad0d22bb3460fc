"""Parsers for the values of flags: times, durations, scopes with their risk.

Owns: parsing, with errors that name the fix. Never: what the values are used for.
"""

import re
from datetime import UTC, datetime
from typing import Final

import click

from server.protocol.policy.risks import Risk

_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_SPAN: Final = re.compile(r"(0|[1-9][0-9]{0,5})([smhd])")
_DEFAULT_RISK: Final = Risk.MEDIUM


def span_ms(text: str) -> int | None:
    """The milliseconds of a duration such as 30d, 12h or 0; None if it is not one."""
    if text == "0":
        return 0
    match = _SPAN.fullmatch(text)
    return int(match[1]) * _UNITS[match[2]] * 1000 if match else None


def moment_ms(text: str, now: int) -> int:
    """Parse a date, an RFC 3339 time, or a duration from now. Raises click.BadParameter."""
    if (span := span_ms(text)) is not None:
        return now + span
    try:
        moment = datetime.fromisoformat(text.upper())
        return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is not a time. Use a date (2030-01-31), a time (2030-01-31T12:00:00Z) or a "
            "duration (90d)."
        ) from None


def span(text: str) -> int:
    """Parse a duration such as `30d`, `12h` or `0`, in milliseconds."""
    milliseconds = span_ms(text)
    if milliseconds is None:
        raise click.BadParameter("use a duration such as 30d, 12h or 0.")
    return milliseconds


def scope_risk(text: str) -> tuple[str, Risk]:
    """Parse a scope and its risk, such as `payments:read=low`. The default risk is medium."""
    name, equals, risk = text.rpartition("=")
    if not equals:
        return text, _DEFAULT_RISK
    if risk not in list(Risk):
        raise click.BadParameter(f"{risk!r} is not a risk. Use low, medium, high or critical.")
    return name, Risk(risk)


def scope_need(text: str) -> tuple[str, str]:
    """Parse a scope and its required action type, such as `payments:transfer=payment.transfer`.

    An empty type removes the requirement.
    """
    scope, equals, kind = text.partition("=")
    if not equals:
        raise click.BadParameter("use SCOPE=TYPE, or SCOPE= to remove the requirement.")
    return scope, kind


overlap_option = click.option(
    "--overlap",
    type=span,
    default="24h",
    show_default=True,
    help="How long the old credentials keep working; 0 to 30d.",
)
