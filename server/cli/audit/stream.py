"""`sayso audit stream`: send the audit log to another system."""

import re
import sys
from contextlib import closing
from functools import partial
from typing import Final
from urllib.parse import SplitResult, urlsplit

import click

from server import key_files
from server.cli.audit.log import FORMAT, sign_and_get_log
from server.cli.opening import OpenInstallation, Printed, administers, prints
from server.lazy_imports import lazily
from server.protocol.names import LOOPBACK

with lazily():
    from server.delivery import audit_formats, audit_streams, egress
    from server.delivery.audit_formats import Format
    from server.delivery.audit_targets import StdoutTarget, SyslogTls, Target, WebhookTarget
    from server.services.audit.streams import AuditStream

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
_SYSLOG_PORT: Final = 6514


@click.command("stream")
@click.argument("to", metavar="TO")
@click.option("--name", help="The name of the stream, if TO is used by more than one.")
@click.option("--once", is_flag=True, help="Send the entries that were not sent yet, then exit.")
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False),
    help="The certificate authorities of a syslog server, as PEM.",
)
@click.option("--format", "as_format", type=FORMAT, default="json", show_default=True)
@administers
def stream(
    admin: OpenInstallation,
    to: str,
    name: str | None,
    as_format: str,
    *,
    once: bool,
    ca_file: str | None,
) -> None:
    """Send the audit log to another system.

    It sends all entries in order, and continues with new ones until interrupted. TO is -
    (JSON lines on standard output), syslog+tls://HOST:PORT, or an https URL, which gets JSON lines
    signed with the webhook key. The next start continues where this one stopped. Entries that were
    sent shortly before a crash may be sent again; `seq` identifies an entry.
    """
    target, default_name = _target(admin, to, audit_formats.FORMATS[as_format], ca_file)
    name = name or default_name
    if not _NAME.fullmatch(name):
        raise click.BadParameter("--name must have 1 to 63 of the characters a-z 0-9 . -")
    sign_and_get_log(admin)
    report = partial(click.echo, file=sys.stderr)
    with closing(target):
        source = AuditStream(admin.services.store)
        folder = admin.services.settings.data_dir / audit_streams.FOLDER
        audit_streams.StreamRun(source, target, once, report).run(folder, name)


@click.command("streams")
@prints
def streams(admin: OpenInstallation) -> Printed:
    """List the streams of this data folder, and how many entries each has not sent yet."""
    source = AuditStream(admin.services.store)
    positions_by_name = audit_streams.positions(
        admin.services.settings.data_dir / audit_streams.FOLDER
    )
    items = []
    for name, position in positions_by_name.items():
        lag = source.lag(position)
        seconds = lag.milliseconds // 1000
        item = {"name": name, "sent": position.sent, "behind": lag.entries}
        items.append({**item, "behind_seconds": seconds})
    lines = [
        f"{item['name']}  {item['sent']} sent, {item['behind']} to send "
        f"({item['behind_seconds']} s behind)"
        for item in items
    ]
    return {"items": items}, lines or ["No streams yet. Start one with: sayso audit stream TO"]


def _target(
    admin: OpenInstallation, to: str, line: Format, ca_file: str | None
) -> tuple[Target, str]:
    """The target, and the default name of its stream."""
    if to == "-":
        return StdoutTarget(line), "stdout"
    url = _parse_url(to)
    host = url.hostname or ""
    if url.scheme == "syslog+tls" and host:
        _check_ca_file(ca_file)
        return SyslogTls(line, host, url.port or _SYSLOG_PORT, ca_file), host
    if host and (url.scheme == "https" or (url.scheme == "http" and host in LOOPBACK)):
        services = admin.services
        key_file = key_files.open_webhook(services.settings, services.store)
        return WebhookTarget(line, to, key_file), host
    raise click.BadParameter("TO must be -, syslog+tls://HOST:PORT or an https URL.")


def _check_ca_file(ca_file: str | None) -> None:
    if ca_file is not None and not egress.has_certificate(ca_file):
        raise click.BadParameter(f"--ca-file: {ca_file} has no valid certificate in PEM format.")


def _parse_url(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError as error:
        raise click.BadParameter(f"TO is not a URL: {error}.") from error
    return url
