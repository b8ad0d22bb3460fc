"""`sayso serve`: reads the flags and starts the server, without importing the database code."""

from importlib.resources import files

import click

from server.cli.flags import settings_of


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65_535), default=8470, show_default=True)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="The number of processes. More than one requires PostgreSQL.",
)
@click.option("--insecure", is_flag=True, help="Allow other machines to connect without https.")
@click.option(
    "--systemd-unit", is_flag=True, help="Print a systemd unit that runs as its own user, and exit."
)
@click.pass_context
def command(
    context: click.Context,
    host: str,
    port: int,
    workers: int,
    *,
    insecure: bool,
    systemd_unit: bool,
) -> None:
    """Run the server until it is stopped.

    It prints one line with the issuer when it accepts connections.
    """
    if systemd_unit:
        click.echo(files("server.serving").joinpath("sayso.service").read_text("utf-8"), nl=False)
        return
    from server.serving.main import ServeOptions, run  # noqa: PLC0415  # gunicorn, only to serve

    run(settings_of(context), ServeOptions(host, port, workers, insecure))
