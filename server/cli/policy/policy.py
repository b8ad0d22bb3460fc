"""`sayso policy`: the rules for which requests need approval."""

from collections.abc import Mapping
from typing import TextIO

import click

from server.cli.opening import OpenInstallation, Printed, administers, prints
from server.cli.output import answer, join_names, json_option, json_text, moment, sheet, table
from server.cli.params import span
from server.lazy_imports import lazily
from server.protocol.policy.questions import FLOWS, RequestFlow
from server.protocol.text import pluralize

with lazily():
    from server.http.policy import policy as api
    from server.model.policy import PolicyRow
    from server.protocol.approvals import ceremonies
    from server.services.operations.audiences import PolicyApprover, RequestAudience
    from server.services.operations.replays import Change, Replay
    from server.services.operations.trials import PolicyTestResult, TrialRequest, TrialResult
    from server.services.policy import builtin, documents
    from server.services.policy.displays import duration_text

_FILE = click.File("r", encoding="utf-8-sig")
file_argument = click.argument("file", type=_FILE)
policy_option = click.option(
    "--policy", "rules", type=_FILE, help="Use this rule set instead of the active one."
)
_RESULTS: Mapping[str, str] = {
    "token": "a token is issued",
    "person": "a person is asked",
    "refused": "the request is refused",
}


@click.group("policy")
def command() -> None:
    """Policy: TOML files with rules for what is allowed, needs approval or is denied."""


@command.command("show")
@prints
def show(admin: OpenInstallation) -> Printed:
    """Show the active rule set."""
    row = admin.policies.show()
    lines = [f"# {_title(row)}", f"# {row.hash}", *row.document.splitlines()]
    return lambda: api.policy(row), lines


@command.command("set")
@file_argument
@prints
def put(admin: OpenInstallation, file: TextIO) -> Printed:
    """Activate a rule set. It also applies to pending requests."""
    row = admin.policies.set(file.read(), by=admin.by)
    rules = documents.parse_policy(row.document).single_approver_at_critical
    warnings = [f"Rule {rule} lets one person approve at critical risk." for rule in rules]
    lines = [f"{_title(row)}, is active.", *warnings, "To see it: sayso policy show"]
    return lambda: api.policy(row), lines


@command.command("explain")
@click.option("--agent", required=True, help="The agent.")
@click.option("--user", help="The user that the agent asks.")
@click.option(
    "--flow",
    type=click.Choice(FLOWS),
    default="request",
    show_default=True,
    help="The kind of request.",
)
@click.option("--resource", metavar="URI", help="The resource; default: the agent's only resource.")
@click.option("--scope", "scopes", multiple=True, help="A requested scope.")
@click.option("--details", type=_FILE, help="authorization_details, a JSON array.")
@click.option("--acr", metavar="VALUES", help="The acr_values of the request.")
@policy_option
@prints
def explain(  # noqa: PLR0913, PLR0917  # a request's members
    admin: OpenInstallation,
    agent: str,
    user: str | None,
    flow: RequestFlow,
    resource: str | None,
    scopes: tuple[str, ...],
    details: TextIO | None,
    acr: str | None,
    rules: TextIO | None,
) -> Printed:
    """Show which rule applies, whether a person is asked, and the resulting token."""
    text = None if details is None else details.read()
    trial_request = TrialRequest(agent, flow, user, resource, scopes, text, acr=acr)
    explained = admin.trials.explain(trial_request, None if rules is None else rules.read())
    return lambda: api.explanation(explained), _explanation_lines(explained)


@command.command("test")
@file_argument
@policy_option
@json_option
@administers
def test(admin: OpenInstallation, file: TextIO, rules: TextIO | None, *, as_json: bool) -> None:
    """Test the rules with a TOML table of cases. Exits with 1 if a case fails."""
    test_results = admin.trials.test(file.read(), None if rules is None else rules.read())
    failed = sum(not case.passed for case in test_results)
    lines = [line for case in test_results for line in _case_lines(case)]
    lines.append(f"{len(test_results) - failed} of {len(test_results)} passed.")
    answer(lambda: api.results(test_results), lines, as_json=as_json)
    if failed:
        click.get_current_context().exit(1)


@command.command("dry-run")
@click.option(
    "--last", type=span, default="7d", show_default=True, help="How far back to evaluate."
)
@policy_option
@prints
def dry_run(admin: OpenInstallation, last: int, rules: TextIO | None) -> Printed:
    """Evaluate recent requests and exchanges again, and show what the rules would change."""
    replay = admin.replays.replay(last, None if rules is None else rules.read())
    return lambda: api.replay(replay), _replay_lines(replay)


def _title(row: PolicyRow) -> str:
    if row.version == builtin.DEFAULT_VERSION:
        return "The built-in policy"
    return f"Policy {row.version}, set {moment(row.set_at)} by {row.set_by}"


def _explanation_lines(explained: TrialResult) -> list[str]:
    verdict = explained.verdict
    lacks_consent = explained.consent is False and verdict.outcome == "allow"
    lines = sheet(
        {
            "outcome": f"{verdict.outcome} (policy version {verdict.source.version})",
            "result": _RESULTS[explained.next_step]
            + (": the person has not consented" if lacks_consent else ""),
            "reason": verdict.because,
            "risk": str(verdict.risk),
            "rules": join_names(rule.id for rule in explained.rules),
            "signals": join_names(explained.unusual),
            "standing grant": _grant_line(explained),
            "approval": _approval_line(explained),
            **_audience_facts(explained.audience),
        }
    )
    if explained.token is not None:
        claims = {name: json_text(value) for name, value in explained.token.items()}
        lines += ["", f"The token, valid {explained.seconds} seconds, would contain:"]
        lines += sheet(claims)
    return lines


def _approval_line(explained: TrialResult) -> str | None:
    needs = explained.verdict.requirements
    if needs is None or explained.audience is None:
        return None
    people = pluralize(needs.quorum, "person", "people")
    ceremony = ceremonies.ceremony_text(needs.ceremony)
    return f"{people}, by {ceremony}, within {duration_text(needs.seconds)}"


def _grant_line(explained: TrialResult) -> str | None:
    grant = explained.standing_grant
    return None if grant is None else f"{grant.id} (use {grant.used + 1} of {grant.uses})"


def _audience_facts(request_audience: RequestAudience | None) -> dict[str, str | None]:
    """Approvers, people whose approval does not count, deputies and backup."""
    if request_audience is None:
        return {}
    non_approvers = [person.name for person in request_audience.people if not person.approves]
    excluded = sorted({*request_audience.excluded, *non_approvers})
    when = "immediately" if request_audience.at_once else "after three quarters of the time"
    return {
        "approvers": join_names(map(_approver, request_audience.approvers)),
        "excluded": join_names(excluded) if excluded else None,
        "deputies": join_names(request_audience.deputies) if request_audience.deputies else None,
        "backup": None if request_audience.backup is None else f"{request_audience.backup}, {when}",
    }


def _approver(policy_approver: PolicyApprover) -> str:
    group = "" if policy_approver.group is None else f" ({policy_approver.group})"
    return f"{policy_approver.name}{group}"


def _case_lines(test_result: PolicyTestResult) -> list[str]:
    if test_result.passed:
        return [f"PASS    {test_result.name}"]
    if test_result.problem:
        return [f"ERROR   {test_result.name}: {test_result.problem}"]
    differences = [
        f"{name} is {test_result.found[name]}, not {expected}"
        for name, expected in test_result.expected.items()
        if test_result.found[name] != expected
    ]
    return [f"FAIL    {test_result.name}: {'; '.join(differences)}"]


def _replay_lines(replay: Replay) -> list[str]:
    rows = [
        (
            moment(change.at),
            change.agent,
            change.user or "",
            " ".join([*change.scope, *change.types]),
            f"{change.before} → {change.after}",
            join_names(change.rules),
            _decider(change),
        )
        for change in replay.changes
    ]
    evaluated = f"{replay.evaluated} evaluated again, {replay.skipped} skipped"
    lines = [
        f"Since {moment(replay.since)}: {evaluated}.",
        f"{replay.changed} would have a different outcome.",
    ]
    if not replay.complete:
        lines.append("Only the newest requests were evaluated.")
    if rows:
        lines += [
            "",
            *table(("when", "agent", "user", "request", "outcome", "rules", "decided by"), rows),
        ]
    return lines


def _decider(change: Change) -> str:
    """The grant or the people that would decide."""
    if change.standing_grant is not None:
        return f"standing grant {change.standing_grant}"
    if change.quorum is None:
        return ""
    return f"{change.quorum} of {join_names(change.approvers)}"
