"""`sayso-approver receipt`: the evidence of a decision, verified on this machine."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from approver_tui import settings
from approver_tui.cli import completing, documents, references
from approver_tui.cli.inputs import this_client, warn_about_log
from approver_tui.cli.lines import fact, status_text
from approver_tui.cli.printing import as_json, print_document, print_result
from approver_tui.cli.sign_in.homes import this_home
from approver_tui.client import wire
from approver_tui.client.approvals import receipts
from approver_tui.client.approvals.receipts import ReceiptPart, Verdict
from approver_tui.client.audit.log_witness import pinned_key
from approver_tui.client.errors import NotVerified, WireError
from approver_tui.client.reading import JsonObject
from approver_tui.state.text import display_safe

_WIDTH = 14
_VERDICT_TEXTS = {
    Verdict.PROVED: "is valid",
    Verdict.WRONG: "is not valid",
    Verdict.UNKNOWN: "could not be verified",
}
_PART_TEXTS = {
    Verdict.PROVED: "verified",
    Verdict.WRONG: "invalid",
    Verdict.UNKNOWN: "not verified",
}
_EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("receipt")
@completing.optional_approval_argument
@click.option(
    "--file", "saved_file", metavar="FILE", type=_EXISTING_FILE, help="Verify a saved receipt."
)
@click.option(
    "--jwks",
    metavar="FILE",
    type=_EXISTING_FILE,
    help="The server's published keys, to verify offline.",
)
@click.option("--raw", is_flag=True, help="Print the receipt itself, to save it.")
@as_json
def receipt(
    *, approval_id: str | None, saved_file: Path | None, jwks: Path | None, raw: bool
) -> None:
    """Verify the receipt of a request: what was shown, who signed it, and how it ended.

    Exits with 20 when a part is invalid, or when no published key vouches for it. Parts that
    cannot be checked are listed, and prove nothing.
    """
    if (approval_id is None) == (saved_file is None):
        raise click.UsageError("Give a request id, or a saved receipt with --file.")
    receipt, keys = _load(approval_id, saved_file, jwks)
    log_key = pinned_key(this_home(), str(receipt.get("issuer")))
    parts = receipts.check_receipt(receipt, keys, log_key)
    if raw:
        print_document(receipt)
    else:
        print_result(documents.receipt_proof(receipt, parts), _lines(receipt, parts))
    verdict = receipts.verdict(parts)
    if verdict is not Verdict.PROVED:
        problems = [part.why for part in parts if part.verdict is Verdict.WRONG]
        problem = problems[0] if problems else parts[-1].why
        raise NotVerified(f"This receipt {_VERDICT_TEXTS[verdict]}: {problem}.")


def _load(
    approval_id: str | None, saved_file: Path | None, jwks: Path | None
) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """Return the receipt and the published keys, each from a file if one is given."""
    receipt = None if saved_file is None else _read_object(saved_file)
    keys = None if jwks is None else _keys(_read_object(jwks))
    if receipt is None or keys is None:
        with this_client() as client:
            warn_about_log(client)
            if receipt is None:
                receipt = client.receipt(references.approval_id(client, str(approval_id)))
            keys = _keys(client.published_keys()) if keys is None else keys
    return receipt, keys


def _read_object(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise click.UsageError(f"{path} does not contain a JSON object.")
    return document


def _keys(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    keys = document.get("keys")
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def _lines(receipt: Mapping[str, Any], parts: tuple[ReceiptPart, ...]) -> list[str]:
    approval = receipt.get("approval")
    name = approval.get("id") if isinstance(approval, dict) else None
    verdict = receipts.verdict(parts)
    outcome = _outcome_lines(receipt) if verdict is Verdict.PROVED else []
    lines = [f"Receipt of {display_safe(str(name), max_len=80)}", *outcome]
    for part in parts:
        reason = f": {part.why}" if part.why else ""
        lines.append(f"  {_PART_TEXTS[part.verdict]:<{_WIDTH}}{part.what}{reason}.")
    return [*lines, f"It {_VERDICT_TEXTS[verdict]}."]


def _outcome_lines(receipt: Mapping[str, Any]) -> list[str]:
    """Return the outcome of the request, worded as in `show`."""
    try:
        approval = wire.read_approval(JsonObject(receipt["approval"]))
    except WireError as error:
        return [fact("outcome", f"not readable: {error}")]
    return [fact("outcome", status_text(approval, settings.wall_clock()))]
