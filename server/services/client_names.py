"""What agents and apps are called: screens show the name, so no two clients share one look."""

from server.protocol.look_alikes import name_key
from server.protocol.names import APPROVER_CLIENT
from server.services.parties import TERMINAL
from server.services.ports import Unit
from server.services.refusals import Exists, about


@about("name")
def refuse_taken(tx: Unit, name: str, of: str | None) -> None:
    """Raises `Exists` when another client than this one is called so, or looks as if it were."""
    agent, app = tx.directory.agent_called(name), tx.directory.app_called(name)
    if agent is not None and agent.id != of:
        raise Exists(f"There is an agent {agent.name} already, {agent.id}.")
    if app is not None and app.id != of:
        raise Exists(f"There is an app {app.name} already, {app.id}.")
    if name_key(name) == name_key(TERMINAL):
        raise Exists(f"{TERMINAL} is what screens call {APPROVER_CLIENT}.")
