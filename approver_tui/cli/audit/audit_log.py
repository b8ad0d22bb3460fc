"""`sayso-approver audit-log`: checks that the server's audit log was not replaced or changed."""

import click

from approver_tui.cli.inputs import this_client
from approver_tui.cli.lines import fact
from approver_tui.cli.printing import as_json, print_result
from approver_tui.client.audit.log_witness import WARNING, LogWitness
from approver_tui.client.errors import NotVerified
from approver_tui.state.text import pluralize


@click.command("audit-log")
@click.option(
    "--accept",
    is_flag=True,
    help="Trust the log as it is now. Use this after your administrator has explained the change.",
)
@as_json
def audit_log(*, accept: bool) -> None:
    """Check that the server's audit log only grew since this machine last saw it.

    Exits with 20 if it was changed or replaced. This machine then keeps its old checkpoint until
    you pass --accept, which stores a new checkpoint and leaves the old file next to it.
    """
    with this_client() as client:
        witness = LogWitness(client.session, client.home)
        if accept:
            witness.forget(client.now())
        alarm, size = witness.check(), witness.size
    document = {
        "schema": "sayso.audit-log/1",
        "issuer": client.profile.issuer,
        "holds": not alarm,
        "why": alarm or None,
        "entries": size,
        "log_key": witness.log_key,
        "file": str(witness.file),
    }
    no_checkpoint = "none yet: the server has no checkpoint"
    last_seen = no_checkpoint if size is None else pluralize(size, "entry", "entries")
    lines = [
        fact("server", client.profile.issuer),
        fact("last seen", last_seen),
        fact("log key", witness.log_key or "unknown"),
        fact("stored in", str(witness.file)),
    ]
    print_result(document, lines)
    if alarm:
        raise NotVerified(f"{WARNING} {alarm}")
