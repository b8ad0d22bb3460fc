"""`sayso token`: inspect or revoke one token, and explain a refused exchange.

Commands read a token from a file or stdin, never from an argument, which other users can see.
"""

import re
from collections.abc import Iterable, Mapping
from shlex import quote
from typing import Final, TextIO

import click

from server.cli.audit.audit import entry_document
from server.cli.opening import OpenInstallation, Printed, prints
from server.cli.output import join_names, json_text, moment, sheet, table
from server.cli.tokens.delegations import delegation_table, revoked_document
from server.lazy_imports import lazily
from server.protocol.tokens.exchange_refusals import STEPS, Reason
from server.services.policy.evaluation import Evaluator
from server.services.refusals import Invalid, NotFound
from server.services.tokens.exchange_checks import ExchangeChecks
from server.services.tokens.explanations import Explanation, Explanations
from server.services.tokens.issued_tokens import IssuedTokens

with lazily():
    from server.http.tokens import delegation_wire

REMEDIES: Final[Mapping[Reason, str]] = {
    Reason.MALFORMED: "Send the parameters that docs/exchange-tokens.md lists.",
    Reason.SUBJECT_INVALID: "Send an unexpired access token that this issuer signed.",
    Reason.ACTOR_INVALID: "Leave out actor_token, or get one with client_credentials.",
    Reason.ACTOR_FOREIGN: "Leave out actor_token, or send one in which the caller acts for itself.",
    Reason.PROOF_MISSING: "Send a DPoP proof of the key that the token is bound to.",
    Reason.SUBJECT_UNKNOWN: "Exchange a token that this server issued.",
    Reason.SUBJECT_EXPIRED: "Get a new subject token; this one has expired.",
    Reason.SUBJECT_REVOKED: "Get a new subject token; this one was revoked.",
    Reason.ANCESTOR_REVOKED: "Get a new subject token; an ancestor of this one was revoked.",
    Reason.NO_PERSON: "Exchange a token that acts for a person, not an agent's own token.",
    Reason.USER_DISABLED: "Enable the user: sayso users enable USER",
    Reason.MAY_ACT_FOREIGN: "Have the app request a token whose may_act names this agent.",
    Reason.NOT_SERVED: "Allow the agent to serve the token's resource: sayso agents update AGENT "
    "SERVES",
    Reason.ACTOR_DISABLED: "Enable the agent in the chain: sayso agents REVIVAL",
    Reason.APP_DISABLED: "Enable the app that the person used: sayso apps update APP --enable",
    Reason.TOO_DEEP: "Exchange an earlier token in the chain.",
    Reason.CHAIN_TOO_LARGE: "Exchange an earlier token in the chain.",
    Reason.TARGET_BEYOND: "Request one of the agent's resources, or add this one: sayso agents "
    "update AGENT RESOURCES",
    Reason.SCOPE_BEYOND: "Request only scopes that every agent in the chain may use and that the "
    "chain's existing token for the resource includes.",
    Reason.DETAILS_INVALID: "Send details of registered types that this agent may use: sayso "
    "actions list",
    Reason.CONSENT_MISSING: "Have USER consent to FIRST at URI, or approve this request at "
    "/bc-authorize.",
    Reason.DETAILS_MISSING: "Send details of the types that the scopes require, and have the "
    "person answer.",
    Reason.POLICY_DENIED: "See the rule that the audit entry names: sayso policy show",
    Reason.NEEDS_PERSON: "Have the person answer at /bc-authorize.",
    Reason.DENIED_REPEATEDLY: "Wait until the pause ends, and check what the agent kept asking "
    "for: sayso agents show AGENT",
}
"""The remedy for each reason. Words in capitals are placeholders."""

_PLACEHOLDER: Final = re.compile(r"\b[A-Z]{3,}\b")


def remedy(explanation: Explanation) -> str:
    """The remedy for this case. An unknown value stays a placeholder."""
    values = _placeholder_values(explanation)
    return _PLACEHOLDER.sub(lambda m: values.get(m[0], m[0]), REMEDIES[explanation.reason])


def _placeholder_values(explanation: Explanation) -> Mapping[str, str]:
    values = {"USER": explanation.user, "URI": explanation.original_request.target}
    words = {name: quote(value) for name, value in values.items() if value}
    if explanation.inactive_client is not None:
        name = quote(explanation.inactive_client.name)
        expired = explanation.inactive_client.state == "enabled"
        words |= {
            "APP": name,
            "REVIVAL": f"update {name} --expires 30d" if expired else f"enable {name}",
        }
    if explanation.client is not None:
        actor_names = [link.client_name for link in explanation.chain if link.delegation.depth]
        first_resource = explanation.chain[0].delegation.resource if explanation.chain else None
        words |= {
            "AGENT": quote(explanation.client.name),
            "FIRST": quote((actor_names or [explanation.client.name])[-1]),
            "RESOURCES": _flags(
                "--resource", explanation.client.resources, explanation.original_request.target
            ),
            "SERVES": _flags("--serves", explanation.client.serves, first_resource),
        }
    return words


def _flags(flag: str, stored: Iterable[str], added: str | None) -> str:
    """A list flag with the old values and a new one, because the flag replaces the whole list."""
    return " ".join(f"{flag} {quote(uri)}" for uri in (*stored, added or "URI"))


token_file = click.argument(
    "source", metavar="FILE", type=click.File("r", encoding="utf-8-sig"), default="-"
)
_TIMES = frozenset({"iat", "exp", "auth_time"})


@click.group("token")
def command() -> None:
    """Inspect, revoke or explain an access token issued by this server.

    FILE contains the token; the default, -, reads stdin.
    """


@command.command("inspect")
@token_file
@prints
def inspect(admin: OpenInstallation, source: TextIO) -> Printed:
    """Show a token's claims, whether it is valid, and why not."""
    token_inspection = _explanations(admin).token(source.read().strip())
    row, problems = token_inspection.row, token_inspection.problems

    def document() -> dict[str, object]:
        return {
            "active": not problems,
            "problems": problems,
            "claims": dict(token_inspection.claims),
            "delegation": row and delegation_wire.delegation(row, admin.now),
        }

    verdict = f"is not valid: {join_names(problems)}" if problems else "is valid"
    claims = {name: _claim_text(name, value) for name, value in token_inspection.claims.items()}
    return document, [f"The token {verdict}.", "", *sheet(claims)]


@command.command("revoke")
@token_file
@prints
def revoke(admin: OpenInstallation, source: TextIO) -> Printed:
    """Revoke a token and the tokens derived from it."""
    token_inspection = _explanations(admin).token(source.read().strip())
    if token_inspection.row is None:
        raise NotFound("record of this token")
    delegation, count = admin.delegations.revoke(token_inspection.row.delegation.id, by=admin.by)
    lines = [f"{delegation.delegation.id} is revoked.", f"Tokens revoked: {count}."]
    return revoked_document(delegation, admin.now, count), lines


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
    explanation = _explanations(admin).exchange(entry_id)
    return lambda: _document(explanation, admin.now), _lines(explanation, admin.now)


def _explanations(admin: OpenInstallation) -> Explanations:
    services = admin.services
    return Explanations(
        services.store,
        IssuedTokens(services.verifier, services.server_policy),
        ExchangeChecks(Evaluator(services.secrets), services.server_policy),
    )


def _claim_text(name: str, value: object) -> str:
    if name in _TIMES and isinstance(value, int):
        return moment(value * 1000)
    return json_text(value)


def _document(explanation: Explanation, now: int) -> dict[str, object]:
    return {
        "entry": entry_document(explanation.entry),
        "agent": explanation.agent,
        "user": explanation.user,
        "target": explanation.original_request.target,
        "scope": list(explanation.original_request.scope),
        "authorization_details_types": list(explanation.original_request.types),
        "step": explanation.refusal.step,
        "makes_sure": explanation.step,
        "reason": str(explanation.reason),
        "error": explanation.refusal.error.code,
        "remedy": remedy(explanation),
        "chain": [delegation_wire.delegation(delegation, now) for delegation in explanation.chain],
        "bounds": [
            {"whose": bound.source, "scope": list(bound.scope)} for bound in explanation.bounds
        ],
        "now": {
            "replayed": explanation.replayed,
            "passes": explanation.replayed and explanation.current_reason is None,
            "reason": explanation.current_reason,
        },
    }


def _lines(explanation: Explanation, now: int) -> list[str]:
    exchange = explanation.original_request
    facts: Mapping[str, str | None] = {
        "refused": moment(explanation.entry.at),
        "agent": explanation.agent,
        "for": explanation.user or "nobody",
        "resource": exchange.target or "not specified",
        "scope": join_names(exchange.scope),
        "actions": join_names(exchange.types) if exchange.types else None,
        "step": f"{explanation.refusal.step} of {len(STEPS)}: {explanation.step}",
        "reason": explanation.reason,
        "error": explanation.refusal.error.code,
        "remedy": remedy(explanation),
        "now": _current_result(explanation),
    }
    lines = sheet(facts)
    if explanation.chain:
        lines += ["", "Token chain, newest first:", *delegation_table(explanation.chain, now)]
    if explanation.bounds:
        rows = [(bound.source, join_names(bound.scope)) for bound in explanation.bounds]
        lines += ["", *table(("limit", "allowed scopes"), rows)]
    return lines


def _current_result(explanation: Explanation) -> str:
    if not explanation.replayed:
        return "cannot be replayed: the error was in the request itself, which is not stored"
    reason = explanation.current_reason
    return "would pass" if reason is None else f"would be refused: {reason}"
