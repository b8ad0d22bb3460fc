"""An agent that is configured by the environment, for the programs of the kit.

    SAYSO_ISSUER          your Sayso server, such as https://sayso.example
    SAYSO_AGENT_ID        the client ID that `sayso agents add` printed
    SAYSO_AGENT_SECRET    its secret, or
    SAYSO_AGENT_KEY_FILE  the file of its private key: PEM or a JWK

Owns: these names, and errors that name them. Never: other variables.
"""

import os
from pathlib import Path
from typing import Final

from sayso.agent import AsyncAgent

_ISSUER: Final = "SAYSO_ISSUER"
_ID: Final = "SAYSO_AGENT_ID"
_SECRET: Final = "SAYSO_AGENT_SECRET"  # noqa: S105  # a name
_KEY_FILE: Final = "SAYSO_AGENT_KEY_FILE"


def agent_of_environment() -> AsyncAgent:
    """The agent of these variables. Raises ValueError with the variable and the remedy."""
    issuer = _needed(_ISSUER, "your Sayso server, such as https://sayso.example")
    client_id = _needed(_ID, "the client ID that `sayso agents add` printed")
    secret, file = os.environ.get(_SECRET) or None, os.environ.get(_KEY_FILE) or None
    if (secret is None) == (file is None):
        raise ValueError(
            f"Set {_SECRET} or {_KEY_FILE}, one of them: the secret that `sayso agents add` "
            "printed, or the file of the agent's private key."
        )
    if file is None:
        return AsyncAgent(issuer, client_id, secret=secret)
    try:
        return AsyncAgent(issuer, client_id, key=Path(file).read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{_KEY_FILE}: {file}: {error.strerror}.") from error
    except ValueError as error:
        raise ValueError(f"{_KEY_FILE}: {file}: {error}") from error


def _needed(name: str, meaning: str) -> str:
    if not (value := os.environ.get(name, "")):
        raise ValueError(f"Set {name}: {meaning}.")
    return value
