"""`sayso completion`: the completion script of a shell."""

import click
from click.shell_completion import get_completion_class

from server.cli.main import COMPLETION_VARIABLE, PROGRAM, cli

_SETUP_LINES = {
    "bash": 'eval "$(sayso completion bash)"   # in ~/.bashrc',
    "zsh": 'eval "$(sayso completion zsh)"    # in ~/.zshrc, after compinit',
    "fish": "sayso completion fish | source   # in ~/.config/fish/config.fish",
}


@click.command("completion", epilog="\n\n".join(_SETUP_LINES.values()))
@click.argument("shell", type=click.Choice(list(_SETUP_LINES)))
def command(*, shell: str) -> None:
    """Print the completion script of SHELL.

    It completes commands, flags, names and IDs. Names and IDs need access to the data folder.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(kind(cli, {}, PROGRAM, COMPLETION_VARIABLE).source())
