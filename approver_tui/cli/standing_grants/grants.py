"""`sayso-approver grants`: list, create and revoke standing grants."""

from dataclasses import replace

import click

from approver_tui.cli import completing, lines, references
from approver_tui.cli.documents import id_and_name, members
from approver_tui.cli.inputs import is_interactive, parse_option, pin_stdin, read_pin, this_client
from approver_tui.cli.printing import as_json, print_list, print_result
from approver_tui.cli.standing_grants import grant_lines
from approver_tui.client.api import Client
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.standing_grants.standing_grants import StandingGrantsClient
from approver_tui.state.standing_grants.standing_grants import (
    GrantPreview,
    Money,
    StandingGrant,
    StandingGrantProposal,
    read_duration,
    read_varying,
)


def grant_document(value: StandingGrant) -> dict[str, object]:
    """Return the document of a standing grant."""
    separate = ("agent_id", "agent_name")
    sums = {"sum": _money(value.sum), "spent": _money(value.spent)}
    return members(value, *separate, agent=id_and_name(value, "agent"), **sums)


def preview_document(value: GrantPreview) -> dict[str, object]:
    """Return the document of a preview."""
    requests = [members(request, covered=request.mismatch is None) for request in value.requests]
    total = _money(value.sum)
    return members(value, "agent_name", agent=value.agent_name, sum=total, requests=requests)


def _money(value: Money | None) -> dict[str, object] | None:
    return None if value is None else members(value, "words", text=value.words)


@click.group("grants", invoke_without_command=True)
@as_json
@click.pass_context
def command(context: click.Context) -> None:
    """List standing grants; show, add or revoke one."""
    if context.invoked_subcommand is None:
        context.invoke(list_grants)


@command.command("list")
@click.option("--ended", is_flag=True, help="Include standing grants that have ended.")
@as_json
def list_grants(*, ended: bool) -> None:
    """List your standing grants and what is left of them."""
    with this_client() as client:
        standing_grants = StandingGrantsClient(client).grants(ended=ended)
    items = [grant_document(grant) for grant in standing_grants]
    text = [line for grant in standing_grants for line in grant_lines.grant(grant)]
    print_list("sayso.grants/1", items, text)


@command.command("show")
@click.argument("grant_id", metavar="ID")
@as_json
def show(*, grant_id: str) -> None:
    """Show a standing grant and each of its uses."""
    with this_client() as client:
        standing_grant = StandingGrantsClient(client).grant(references.grant_id(client, grant_id))
    print_result(
        {"schema": "sayso.grant/1", **grant_document(standing_grant)},
        grant_lines.grant_in_full(standing_grant),
    )


@command.command("revoke")
@click.argument("grant_id", metavar="ID")
@as_json
def revoke(*, grant_id: str) -> None:
    """Revoke a standing grant; similar requests ask you again. Requires no PIN."""
    with this_client() as client:
        standing_grant = StandingGrantsClient(client).revoke(references.grant_id(client, grant_id))
    print_result(
        {"schema": "sayso.grant/1", **grant_document(standing_grant)},
        [f"Revoked: {standing_grant.agent_name} at {standing_grant.resource}."],
    )


@command.command("add")
@click.argument("approval_id", metavar="ID", shell_complete=completing.approval_ids)
@click.option("--for", "duration", required=True, metavar="TIME", help="How long: 15m, 8h, 30d.")
@click.option("--uses", type=click.IntRange(min=1), required=True, help="Max uses.")
@click.option("--sum", "total", metavar="AMOUNT", help="Total amount of money, such as 1000.")
@click.option(
    "--vary",
    metavar="FACT[=LIMIT]",
    multiple=True,
    help="What may vary: amount=20 up to a limit, reference for any text.",
)
@click.option(
    "--quiet", is_flag=True, help="Do not notify me of each use; the history still lists them."
)
@click.option(
    "--preview", is_flag=True, help="Show what it would have covered, without creating it."
)
@pin_stdin
@as_json
def add(  # noqa: PLR0913  # the options of one command
    *,
    approval_id: str,
    duration: str,
    uses: int,
    total: str | None,
    vary: tuple[str, ...],
    quiet: bool,
    preview: bool,
    pin_stdin: bool,
) -> None:
    """Approve similar requests. Requires your PIN; counts as one risk level higher."""
    proposal = StandingGrantProposal(
        approval=approval_id,
        seconds=parse_option("--for", read_duration, duration),
        uses=uses,
        sum=total,
        vary=tuple(parse_option(f"--vary {member}", read_varying, member) for member in vary),
        notify=not quiet,
    )
    if preview:
        _preview(proposal)
    else:
        _create(proposal, pin_stdin=pin_stdin)


def _with_full_id(client: Client, proposal: StandingGrantProposal) -> StandingGrantProposal:
    return replace(proposal, approval=references.approval_id(client, proposal.approval))


def _preview(proposal: StandingGrantProposal) -> None:
    with this_client() as client:
        grant_preview = StandingGrantsClient(client).preview(_with_full_id(client, proposal))
    print_result(
        {"schema": "sayso.grant-preview/1", **preview_document(grant_preview)},
        grant_lines.preview(grant_preview),
    )


def _create(proposal: StandingGrantProposal, *, pin_stdin: bool) -> None:
    with this_client() as client:
        proposal = _with_full_id(client, proposal)
        example = client.approval(proposal.approval)
        approval = StandingGrantsClient(client).request(proposal, example)
        if not pin_stdin and is_interactive():
            for line in lines.approval_in_full(approval, client.now()):
                click.echo(line, err=True)
        pin = read_pin(from_stdin=pin_stdin)
        decided = DecisionClient(client).approve(
            approval, fingerprint=approval.fingerprint, pin=pin
        )
        standing_grant = next(
            grant
            for grant in StandingGrantsClient(client).grants(ended=True)
            if grant.approval == decided.id
        )
    print_result(
        {"schema": "sayso.grant/1", **grant_document(standing_grant)},
        grant_lines.created(standing_grant),
    )
