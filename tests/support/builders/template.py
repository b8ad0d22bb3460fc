"""An installation that is made once and copied for each test.

Owns: its people and agents. Creating keys and tables takes longer than most tests.
"""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.support.builders.callers import LocalAgent, LocalTerminal, new_person
from tests.support.builders.installation import BY, PAYMENT, register_agent
from tests.support.builders.site import LocalSite, open_site


@dataclass(frozen=True, slots=True)
class Template:
    """A prepared, closed installation, and the credentials of its agent and its person."""

    folder: Path
    agent_id: str
    agent_secret: str
    terminal: LocalTerminal

    def copy_to(self, folder: Path, **settings: Any) -> LocalSite:
        """Copy the installation into this folder and open it, with the clock at its start."""
        shutil.copytree(self.folder, folder)
        return open_site(folder, **settings)

    def agent(self, local: LocalSite) -> LocalAgent:
        """Return the agent invoice-bot."""
        return LocalAgent(local, self.agent_id, self.agent_secret)

    def person(self, local: LocalSite) -> LocalTerminal:
        """Return Ana at her first device."""
        return replace(self.terminal, local=local)


def make_template(folder: Path) -> Template:
    """Make an administrator, a payment API and its action, an agent, and Ana with a device."""
    local = open_site(folder)
    local.admin.installation.init("admin", by=BY)
    registration = register_agent(local.admin, auth_method="client_secret_post")
    local.admin.actions.add(json.dumps(PAYMENT), by=BY)
    terminal = new_person(local, "ana")
    local.services.store.close()
    return Template(folder, registration.agent.id, registration.secret, terminal)
