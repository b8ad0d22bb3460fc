"""`sayso-approver grants`: list, create and revoke standing grants."""

import click

from approver_tui.cli import completing, lines, references
from approver_tui.cli.documents import document, id_and_name, members, to_json
from approver_tui.cli.inputs import is_interactive, parse_option, pin_stdin, read_pin, this_client
from approver_tui.cli.printing import as_json, group, print_list, print_result, print_to_stderr
from approver_tui.cli.standing_grants import grant_lines
from approver_tui.client.api import Client
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.client.standing_grants.standing_grants import StandingGrantsClient
from approver_tui.state.standing_grants.standing_grants import (
    GrantPreview,
    Money,
    PastRequest,
    StandingGrant,
    StandingGrantProposal,
    read_duration,
    read_varying,
)


@to_json.register
def _grant(value: StandingGrant) -> dict[str, object]:
    return members(value, "agent_id", "agent_name", agent=id_and_name(value, "agent"))


@to_json.register
def _grant_preview(value: GrantPreview) -> dict[str, object]:
    return members(value, "agent_name", agent=value.agent_name)


@to_json.register
def _past_request(value: PastRequest) -> dict[str, object]:
    return members(value, covered=value.mismatch is None)


@to_json.register
def _money(value: Money) -> dict[str, object]:
    return members(value, "words", text=value.words)


@group("grants")
def grants() -> None:
    """List standing grants; show, add or revoke one."""
    click.get_current_context().invoke(list_grants)


@grants.command("list")
@click.option("--ended", is_flag=True, help="Include standing grants that have ended.")
@as_json
def list_grants(*, ended: bool) -> None:
    """List your standing grants and what is left of them."""
    with this_client() as client:
        standing_grants = StandingGrantsClient(client).grants(ended=ended)
    text = [line for grant in standing_grants for line in grant_lines.grant(grant)]
    print_list("sayso.grants/1", to_json(standing_grants), text, empty="No standing grants.")


@grants.command("show")
@click.argument("grant_id", metavar="ID")
@as_json
def show(*, grant_id: str) -> None:
    """Show a standing grant and each of its uses."""
    with this_client() as client:
        standing_grant = StandingGrantsClient(client).grant(references.grant_id(client, grant_id))
    print_result(
        document("sayso.grant/1", standing_grant), grant_lines.grant_in_full(standing_grant)
    )


@grants.command("revoke")
@click.argument("grant_id", metavar="ID")
@as_json
def revoke(*, grant_id: str) -> None:
    """Revoke a standing grant; similar requests ask you again. Requires no PIN."""
    with this_client() as client:
        standing_grant = StandingGrantsClient(client).revoke(references.grant_id(client, grant_id))
    text = f"Revoked: {standing_grant.agent_name} at {standing_grant.resource}."
    print_result(document("sayso.grant/1", standing_grant), [text])


@grants.command("add")
@completing.approval_argument
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
    seconds = parse_option("--for", read_duration, duration)
    varying = tuple(parse_option(f"--vary {member}", read_varying, member) for member in vary)
    with this_client() as client:
        full_id = references.approval_id(client, approval_id)
        proposal = StandingGrantProposal(full_id, seconds, uses, total, varying, notify=not quiet)
        if preview:
            _preview(client, proposal)
        else:
            _create(client, proposal, pin_stdin=pin_stdin)


def _preview(client: Client, proposal: StandingGrantProposal) -> None:
    grant_preview = StandingGrantsClient(client).preview(proposal)
    text = grant_lines.preview(grant_preview)
    print_result(document("sayso.grant-preview/1", grant_preview), text)


def _create(client: Client, proposal: StandingGrantProposal, *, pin_stdin: bool) -> None:
    grants_client = StandingGrantsClient(client)
    approval = grants_client.request(proposal, client.approval(proposal.approval))
    if not pin_stdin and is_interactive():
        print_to_stderr(lines.approval_in_full(approval, client.now()))
    pin = read_pin(from_stdin=pin_stdin)
    decided = DecisionClient(client).approve(approval, fingerprint=approval.fingerprint, pin=pin)
    created = next(
        grant for grant in grants_client.grants(ended=True) if grant.approval == decided.id
    )
    print_result(document("sayso.grant/1", created), grant_lines.created(created))
