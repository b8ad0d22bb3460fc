"""`sayso policy`: when a human is needed."""

import json
from collections.abc import Mapping
from typing import TextIO

import click

from server.cli.opening import BY, OpenInstallation, administers
from server.cli.output import answer, json_option, listed, moment, sheet, table
from server.cli.params import Span
from server.model.policy import PolicyRow
from server.protocol.approvals import ceremonies
from server.protocol.policy.questions import WAYS, Verdict, Way
from server.services.operations import policy_json
from server.services.operations.audiences import AskedPerson, RequestAudience
from server.services.operations.replays import Change, Replay
from server.services.operations.trials import Explained, TrialRequest, TriedCase
from server.services.policy import documents
from server.services.policy.binding import DEFAULT_VERSION
from server.services.policy.displays import lasting

_FILE = click.File("r", encoding="utf-8")
file_argument = click.argument("file", type=_FILE)
policy_option = click.option(
    "--policy", "rules", type=_FILE, help="Ask this rule set, not the one in force."
)
_THEN: Mapping[str, str] = {
    "token": "a token comes out",
    "person": "a person is asked",
    "refused": "it is refused",
}


@click.group("policy")
def command() -> None:
    """Policy: TOML files of rules that say what is allowed, what asks a person, what never."""


@command.command("show")
@json_option
@administers
def show(desk: OpenInstallation, *, as_json: bool) -> None:
    """The rule set in force, as it was written."""
    row = desk.policies.show()
    lines = [f"# {_title(row)}", f"# {row.hash}", *row.document.splitlines()]
    answer(policy_json.policy(row), lines, as_json=as_json)


@command.command("set")
@file_argument
@json_option
@administers
def put(desk: OpenInstallation, file: TextIO, *, as_json: bool) -> None:
    """Put a rule set in force. It is read and checked whole; requests that wait are held to it."""
    row = desk.policies.set(file.read(), by=BY)
    rules = documents.read(row.document).alone_at_critical
    alone = [f"By rule {one} a single yes is enough at critical risk." for one in rules]
    lines = [f"{_title(row)}, is in force.", *alone, "To see it: sayso policy show"]
    answer(policy_json.policy(row), lines, as_json=as_json)


@command.command("explain")
@click.option("--agent", required=True, help="Who would ask.")
@click.option("--user", help="For whom.")
@click.option(
    "--way", type=click.Choice(WAYS), default="request", show_default=True, help="By which door."
)
@click.option("--resource", metavar="URI", help="Where; the agent's only one if unsaid.")
@click.option("--scope", "scopes", multiple=True, help="A scope that it would ask for.")
@click.option("--details", type=_FILE, help="authorization_details, a JSON array.")
@click.option("--acr", metavar="VALUES", help="How the person shall answer: its acr_values.")
@policy_option
@json_option
@administers
def explain(  # noqa: PLR0913, PLR0917  # what a request has
    desk: OpenInstallation,
    agent: str,
    user: str | None,
    way: Way,
    resource: str | None,
    scopes: tuple[str, ...],
    details: TextIO | None,
    acr: str | None,
    rules: TextIO | None,
    *,
    as_json: bool,
) -> None:
    """Whether a person would be asked, by which rule, and what token would come out."""
    text = None if details is None else details.read()
    wanted = TrialRequest(agent, way, user, resource, scopes, text, acr=acr)
    found = desk.trials.explain(wanted, None if rules is None else rules.read())
    answer(policy_json.explained(found), _explained(found), as_json=as_json)


@command.command("test")
@file_argument
@policy_option
@json_option
@administers
def test(desk: OpenInstallation, file: TextIO, rules: TextIO | None, *, as_json: bool) -> None:
    """Hold a TOML table of cases against the rules. Exit 1 when one of them does not fit."""
    found = desk.trials.test(file.read(), None if rules is None else rules.read())
    failed = sum(not one.passed for one in found)
    lines = [line for one in found for line in _tried(one)]
    lines.append(f"{len(found) - failed} of {len(found)} fit.")
    answer(policy_json.tried(found), lines, as_json=as_json)
    if failed:
        click.get_current_context().exit(1)


@command.command("dry-run")
@click.option("--last", type=Span(), default="7d", show_default=True, help="How far back.")
@policy_option
@json_option
@administers
def dry_run(desk: OpenInstallation, last: int, rules: TextIO | None, *, as_json: bool) -> None:
    """What the rules would have changed: requests and exchanges of the time are judged again."""
    found = desk.replays.replay(last, None if rules is None else rules.read())
    answer(policy_json.replayed(found), _replayed(found), as_json=as_json)


def _title(row: PolicyRow) -> str:
    if row.version == DEFAULT_VERSION:
        return "The policy that Sayso comes with"
    return f"Policy {row.version}, set {moment(row.set_at)} by {row.set_by}"


def _explained(found: Explained) -> list[str]:
    verdict = found.verdict
    lacks = found.consent is False and verdict.outcome == "allow"
    lines = sheet(
        {
            "policy says": _says(verdict),
            "so": _THEN[found.then] + (": the person has not consented" if lacks else ""),
            "because": verdict.because,
            "risk": str(verdict.risk),
            "rules": listed(rule.id for rule in found.rules),
            "unusual": listed(found.unusual) if found.unusual else "nothing",
            "answered by": _covered(found),
            "asks": _asks(found),
            **_people(found.audience),
        }
    )
    if found.token is not None:
        claims = {name: _said(value) for name, value in found.token.items()}
        lines += ["", f"The token, valid {found.seconds} seconds, would say:", *sheet(claims)]
    return lines


def _said(value: object) -> str:
    """A claim as it stands in the token, a text without its quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _says(verdict: Verdict) -> str:
    return f"{verdict.outcome}, by version {verdict.source.version}"


def _asks(found: Explained) -> str | None:
    needs = found.verdict.needs
    if needs is None or found.audience is None:
        return None
    people = "1 person" if needs.quorum == 1 else f"{needs.quorum} people"
    how = ceremonies.spelled(needs.ceremony)
    return f"{people}, by {how}, within {lasting(needs.seconds)}"


def _covered(found: Explained) -> str | None:
    grant = found.covered
    if grant is None:
        return None
    return f"standing grant {grant.id} (use {grant.used + 1} of {grant.uses})"


def _people(found: RequestAudience | None) -> dict[str, str | None]:
    """Whom it asks, who may not say yes, and who stands in."""
    if found is None:
        return {}
    silent = [one.name for one in found.people if not one.approves]
    excluded = sorted({*found.excluded, *silent})
    when = "at once" if found.at_once else "when three quarters of the time are over"
    return {
        "approvers": listed(map(_approver, found.approvers)),
        "not": f"{listed(excluded)}: their yes does not count" if excluded else None,
        "deputies": listed(found.deputies) if found.deputies else None,
        "backup": None if found.backup is None else f"{found.backup}, {when}",
    }


def _approver(one: AskedPerson) -> str:
    return one.name if one.group is None else f"{one.name} ({one.group})"


def _tried(one: TriedCase) -> list[str]:
    if one.passed:
        return [f"fits    {one.name}"]
    if one.problem:
        return [f"BROKEN  {one.name}: {one.problem}"]
    wrong = [
        f"{name} is {one.found[name]}, not {wanted}"
        for name, wanted in one.expected.items()
        if one.found[name] != wanted
    ]
    return [f"FAILS   {one.name}: {'; '.join(wrong)}"]


def _replayed(found: Replay) -> list[str]:
    rows = [
        (
            moment(one.at),
            one.agent,
            one.user or "",
            " ".join([*one.scope, *one.types]),
            f"{one.before} → {one.after}",
            listed(one.rules),
            _whom(one),
        )
        for one in found.changes
    ]
    lines = [
        f"Since {moment(found.since)}: {found.judged} judged again, {found.skipped} cannot be.",
        f"{found.changed} would have gone otherwise.",
    ]
    if not found.complete:
        lines.append("There were more; the newest were judged.")
    if rows:
        lines += [
            "",
            *table(("when", "agent", "user", "what", "outcome", "rules", "by whom"), rows),
        ]
    return lines


def _whom(one: Change) -> str:
    """Who or what would answer."""
    if one.standing_grant is not None:
        return f"standing grant {one.standing_grant}"
    if one.quorum is None:
        return ""
    return f"{one.quorum} of {listed(one.approvers)}"
