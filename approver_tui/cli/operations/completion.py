"""`sayso-approver completion`: print a completion script."""

import click
from click.shell_completion import get_completion_class

from approver_tui.cli.main import COMPLETION_VARIABLE, cli
from approver_tui.cli.printing import PROGRAM

_INSTALL_LINES = {
    "bash": 'eval "$(sayso-approver completion bash)"   # in ~/.bashrc',
    "zsh": 'eval "$(sayso-approver completion zsh)"    # in ~/.zshrc, after compinit',
    "fish": "sayso-approver completion fish | source   # in ~/.config/fish/config.fish",
}


@click.command("completion", epilog="\n\n".join(_INSTALL_LINES.values()))
@click.argument("shell", type=click.Choice(list(_INSTALL_LINES)))
def completion(*, shell: str) -> None:
    """Print the completion script of SHELL."""
    completion_class = get_completion_class(shell)
    if completion_class is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(completion_class(cli, {}, PROGRAM, COMPLETION_VARIABLE).source())
