"""An installation with an object of each kind, and four people who try to administer it.

Owns: these people and objects. The installation is made once and copied for each test.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from server.model.approvals import Approval
from server.model.approvers import Deputy
from server.model.clients import Agent
from server.model.incidents import Incident
from server.model.users import User
from server.protocol.names import name_id
from server.services.approvers.groups import Groups
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from server.services.clients.invitations import Invitations, NewInvitation
from server.services.users.users import UserChanges
from tests.support.builders.callers import LocalTerminal, new_person
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY, PAY, PAYMENT, LocalAdmin, register_agent
from tests.support.builders.site import LocalSite, open_site

REDIRECT_URI = "https://chat.example/cb"
ROLES = ("admin", "auditor", "owner", "stranger")
JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
"""The public key of RFC 7517 A.1; no test has its private key."""


@dataclass(frozen=True, slots=True)
class AdminSite:
    """The installation, opened for one test."""

    local: LocalSite
    people: Mapping[str, LocalTerminal]
    ids: Mapping[str, str]
    """Kind of object, such as "user" or "disabled agent" → its ID."""

    def version(self, path: str) -> str:
        """Return the version of the object at this path, as the administrator sees it."""
        return str(self.people["admin"].call("GET", path).json["version"])


@dataclass(frozen=True, slots=True)
class AdminSiteTemplate:
    """The installation of `Staff`, closed and ready to be copied."""

    folder: Path
    people: Mapping[str, LocalTerminal]
    ids: Mapping[str, str]

    def copy_to(self, folder: Path) -> AdminSite:
        """Copy the installation into this folder and open it."""
        shutil.copytree(self.folder, folder)
        local = open_site(folder)
        people = {role: replace(person, local=local) for role, person in self.people.items()}
        return AdminSite(local, people, self.ids)


def make_admin_site(folder: Path) -> AdminSiteTemplate:
    """Make the installation with all its people and objects."""
    local = open_site(folder)
    admin = local.admin
    admin.installation.init("first", by=BY)
    admin.actions.add(json.dumps(PAYMENT), by=BY)
    people = {role: new_person(local, role) for role in ROLES}
    for role in ("admin", "auditor"):
        admin.users.update(role, UserChanges(roles=(role,)), by=BY)
    bystander, disabled_user = new_person(local, "bystander"), new_person(local, "stopped")
    admin.users.disable("stopped", by=BY)
    agent, disabled_agent = (
        register_agent(admin, name=name, owners=("owner",)).agent for name in ("one", "two")
    )
    admin.agents.disable("two", by=BY)
    app = Apps(admin.store, admin.secrets).add(NewApp("chat", (REDIRECT_URI,)), by=BY).app
    group = Groups(admin.store, admin.secrets).add("finance", ["bystander"], by=BY)
    invitations = Invitations(admin.store, admin.secrets)
    invitation = invitations.issue(NewInvitation("owner"), by=BY).invitation
    approval = admin.approval(agent.id, bystander.user.id)
    ids = {
        "user": bystander.user.id,
        "disabled user": disabled_user.user.id,
        "agent": agent.id,
        "disabled agent": disabled_agent.id,
        "invitation": invitation.id,
        "app": app.id,
        "group": group.id,
        "resource": name_id(PAY),
        "action": name_id("payment.transfer"),
        "approval": approval.id,
        "delegation": admin.token(agent.id, bystander.user.id).id,
        "consent": admin.consent(agent.id, bystander.user.id).id,
        "deputy": _add_deputy(admin, bystander.user, people["stranger"].user),
        "grant": admin.standing_grant(approval).id,
        "incident": add_incident(admin, approval, "sayso_ic_1", _quarantined_agent(agent)),
        "device": bystander.device_id,
        "key": next(key.kid for key in admin.keys.all() if key.alg == "RS256"),
        "message": _add_dead_message(admin),
        "entry": str(admin.entries()[0]["id"]),
    }
    local.services.store.close()
    return AdminSiteTemplate(folder, people, ids)


def _add_deputy(admin: LocalAdmin, user: User, other: User) -> str:
    """Store a deputy of the user; return its ID."""
    now = admin.clock.now()
    deputy = Deputy(
        id="sayso_dy_1",
        user_id=user.id,
        deputy_id=other.id,
        from_at=now,
        to_at=now + DAY,
        state="begun",
        device_id="sayso_dv_1",
        created_at=now,
    )
    with admin.store.write() as tx:
        tx.deputies.add(deputy)
    return deputy.id


def _add_dead_message(admin: LocalAdmin) -> str:
    """Store an outbox message that could not be delivered; return its ID."""
    with admin.store.write() as tx:
        tx.outbox.add("ciba_ping", "sayso_ag_gone", "{}")
        for message in tx.outbox.lease("staff", 100, 0):
            if message.target == "sayso_ag_gone":
                tx.outbox.mark_failed(message.id, "staff", "no route", None)
                return str(message.id)
    raise AssertionError


def _quarantined_agent(agent: Agent) -> dict[str, object]:
    """Return the agent as the evidence of a report describes it."""
    counts = ("tokens_revoked", "descendants_revoked", "requests_cancelled", "approved_cancelled")
    return {
        "id": agent.id,
        "name": agent.name,
        "state_before": "enabled",
        "state": "quarantined",
        "owners": list(agent.owners),
        "auth_method": agent.auth_method,
        "keys": [],
        "secrets": [],
        **dict.fromkeys(counts, 0),
    }


def add_incident(
    admin: LocalAdmin, approval: Approval, name: str = "sayso_ic_1", *agents: dict[str, object]
) -> str:
    """Store a report of this request that quarantined these agents; return its ID."""
    request: dict[str, object] = {"kind": approval.kind, "state_before": approval.state}
    request["asked_by"] = {"id": "x", "name": "x"}
    request |= {"id": approval.id, "resource": approval.resource, "scope": "", "risk": "low"}
    request |= {"action_digest": "A", "display_digest": "A", "fingerprint": "0000-0000"}
    evidence = {"approval": {**request, "asked_at": 0}, "agents": list(agents), "signed": "x"}
    incident = Incident(
        id=name,
        state="open",
        scope="agent",
        approval_id=approval.id,
        user_id=approval.user_id or "",
        device_id="sayso_dv_1",
        note=None,
        evidence=json.dumps(evidence),
        opened_at=admin.clock.now(),
    )
    with admin.store.write() as tx:
        tx.incidents.add(incident)
    return name
