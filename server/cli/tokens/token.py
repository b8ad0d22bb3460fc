"""`sayso token`: inspect or revoke one token, and explain a refused exchange.

Commands read a token from a file or stdin, never from an argument, which other users can see.
"""

import json
from collections.abc import Mapping
from typing import TextIO

import click

from server.cli.audit.audit import entry_document
from server.cli.opening import BY, OpenInstallation
from server.cli.output import listed, moment, sheet
from server.cli.printed import Printed, prints
from server.cli.tokens.delegations import chain_rows
from server.cli.tokens.exchange_remedies import remedy
from server.protocol.tokens.exchange_refusals import STEPS
from server.services.policy.evaluation import Evaluator
from server.services.policy.schemas import Schemas
from server.services.refusals import Invalid, NotFound
from server.services.tokens import delegation_json
from server.services.tokens.exchange_checks import ExchangeChecks
from server.services.tokens.explanations import Explanation, Explanations, TokenInspection
from server.services.tokens.issued_tokens import IssuedTokens

token_file = click.argument(
    "source", metavar="FILE", type=click.File("r", encoding="ascii"), default="-"
)
_TIMES = frozenset({"iat", "exp", "auth_time"})


@click.group("token")
def command() -> None:
    """One access token of this server. FILE contains it; the default, -, reads stdin."""


@command.command("inspect")
@token_file
@prints
def inspect(admin: OpenInstallation, source: TextIO) -> Printed:
    """Show a token's claims, whether it is valid, and why not."""
    found = _explanations(admin).token(source.read().strip())
    row = None if found.row is None else delegation_json.delegation(found.row, admin.now)
    members = {
        "active": not found.problems,
        "problems": list(found.problems),
        "claims": dict(found.claims),
        "delegation": row,
    }
    return members, _inspection_lines(found)


@command.command("revoke")
@token_file
@prints
def revoke(admin: OpenInstallation, source: TextIO) -> Printed:
    """Revoke a token and the tokens derived from it."""
    found = _explanations(admin).token(source.read().strip())
    if found.row is None:
        raise NotFound("record of this token")
    named, count = admin.delegations.revoke(found.row.delegation.id, by=BY)
    members = {**delegation_json.delegation(named, admin.now), "tokens_revoked": count}
    lines = [f"{named.delegation.id} is revoked.", f"Tokens revoked: {count}."]
    return members, lines


@command.command("explain")
@click.argument("entry_id", metavar="[ID]", required=False)
@prints
def explain(admin: OpenInstallation, entry_id: str | None) -> Printed:
    """Explain a refused exchange: the failed step, the remedy, and the result today.

    ID is the X-Correlation-Id of the agent's response, or the ID of the audit entry. The default is
    the newest refusal.
    """
    if entry_id is not None and entry_id.count(".") == 2:  # noqa: PLR2004  # a JWT has two dots
        raise Invalid("Never pass a token as an argument. Use: sayso token inspect")
    found = _explanations(admin).exchange(entry_id)
    return _document(found, admin.now), _lines(found, admin.now)


def _explanations(admin: OpenInstallation) -> Explanations:
    services = admin.services
    return Explanations(
        services.store,
        IssuedTokens(services.verifier, services.server_policy),
        ExchangeChecks(Schemas(), Evaluator(services.secrets), services.server_policy),
    )


def _inspection_lines(found: TokenInspection) -> list[str]:
    verdict = "is valid" if not found.problems else f"is not valid: {listed(found.problems)}"
    claims = {name: _claim_text(name, value) for name, value in found.claims.items()}
    return [f"The token {verdict}.", "", *sheet(claims)]


def _claim_text(name: str, value: object) -> str:
    if name in _TIMES and isinstance(value, int):
        return moment(value * 1000)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _document(found: Explanation, now: int) -> dict[str, object]:
    return {
        "entry": entry_document(found.entry),
        "agent": found.agent,
        "user": found.user,
        "target": found.asked.target,
        "scope": list(found.asked.scope),
        "authorization_details_types": list(found.asked.types),
        "step": found.refusal.step,
        "makes_sure": found.step,
        "reason": str(found.reason),
        "error": found.refusal.error.code,
        "remedy": remedy(found),
        "chain": [delegation_json.delegation(named, now) for named in found.chain],
        "bounds": [{"whose": bound.source, "scope": list(bound.scope)} for bound in found.bounds],
        "now": {
            "replayed": found.replayed,
            "passes": found.replayed and found.now is None,
            "reason": None if found.now is None else str(found.now),
        },
    }


def _lines(found: Explanation, now: int) -> list[str]:
    asked = found.asked
    facts: Mapping[str, str | None] = {
        "refused": moment(found.entry.at),
        "agent": found.agent,
        "for": found.user or "nobody",
        "at": asked.target or "not named",
        "scope": listed(asked.scope),
        "actions": listed(asked.types) if asked.types else None,
        "step": f"{found.refusal.step} of {len(STEPS)}: {found.step}",
        "reason": found.reason,
        "error": found.refusal.error.code,
        "remedy": remedy(found),
        "now": _now(found),
    }
    lines = sheet(facts)
    if found.chain:
        lines += ["", "Token chain, newest first:", *chain_rows(found.chain, now)]
    if found.bounds:
        lines += ["", "Scopes allowed by each limit:"]
        lines += sheet({bound.source: listed(bound.scope) for bound in found.bounds})
    return lines


def _now(found: Explanation) -> str:
    if not found.replayed:
        return "cannot be replayed: the error was in the request itself, which is not stored"
    return "would pass" if found.now is None else f"would be refused: {found.now}"
