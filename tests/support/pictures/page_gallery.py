"""`python -m tests.support.pictures.page_gallery` writes the page of docs with every picture.

Owns: the order of the pages in it, and what each is called there. Never: draws; the pictures are
those of `drawn_pages.py`, which wrote down at which address each was taken.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.support.checks.source import ROOT
from tests.support.pictures.drawn_pages import Taken, files, index

GALLERY: Final = ROOT / "docs" / "gallery-pages.md"
GROUPS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "Signing in": {
            "enroll": "First visit: create a passkey with a code",
            "signed-out": "Signed out",
            "install": "Install Sayso on a phone's home screen",
            "app-unknown": "An app that is not registered",
            "sign-in": "Sign in to an app",
            "sign-in-passkey": "Sign in to an app that requires a passkey",
            "consent": "Consent: what an app learns about you",
            "consent-power": "Consent: what an app may do",
            "waiting": "Wait for the answer on a device",
            "posting": "Return to the app",
            "device-code": "Enter the code of another device",
            "device-code-sent": "The code was sent",
            "signing-out": "Sign out of apps",
            "signed-out-of-apps": "Signed out of apps",
            "offline-page": "No connection",
            "forbidden": "An administrator's page, opened by someone else",
            "nowhere": "Page not found",
        },
        "Deciding": {
            "inbox": "Inbox",
            "request": "A high-risk request",
            "approving": "Approve it: the last step",
            "approving-critical": "Approve a critical request: type-back, match number and reason",
            "denying": "Deny it",
            "limit": "Narrow it",
            "comparing": "Narrow it: compare with what was asked",
            "approving-less": "Approve the narrowed request: the last step",
            "similar": "Create a standing grant",
            "ahead-preview": "What the standing grant would have covered",
            "report": "Report it",
            "expired": "An expired request",
            "done": "The result of an answer",
            "history": "History",
            "receipt": "The receipt of a decision",
        },
        "Your own pages": {
            "own-agents": "Your agents",
            "own-agent": "One of your agents",
            "own-agent-suspend": "Suspend it",
            "own-grants": "Your standing grants",
            "own-consents": "Your consents",
            "own-delegations": "Tokens that act for you",
            "own-devices": "Your devices",
            "own-device": "One of your devices",
            "device-code-made": "A code for another device",
            "signing": "Sign with the passkey",
            "own-settings": "Settings",
        },
        "The console": {
            "overview": "Overview",
            "approvals": "All requests",
            "approval": "One request",
            "console-not-connected": "One request, offline",
            "incidents": "Reports",
            "incident": "One report",
            "delegations": "Delegations",
            "delegation": "One chain",
            "grants": "Standing grants",
            "consents": "Consents",
            "limits": "Limits",
            "audit": "Audit log",
            "entry": "One audit entry",
            "timeline": "Timeline of a request",
            "health": "Health",
            "settings": "Settings and signing keys",
            "key-revoke": "Revoke a signing key",
            "console-signing": "Sign a change",
            "form-refused": "A form with an error",
        },
        "The console: agents": {
            "agents": "Agents",
            "agent": "One agent",
            "explained": "Policy explanation",
            "agent-new": "Register an agent",
            "agent-edit": "Change an agent",
            "agent-auth": "Change how it authenticates",
            "agent-keys": "Agent keys",
            "agent-icon": "Agent icon",
            "agent-disable": "Disable an agent",
            "agent-delete": "Delete an agent",
            "secret-told": "A new secret",
            "orphans": "Orphaned agents",
            "invitations": "Invitations",
            "invitation-new": "Create an invitation",
            "invitation-told": "The token of an invitation",
        },
        "The console: people": {
            "users": "Users",
            "user": "One user",
            "user-new": "Add a user",
            "user-told": "A one-time code",
            "devices": "All devices",
            "deputies": "Deputies",
            "groups": "Groups",
            "group": "One group",
            "group-new": "Create a group",
            "group-delete": "Delete a group",
        },
        "The console: apps, resources, actions, policy": {
            "apps": "Apps",
            "app": "One app",
            "app-new": "Register an app",
            "app-edit": "Change an app",
            "app-keys": "App keys",
            "app-delete": "Delete an app",
            "resources": "Resources",
            "resource": "One resource",
            "resource-new": "Register a resource",
            "resource-edit": "Change a resource",
            "resource-delete": "Delete a resource",
            "resource-deleted": "The resource was deleted",
            "actions": "Action types",
            "action": "One action type",
            "action-new": "Register an action type",
            "action-edit": "Change an action type",
            "action-delete": "Delete an action type",
            "policy": "Policy",
            "policy-tested": "Test cases",
            "policy-replayed": "Policy dry run",
        },
    }
)
"""What each picture shows, by its name, in the order of the page."""
_WIDTHS: Final = {"1440": 520, "360": 180}
"""How wide a picture is drawn on the page; in full it is behind itself."""
_LOOKS: Final = {"-dark": "dark", "-contrast": "high contrast"}
_INTRODUCTION: Final = """\
# Every page

Screenshots of every web page, 1440 and 360 pixels wide. Click a picture to enlarge it. The links
below its name show it in the dark and high-contrast themes. The terminal app has
[its own gallery](gallery.md).

"""


def gallery() -> str:
    """All pictures as a page in Markdown."""
    kept = index()
    contents = "".join(f"- [{title}](#{_anchor(title)})\n" for title in GROUPS)
    return _INTRODUCTION + contents + "".join(_group(title, kept) for title in GROUPS)


def _anchor(title: str) -> str:
    """The anchor that a link to the heading uses."""
    return "".join(c for c in title.lower() if c.isalnum() or c in " -").replace(" ", "-")


def _group(title: str, kept: Mapping[str, Taken]) -> str:
    rows = [_row(name, words, kept[name]) for name, words in GROUPS[title].items()]
    head = [f"## {title}", "", "| page | 1440 | 360 |", "|---|---|---|"]
    return "\n" + "\n".join([*head, *rows]) + "\n"


def _row(name: str, words: str, taken: Taken) -> str:
    where = f"<br>`{taken.rule}`" if taken.rule else ""
    looks = "".join(f"<br>{_other(name, look)}" for look in _looks_beside(name))
    shown = " | ".join(_image(name, words, width) for width in _WIDTHS)
    return f"| {words}{where}{looks} | {shown} |"


def _looks_beside(name: str) -> list[str]:
    """The looks of a picture but the plain one."""
    return sorted({look for _, look in files(name)} - {""}, key=list(_LOOKS).index)


def _other(name: str, look: str) -> str:
    links = (f"[{width}](pictures/page-{name}-{width}{look}.webp)" for width in _WIDTHS)
    return f"{_LOOKS[look]}: {', '.join(links)}"


def _image(name: str, words: str, width: str) -> str:
    path = f"pictures/page-{name}-{width}.webp"
    drawn = f'<img src="{path}" width="{_WIDTHS[width]}" alt="{words}, {width} wide">'
    return f'<a href="{path}">{drawn}</a>'


if __name__ == "__main__":
    GALLERY.write_text(gallery(), encoding="utf-8")
