"""An installation that is made once and copied for each test.

Owns: who is in it. Making keys and tables takes longer than most tests do.
"""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.support.builders.callers import LocalAgent, LocalTerminal, new_person
from tests.support.builders.installation import BY, PAYMENT, registered
from tests.support.builders.site import LocalSite, open_site


@dataclass(frozen=True, slots=True)
class Template:
    """A prepared installation that is closed, and what its agent and its person hold."""

    folder: Path
    agent_id: str
    agent_secret: str
    terminal: LocalTerminal

    def copied(self, folder: Path, **settings: Any) -> LocalSite:
        """The installation again, in this folder, at the moment at which it was closed."""
        shutil.copytree(self.folder, folder)
        return open_site(folder, **settings)

    def agent(self, local: LocalSite) -> LocalAgent:
        """The agent invoice-bot."""
        return LocalAgent(local, self.agent_id, self.agent_secret)

    def person(self, local: LocalSite) -> LocalTerminal:
        """Ana at her first device."""
        return replace(self.terminal, local=local)


def make_template(folder: Path) -> Template:
    """An administrator, a payment API and its action, an agent, and Ana at an enrolled device."""
    local = open_site(folder)
    local.admin.installation.init("admin", by=BY)
    given = registered(local.admin, auth_method="client_secret_post")
    local.admin.actions.add(json.dumps(PAYMENT), by=BY)
    terminal = new_person(local, "ana")
    local.services.store.close()
    return Template(folder, given.agent.id, given.secret, terminal)
