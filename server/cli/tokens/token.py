"""`sayso token`: looking into one token, ending it, and why an exchange was refused.

A token comes from a file or from stdin, never from the command's arguments, which others can see.
"""

import json
from collections.abc import Mapping
from typing import TextIO

import click

from server.cli.audit.audit import entry_document
from server.cli.opening import BY, OpenInstallation, administers
from server.cli.output import answer, json_option, listed, moment, sheet
from server.cli.tokens.delegations import chain_rows, delegation_document
from server.protocol.tokens.exchange_refusals import STEPS
from server.services.policy.judging import Judge
from server.services.policy.schemas import Schemas
from server.services.refusals import Invalid, NotFound
from server.services.tokens.exchanges import Exchanges
from server.services.tokens.explanations import Explanation, Explanations, Inspected
from server.services.tokens.issued_tokens import IssuedTokens

token_file = click.argument(
    "source", metavar="FILE", type=click.File("r", encoding="ascii"), default="-"
)
_TIMES = frozenset({"iat", "exp", "auth_time"})


@click.group("token")
def command() -> None:
    """One access token of ours. FILE holds it; without one, or with -, it is read from stdin."""


@command.command("inspect")
@token_file
@json_option
@administers
def inspect(desk: OpenInstallation, source: TextIO, *, as_json: bool) -> None:
    """What a token says, whether it counts now, and why not."""
    found = _explanations(desk).token(source.read().strip())
    row = None if found.row is None else delegation_document(found.row, desk.now)
    members = {
        "active": not found.against,
        "against": list(found.against),
        "claims": dict(found.claims),
        "delegation": row,
    }
    answer(members, _inspected(found), as_json=as_json)


@command.command("revoke")
@token_file
@json_option
@administers
def revoke(desk: OpenInstallation, source: TextIO, *, as_json: bool) -> None:
    """End a token and all that came from it."""
    found = _explanations(desk).token(source.read().strip())
    if found.row is None:
        raise NotFound("This token does not stand in the ledger; it counts nowhere.")
    held, count = desk.ledger.revoke(found.row.delegation.id, by=BY)
    members = {**delegation_document(held, desk.now), "tokens_revoked": count}
    lines = [f"{held.delegation.id} is revoked.", f"Tokens revoked: {count}."]
    answer(members, lines, as_json=as_json)


@command.command("explain")
@click.argument("called", metavar="[ID]", required=False)
@json_option
@administers
def explain(desk: OpenInstallation, called: str | None, *, as_json: bool) -> None:
    """Which step refused an exchange, what would make it pass, and how it would go now.

    ID is the X-Correlation-Id that the agent was answered, or the id of the entry; unsaid, it is
    the newest refusal.
    """
    if called is not None and called.count(".") == 2:  # noqa: PLR2004  # a JWT has two dots
        raise Invalid("That is a token. Never give one as an argument; look into it with: inspect")
    found = _explanations(desk).exchange(called)
    answer(_document(found, desk.now), _lines(found, desk.now), as_json=as_json)


def _explanations(desk: OpenInstallation) -> Explanations:
    services = desk.services
    return Explanations(
        services.store,
        IssuedTokens(services.verifier, services.rules),
        Exchanges(Schemas(), Judge(services.secrets), services.rules),
    )


def _inspected(found: Inspected) -> list[str]:
    verdict = "counts" if not found.against else f"does not count: {listed(found.against)}"
    said = {name: _word(name, value) for name, value in found.claims.items()}
    return [f"The token {verdict}.", "", *sheet(said)]


def _word(name: str, value: object) -> str:
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
        "remedy": found.remedy,
        "chain": [delegation_document(held, now) for held in found.chain],
        "bounds": [{"whose": bound.whose, "scope": list(bound.scope)} for bound in found.bounds],
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
        "told": found.refusal.error.code,
        "to pass": found.remedy,
        "now": _now(found),
    }
    lines = sheet(facts)
    if found.chain:
        lines += ["", "The chain, nearest first:", *chain_rows(found.chain, now)]
    if found.bounds:
        lines += ["", "The scopes that each bound leaves:"]
        lines += sheet({bound.whose: listed(bound.scope) for bound in found.bounds})
    return lines


def _now(found: Explanation) -> str:
    if not found.replayed:
        return "it cannot be replayed: what was wrong was in the request itself, which is not kept"
    return "it would pass" if found.now is None else f"it would be refused: {found.now}"
