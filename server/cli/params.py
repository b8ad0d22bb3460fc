"""Parameter types of flags: times, durations, scopes with their risk.

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
            "use a date (2030-01-31), a time (2030-01-31T12:00:00Z) or a duration (90d)."
        ) from None


class Span(click.ParamType[int]):
    """A duration, converted to milliseconds."""

    name = "span"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Parse `30d`, `12h`, `15m`, `90s` or `0`."""
        if isinstance(value, int):
            return value
        span = span_ms(str(value))
        if span is None:
            self.fail("use a duration such as 30d, 12h or 0.", param, ctx)
        return span


class ScopeRisk(click.ParamType[tuple[str, Risk]]):
    """A scope and its risk."""

    name = "name[=risk]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Risk]:
        """Parse `payments:read=low`. The default risk is medium."""
        if isinstance(value, tuple):
            return value
        name, equals, risk = str(value).rpartition("=")
        if not equals:
            return str(value), _DEFAULT_RISK
        if risk not in list(Risk):
            self.fail(f"{risk!r} is not a risk. Use low, medium, high or critical.", param, ctx)
        return name, Risk(risk)


class ScopeNeed(click.ParamType[tuple[str, str]]):
    """A scope and the action type that requests for it must have."""

    name = "scope=type"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Parse `payments:transfer=payment.transfer`; an empty type removes the requirement."""
        if isinstance(value, tuple):
            return value
        scope, equals, kind = str(value).partition("=")
        if not equals:
            self.fail("use SCOPE=TYPE, or SCOPE= to remove the requirement.", param, ctx)
        return scope, kind


overlap_option = click.option(
    "--overlap",
    type=Span(),
    default="24h",
    show_default=True,
    help="How long the old secret keeps working; 0 to 30d.",
)
