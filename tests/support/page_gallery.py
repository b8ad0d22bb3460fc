"""`python -m tests.support.page_gallery`: the page of the documentation with every page's picture.

Owns: the order of the pages in it, and what each is called there. Never: draws; the pictures are
those of `drawn_pages.py`, which wrote down at which address each was taken.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.support.drawn_pages import Taken, files, index
from tests.support.source import ROOT

GALLERY: Final = ROOT / "docs" / "gallery-pages.md"
GROUPS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "Signing in": {
            "enrol": "The first visit: a code becomes a passkey",
            "signed-out": "Signed out",
            "install": "Sayso on a phone's home screen",
            "app-unknown": "An app that nobody registered",
            "sign-in": "Signing in to an app",
            "sign-in-passkey": "Signing in to an app that wants a passkey",
            "consent": "What an app would be told",
            "consent-power": "What an app would be allowed to do",
            "waiting": "The answer is given on a device",
            "posting": "Back to the app",
            "device-code": "A code that another device shows",
            "device-code-sent": "The code was sent",
            "signing-out": "Signing out of apps",
            "signed-out-of-apps": "Signed out of apps",
            "offline-page": "No connection",
            "forbidden": "A page of administrators, opened by somebody else",
            "nowhere": "No page is here",
        },
        "Deciding": {
            "inbox": "What waits",
            "request": "A request of high risk",
            "approving": "Approving it: the last step",
            "approving-critical": "What is critical takes a fact, a number and a reason",
            "denying": "Denying it",
            "limit": "Approving less",
            "comparing": "Less, beside what was asked",
            "approving-less": "Approving it: the last step",
            "similar": "Approving requests like one ahead",
            "ahead-preview": "What that would have covered",
            "report": "Reporting",
            "expired": "Too late",
            "done": "What came of an answer",
            "history": "What was decided",
            "receipt": "The receipt of a decision",
        },
        "Pages of one's own": {
            "own-agents": "The agents that act for somebody",
            "own-agent": "One of them",
            "own-agent-suspend": "Stopping it",
            "own-grants": "What was approved ahead",
            "own-consents": "What agents and apps may do",
            "own-delegations": "Who acted for whom",
            "own-devices": "Devices",
            "own-device": "One of them",
            "device-code-made": "A code for another device",
            "signing": "What is signed with the passkey",
            "own-settings": "Settings",
        },
        "The console": {
            "overview": "How it goes",
            "approvals": "Requests of everybody",
            "approval": "One of them",
            "console-not-connected": "The same without a connection",
            "incidents": "Reports",
            "incident": "One of them",
            "delegations": "Who acted for whom",
            "delegation": "One chain",
            "grants": "What was approved ahead",
            "consents": "What agents and apps may do",
            "limits": "Every limit, and who is near one",
            "audit": "The log",
            "entry": "One entry",
            "health": "What is weak or broken",
            "settings": "The settings, and the signing keys",
            "key-end": "Ending a signing key",
            "console-signing": "A change that is signed",
            "form-refused": "A form that is refused",
        },
        "The console: agents": {
            "agents": "Agents",
            "agent": "One agent",
            "explained": "What policy would say of it",
            "agent-new": "A new one",
            "agent-edit": "Changing it",
            "agent-auth": "How it proves itself",
            "agent-keys": "Its keys",
            "agent-icon": "Its picture",
            "agent-stop": "Stopping it",
            "agent-forget": "Forgetting it",
            "secret-told": "Its new secret",
            "orphans": "Agents without an owner",
            "invitations": "Invitations for agents",
            "invitation-new": "A new one",
            "invitation-told": "Its token",
        },
        "The console: people": {
            "users": "People",
            "user": "One person",
            "user-new": "A new one",
            "user-told": "Their code",
            "devices": "Devices of everybody",
            "deputies": "Deputies",
            "groups": "Groups",
            "group": "One group",
            "group-new": "A new one",
            "group-forget": "Forgetting it",
        },
        "The console: apps, resources, actions, policy": {
            "apps": "Apps",
            "app": "One app",
            "app-new": "A new one",
            "app-edit": "Changing it",
            "app-keys": "Its keys",
            "app-forget": "Forgetting it",
            "resources": "Resources",
            "resource": "One resource",
            "resource-new": "A new one",
            "resource-edit": "Changing it",
            "resource-forget": "Forgetting it",
            "resource-forgotten": "It is forgotten",
            "actions": "Action types",
            "action": "One action type",
            "action-new": "A new one",
            "action-edit": "Changing it",
            "action-forget": "Forgetting it",
            "policy": "Policy",
            "policy-tested": "Its cases, tried",
            "policy-replayed": "The past, judged by other rules",
        },
    }
)
"""What each picture shows, by its name, in the order of the page."""
_WIDTHS: Final = {"1440": 520, "360": 180}
"""How wide a picture is drawn on the page; in full it is behind itself."""
_LOOKS: Final = {"-dark": "dark", "-contrast": "high contrast"}
_INTRODUCTION: Final = """\
# Every page

The pages in the browser, as they are drawn for 1440 and for 360 pixels. A click on a picture shows
it in full; the links below its name lead to the same page in other looks. The terminal app has
[a gallery of its own](gallery.md).

"""


def gallery() -> str:
    """All pictures as a page in Markdown."""
    kept = index()
    contents = "".join(f"- [{title}](#{_anchor(title)})\n" for title in GROUPS)
    return _INTRODUCTION + contents + "".join(_group(title, kept) for title in GROUPS)


def _anchor(title: str) -> str:
    """As the heading is called in a link."""
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
